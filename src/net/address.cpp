#include "net/address.hpp"

#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>

#include <arpa/inet.h>

namespace windhover {

std::string endpoint::to_string() const {
  switch (type) {
    case kind::none:
      return "unknown";
    case kind::ipv4:
      return address + ":" + std::to_string(port);
    case kind::ipv6:
      return "[" + address + "]:" + std::to_string(port);
    case kind::unix_socket:
      return "unix:" + address;
    case kind::memory:
      return "memory";
  }
  return "unknown";
}

}  // namespace windhover

namespace windhover::net {

address make_ip_address(std::string_view ip, std::uint16_t port) {
  const std::string text(ip);
  address made;
  if (::inet_pton(AF_INET, text.c_str(), &made.value.ipv4.sin_addr) == 1) {
    made.value.ipv4.sin_family = AF_INET;
    made.value.ipv4.sin_port = htons(port);
    made.size = sizeof made.value.ipv4;
    return made;
  }
  made = address{};
  if (::inet_pton(AF_INET6, text.c_str(), &made.value.ipv6.sin6_addr) == 1) {
    made.value.ipv6.sin6_family = AF_INET6;
    made.value.ipv6.sin6_port = htons(port);
    made.size = sizeof made.value.ipv6;
    return made;
  }
  throw std::invalid_argument("'" + text + "' is no IP address");
}

address make_any_address(std::uint16_t port) { return make_ip_address("::", port); }

address make_unix_address(std::string_view path) {
  address made;
  sockaddr_un& to = made.value.unix_path;
  if (path.empty() || path.size() >= sizeof to.sun_path) {
    throw std::invalid_argument("the path of a Unix socket must have 1 to " + std::to_string(sizeof to.sun_path - 1) +
                                " bytes: '" + std::string(path) + "'");
  }
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, path.data(), path.size());
  made.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return made;
}

endpoint endpoint_of(const address& from) {
  char text[INET6_ADDRSTRLEN] = {};
  endpoint made;
  switch (from.value.any.sa_family) {
    case AF_INET:
      made.type = endpoint::kind::ipv4;
      made.port = ntohs(from.value.ipv4.sin_port);
      made.address = ::inet_ntop(AF_INET, &from.value.ipv4.sin_addr, text, sizeof text);
      break;
    case AF_INET6: {
      const in6_addr& ip = from.value.ipv6.sin6_addr;
      made.port = ntohs(from.value.ipv6.sin6_port);
      if (IN6_IS_ADDR_V4MAPPED(&ip)) {
        made.type = endpoint::kind::ipv4;
        made.address = ::inet_ntop(AF_INET, ip.s6_addr + 12, text, sizeof text);
      } else {
        made.type = endpoint::kind::ipv6;
        made.address = ::inet_ntop(AF_INET6, &ip, text, sizeof text);
      }
      break;
    }
    case AF_UNIX:
      made.type = endpoint::kind::unix_socket;
      if (from.size > offsetof(sockaddr_un, sun_path)) {
        const std::size_t room = from.size - offsetof(sockaddr_un, sun_path);
        made.address.assign(from.value.unix_path.sun_path, ::strnlen(from.value.unix_path.sun_path, room));
      }
      break;
    default:
      break;
  }
  return made;
}

endpoint local_endpoint_of(int descriptor) {
  address found;
  found.size = sizeof found.value;
  if (::getsockname(descriptor, &found.value.any, &found.size) != 0) return {};
  return endpoint_of(found);
}

endpoint remote_endpoint_of(int descriptor) {
  address found;
  found.size = sizeof found.value;
  if (::getpeername(descriptor, &found.value.any, &found.size) != 0) return {};
  return endpoint_of(found);
}

}  // namespace windhover::net
