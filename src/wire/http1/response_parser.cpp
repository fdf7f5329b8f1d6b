// The order of things in the head of a response: status line, fields, empty line.
#include "wire/http1/response_parser.hpp"

#include <string_view>

#include "wire/http1/field_line.hpp"

namespace windhover::wire::http1 {

response_parser::step response_parser::read_head(std::span<const std::byte>& in) {
  constexpr std::string_view beginning = "HTTP/";
  ended_ = false;
  while (!error_) {
    // A server that speaks something else is told by its first byte, and not by a line that never ends.
    if (!in_fields_ && !lines_.under_way() && !in.empty() && static_cast<char>(in.front()) != beginning.front())
      return fail(response_error::malformed_status_line);
    const auto outcome = lines_.next(in, bounds_.header_bytes - bytes_);
    if (outcome == line_reader::outcome::needs_more) return step::needs_more;
    if (outcome == line_reader::outcome::too_long) return fail(response_error::head_too_large);
    if (outcome == line_reader::outcome::malformed) return fail(response_error::malformed_line_end);
    if (const auto error = read_line()) return fail(*error);
    if (ended_) return step::head;
  }
  return step::error;
}

std::optional<response_error> response_parser::read_line() {
  const std::string_view line = lines_.line();
  bytes_ += line.size() + 2;
  if (!in_fields_) {
    head_ = response_head();
    in_fields_ = true;
    return parse_status_line(line, head_);
  }
  if (line.empty()) {
    in_fields_ = false;
    ended_ = true;
    return std::nullopt;
  }
  if (++fields_ > bounds_.header_count) return response_error::too_many_headers;
  headers::field field;
  if (parse_field_line(line, field)) return response_error::malformed_field;
  head_.fields.add(field.name, field.value);
  return std::nullopt;
}

response_parser::step response_parser::fail(response_error error) noexcept {
  lines_.release();
  error_ = error;
  return step::error;
}

}  // namespace windhover::wire::http1
