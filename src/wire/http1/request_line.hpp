// The request line (RFC 9112, section 3): method, target, version.
#pragma once

#include <optional>
#include <string_view>

#include "wire/http1/request_error.hpp"
#include "wire/http1/request_head.hpp"

namespace windhover::wire::http1 {

// Reads the line, without its line end, into the head's method, target and version. A target is taken in origin form,
// in absolute form with http or https, and as "*" for OPTIONS; CONNECT and its authority form are refused, as this is
// no tunnel. A minor version above 1 is read as HTTP/1.1 (RFC 9110, section 2.5).
std::optional<request_error> parse_request_line(std::string_view line, request_head& head);

// Turns a target in absolute form into origin form and makes its authority the Host field, whatever that said before
// (RFC 9112, section 3.2.2). Other targets stay as they are.
void reduce_absolute_form(request_head& head);

}  // namespace windhover::wire::http1
