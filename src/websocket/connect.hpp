// Connecting: from a URL to the open socket, in the client's role (RFC 6455, section 4.1).
#pragma once

#include <memory>
#include <stdexcept>
#include <stop_token>
#include <utility>

#include "http/client_connection.hpp"
#include "websocket/client_settings.hpp"
#include "websocket/websocket_connection.hpp"
#include "wire/websocket/url.hpp"
#include <windhover/task.hpp>
#include <windhover/websocket_connect_error.hpp>

namespace windhover {

// Connecting was stopped: by the caller's token, or by the time limit. The text says at what: "while resolving ...".
struct connecting_stopped : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A connection that waits for its object. Without one it is closed.
class opened_websocket {
 public:
  explicit opened_websocket(websocket_connection& opened) noexcept : connection_(&opened) {}
  opened_websocket(opened_websocket&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  opened_websocket& operator=(opened_websocket&& other) noexcept {
    std::swap(connection_, other.connection_);
    return *this;
  }
  ~opened_websocket() {
    if (connection_ != nullptr) connection_->scope_ended(true);
  }
  websocket make_websocket() && noexcept { return std::exchange(connection_, nullptr)->make_websocket(); }

 private:
  websocket_connection* connection_;
};

// The part behind the connecting: the proxy's tunnel, if there is one, TLS, if the URL asks for it, and the handshake,
// over HTTP/1.1 or HTTP/2, over a connection that this ends or hands over. `details` gets the answer. Throws
// websocket_connect_error or connecting_stopped. Thread: the loop's.
task<opened_websocket> open_over(http::client_connection_owner connection, net::transport& stream,
                                 const websocket_client_settings& settings, const wire::websocket_url& to,
                                 http_response_details& details, std::stop_token stop);

// All of it, within the time limit; over HTTP/2 on a connection that is there already and has room, if there is one.
task<opened_websocket> open_websocket(std::shared_ptr<const websocket_client_settings> settings, wire::websocket_url to,
                                      http_response_details* details, std::stop_token stop);

}  // namespace windhover
