#include "base/buffer.hpp"

#include <cstring>

namespace windhover::base {

slice copy_of(std::span<const std::byte> bytes) {
  slice copy;
  copy.owner = buffer_ref::allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.owner->data(), bytes.data(), bytes.size());
  copy.data = copy.owner->data();
  copy.size = bytes.size();
  return copy;
}

}  // namespace windhover::base
