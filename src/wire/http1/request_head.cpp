// What the fields of a request mean for its framing. Each rule that is stricter than RFC 9112 demands is here because
// two parsers that disagree about the end of a message let an attacker smuggle a second request behind the first
// (RFC 9112, section 11.2).
#include "wire/http1/request_head.hpp"

#include <charconv>
#include <string_view>
#include <system_error>

#include "base/text.hpp"
#include "wire/http1/grammar.hpp"
#include "wire/http1/request_line.hpp"

namespace windhover::wire::http1 {
namespace {

// RFC 9112, section 3.2: exactly one Host in HTTP/1.1, at most one before.
std::optional<request_error> check_host(const request_head& head) {
  const std::size_t hosts = head.fields.count("Host");
  if (hosts > 1) return request_error::several_hosts;
  if (hosts == 0) {
    if (head.version == http_version::http_1_0) return std::nullopt;
    return request_error::missing_host;
  }
  if (!is_host(*head.fields.find("Host"))) return request_error::malformed_host;
  return std::nullopt;
}

// The reason to refuse transfer codings that are not just "chunked". A list that has an empty member, parameters, or
// chunked elsewhere than once at its end leaves the end of the message in doubt; anything else is a coding that is
// not supported here (RFC 9112, sections 6.1 and 6.3).
request_error refuse_codings(std::string_view codings) {
  for (bool last = false; !last;) {
    const std::size_t comma = codings.find(',');
    last = comma == std::string_view::npos;
    const std::string_view coding = base::trim(codings.substr(0, comma));
    if (!base::is_token(coding)) return request_error::malformed_transfer_encoding;
    if (!last && base::equals_ignoring_case(coding, "chunked")) return request_error::malformed_transfer_encoding;
    if (!last) codings.remove_prefix(comma + 1);
  }
  return request_error::unknown_transfer_coding;
}

std::optional<request_error> read_transfer_encoding(request_head& head) {
  if (head.version == http_version::http_1_0) return request_error::transfer_encoding_in_http_1_0;
  if (head.fields.contains("Content-Length")) return request_error::content_length_and_transfer_encoding;
  const std::string codings = head.fields.joined("Transfer-Encoding");
  if (!base::equals_ignoring_case(codings, "chunked")) return refuse_codings(codings);
  head.framing = body_framing::chunked;
  return std::nullopt;
}

// RFC 9112, section 6.3, allows to accept equal values in several fields or in one list; they are refused here.
std::optional<request_error> read_content_length(request_head& head, std::string_view value) {
  if (head.fields.count("Content-Length") > 1) return request_error::several_content_lengths;
  const char* const end = value.data() + value.size();
  const auto [behind, failure] = std::from_chars(value.data(), end, head.content_length);
  if (failure != std::errc() || behind != end) return request_error::malformed_content_length;
  head.framing = body_framing::content_length;
  return std::nullopt;
}

std::optional<request_error> read_framing(request_head& head, const limits& bounds) {
  if (head.fields.contains("Transfer-Encoding")) return read_transfer_encoding(head);
  const auto length = head.fields.find("Content-Length");
  if (!length) return std::nullopt;
  if (const auto error = read_content_length(head, *length)) return error;
  if (head.content_length > bounds.body) return request_error::body_too_large;
  return std::nullopt;
}

void read_connection(request_head& head) {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
  head.fields.for_each("Connection", [&](std::string_view value) {
    base::for_each_list_member(value, [&](std::string_view option) {
      close = close || base::equals_ignoring_case(option, "close");
      keep_alive = keep_alive || base::equals_ignoring_case(option, "keep-alive");
      upgrade = upgrade || base::equals_ignoring_case(option, "upgrade");
    });
  });
  const bool is_1_1 = head.version == http_version::http_1_1;
  head.keep_alive = !close && (is_1_1 || keep_alive);
  head.wants_upgrade = is_1_1 && upgrade && head.fields.contains("Upgrade");
}

void read_expectation(request_head& head) {
  if (head.version == http_version::http_1_0 || head.framing == body_framing::none) return;
  head.fields.for_each("Expect", [&head](std::string_view value) {
    if (base::equals_ignoring_case(value, "100-continue")) head.expects_continue = true;
  });
}

}  // namespace

std::optional<request_error> complete(request_head& head, const limits& bounds) {
  if (const auto error = check_host(head)) return error;
  if (const auto error = read_framing(head, bounds)) return error;
  read_connection(head);
  read_expectation(head);
  reduce_absolute_form(head);
  return std::nullopt;
}

}  // namespace windhover::wire::http1
