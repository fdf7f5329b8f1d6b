// The Host field without its port.
#pragma once

#include <string_view>

namespace windhover::hosting {

// The last colon begins the port, unless it stands within the brackets of an IPv6 address.
constexpr std::string_view without_port(std::string_view host) noexcept {
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos) return host;
  return host.substr(0, colon);
}

}  // namespace windhover::hosting
