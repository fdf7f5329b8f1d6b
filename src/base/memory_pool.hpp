// Per-thread free lists for the short-lived memory of the data path: coroutine frames and message buffers.
//
// A block belongs to no thread: whoever releases it keeps it in its own lists, up to a bound per size class, so memory
// may be released anywhere and nothing has to outlive anything. Under AddressSanitizer every call goes to the
// allocator, so that use after release is seen.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>

namespace windhover::base {

namespace pool {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool passes_through = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool passes_through = true;
#else
inline constexpr bool passes_through = false;
#endif
#else
inline constexpr bool passes_through = false;
#endif

// Classes in steps of 16 bytes up to 1 KiB, because an idle connection is made of small blocks, then powers of two up
// to 1 MiB; larger blocks go to the allocator. The small ones are what glibc's allocator gives without a remainder:
// multiples of 16 bytes, less its header of 8.
inline constexpr std::size_t step = 16;
inline constexpr std::size_t smallest = 8;
inline constexpr std::size_t small_classes = 65;
inline constexpr std::size_t small_limit = smallest + (small_classes - 1) * step;
inline constexpr std::size_t large_limit = std::size_t{1} << 20;
inline constexpr std::size_t classes = small_classes + 10;

constexpr std::size_t class_of(std::size_t size) noexcept {
  if (size <= small_limit) return (size + step - smallest - 1) / step;
  return small_classes + static_cast<std::size_t>(std::bit_width(size - 1)) - 11;
}

constexpr std::size_t size_of_class(std::size_t index) noexcept {
  if (index < small_classes) return smallest + index * step;
  return std::size_t{2048} << (index - small_classes);
}
static_assert(size_of_class(class_of(large_limit)) == large_limit && class_of(large_limit) == classes - 1);
static_assert(class_of(small_limit + 1) == small_classes && size_of_class(small_classes) == 2048);

struct free_block {
  free_block* next;
};

// The blocks of one class that a thread keeps.
struct free_list {
  free_block* first = nullptr;
  std::size_t room = 0;  // for so many more; none until the thread has released its first block
};

// Of the thread. Without a constructor or a destructor, so that looking at them is one access to memory.
extern constinit thread_local std::array<free_list, classes> lists;

// A block of a class.
inline void* take(std::size_t index) {
  free_list& from = lists[index];
  free_block* const block = from.first;
  if (block == nullptr) return ::operator new(size_of_class(index));
  from.first = block->next;
  ++from.room;
  return block;
}

// Where the lists have none, and no room.
void release_without_room(void* block, std::size_t index) noexcept;

}  // namespace pool

// At least `size` bytes, aligned for any type. Throws std::bad_alloc.
inline void* pool_allocate(std::size_t size) {
  if (pool::passes_through || size > pool::large_limit) return ::operator new(size);
  return pool::take(pool::class_of(size));
}

// The same, and the size that the block really has.
struct pool_block {
  void* memory;
  std::size_t size;
};
inline pool_block pool_allocate_block(std::size_t size) {
  if (size > pool::large_limit) return {::operator new(size), size};
  const std::size_t index = pool::class_of(size);
  const std::size_t whole = pool::size_of_class(index);
  return {pool::passes_through ? ::operator new(whole) : pool::take(index), whole};
}

// `size` is what was asked for, or what the block really has.
inline void pool_release(void* block, std::size_t size) noexcept {
  if (pool::passes_through || size > pool::large_limit) return ::operator delete(block);
  const std::size_t index = pool::class_of(size);
  pool::free_list& to = pool::lists[index];
  if (to.room == 0) return pool::release_without_room(block, index);
  to.first = ::new (block) pool::free_block{to.first};
  --to.room;
}

}  // namespace windhover::base
