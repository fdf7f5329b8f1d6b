#include "base/memory_pool.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <new>
#include <utility>

#include <windhover/task.hpp>

#if defined(__SANITIZE_ADDRESS__)
#define WINDHOVER_POOL_PASSES_THROUGH 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WINDHOVER_POOL_PASSES_THROUGH 1
#endif
#endif

namespace windhover::base {
namespace {

#ifdef WINDHOVER_POOL_PASSES_THROUGH
constexpr bool passes_through = true;
#else
constexpr bool passes_through = false;
#endif

// Classes of 16 bytes up to 1 KiB, because an idle connection is made of small blocks, then powers of two up to 1 MiB;
// larger blocks go to the allocator.
constexpr std::size_t step = 16;
constexpr std::size_t small_limit = 1024;
constexpr std::size_t small_classes = small_limit / step;
constexpr std::size_t large_limit = std::size_t{1} << 20;
constexpr std::size_t classes = small_classes + 10;
// A class keeps at most this many bytes. The large ones hold a whole round of messages of a busy loop: giving 64 KiB
// back to the system and taking it again costs page faults.
constexpr std::size_t kept_bytes_small = std::size_t{1} << 20;
constexpr std::size_t kept_bytes_large = std::size_t{16} << 20;

constexpr std::size_t class_of(std::size_t size) noexcept {
  if (size <= small_limit) return size == 0 ? 0 : (size - 1) / step;
  return small_classes + static_cast<std::size_t>(std::bit_width(size - 1)) - 11;
}

constexpr std::size_t size_of_class(std::size_t index) noexcept {
  if (index < small_classes) return (index + 1) * step;
  return std::size_t{2048} << (index - small_classes);
}
static_assert(size_of_class(class_of(large_limit)) == large_limit && class_of(large_limit) == classes - 1);
static_assert(class_of(1025) == small_classes && size_of_class(small_classes) == 2048);

struct free_block {
  free_block* next;
};

struct free_list {
  free_block* first = nullptr;
  std::size_t count = 0;
};

enum class thread_state : std::uint8_t { nothing_kept, keeps, ended };

// Of the thread. Without a constructor or a destructor, so that looking at them is one access to memory.
constinit thread_local std::array<free_list, classes> lists{};
constinit thread_local thread_state state = thread_state::nothing_kept;

// Gives back what the thread has kept, at its end.
struct end_of_thread {
  end_of_thread() noexcept = default;
  end_of_thread(const end_of_thread&) = delete;
  end_of_thread& operator=(const end_of_thread&) = delete;
  ~end_of_thread() {
    state = thread_state::ended;
    for (free_list& each : lists) {
      while (each.first != nullptr) ::operator delete(std::exchange(each.first, each.first->next));
    }
  }
};

// False: the thread is ending.
bool begin_keeping() noexcept {
  if (state == thread_state::ended) return false;
  static thread_local end_of_thread at_the_end;
  static_cast<void>(at_the_end);
  state = thread_state::keeps;
  return true;
}

// None when none is kept.
void* take(std::size_t index) noexcept {
  free_list& from = lists[index];
  free_block* const block = from.first;
  if (block == nullptr) return nullptr;
  from.first = block->next;
  --from.count;
  return block;
}

// False when the class keeps enough already, or the thread is ending.
bool keep(void* block, std::size_t index) noexcept {
  free_list& to = lists[index];
  const std::size_t most = index < small_classes ? kept_bytes_small : kept_bytes_large;
  if ((to.count + 1) * size_of_class(index) > most) return false;
  if (state != thread_state::keeps && !begin_keeping()) return false;
  to.first = ::new (block) free_block{to.first};
  ++to.count;
  return true;
}

}  // namespace

std::size_t pool_block_size(std::size_t size) noexcept {
  return size > large_limit ? size : size_of_class(class_of(size));
}

void* pool_allocate(std::size_t size) {
  if (passes_through) return ::operator new(size);
  if (size > large_limit) return ::operator new(size);
  const std::size_t index = class_of(size);
  if (void* block = take(index)) return block;
  return ::operator new(size_of_class(index));
}

void pool_release(void* block, std::size_t size) noexcept {
  if (passes_through || size > large_limit || !keep(block, class_of(size))) {
    ::operator delete(block);
  }
}

}  // namespace windhover::base

namespace windhover {

void* allocate_frame(std::size_t size) { return base::pool_allocate(size); }
void release_frame(void* frame, std::size_t size) noexcept { base::pool_release(frame, size); }

}  // namespace windhover
