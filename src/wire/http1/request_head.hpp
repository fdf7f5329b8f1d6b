// The head of a request, and what it says about the message and the connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "wire/http1/limits.hpp"
#include "wire/http1/request_error.hpp"
#include <windhover/headers.hpp>

namespace windhover::wire::http1 {

// Requests of HTTP/2 take the form of this head too (wire/http2/request_fields.hpp).
enum class http_version : std::uint8_t { http_1_0, http_1_1, http_2 };

// How the end of the body is found (RFC 9112, section 6.3). In HTTP/2, where the end of the stream is the body's,
// "chunked" means that its length was not announced.
enum class body_framing : std::uint8_t { none, content_length, chunked };

struct request_head {
  std::string method;
  // In origin form ("/path?query"), or "*" for OPTIONS. Absolute form has been reduced to this, and its authority put
  // into the Host field (RFC 9112, section 3.2.2).
  std::string target;
  headers fields;
  // What a CONNECT request of HTTP/2 asks for with :protocol (RFC 8441, section 4); empty in all others.
  std::string protocol;
  // The length of the body when `framing` is content_length.
  std::uint64_t content_length = 0;
  http_version version = http_version::http_1_1;
  body_framing framing = body_framing::none;
  // Whether the connection stays open behind the answer (RFC 9112, section 9.3).
  bool keep_alive = true;
  // Whether the client waits for "100 Continue" before it sends the body (RFC 9110, section 10.1.1). Never set for
  // HTTP/1.0 or without a body.
  bool expects_continue = false;
  // Whether the request asks to leave HTTP: an Upgrade field, named in Connection (RFC 9110, section 7.8), or :protocol
  // in HTTP/2. Never set for HTTP/1.0.
  bool wants_upgrade = false;
};

// Judges a head whose request line and fields have been read, and fills in what follows from the fields. Returns the
// reason when the request must be refused.
std::optional<request_error> complete(request_head& head, const limits& bounds);

}  // namespace windhover::wire::http1
