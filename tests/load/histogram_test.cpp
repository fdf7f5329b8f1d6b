// How often which duration was measured: the precision that is promised, and that nothing is lost.
#include "load/histogram.hpp"

#include <chrono>
#include <cmath>
#include <cstdint>

#include <gtest/gtest.h>

namespace windhover::load {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;

// Two measurements beside it, so that the answer comes from the place of the value and not from the extremes.
net::duration as_kept(nanoseconds value) {
  histogram kept;
  kept.add(nanoseconds(0));
  kept.add(value);
  kept.add(minutes(60));
  return kept.percentile(50);
}

TEST(Histogram, SaysNothingButZerosWhenNothingWasMeasured) {
  const histogram empty;
  EXPECT_EQ(empty.count(), 0U);
  EXPECT_EQ(empty.minimum(), nanoseconds(0));
  EXPECT_EQ(empty.maximum(), nanoseconds(0));
  EXPECT_EQ(empty.mean(), nanoseconds(0));
  EXPECT_EQ(empty.percentile(0), nanoseconds(0));
  EXPECT_EQ(empty.percentile(100), nanoseconds(0));
}

TEST(Histogram, KeepsEveryDurationUpToEighteenMinutesWithinOnePercent) {
  for (double value = 1; value < 1.09e12; value *= 1.003) {
    const auto exact = static_cast<std::int64_t>(value);
    const std::int64_t kept = nanoseconds(as_kept(nanoseconds(exact))).count();
    ASSERT_GE(kept, exact);
    ASSERT_LE(static_cast<double>(kept - exact), 0.01 * static_cast<double>(exact)) << exact << " became " << kept;
  }
}

TEST(Histogram, IsExactAtTheEdgesOfItsPlaces) {
  for (unsigned bits = 0; bits < 40; ++bits) {
    const nanoseconds edge(std::int64_t{1} << bits);
    EXPECT_LT(as_kept(edge - nanoseconds(1)), edge);
    EXPECT_GE(as_kept(edge), edge);
  }
}

TEST(Histogram, WhatIsLongerThanItsRangeStillCounts) {
  histogram kept;
  kept.add(milliseconds(1));
  kept.add(minutes(19));
  kept.add(minutes(120));
  EXPECT_EQ(kept.count(), 3U);
  EXPECT_EQ(kept.maximum(), minutes(120));
  EXPECT_EQ(kept.mean(), nanoseconds(minutes(139) + milliseconds(1)) / 3);
  EXPECT_GE(kept.percentile(100), minutes(18));
}

TEST(Histogram, WhatCameBeforeItsTimeCountsAsZero) {
  histogram kept;
  kept.add(nanoseconds(-5));
  EXPECT_EQ(kept.count(), 1U);
  EXPECT_EQ(kept.minimum(), nanoseconds(0));
  EXPECT_EQ(kept.maximum(), nanoseconds(0));
}

TEST(Histogram, APercentileIsTheValueThatSoManyDidNotExceed) {
  histogram kept;
  // Below 128 ns every value has its own place.
  for (int i = 1; i <= 100; ++i) kept.add(nanoseconds(i));
  EXPECT_EQ(kept.percentile(0), nanoseconds(1));
  EXPECT_EQ(kept.percentile(1), nanoseconds(1));
  EXPECT_EQ(kept.percentile(50), nanoseconds(50));
  EXPECT_EQ(kept.percentile(50.1), nanoseconds(51));
  EXPECT_EQ(kept.percentile(99), nanoseconds(99));
  EXPECT_EQ(kept.percentile(100), nanoseconds(100));
  EXPECT_EQ(kept.mean(), nanoseconds(51));  // 50.5, rounded
}

TEST(Histogram, RoundingDoesNotMoveAPercentileToItsNeighbour) {
  for (const std::uint64_t count : {1'000U, 10'000U, 41'000U, 100'000U}) {
    histogram kept;
    for (std::uint64_t i = 0; i < count / 1000 * 999; ++i) kept.add(nanoseconds(1));
    for (std::uint64_t i = 0; i < count / 1000; ++i) kept.add(nanoseconds(2));
    EXPECT_EQ(kept.percentile(99.9), nanoseconds(1)) << count;
    EXPECT_EQ(kept.percentile(99.91), nanoseconds(2)) << count;
  }
}

TEST(Histogram, APercentileIsNeverBeyondTheExtremes) {
  histogram kept;
  kept.add(microseconds(1001));
  EXPECT_EQ(kept.percentile(1), microseconds(1001));
  EXPECT_EQ(kept.percentile(100), microseconds(1001));
}

TEST(Histogram, TwoOfThemAddUpToOneThatHasSeenAll) {
  histogram first;
  histogram second;
  histogram both;
  for (int i = 1; i <= 1000; ++i) {
    const microseconds value(i * i);
    (i % 3 == 0 ? first : second).add(value);
    both.add(value);
  }
  first.add(second);
  first.add(histogram());
  EXPECT_EQ(first.count(), both.count());
  EXPECT_EQ(first.minimum(), both.minimum());
  EXPECT_EQ(first.maximum(), both.maximum());
  EXPECT_EQ(first.mean(), both.mean());
  for (double percent = 0; percent <= 100; percent += 0.5) {
    EXPECT_EQ(first.percentile(percent), both.percentile(percent)) << percent;
  }
}

TEST(Histogram, AddingToAnEmptyOneKeepsTheMinimum) {
  histogram empty;
  histogram other;
  other.add(milliseconds(3));
  empty.add(other);
  EXPECT_EQ(empty.minimum(), milliseconds(3));
}

}  // namespace
}  // namespace windhover::load
