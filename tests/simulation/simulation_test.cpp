// What must hold in every simulated world: no message is lost, doubled, reordered or changed on a connection that
// closed cleanly, every handler ends, every byte of memory and every descriptor comes back.
#include <algorithm>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "world.hpp"

namespace windhover::simulation {
namespace {

// Fewer where every step is watched.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(NDEBUG)
constexpr std::uint64_t seeds_per_part = 30;
constexpr std::uint64_t runs_with_faults = 100;
#else
constexpr std::uint64_t seeds_per_part = 750;
constexpr std::uint64_t runs_with_faults = 1500;
#endif

std::string again(std::uint64_t seed) {
  return "to see it again: ./dev simulate 1 " + std::to_string(seed) + " --trace";
}

// Parts, so that they are run side by side.
class Simulation : public ::testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Part, Simulation, ::testing::Range<std::uint64_t>(0, 4));

TEST_P(Simulation, EverySeedKeepsAllPromises) {
  world_outcome all;
  for (std::uint64_t i = 0; i < seeds_per_part; ++i) {
    const std::uint64_t seed = 1 + GetParam() * seeds_per_part + i;
    const world_outcome one = simulate({.seed = seed});
    EXPECT_EQ(one.failure, "") << again(seed);
    all.messages += one.messages;
    all.clean_closes += one.clean_closes;
    all.dropped += one.dropped;
  }
  // The worlds are neither empty nor all alike.
  EXPECT_GT(all.messages, 10 * seeds_per_part);
  EXPECT_GT(all.clean_closes, seeds_per_part);
  EXPECT_GT(all.dropped, seeds_per_part);
}

TEST(SimulationFaults, ASeedLivesThroughTheSameEventsAgain) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const world_outcome first = simulate({.seed = seed});
    const world_outcome second = simulate({.seed = seed});
    EXPECT_EQ(first.digest, second.digest) << "seed " << seed;
    EXPECT_EQ(first.events, second.events) << "seed " << seed;
    EXPECT_NE(first.digest, simulate({.seed = seed + 1000}).digest);
  }
}

// In small worlds every step fails in its turn, in larger ones some do; the largest take too long to be repeated.
constexpr std::uint64_t small_world = 2000;
constexpr std::uint64_t large_world = 20'000;

// Calls run(seed, n) for the n-th of the steps that `count` finds in a seed's world, until there were enough runs.
template <class Count, class Run>
void for_each_fault(Count&& count, Run&& run) {
  std::uint64_t runs = 0;
  for (std::uint64_t seed = 1; runs < runs_with_faults; ++seed) {
    const world_outcome whole = simulate({.seed = seed});
    if (whole.events > large_world) continue;
    const std::uint64_t steps = count(whole);
    const std::uint64_t stride = whole.events <= small_world ? 1 : std::max<std::uint64_t>(1, steps / 10);
    for (std::uint64_t n = 1 + seed % stride; n <= steps && runs < runs_with_faults; n += stride, ++runs) run(seed, n);
  }
}

TEST(SimulationFaults, WhicheverOperationFailsAllPromisesAreKept) {
  const auto operations = [](const world_outcome& of) { return of.operations; };
  for_each_fault(operations, [](std::uint64_t seed, std::uint64_t n) {
    EXPECT_EQ(simulate({.seed = seed, .failing_operation = n}).failure, "") << again(seed) << " --fail-operation " << n;
  });
}

TEST(SimulationFaults, WhicheverAllocationFailsAllPromisesAreKept) {
  std::uint64_t failed = 0;
  const auto allocations = [](const world_outcome& of) { return of.allocations; };
  for_each_fault(allocations, [&failed](std::uint64_t seed, std::uint64_t n) {
    const world_outcome one = simulate({.seed = seed, .failing_allocation = n});
    EXPECT_EQ(one.failure, "") << again(seed) << " --fail-allocation " << n;
    if (one.allocation_failed) ++failed;
  });
  EXPECT_GT(failed, runs_with_faults / 4) << "hardly any of them was reached";
}

}  // namespace
}  // namespace windhover::simulation
