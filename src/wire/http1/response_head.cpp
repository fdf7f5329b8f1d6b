// Status lines and the framing of responses.
#include "wire/http1/response_head.hpp"

#include <charconv>
#include <system_error>

#include "base/text.hpp"
#include "wire/http1/grammar.hpp"

namespace windhover::wire::http1 {
namespace {

bool is_digit(char each) noexcept { return each >= '0' && each <= '9'; }

}  // namespace

std::string_view describe(response_error error) noexcept {
  switch (error) {
    case response_error::malformed_status_line:
      return "the answer does not begin with a status line of HTTP/1.1";
    case response_error::unsupported_version:
      return "the HTTP version of the answer is not supported";
    case response_error::malformed_line_end:
      return "a line of the answer does not end with CR LF";
    case response_error::malformed_field:
      return "a header field of the answer is malformed";
    case response_error::head_too_large:
      return "the head of the answer is larger than the limit";
    case response_error::too_many_headers:
      return "the answer has more header fields than the limit allows";
    case response_error::malformed_framing:
      return "the answer leaves the length of its body in doubt";
  }
  return "the answer is malformed";
}

std::optional<response_error> parse_status_line(std::string_view line, response_head& head) {
  // HTTP/1.1 SP 3DIGIT [ SP reason ]
  constexpr std::size_t through_status = 12;
  if (line.size() < through_status || !line.starts_with("HTTP/") || !is_digit(line[5]) || line[6] != '.' ||
      !is_digit(line[7]) || line[8] != ' ')
    return response_error::malformed_status_line;
  if (line[5] != '1') return response_error::unsupported_version;
  const std::string_view digits = line.substr(9, 3);
  if (digits[0] < '1' || !is_digit(digits[0]) || !is_digit(digits[1]) || !is_digit(digits[2]))
    return response_error::malformed_status_line;
  const std::string_view rest = line.substr(through_status);
  if ((!rest.empty() && rest.front() != ' ') || !is_field_value(rest)) return response_error::malformed_status_line;
  head.version = line[7] == '0' ? http_version::http_1_0 : http_version::http_1_1;
  head.status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
  head.reason = base::trim(rest);
  return std::nullopt;
}

std::optional<response_error> read_framing(response_head& head) {
  if (head.fields.contains("Transfer-Encoding")) {
    // Nothing was asked for that would need another coding than chunked.
    if (head.version == http_version::http_1_0 || head.fields.contains("Content-Length") ||
        !base::equals_ignoring_case(head.fields.joined("Transfer-Encoding"), "chunked"))
      return response_error::malformed_framing;
    head.framing = body_framing::chunked;
    return std::nullopt;
  }
  const auto length = head.fields.find("Content-Length");
  if (!length) return std::nullopt;
  const char* const end = length->data() + length->size();
  const auto [behind, failure] = std::from_chars(length->data(), end, head.content_length);
  if (head.fields.count("Content-Length") > 1 || failure != std::errc() || behind != end)
    return response_error::malformed_framing;
  head.framing = body_framing::content_length;
  return std::nullopt;
}

}  // namespace windhover::wire::http1
