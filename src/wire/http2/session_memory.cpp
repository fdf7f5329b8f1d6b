#include "wire/http2/session_memory.hpp"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

namespace windhover::wire::http2 {
namespace {

// What stands before each block.
struct alignas(std::max_align_t) block_head {
  std::size_t size;
  bool from_malloc;
};

block_head* allocate(std::size_t size, bool& lacked) noexcept {
  try {
    return new (::operator new(size)) block_head{};
  } catch (const std::bad_alloc&) {
    lacked = true;
  }
  void* const block = std::malloc(size);
  return block == nullptr ? nullptr : new (block) block_head{.size = 0, .from_malloc = true};
}

void* take(std::size_t size, void* lacked) noexcept {
  if (size > std::numeric_limits<std::size_t>::max() - sizeof(block_head)) return nullptr;
  block_head* const head = allocate(size + sizeof(block_head), *static_cast<bool*>(lacked));
  if (head == nullptr) return nullptr;
  head->size = size;
  return head + 1;
}

void give_back(void* memory, void*) noexcept {
  if (memory == nullptr) return;
  block_head* const head = static_cast<block_head*>(memory) - 1;
  if (head->from_malloc) {
    std::free(head);
  } else {
    ::operator delete(head);
  }
}

void* take_zeroed(std::size_t count, std::size_t size, void* lacked) noexcept {
  if (size != 0 && count > std::numeric_limits<std::size_t>::max() / size) return nullptr;
  void* const memory = take(count * size, lacked);
  if (memory != nullptr) std::memset(memory, 0, count * size);
  return memory;
}

void* take_other_size(void* memory, std::size_t size, void* lacked) noexcept {
  if (memory == nullptr) return take(size, lacked);
  const std::size_t before = (static_cast<block_head*>(memory) - 1)->size;
  if (size <= before) return memory;
  void* const larger = take(size, lacked);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, memory, before);
  give_back(memory, lacked);
  return larger;
}

}  // namespace

nghttp2_mem session_memory(bool& lacked) noexcept { return {&lacked, take, give_back, take_zeroed, take_other_size}; }

}  // namespace windhover::wire::http2
