// Stories that are told again and again, each time with another allocation failing, until none fails any more.
#pragma once

#include <cstdint>

#include <gtest/gtest.h>

#include "simulation/memory_meter.hpp"

namespace windhover::simulation {

// While it lives, allocations of this thread are counted, and one of them fails.
class failing_allocation {
 public:
  explicit failing_allocation(std::uint64_t n) noexcept { memory_meter::fail_allocation(n); }
  failing_allocation(const failing_allocation&) = delete;
  failing_allocation& operator=(const failing_allocation&) = delete;
  ~failing_allocation() { memory_meter::fail_allocation(0); }

  bool has_come() const noexcept { return memory_meter::has_failed(); }

 private:
  memory_meter::metered here_;
};

// The story is given which of its allocations fails, the first being 1, and says whether it has come to that. At least
// so many of them can be expected.
template <class Story>
void fail_each_allocation(std::uint64_t expected, Story&& story) {
  constexpr std::uint64_t most = 5000;
  std::uint64_t n = 1;
  while (n < most && story(n)) ++n;
  EXPECT_GT(n, expected) << "there are allocations to fail";
  EXPECT_LT(n, most) << "and an end of them";
}

}  // namespace windhover::simulation
