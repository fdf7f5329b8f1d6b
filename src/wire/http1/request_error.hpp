// Why a request was refused: each reason with the status that answers it. Whatever the reason, what follows on the
// connection cannot be trusted to be another request, so the connection is closed behind the answer.
#pragma once

#include <string_view>

namespace windhover::wire::http1 {

enum class request_error {
  malformed_request_line,
  no_version,
  malformed_target,
  connect_not_supported,
  unsupported_version,
  request_line_too_long,
  malformed_line_end,
  malformed_field,
  folded_field,
  headers_too_large,
  too_many_headers,
  missing_host,
  several_hosts,
  malformed_host,
  malformed_content_length,
  several_content_lengths,
  content_length_and_transfer_encoding,
  transfer_encoding_in_http_1_0,
  malformed_transfer_encoding,
  unknown_transfer_coding,
  body_too_large,
  malformed_chunk,
};

// 400, 413, 414, 431, 501 or 505.
int status_of(request_error error) noexcept;

// One sentence for a log or for the body of the answer.
std::string_view describe(request_error error) noexcept;

}  // namespace windhover::wire::http1
