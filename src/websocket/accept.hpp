// Accepting: from an HTTP exchange that asks for a WebSocket to the open socket (RFC 6455, section 4.2.2).
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "http/exchange.hpp"
#include "websocket/websocket_connection.hpp"
#include <windhover/websocket.hpp>
#include <windhover/websocket_options.hpp>

namespace windhover {

// Throws std::invalid_argument that names the option, its value and its range.
websocket_settings checked_settings(const websocket_options& options);
compression_settings checked_compression(const websocket_options& options);
void check_origins(const websocket_options& options);

// Whether the exchange asks for a WebSocket, and in a form that can be accepted.
bool is_websocket_request(const http::exchange& exchange);
// Whether a web page of the request's origin may connect.
bool is_origin_allowed(const http::exchange& exchange, const websocket_options& options);
// The sub-protocols that the client offers, in its order of preference. Views of the request.
std::vector<std::string_view> requested_protocols(const http::exchange& exchange);

// Sends 101; the connection belongs to the transport. Throws std::logic_error when the request is not a WebSocket
// request, was accepted before or has been answered, std::invalid_argument for a sub-protocol that was not offered or
// options out of range.
websocket_connection& open_websocket(http::exchange& exchange, shared_websocket_settings settings,
                                     bool retain_request_headers, const websocket_accept_options& options,
                                     compression_settings compression = {});
// The same, as the object for a handler.
inline websocket accept_websocket(http::exchange& exchange, shared_websocket_settings settings,
                                  bool retain_request_headers, const websocket_accept_options& options,
                                  const compression_settings& compression = {}) {
  return open_websocket(exchange, std::move(settings), retain_request_headers, options, compression).make_websocket();
}

}  // namespace windhover
