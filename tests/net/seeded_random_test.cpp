// Numbers that follow from a seed.
#include "net/seeded_random.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace windhover::net {
namespace {

TEST(SeededRandom, TheSameSeedGivesTheSameNumbersOnEveryMachine) {
  // The first numbers of SplitMix64 for the seed 1234567, as its author's program prints them.
  seeded_random random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317U);
  EXPECT_EQ(random.next(), 3203168211198807973U);
  EXPECT_EQ(random.next(), 9817491932198370423U);
}

TEST(SeededRandom, StaysWithinItsBounds) {
  seeded_random random(1);
  std::vector<int> seen(5);
  for (int i = 0; i < 1000; ++i) {
    ++seen[random.below(5)];
    const std::uint64_t number = random.between(7, 9);
    EXPECT_TRUE(number >= 7 && number <= 9);
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 0), 0);
  EXPECT_EQ(random.below(0), 0U);
  EXPECT_EQ(random.between(4, 4), 4U);
}

TEST(SeededRandom, WhatNeverHappensTakesNoNumber) {
  seeded_random one(3);
  seeded_random other(3);
  EXPECT_FALSE(one.chance(0));
  EXPECT_EQ(one.next(), other.next());
  EXPECT_TRUE(one.chance(1000));
}

TEST(SeededRandom, FillsEveryByteAndShufflesEveryThing) {
  seeded_random random(5);
  for (std::size_t size = 0; size < 20; ++size) {
    std::vector<std::byte> bytes(size, std::byte{0});
    std::vector<bool> changed(size);
    for (int i = 0; i < 10; ++i) {
      random.fill(bytes);
      for (std::size_t at = 0; at < size; ++at) changed[at] = changed[at] || bytes[at] != std::byte{0};
    }
    EXPECT_EQ(std::count(changed.begin(), changed.end(), false), 0);
  }
  std::array<int, 6> things{1, 2, 3, 4, 5, 6};
  random.shuffle(things);
  std::sort(things.begin(), things.end());
  EXPECT_EQ(things, (std::array<int, 6>{1, 2, 3, 4, 5, 6}));
}

}  // namespace
}  // namespace windhover::net
