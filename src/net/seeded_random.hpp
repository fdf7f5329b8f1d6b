// Numbers that look random and follow from one seed: what decides in a simulation, and what stands in for the kernel's
// generator there. Whoever has the seed can say every number before it comes, so nothing that is sent over a real
// network may be made of it.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "base/random.hpp"

namespace windhover::net {

// SplitMix64: one addition and a mix of the bits, every seed as good as any other.
class seeded_random final : public base::random_source {
 public:
  explicit seeded_random(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    std::uint64_t bits = state_ += 0x9e3779b97f4a7c15;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
    return bits ^ (bits >> 31);
  }

  // 0 to `count` - 1; 0 when `count` is 0. The bias of the remainder does not matter for what is decided here.
  std::uint64_t below(std::uint64_t count) noexcept { return count == 0 ? 0 : next() % count; }
  // `least` to `most`, both included.
  std::uint64_t between(std::uint64_t least, std::uint64_t most) noexcept { return least + below(most - least + 1); }
  // Whether something happens that happens so many times in a thousand. What never happens takes no number.
  bool chance(unsigned in_a_thousand) noexcept { return in_a_thousand != 0 && below(1000) < in_a_thousand; }

  template <class Range>
  void shuffle(Range& things) noexcept {
    for (std::size_t i = things.size(); i > 1; --i) std::swap(things[i - 1], things[below(i)]);
  }

  void fill(std::span<std::byte> bytes) noexcept override {
    while (!bytes.empty()) {
      const std::uint64_t bits = next();
      const std::size_t count = bytes.size() < sizeof bits ? bytes.size() : sizeof bits;
      std::memcpy(bytes.data(), &bits, count);
      bytes = bytes.subspan(count);
    }
  }

 private:
  std::uint64_t state_;
};

}  // namespace windhover::net
