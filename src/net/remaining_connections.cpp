#include "net/remaining_connections.hpp"

#include <cstddef>
#include <new>
#include <string>

namespace windhover::net {

void log_remaining_connections(const event_loop& loop, std::string_view category, std::string_view prefix) noexcept {
  constexpr std::size_t named_at_most = 10;
  try {
    for (const std::string& name : loop.describe_connections(named_at_most)) {
      loop.log_line(log_level::error, category, [&] { return std::string(prefix) + name; });
    }
  } catch (const std::bad_alloc&) {
  }
}

}  // namespace windhover::net
