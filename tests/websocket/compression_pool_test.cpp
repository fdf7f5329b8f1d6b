// What the sockets of one thread share: compressors, inflaters, and the account of memory.
#include "websocket/compression_pool.hpp"

#include <cstddef>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace windhover {
namespace {

using reservation = compression_pool::reservation;

TEST(CompressionPool, IsSharedByAThreadAsLongAsSomebodyHasIt) {
  std::shared_ptr<compression_pool> pool = compression_pool::of_this_thread();
  EXPECT_EQ(compression_pool::of_this_thread(), pool);
  std::shared_ptr<compression_pool> of_another;
  std::thread([&] { of_another = compression_pool::of_this_thread(); }).join();
  EXPECT_NE(of_another, pool);
  const std::weak_ptr<compression_pool> gone = pool;
  pool.reset();
  EXPECT_TRUE(gone.expired());
}

TEST(CompressionPool, HasOneCompressorForEachWindow) {
  const auto pool = compression_pool::of_this_thread();
  for (int bits = 9; bits <= 15; ++bits) {
    wire::deflater& first = pool->fresh_deflater(bits);
    EXPECT_EQ(&pool->fresh_deflater(bits), &first);
    if (bits > 9) {
      EXPECT_NE(&pool->fresh_deflater(bits - 1), &first);
    }
  }
}

TEST(CompressionPool, KeepsAFewInflatersForTheNextMessage) {
  const auto pool = compression_pool::of_this_thread();
  std::vector<std::unique_ptr<wire::inflater>> lent;
  for (int i = 0; i < 10; ++i) lent.push_back(pool->lend_inflater());
  const wire::inflater* const first = lent.front().get();
  for (auto& each : lent) pool->take_back(std::move(each));
  bool seen = false;
  for (int i = 0; i < 4; ++i) {
    lent.push_back(pool->lend_inflater());
    seen = seen || lent.back().get() == first;
  }
  EXPECT_TRUE(seen);
}

TEST(CompressionPool, ReservesUpToTheLimit) {
  const auto pool = compression_pool::of_this_thread();
  const reservation sixty = compression_pool::reserve(pool, 60, 100);
  EXPECT_TRUE(sixty);
  EXPECT_FALSE(compression_pool::reserve(pool, 41, 100));
  {
    const reservation forty = compression_pool::reserve(pool, 40, 100);
    EXPECT_TRUE(forty);
    EXPECT_EQ(pool->reserved(), 100U);
    EXPECT_FALSE(compression_pool::reserve(pool, 1, 100));
    EXPECT_FALSE(compression_pool::reserve(pool, 1, 50)) << "somebody else's limit may be lower";
  }
  EXPECT_EQ(pool->reserved(), 60U);
  EXPECT_FALSE(compression_pool::reserve(pool, 101, 100));
}

TEST(CompressionPool, AReservationThatMovesIsCountedOnce) {
  const auto pool = compression_pool::of_this_thread();
  {
    reservation first = compression_pool::reserve(pool, 10, 100);
    reservation second(std::move(first));
    reservation third;
    third = std::move(second);
    EXPECT_TRUE(third);
    EXPECT_EQ(pool->reserved(), 10U);
  }
  EXPECT_EQ(pool->reserved(), 0U);
}

}  // namespace
}  // namespace windhover
