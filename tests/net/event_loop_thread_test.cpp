// A loop for programs that have none: running on it, and its end.
#include <chrono>
#include <cstdlib>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "net/event_loop.hpp"
#include <windhover/completion.hpp>
#include <windhover/event_loop_thread.hpp>
#include <windhover/run_blocking.hpp>
#include <windhover/sleep_for.hpp>

namespace windhover {
namespace {

using namespace std::chrono_literals;

class EventLoopThread : public ::testing::TestWithParam<io_engine> {
 protected:
  event_loop_thread_options options{.engine = GetParam()};
};
INSTANTIATE_TEST_SUITE_P(All, EventLoopThread, ::testing::Values(io_engine::io_uring, io_engine::epoll),
                         [](const auto& each) { return each.param == io_engine::epoll ? "Epoll" : "IoUring"; });

TEST_P(EventLoopThread, RunsACoroutineAndReturnsItsValue) {
  event_loop_thread loop(options);
  const std::thread::id here = std::this_thread::get_id();
  const int answer = loop.run([here]() -> task<int> {
    EXPECT_NE(std::this_thread::get_id(), here);
    co_await sleep_for(1ms);
    co_return 42;
  });
  EXPECT_EQ(answer, 42);
}

TEST_P(EventLoopThread, ValuesThatCanOnlyBeMovedComeBackToo) {
  event_loop_thread loop(options);
  auto value = loop.run([]() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); });
  EXPECT_EQ(*value, 7);
}

TEST_P(EventLoopThread, ThrowsWhatTheCoroutineThrows) {
  event_loop_thread loop(options);
  const auto fail = []() -> task<> {
    co_await sleep_for(1ms);
    throw std::runtime_error("trouble");
  };
  EXPECT_THROW(loop.run(fail), std::runtime_error);
  // A function that throws before there is a coroutine.
  const auto fail_at_once = []() -> task<int> { throw std::out_of_range("trouble"); };
  EXPECT_THROW(loop.run(fail_at_once), std::out_of_range);
  const auto none = [] { return task<int>(); };
  EXPECT_THROW(loop.run(none), std::logic_error);
}

TEST_P(EventLoopThread, CarriesMuchAtOnce) {
  event_loop_thread loop(options);
  std::vector<std::future<int>> answers;
  for (int i = 0; i < 100; ++i) {
    answers.push_back(loop.start([i]() -> task<int> {
      co_await sleep_for(std::chrono::milliseconds(i % 7));
      co_return i;
    }));
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(answers[static_cast<std::size_t>(i)].get(), i);
}

TEST_P(EventLoopThread, BlockingWorkHasThreadsOfItsOwn) {
  event_loop_thread loop(options);
  const bool elsewhere = loop.run([]() -> task<bool> {
    const std::thread::id own = std::this_thread::get_id();
    const auto where = [] { return std::this_thread::get_id(); };
    const std::thread::id other = co_await run_blocking(where);
    co_return own != other&& own == std::this_thread::get_id();
  });
  EXPECT_TRUE(elsewhere);
}

TEST_P(EventLoopThread, WhatABusilyPollingLoopCarriesIsTheSame) {
  options.busy_poll = 1s;
  event_loop_thread loop(options);
  const int answer = loop.run([]() -> task<int> {
    co_await sleep_for(1ms);
    const auto work = [] { return 41; };
    co_return co_await run_blocking(work) + 1;
  });
  EXPECT_EQ(answer, 42);
}

TEST_P(EventLoopThread, ItsEndStopsWhatRunsAndWaitsForIt) {
  bool elapsed = true;
  bool ended = false;
  {
    event_loop_thread loop(options);
    static_cast<void>(loop.start([&](std::stop_token stop) -> task<> {
      elapsed = co_await sleep_for(1h, std::move(stop));
      co_await sleep_for(1ms);
      ended = true;
    }));
  }
  EXPECT_FALSE(elapsed);
  EXPECT_TRUE(ended);
}

TEST_P(EventLoopThread, WaitingOnItsOwnThreadIsRefused) {
  event_loop_thread loop(options);
  const auto nested = [&]() -> task<> {
    loop.run([]() -> task<> { co_return; });
    co_return;
  };
  EXPECT_THROW(loop.run(nested), std::logic_error);
}

class collected_log final : public logger {
 public:
  bool enabled(log_level) const noexcept override { return true; }
  void write(log_level, std::string_view, std::string_view text) noexcept override { lines += text; }
  std::string lines;
};

// Takes no notice of the stop, and waits for what never comes.
[[noreturn]] void leave_behind() {
  collected_log log;
  {
    event_loop_thread loop({.engine = io_engine::epoll, .shutdown_timeout = 0ms, .log = &log});
    static_cast<void>(loop.start([]() -> task<> {
      const completion<> never;
      co_await never;
    }));
  }
  std::_Exit(log.lines == "still running at the end of an event_loop_thread: 1 started tasks" ? 0 : 1);
}

// In a process of its own: what is left behind is a leak that nobody could mend.
TEST(EventLoopThreadDeathTest, WhatTakesNoNoticeIsNamedAndLeftBehind) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(leave_behind(), ::testing::ExitedWithCode(0), "");
}

TEST(EventLoopThreadOptions, OutOfRangeTheyAreNamed) {
  EXPECT_THROW(event_loop_thread({.worker_threads = 0}), std::invalid_argument);
  EXPECT_THROW(event_loop_thread({.shutdown_timeout = -1ms}), std::invalid_argument);
  EXPECT_THROW(event_loop_thread({.busy_poll = -1us}), std::invalid_argument);
  EXPECT_THROW(event_loop_thread({.busy_poll = 1s + 1us}), std::invalid_argument);
  EXPECT_NO_THROW(event_loop_thread({.busy_poll = 1s}));
}

}  // namespace
}  // namespace windhover
