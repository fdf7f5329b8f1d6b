// The statuses and the texts of the reasons for which a request is refused.
#include "wire/http1/request_error.hpp"

namespace windhover::wire::http1 {

int status_of(request_error error) noexcept {
  switch (error) {
    case request_error::body_too_large:
      return 413;
    case request_error::request_line_too_long:
      return 414;
    case request_error::headers_too_large:
    case request_error::too_many_headers:
      return 431;
    case request_error::unknown_transfer_coding:
      return 501;
    case request_error::unsupported_version:
      return 505;
    default:
      return 400;
  }
}

std::string_view describe(request_error error) noexcept {
  switch (error) {
    case request_error::malformed_request_line:
      return "The request line is malformed.";
    case request_error::no_version:
      return "The request line names no version of HTTP.";
    case request_error::malformed_target:
      return "The request target is malformed.";
    case request_error::connect_not_supported:
      return "The method CONNECT is not supported.";
    case request_error::unsupported_version:
      return "The HTTP version is not supported.";
    case request_error::request_line_too_long:
      return "The request line is too long.";
    case request_error::malformed_line_end:
      return "A line does not end with CR LF.";
    case request_error::malformed_field:
      return "A header field is malformed.";
    case request_error::folded_field:
      return "A header field is folded over several lines.";
    case request_error::headers_too_large:
      return "The header fields are too large.";
    case request_error::too_many_headers:
      return "There are too many header fields.";
    case request_error::missing_host:
      return "The Host field is missing.";
    case request_error::several_hosts:
      return "There is more than one Host field.";
    case request_error::malformed_host:
      return "The Host field is malformed.";
    case request_error::malformed_content_length:
      return "The Content-Length field is malformed.";
    case request_error::several_content_lengths:
      return "There is more than one Content-Length.";
    case request_error::content_length_and_transfer_encoding:
      return "There are both a Content-Length and a Transfer-Encoding field.";
    case request_error::transfer_encoding_in_http_1_0:
      return "Transfer-Encoding is not part of HTTP/1.0.";
    case request_error::malformed_transfer_encoding:
      return "The Transfer-Encoding field is malformed.";
    case request_error::unknown_transfer_coding:
      return "The transfer coding is not supported.";
    case request_error::body_too_large:
      return "The body is too large.";
    case request_error::malformed_chunk:
      return "The chunked body is malformed.";
  }
  return "The request is malformed.";
}

}  // namespace windhover::wire::http1
