// Parsing of a field line.
#include "wire/http1/field_line.hpp"

#include <cstddef>

#include "base/text.hpp"
#include "wire/http1/grammar.hpp"

namespace windhover::wire::http1 {

std::optional<request_error> parse_field_line(std::string_view line, headers::field& field) {
  // obs-fold, which a server must refuse or replace (RFC 9112, section 5.2).
  if (line.starts_with(' ') || line.starts_with('\t')) return request_error::folded_field;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return request_error::malformed_field;
  field.name = line.substr(0, colon);
  field.value = base::trim(line.substr(colon + 1));
  if (!base::is_token(field.name) || !is_field_value(field.value)) return request_error::malformed_field;
  return std::nullopt;
}

}  // namespace windhover::wire::http1
