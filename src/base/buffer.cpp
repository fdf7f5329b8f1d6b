#include "base/buffer.hpp"

#include <cstring>
#include <new>

#include "base/memory_pool.hpp"

namespace windhover::base {

buffer* buffer::allocate(std::size_t capacity) {
  const std::size_t size = pool_block_size(sizeof(buffer) + capacity);
  return ::new (pool_allocate(size)) buffer(size - sizeof(buffer));
}

void buffer::destroy() noexcept {
  const std::size_t size = sizeof(buffer) + capacity_;
  this->~buffer();
  pool_release(this, size);
}

slice copy_of(std::span<const std::byte> bytes) {
  slice copy;
  copy.owner = buffer_ref::allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.owner->data(), bytes.data(), bytes.size());
  copy.data = copy.owner->data();
  copy.size = bytes.size();
  return copy;
}

}  // namespace windhover::base
