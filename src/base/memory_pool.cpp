#include "base/memory_pool.hpp"

#include <array>
#include <bit>
#include <new>

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

class thread_lists {
 public:
  thread_lists() noexcept = default;
  thread_lists(const thread_lists&) = delete;
  thread_lists& operator=(const thread_lists&) = delete;
  ~thread_lists() {
    for (list& each : lists_) {
      while (each.first != nullptr) {
        free_block* next = each.first->next;
        ::operator delete(each.first);
        each.first = next;
      }
    }
    ended_ = true;
  }

  void* take(std::size_t index) noexcept {
    list& from = lists_[index];
    free_block* block = from.first;
    if (block == nullptr) return nullptr;
    from.first = block->next;
    --from.count;
    return block;
  }

  // False when the class keeps enough already, or the thread is ending.
  bool keep(void* block, std::size_t index) noexcept {
    list& to = lists_[index];
    const std::size_t most = index < small_classes ? kept_bytes_small : kept_bytes_large;
    if (ended_ || (to.count + 1) * size_of_class(index) > most) return false;
    to.first = ::new (block) free_block{to.first};
    ++to.count;
    return true;
  }

 private:
  struct list {
    free_block* first = nullptr;
    std::size_t count = 0;
  };
  std::array<list, classes> lists_{};
  bool ended_ = false;
};

thread_lists& lists_of_this_thread() noexcept {
  static thread_local thread_lists lists;
  return lists;
}

}  // namespace

std::size_t pool_block_size(std::size_t size) noexcept {
  return size > large_limit ? size : size_of_class(class_of(size));
}

void* pool_allocate(std::size_t size) {
  if (passes_through) return ::operator new(size);
  if (size > large_limit) return ::operator new(size);
  const std::size_t index = class_of(size);
  if (void* block = lists_of_this_thread().take(index)) return block;
  return ::operator new(size_of_class(index));
}

void pool_release(void* block, std::size_t size) noexcept {
  if (passes_through || size > large_limit || !lists_of_this_thread().keep(block, class_of(size))) {
    ::operator delete(block);
  }
}

}  // namespace windhover::base

namespace windhover {

void* allocate_frame(std::size_t size) { return base::pool_allocate(size); }
void release_frame(void* frame, std::size_t size) noexcept { base::pool_release(frame, size); }

}  // namespace windhover
