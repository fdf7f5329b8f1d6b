// Socket addresses, to and from their textual form.
#pragma once

#include <cstdint>
#include <string_view>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <windhover/endpoint.hpp>

namespace windhover::net {

// Large enough for every family that is used here.
union socket_address {
  sockaddr any;
  sockaddr_in ipv4;
  sockaddr_in6 ipv6;
  sockaddr_un unix_path;
};

struct address {
  socket_address value{};
  socklen_t size = 0;
};

// A numeric IPv4 or IPv6 address. Throws std::invalid_argument for anything else.
address make_ip_address(std::string_view ip, std::uint16_t port);
// Every address of this machine, IPv6 and IPv4.
address make_any_address(std::uint16_t port);
// Throws std::invalid_argument when the path is too long for the kernel.
address make_unix_address(std::string_view path);

endpoint endpoint_of(const address&);
endpoint local_endpoint_of(int descriptor);
endpoint remote_endpoint_of(int descriptor);

}  // namespace windhover::net
