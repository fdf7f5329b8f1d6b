// The settings of a client, checked, and what its requests are made of.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/client_answer.hpp"
#include "net/time.hpp"
#include "net/tls_context.hpp"
#include "websocket/websocket_connection.hpp"
#include "wire/websocket/handshake.hpp"
#include "wire/websocket/url.hpp"
#include <windhover/headers.hpp>
#include <windhover/http_protocols.hpp>
#include <windhover/websocket_client_options.hpp>

namespace windhover {

// The options of a client, checked.
struct websocket_client_settings {
  shared_websocket_settings connection;
  compression_settings compression;
  std::vector<std::string> sub_protocols;
  headers fields;  // of the request, besides the handshake's own
  std::string host;
  std::optional<wire::proxy_url> proxy;
  http_protocols protocols = http_protocols::http1;
  net::duration ping_delay{};  // of connections of HTTP/2; 0: no pings
  net::duration ping_timeout{};
  std::shared_ptr<const net::client_tls> tls;            // offers those protocols
  std::shared_ptr<const net::client_tls> tls_for_http1;  // for a server that chose HTTP/2 and takes no WebSockets there
  std::string identity;                                  // another one for each client: who shares connections
  net::duration connect_timeout{};
  net::duration address_timeout{};
  http::client_limits limits;
};

// Throws std::invalid_argument that names the option, its value and its range.
websocket_client_settings checked_settings(const websocket_client_options& options);

// As one line without control characters, and not too long: what came from outside.
std::string printable_line(std::string_view text);

}  // namespace windhover
