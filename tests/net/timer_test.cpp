#include "net/timer.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace windhover::net {
namespace {

using std::chrono::milliseconds;

const time_point start{};

// Fires into a list, at the time that the test says it is.
struct alarm {
  alarm(std::vector<int>& to, int number)
      : list(to), id(number), clock(this, [](void* self) noexcept {
          const alarm& here = *static_cast<alarm*>(self);
          here.list.push_back(here.id);
        }) {}
  std::vector<int>& list;
  int id;
  timer clock;
};

TEST(TimerWheel, FiresAtItsDeadlineAndNotBefore) {
  timer_wheel wheel(start);
  std::vector<int> fired;
  alarm one(fired, 1);
  wheel.arm(one.clock, start + milliseconds(10));
  EXPECT_EQ(wheel.next_deadline(), start + milliseconds(10));
  wheel.advance(start + milliseconds(9));
  EXPECT_TRUE(fired.empty());
  wheel.advance(start + milliseconds(10));
  EXPECT_EQ(fired, std::vector<int>{1});
  EXPECT_FALSE(one.clock.armed());
  EXPECT_FALSE(wheel.next_deadline().has_value());
}

TEST(TimerWheel, RoundsUpToTheNextTick) {
  timer_wheel wheel(start);
  std::vector<int> fired;
  alarm one(fired, 1);
  wheel.arm(one.clock, start + std::chrono::microseconds(1500));
  wheel.advance(start + milliseconds(1));
  EXPECT_TRUE(fired.empty());
  wheel.advance(start + milliseconds(2));
  EXPECT_EQ(fired.size(), 1U);
}

TEST(TimerWheel, FiresInTheOrderOfTheDeadlinesAcrossAllLevels) {
  timer_wheel wheel(start);
  std::vector<int> fired;
  std::vector<std::unique_ptr<alarm>> alarms;
  const std::vector<long> times{1,      63,     64,     65,       4095,     4096,      4097,
                                262143, 262144, 300000, 16777216, 20000000, 1073741824};
  for (std::size_t i = times.size(); i-- > 0;) {
    alarms.push_back(std::make_unique<alarm>(fired, static_cast<int>(i)));
    wheel.arm(alarms.back()->clock, start + milliseconds(times[i]));
  }
  for (std::size_t i = 0; i < times.size(); ++i) {
    wheel.advance(start + milliseconds(times[i] - 1));
    EXPECT_EQ(fired.size(), i);
    wheel.advance(start + milliseconds(times[i]));
    ASSERT_EQ(fired.size(), i + 1) << times[i];
    EXPECT_EQ(fired.back(), static_cast<int>(i));
  }
}

TEST(TimerWheel, ADeadlineThatHasPassedFiresAtTheNextAdvance) {
  timer_wheel wheel(start);
  std::vector<int> fired;
  alarm one(fired, 1);
  wheel.advance(start + milliseconds(100));
  wheel.arm(one.clock, start + milliseconds(50));
  wheel.advance(start + milliseconds(101));
  EXPECT_EQ(fired.size(), 1U);
}

TEST(TimerWheel, CancellingAndDestroyingUnlink) {
  timer_wheel wheel(start);
  std::vector<int> fired;
  alarm kept(fired, 1);
  {
    alarm destroyed(fired, 2);
    alarm cancelled(fired, 3);
    wheel.arm(kept.clock, start + milliseconds(5));
    wheel.arm(destroyed.clock, start + milliseconds(5));
    wheel.arm(cancelled.clock, start + milliseconds(5));
    cancelled.clock.cancel();
    wheel.arm(cancelled.clock, start + milliseconds(3));
    cancelled.clock.cancel();
  }
  EXPECT_EQ(wheel.next_deadline(), start + milliseconds(5));
  wheel.advance(start + milliseconds(10));
  EXPECT_EQ(fired, std::vector<int>{1});
}

TEST(TimerWheel, ATimerMayArmItselfAgain) {
  timer_wheel wheel(start);
  struct repeating {
    timer_wheel& on;
    int count = 0;
    timer clock{this, [](void* self) noexcept {
                  auto& here = *static_cast<repeating*>(self);
                  ++here.count;
                  here.on.arm(here.clock, start + milliseconds(10 * (here.count + 1)));
                }};
  } ticking{wheel};
  wheel.arm(ticking.clock, start + milliseconds(10));
  for (int now = 1; now <= 1000; ++now) wheel.advance(start + milliseconds(now));
  EXPECT_EQ(ticking.count, 100);
}

TEST(TimerWheel, AgreesWithASortedListOverRandomDeadlines) {
  std::mt19937 random(7);
  timer_wheel wheel(start);
  std::vector<int> fired;
  std::vector<std::unique_ptr<alarm>> alarms;
  std::vector<long> deadlines;
  long now = 0;
  std::size_t expected = 0;
  for (int round = 0; round < 3000; ++round) {
    const long in = static_cast<long>(random() % (random() % 3 == 0 ? 400'000U : 300U)) + 1;
    alarms.push_back(std::make_unique<alarm>(fired, static_cast<int>(alarms.size())));
    deadlines.push_back(now + in);
    wheel.arm(alarms.back()->clock, start + milliseconds(now + in));
    now += static_cast<long>(random() % 200);
    wheel.advance(start + milliseconds(now));
    expected = 0;
    for (const long deadline : deadlines) expected += deadline <= now ? 1 : 0;
    ASSERT_EQ(fired.size(), expected) << "round " << round;
  }
}

// Timers that come, go and move while the time jumps, also over the end of the topmost level.
TEST(TimerWheel, AgreesWithAPlainListWhateverBecomesOfTheTimers) {
  std::mt19937_64 random(11);
  for (const std::uint64_t from : {std::uint64_t{0}, (std::uint64_t{1} << 36) - 50'000}) {
    timer_wheel wheel(start);
    wheel.advance(start + milliseconds(from));
    std::uint64_t now = from;
    std::vector<int> fired;
    std::vector<std::unique_ptr<alarm>> alarms;
    std::vector<std::uint64_t> due(20, 0);  // 0: not armed
    for (int i = 0; i < 20; ++i) alarms.push_back(std::make_unique<alarm>(fired, i));
    for (int step = 0; step < 5000; ++step) {
      const std::size_t which = random() % alarms.size();
      if (random() % 4 == 0) {
        alarms[which]->clock.cancel();
        due[which] = 0;
      } else {
        due[which] = now + 1 + random() % (std::uint64_t{1} << (random() % 20));
        wheel.arm(alarms[which]->clock, start + milliseconds(due[which]));
      }
      if (random() % 3 == 0) now += random() % (std::uint64_t{1} << (random() % 18));
      std::vector<std::pair<std::uint64_t, int>> expected;
      for (std::size_t i = 0; i < due.size(); ++i) {
        if (due[i] != 0 && due[i] <= now) expected.emplace_back(std::exchange(due[i], 0), static_cast<int>(i));
      }
      std::sort(expected.begin(), expected.end());
      fired.clear();
      wheel.advance(start + milliseconds(now));
      std::vector<std::pair<std::uint64_t, int>> seen;
      ASSERT_EQ(fired.size(), expected.size()) << step;
      for (std::size_t i = 0; i < fired.size(); ++i) seen.emplace_back(expected[i].first, fired[i]);
      std::sort(seen.begin(), seen.end());
      ASSERT_EQ(seen, expected) << step;
    }
  }
}

}  // namespace
}  // namespace windhover::net
