// Cuts a stream as a network might.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace windhover::fuzz {

// The sizes of pieces, chosen by one octet of the input: up to 31 pieces of so many octets, 0 for no cut at all, and
// sizes that look random for all others.
class cutter {
 public:
  explicit cutter(std::uint8_t choice) noexcept : choice_(choice), state_(choice) {}

  std::size_t next() noexcept {
    if (choice_ == 0) return SIZE_MAX;
    if (choice_ < 32) return choice_;
    state_ = state_ * 1'103'515'245U + 12'345U;
    const std::uint32_t number = state_ >> 16;
    // Mostly short ones, as it is there that something can go wrong.
    return 1 + number % ((number & 0x80) != 0 ? 200U : 7U);
  }

 private:
  std::uint8_t choice_;
  std::uint32_t state_;
};

// Calls function(std::span<const std::byte>) with one piece after the other until it returns false. Each piece lies in
// a heap block of exactly its size, so that the address sanitizer sees whoever looks beyond it.
template <typename Function>
void for_each_piece(std::span<const std::byte> stream, std::uint8_t choice, Function&& function) {
  cutter sizes(choice);
  while (!stream.empty()) {
    const std::size_t size = std::min(sizes.next(), stream.size());
    const auto block = std::make_unique_for_overwrite<std::byte[]>(size);
    std::copy_n(stream.begin(), size, block.get());
    stream = stream.subspan(size);
    if (!function(std::span<const std::byte>(block.get(), size))) return;
  }
}

}  // namespace windhover::fuzz
