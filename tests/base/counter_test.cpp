#include "base/counter.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace windhover::base {
namespace {

TEST(counter, counts_up_and_down) {
  counter counted;
  EXPECT_EQ(counted.value(), 0U);
  ++counted;
  counted.add(5);
  --counted;
  counted.subtract(2);
  EXPECT_EQ(counted.value(), 3U);
}

TEST(counter, is_read_by_another_thread) {
  counter counted;
  std::uint64_t last = 0;
  std::thread reader([&] {
    while (last < 1000) {
      const std::uint64_t now = counted.value();
      EXPECT_GE(now, last);
      last = now;
    }
  });
  for (int i = 0; i < 1000; ++i) ++counted;
  reader.join();
  EXPECT_EQ(last, 1000U);
}

}  // namespace
}  // namespace windhover::base
