// Masking of the payload (RFC 6455, section 5.3): octet i is combined with octet i modulo 4 of the key. Masking and
// unmasking are the same operation; it is fused with the copy, because each is as dear as the other alone.
#pragma once

#include <array>
#include <cstddef>

namespace windhover::wire {

struct masking_key {
  std::array<std::byte, 4> bytes;

  bool operator==(const masking_key&) const = default;
};

// Copies `size` octets from `from` to `to` and (un)masks them on the way. `offset` is the position of the first of them
// within the frame's payload: it turns the key when a payload comes in several pieces. The two ranges are the same or
// do not overlap; neither needs an alignment.
void unmask_copy(std::byte* to, const std::byte* from, std::size_t size, masking_key key, std::size_t offset) noexcept;

// The same in place.
inline void mask_in_place(std::byte* octets, std::size_t size, masking_key key, std::size_t offset) noexcept {
  unmask_copy(octets, octets, size, key, offset);
}

}  // namespace windhover::wire
