// The kernel's random bytes: that all of a request is filled, nothing else is, and nothing comes twice.
#include "base/random.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace windhover::base {
namespace {

// One fill may leave a given byte at zero by chance; sixteen of them do so with a probability of 2^-128.
TEST(system_random_source, fills_every_byte_of_requests_small_and_large) {
  system_random_source source;
  for (const std::size_t size : {1U, 4U, 31U, 255U, 256U, 257U, 1000U}) {
    std::vector<std::byte> seen(size, std::byte{0});
    for (int round = 0; round < 16; ++round) {
      std::vector<std::byte> bytes(size, std::byte{0});
      source.fill(bytes);
      std::transform(seen.begin(), seen.end(), bytes.begin(), seen.begin(),
                     [](auto old, auto now) { return old | now; });
    }
    EXPECT_EQ(std::count(seen.begin(), seen.end(), std::byte{0}), 0) << size;
  }
}

TEST(system_random_source, fills_nothing_but_the_request) {
  system_random_source source;
  for (const std::size_t size : {1U, 16U, 300U}) {
    std::vector<std::byte> bytes(size + 2, std::byte{0x5A});
    source.fill(std::span(bytes).subspan(1, size));
    EXPECT_EQ(bytes.front(), std::byte{0x5A});
    EXPECT_EQ(bytes.back(), std::byte{0x5A});
  }
  source.fill({});
}

TEST(system_random_source, gives_no_bytes_twice) {
  system_random_source source;
  system_random_source other;
  std::set<std::array<std::byte, 16>> seen;
  for (int round = 0; round < 1000; ++round) {
    std::array<std::byte, 16> bytes{};
    source.fill(bytes);
    EXPECT_TRUE(seen.insert(bytes).second) << round;
    other.fill(bytes);
    EXPECT_TRUE(seen.insert(bytes).second) << round;
  }
}

}  // namespace
}  // namespace windhover::base
