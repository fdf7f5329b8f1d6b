// Header fields from the lines of an input.
#pragma once

#include <string_view>

#include "base/text.hpp"
#include "input.hpp"
#include "wire/http1/grammar.hpp"
#include <windhover/headers.hpp>

namespace windhover::fuzz {

// Reads "name: value" lines up to an empty one. What a parser of HTTP would not let through is left out.
inline headers take_fields(input& in) {
  headers fields;
  while (!in.empty()) {
    const std::string_view line = in.line();
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = base::trim(line.substr(colon + 1));
    if (base::is_token(name) && wire::http1::is_field_value(value)) fields.add(name, value);
  }
  return fields;
}

}  // namespace windhover::fuzz
