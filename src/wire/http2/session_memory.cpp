#include "wire/http2/session_memory.hpp"

#include <cstddef>
#include <cstring>
#include <limits>
#include <new>

namespace windhover::wire::http2 {
namespace {

constexpr std::size_t size_place = alignof(std::max_align_t);

void* take(std::size_t size) noexcept {
  if (size > std::numeric_limits<std::size_t>::max() - size_place) return nullptr;
  try {
    void* const block = ::operator new(size + size_place);
    std::memcpy(block, &size, sizeof size);
    return static_cast<std::byte*>(block) + size_place;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void give_back(void* memory) noexcept {
  if (memory != nullptr) ::operator delete(static_cast<std::byte*>(memory) - size_place);
}

void* take_for_nghttp2(std::size_t size, void*) noexcept { return take(size); }
void give_back_of_nghttp2(void* memory, void*) noexcept { give_back(memory); }
void* take_zeroed(std::size_t count, std::size_t size, void*) noexcept {
  if (size != 0 && count > std::numeric_limits<std::size_t>::max() / size) return nullptr;
  void* const memory = take(count * size);
  if (memory != nullptr) std::memset(memory, 0, count * size);
  return memory;
}
void* take_other_size(void* memory, std::size_t size, void*) noexcept {
  if (memory == nullptr) return take(size);
  std::size_t before = 0;
  std::memcpy(&before, static_cast<std::byte*>(memory) - size_place, sizeof before);
  if (size <= before) return memory;
  void* const larger = take(size);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, memory, before);
  give_back(memory);
  return larger;
}

}  // namespace

nghttp2_mem session_memory() noexcept {
  return {nullptr, take_for_nghttp2, give_back_of_nghttp2, take_zeroed, take_other_size};
}

}  // namespace windhover::wire::http2
