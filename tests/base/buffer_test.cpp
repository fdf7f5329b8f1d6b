#include "base/buffer.hpp"

#include <cstring>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/memory_pool.hpp"

namespace windhover::base {
namespace {

TEST(MemoryPool, GivesBlocksOfAtLeastTheSizeAskedFor) {
  for (const std::size_t size : {1U, 64U, 65U, 1024U, 1025U, 4096U, 65536U, 1U << 20, (1U << 20) + 1}) {
    void* const block = pool_allocate(size);
    std::memset(block, 0x5a, size);
    pool_release(block, size);
    const pool_block whole = pool_allocate_block(size);
    EXPECT_GE(whole.size, size);
    std::memset(whole.memory, 0x5a, whole.size);
    pool_release(whole.memory, whole.size);
  }
}

TEST(MemoryPool, TakesBackWhatAnotherThreadAllocated) {
  std::vector<void*> blocks;
  std::thread([&blocks] {
    for (int i = 0; i < 100; ++i) blocks.push_back(pool_allocate(256));
  }).join();
  for (void* const block : blocks) pool_release(block, 256);
}

TEST(Buffer, LivesUntilItsLastReferenceHasGone) {
  buffer_ref first = buffer_ref::allocate(100);
  EXPECT_GE(first->capacity(), 100U);
  EXPECT_TRUE(first->unique());
  std::memcpy(first->data(), "abc", 3);
  slice part{first, first->data(), 3};
  EXPECT_FALSE(first->unique());
  first = {};
  EXPECT_TRUE(part.owner->unique());
  EXPECT_EQ(std::memcmp(part.bytes().data(), "abc", 3), 0);
}

TEST(Buffer, CopiesOfBytesAreIndependentOfTheirSource) {
  std::byte source[3] = {std::byte{1}, std::byte{2}, std::byte{3}};
  const slice copy = copy_of(source);
  source[0] = std::byte{9};
  EXPECT_EQ(copy.data[0], std::byte{1});
  EXPECT_EQ(copy.size, 3U);
}

}  // namespace
}  // namespace windhover::base
