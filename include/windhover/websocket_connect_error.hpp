// websocket_connect_error: why there is no WebSocket, and what the server has said instead.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <windhover/headers.hpp>

namespace windhover {

// The answer to an opening handshake.
struct http_response_details {
  // 101 when the WebSocket was opened, over HTTP/2 mostly 200; 0 when there was no answer.
  int status = 0;
  // "Unauthorized", as the server says it; may be empty.
  std::string reason;
  windhover::headers headers;
  // Of a refusal, the beginning: at most max_response_body_bytes.
  std::string body;
};

// Thrown by websocket_client::connect. what() is one line for a person; it does not hold the query of the URL.
class websocket_connect_error : public std::runtime_error {
 public:
  enum class cause : std::uint8_t {
    cancelled,       // the stop token was stopped
    timed_out,       // connect_timeout has passed
    host_not_found,  // the name could not be resolved
    not_connected,   // no address could be connected to
    proxy_refused,   // the proxy did not answer CONNECT with 2xx; response() is its answer
    tls_failed,      // the server's certificate is not to be believed, or there was no agreement (RFC 8446)
    no_answer,       // the server, or the proxy, ended the connection before it had answered
    not_http,        // what answered does not speak the HTTP that was expected, or beyond the limits
    refused,         // the answer was not 101 (HTTP/2: not 2xx), but a redirect, 401 and so on; response() is it
    bad_handshake,   // it was, and is wrong all the same (RFC 6455, section 4.1); response() is it
  };

  websocket_connect_error(cause why, const std::string& text, http_response_details response = {})
      : std::runtime_error(text),
        why_(why),
        response_(std::make_shared<const http_response_details>(std::move(response))) {}

  cause why() const noexcept { return why_; }
  const http_response_details& response() const noexcept { return *response_; }
  // Short for response().status.
  int status() const noexcept { return response_->status; }

 private:
  cause why_;
  std::shared_ptr<const http_response_details> response_;  // copying an exception must not fail
};

}  // namespace windhover
