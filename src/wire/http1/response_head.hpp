// The head of a response, as a client reads it, and why one is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/http1/request_head.hpp"
#include <windhover/headers.hpp>

namespace windhover::wire::http1 {

enum class response_error : std::uint8_t {
  malformed_status_line,
  unsupported_version,
  malformed_line_end,
  malformed_field,
  head_too_large,
  too_many_headers,
  malformed_framing,  // Content-Length and Transfer-Encoding that leave the end of the body in doubt
};

// One sentence for a log or an exception.
std::string_view describe(response_error error) noexcept;

struct response_head {
  int status = 0;
  std::string reason;
  headers fields;
  http_version version = http_version::http_1_1;
  // `none` without both fields: then the body of a response goes on to the end of the connection (RFC 9112, section
  // 6.3), unless the status or the method says that there is none.
  body_framing framing = body_framing::none;
  std::uint64_t content_length = 0;
};

// Reads "HTTP/1.1 200 OK" into the head (RFC 9112, section 4). The reason may be empty, and the space before it
// missing, as many servers have it.
std::optional<response_error> parse_status_line(std::string_view line, response_head& head);

// Judges the framing of a head whose fields have been read. Not for the answer to CONNECT or an upgrade, which have no
// body whatever the fields say.
std::optional<response_error> read_framing(response_head& head);

}  // namespace windhover::wire::http1
