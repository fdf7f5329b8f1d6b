// WebSocket URLs (RFC 6455, section 3), taken apart for a client: where to connect, and what to ask for there.
//
//   ws://example.com/chat?room=1     port 80
//   wss://example.com/chat           port 443, with TLS
//   ws://127.0.0.1:5000  ws://[::1]:5000/ws
//   ws://unix:/run/app.sock:/chat    the path /chat on the Unix socket /run/app.sock
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace windhover::wire {

struct websocket_url {
  std::string host;         // a name, or an address (IPv6 without its brackets); "localhost" for a Unix socket
  std::uint16_t port = 80;  // meaningless for a Unix socket
  bool secure = false;      // wss: with TLS
  std::string socket_path;  // of a Unix socket; empty for TCP
  std::string authority;    // the value of Host: the port is left out where it is the scheme's own
  std::string target;       // path and query, "/" for none

  bool is_unix() const noexcept { return !socket_path.empty(); }
  std::string_view scheme() const noexcept { return secure ? "wss" : "ws"; }
};

// Throws std::invalid_argument, with the URL, the reason and the remedy in one line: for other schemes, user names,
// fragments (section 3: they have no meaning here), and characters that must be percent-encoded.
[[nodiscard]] websocket_url parse_websocket_url(std::string_view url);

struct proxy_url {
  std::string host;  // IPv6 without its brackets
  std::uint16_t port = 80;
  // The value of Proxy-Authorization, when the URL has a user name: Basic (RFC 7617).
  std::optional<std::string> authorization;
};

// "http://proxy.example.com:3128", "http://user:password@proxy.example.com". Throws std::invalid_argument as above; its
// text does not hold the password.
[[nodiscard]] proxy_url parse_proxy_url(std::string_view url);

}  // namespace windhover::wire
