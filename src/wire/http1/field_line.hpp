// A field line of a head or a trailer section (RFC 9112, section 5).
#pragma once

#include <optional>
#include <string_view>

#include "wire/http1/request_error.hpp"
#include <windhover/headers.hpp>

namespace windhover::wire::http1 {

// Splits the line, without its line end, into views of name and value; whitespace around the value is left out. Refused
// are whitespace around the name, empty names, control characters, and lines that continue the one before.
std::optional<request_error> parse_field_line(std::string_view line, headers::field& field);

}  // namespace windhover::wire::http1
