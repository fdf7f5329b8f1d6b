#include "base/memory_pool.hpp"

#include <utility>

#include <windhover/task.hpp>

namespace windhover::base {
namespace pool {

constinit thread_local std::array<free_list, classes> lists{};

namespace {

// A class keeps at most this many bytes. The large ones hold a whole round of messages of a busy loop: giving 64 KiB
// back to the system and taking it again costs page faults.
constexpr std::size_t kept_bytes_small = std::size_t{1} << 20;
constexpr std::size_t kept_bytes_large = std::size_t{16} << 20;

enum class thread_state : std::uint8_t { nothing_kept, keeps, ended };

constinit thread_local thread_state state = thread_state::nothing_kept;

// Gives back what the thread has kept, at its end.
struct end_of_thread {
  end_of_thread() noexcept = default;
  end_of_thread(const end_of_thread&) = delete;
  end_of_thread& operator=(const end_of_thread&) = delete;
  ~end_of_thread() {
    state = thread_state::ended;
    for (free_list& each : lists) {
      each.room = 0;
      while (each.first != nullptr) ::operator delete(std::exchange(each.first, each.first->next));
    }
  }
};

void begin_keeping() noexcept {
  static thread_local end_of_thread at_the_end;
  static_cast<void>(at_the_end);
  state = thread_state::keeps;
  for (std::size_t index = 0; index < classes; ++index)
    lists[index].room = (index < small_classes ? kept_bytes_small : kept_bytes_large) / size_of_class(index);
}

}  // namespace

void release_without_room(void* block, std::size_t index) noexcept {
  if (state != thread_state::nothing_kept) return ::operator delete(block);
  begin_keeping();
  pool_release(block, size_of_class(index));
}

}  // namespace pool
}  // namespace windhover::base

namespace windhover {

void* allocate_frame(std::size_t size) { return base::pool_allocate(size); }
void release_frame(void* frame, std::size_t size) noexcept { base::pool_release(frame, size); }

}  // namespace windhover
