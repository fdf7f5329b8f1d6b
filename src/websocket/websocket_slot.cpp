#include "websocket/websocket_slot.hpp"

#include <array>
#include <memory>
#include <mutex>
#include <vector>

namespace windhover {
namespace {

constexpr std::size_t slots_per_block = 256;

// As many slots as there were ever sockets open at once. It lives as long as the process: a stale object may be looked
// at after everything else has gone.
class slot_arena {
 public:
  websocket_slot& take() {
    const std::lock_guard lock(mutex_);
    if (free_ == nullptr) grow();
    websocket_slot* const taken = free_;
    free_ = taken->next_free;
    return *taken;
  }
  void give_back(websocket_slot& slot) noexcept {
    const std::lock_guard lock(mutex_);
    slot.next_free = free_;
    free_ = &slot;
  }

  static slot_arena& instance() {
    static slot_arena* const immortal = new slot_arena;
    return *immortal;
  }

 private:
  using block = std::array<websocket_slot, slots_per_block>;
  void grow() {
    blocks_.push_back(std::make_unique<block>());
    for (websocket_slot& each : *blocks_.back()) {
      each.next_free = free_;
      free_ = &each;
    }
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<block>> blocks_;
  websocket_slot* free_ = nullptr;
};

}  // namespace

websocket_slot& websocket_slot::acquire(net::event_loop& loop, websocket_connection& connection) {
  websocket_slot& slot = slot_arena::instance().take();
  slot.connection = &connection;
  slot.loop.store(&loop, std::memory_order_release);
  return slot;
}

void websocket_slot::release(websocket_slot& slot) noexcept {
  slot.generation.fetch_add(1, std::memory_order_acq_rel);
  slot.loop.store(nullptr, std::memory_order_release);
  slot_arena::instance().give_back(slot);
}

}  // namespace windhover
