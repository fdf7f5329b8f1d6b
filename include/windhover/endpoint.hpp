// endpoint: the address of one end of a connection.
#pragma once

#include <cstdint>
#include <string>

namespace windhover {

struct endpoint {
  enum class kind : std::uint8_t { none, ipv4, ipv6, unix_socket, memory };

  kind type = kind::none;
  std::string address;     // "127.0.0.1", "::1", a path (empty for an unnamed Unix socket)
  std::uint16_t port = 0;  // TCP only

  // "127.0.0.1:5000", "[::1]:5000", "unix:/path", "memory"; IPv4 addresses that came over IPv6 are shown as IPv4.
  std::string to_string() const;
  friend bool operator==(const endpoint&, const endpoint&) = default;
};

}  // namespace windhover
