#include "wire/http2/request_fields.hpp"

#include <charconv>
#include <system_error>

#include "base/text.hpp"
#include "wire/http1/grammar.hpp"

namespace windhover::wire::http2 {

using http1::request_error;

void request_fields::add(std::string_view name, std::string_view value) {
  if (error_) return;
  if (name.starts_with(':')) {
    add_pseudo_header(name, value);
  } else {
    add_field(name, value);
  }
}

// They are what HTTP/1.1 has in the request line, so they share its bound.
void request_fields::add_pseudo_header(std::string_view name, std::string_view value) {
  line_bytes_ += value.size();
  if (line_bytes_ > bounds_.request_line) {
    error_ = request_error::request_line_too_long;
  } else if (name == ":method") {
    head_.method = value;
  } else if (name == ":path") {
    head_.target = value;
  } else if (name == ":authority") {
    authority_ = value;
  } else if (name == ":protocol") {
    head_.protocol = value;
  }
}

void request_fields::add_field(std::string_view name, std::string_view value) {
  constexpr std::size_t separators = 4;  // as a line of HTTP/1.1 has them
  header_bytes_ += name.size() + value.size() + separators;
  if (header_bytes_ > bounds_.header_bytes) {
    error_ = request_error::headers_too_large;
  } else if (head_.fields.size() == bounds_.header_count) {
    error_ = request_error::too_many_headers;
  } else if (name == "cookie") {
    // A client may cut cookies into pieces, for the compression's sake (section 8.2.3).
    if (!cookies_.empty()) cookies_ += "; ";
    cookies_ += value;
  } else {
    head_.fields.add(name, value);
  }
}

std::optional<request_error> request_fields::finish(bool ends) {
  if (error_) return error_;
  head_.version = http1::http_version::http_2;
  if (!cookies_.empty()) head_.fields.add("cookie", cookies_);
  if (const auto error = check_target()) return error;
  if (const auto error = settle_host()) return error;
  head_.wants_upgrade = !head_.protocol.empty();
  if (ends || head_.wants_upgrade) return std::nullopt;
  return read_framing();
}

std::optional<request_error> request_fields::check_target() const {
  if (!base::is_token(head_.method)) return request_error::malformed_request_line;
  // A proxy's business; with :protocol it asks for something that is spoken here (RFC 8441, section 4).
  if (head_.method == "CONNECT" && head_.protocol.empty()) return request_error::connect_not_supported;
  const bool whole_server = head_.target == "*" && head_.method == "OPTIONS";
  if (!http1::is_request_target(head_.target) || (!head_.target.starts_with('/') && !whole_server)) {
    return request_error::malformed_target;
  }
  return std::nullopt;
}

// The authority is the host (section 8.3.1). A Host field that says something else is an attempt to be two things.
std::optional<request_error> request_fields::settle_host() {
  const std::size_t hosts = head_.fields.count("Host");
  if (hosts > 1) return request_error::several_hosts;
  if (!authority_.empty()) {
    const auto host = head_.fields.find("Host");
    if (host && !base::equals_ignoring_case(*host, authority_)) return request_error::several_hosts;
    if (!host) head_.fields.add("host", authority_);
  }
  const auto host = head_.fields.find("Host");
  if (!host) return request_error::missing_host;
  return http1::is_host(*host) ? std::nullopt : std::optional(request_error::malformed_host);
}

// A body without a length ends where the stream does, so it is read as one in chunks is.
std::optional<request_error> request_fields::read_framing() {
  head_.framing = http1::body_framing::chunked;
  if (const auto length = head_.fields.find("Content-Length")) {
    const char* const end = length->data() + length->size();
    const auto [behind, failure] = std::from_chars(length->data(), end, head_.content_length);
    if (failure != std::errc() || behind != end) return request_error::malformed_content_length;
    if (head_.content_length > bounds_.body) return request_error::body_too_large;
    head_.framing = http1::body_framing::content_length;
  }
  head_.fields.for_each("Expect", [this](std::string_view value) {
    if (base::equals_ignoring_case(value, "100-continue")) head_.expects_continue = true;
  });
  return std::nullopt;
}

}  // namespace windhover::wire::http2
