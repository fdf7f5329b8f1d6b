// What stands behind a websocket object: a slot that is never unmapped, so that an object which is used after its
// connection has gone finds that out, instead of finding freed memory.
#pragma once

#include <atomic>
#include <cstdint>

namespace windhover {

class websocket_connection;
namespace net {
class event_loop;
}

struct websocket_slot {
  std::atomic<std::uint32_t> generation{1};
  std::atomic<net::event_loop*> loop{nullptr};
  union {
    websocket_connection* connection;     // while it is taken
    websocket_slot* next_free = nullptr;  // while it is not
  };

  // Any thread. Throws std::bad_alloc.
  static websocket_slot& acquire(net::event_loop& loop, websocket_connection& connection);
  // Objects of the present generation are stale from now on.
  static void release(websocket_slot& slot) noexcept;
};

}  // namespace windhover
