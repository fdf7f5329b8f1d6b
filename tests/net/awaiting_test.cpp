// sleep_for, with_timeout, wait_readable, completion and run_blocking, on both engines.
#include <chrono>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include <gtest/gtest.h>

#include "net/worker_pool.hpp"
#include "support/transports.hpp"
#include <windhover/completion.hpp>
#include <windhover/run_blocking.hpp>
#include <windhover/sleep_for.hpp>
#include <windhover/task_group.hpp>
#include <windhover/wait_readable.hpp>
#include <windhover/when_any.hpp>
#include <windhover/with_timeout.hpp>

namespace windhover {
namespace {

using namespace std::chrono_literals;

std::coroutine_handle<> note_end(void* context) noexcept {
  *static_cast<bool*>(context) = true;
  return std::noop_coroutine();
}

class Awaiting : public test::every_engine {
 protected:
  // Runs a coroutine to its end on the loop.
  void run(task<> work) {
    bool ended = false;
    {
      const net::event_loop::scope here(loop);
      work.start(&ended, note_end);
    }
    test::run_until(loop, [&ended] { return ended; });
    work.take();
  }
};
INSTANTIATE_TEST_SUITE_P(All, Awaiting, test::both_engines(), test::engine_name);

TEST_P(Awaiting, SleepsForAWhile) {
  bool elapsed = false;
  const auto work = [&]() -> task<> { elapsed = co_await sleep_for(5ms); };
  run(work());
  EXPECT_TRUE(elapsed);
}

TEST_P(Awaiting, SleepingEndsWhenItIsStoppedFromTheLoop) {
  std::stop_source source;
  bool elapsed = true;
  const auto sleeper = [&]() -> task<> { elapsed = co_await sleep_for(1h, source.get_token()); };
  const auto stopper = [&]() -> task<> {
    co_await sleep_for(1ms);
    source.request_stop();
  };
  const auto work = [&]() -> task<> { co_await when_all(sleeper(), stopper()); };
  run(work());
  EXPECT_FALSE(elapsed);
}

TEST_P(Awaiting, SleepingEndsWhenItIsStoppedFromAnotherThread) {
  std::stop_source source;
  bool elapsed = true;
  std::thread stopper;
  const auto work = [&]() -> task<> {
    stopper = std::thread([&source] { source.request_stop(); });
    elapsed = co_await sleep_for(1h, source.get_token());
  };
  run(work());
  stopper.join();
  EXPECT_FALSE(elapsed);
}

TEST_P(Awaiting, SleepingWithAStoppedTokenOrForNoTimeDoesNotWait) {
  std::stop_source source;
  source.request_stop();
  bool stopped_result = true;
  bool zero_result = false;
  const auto work = [&]() -> task<> {
    stopped_result = co_await sleep_for(1h, source.get_token());
    zero_result = co_await sleep_for(0ms);
  };
  run(work());
  EXPECT_FALSE(stopped_result);
  EXPECT_TRUE(zero_result);
}

TEST_P(Awaiting, OutsideOfALoopItSaysWhatIsWrong) {
  const auto work = []() -> task<> { co_await sleep_for(1ms); };
  task<> alone = work();
  bool ended = false;
  alone.start(&ended, note_end);
  ASSERT_TRUE(ended);
  EXPECT_THROW(alone.take(), std::logic_error);
}

TEST_P(Awaiting, ATimeoutStopsTheOperation) {
  bool operation_result = true;
  bool void_in_time = true;
  const auto work = [&]() -> task<> {
    const auto slow = [](std::stop_token stop) { return sleep_for(1h, std::move(stop)); };
    operation_result = co_await with_timeout(2ms, slow);
    const auto slow_void = [](std::stop_token stop) -> task<> { co_await sleep_for(1h, std::move(stop)); };
    void_in_time = co_await with_timeout(2ms, slow_void);
  };
  run(work());
  EXPECT_FALSE(operation_result);
  EXPECT_FALSE(void_in_time);
}

TEST_P(Awaiting, AnOperationThatIsInTimeKeepsItsResult) {
  int result = 0;
  bool in_time = false;
  const auto work = [&]() -> task<> {
    const auto fast = [](std::stop_token) -> task<int> { co_return 5; };
    result = co_await with_timeout(1h, fast);
    const auto fast_void = [](std::stop_token) -> task<> { co_await sleep_for(1ms); };
    in_time = co_await with_timeout(1h, fast_void);
  };
  run(work());
  EXPECT_EQ(result, 5);
  EXPECT_TRUE(in_time);
}

TEST_P(Awaiting, AnOperationThatFailsThrowsThroughTheTimeout) {
  std::string caught;
  const auto work = [&]() -> task<> {
    const auto broken = [](std::stop_token) -> task<int> {
      co_await sleep_for(1ms);
      throw std::runtime_error("broken");
    };
    try {
      co_await with_timeout(1h, broken);
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
  };
  run(work());
  EXPECT_EQ(caught, "broken");
}

TEST_P(Awaiting, AnEmptyTaskInATimeoutThrowsAtOnce) {
  bool caught = false;
  const auto work = [&]() -> task<> {
    const auto none = [](std::stop_token) { return task<>(); };
    try {
      co_await with_timeout(1h, none);
    } catch (const std::logic_error&) {
      caught = true;
    }
  };
  run(work());
  EXPECT_TRUE(caught);
}

// Waits beside a callback of its own on the same token, so that both go while the token is being stopped.
task<> wait_with_a_callback(std::stop_token stop) {
  const std::stop_callback own(stop, []() noexcept {});
  co_await sleep_for(1h, std::move(stop));
}

// What is stopped on the loop's own thread ends within request_stop(), and takes what stopped it along.
TEST_P(Awaiting, WhatForwardsAStopMayEndWithinIt) {
  auto waiting = [](std::stop_token stop) { return wait_with_a_callback(std::move(stop)); };
  const auto with_any = [&](std::stop_token stop) -> task<> { co_await when_any(std::move(stop), waiting); };
  const auto with_limit = [&](std::stop_token stop) -> task<> { co_await with_timeout(2h, waiting, std::move(stop)); };
  const auto with_group = [&](std::stop_token stop) -> task<> {
    const auto body = [](task_group& group) -> task<> {
      group.spawn(wait_with_a_callback(group.stop_token()));
      co_await group.join();
    };
    co_await task_group::run(body, std::move(stop));
  };
  const auto stop_while_it_runs = [&](auto& work) {
    std::stop_source source;
    bool ended = false;
    const net::event_loop::scope here(loop);
    task<> running = work(source.get_token());
    running.start(&ended, note_end);
    EXPECT_FALSE(ended);
    source.request_stop();
    EXPECT_TRUE(ended);
    running.take();
  };
  stop_while_it_runs(with_any);
  stop_while_it_runs(with_limit);
  stop_while_it_runs(with_group);
}

TEST_P(Awaiting, ACompletionResumesOnItsLoopFromAnotherThread) {
  int value = 0;
  std::thread::id resumed_on;
  std::thread other;
  const auto work = [&]() -> task<> {
    const completion<int> done;
    other = std::thread([done] {
      EXPECT_TRUE(done.set_value(3));
      EXPECT_FALSE(done.set_value(4));
    });
    value = co_await done;
    resumed_on = std::this_thread::get_id();
  };
  run(work());
  other.join();
  EXPECT_EQ(value, 3);
  EXPECT_EQ(resumed_on, std::this_thread::get_id());
}

TEST_P(Awaiting, ACompletionCarriesAnException) {
  const auto work = []() -> task<> {
    const completion<> done;
    done.set_exception(std::make_exception_ptr(std::out_of_range("far")));
    co_await done;
  };
  EXPECT_THROW(run(work()), std::out_of_range);
}

TEST_P(Awaiting, WaitsForADescriptorToBecomeReadable) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
  bool readable = false;
  bool writable = false;
  bool before_writing = true;
  const auto reader = [&]() -> task<> { readable = co_await wait_readable(ends[0]); };
  const auto writer = [&]() -> task<> {
    writable = co_await wait_writable(ends[1]);
    before_writing = readable;
    EXPECT_EQ(::write(ends[1], "x", 1), 1);
  };
  const auto work = [&]() -> task<> { co_await when_all(reader(), writer()); };
  run(work());
  EXPECT_TRUE(readable && writable);
  EXPECT_FALSE(before_writing);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_P(Awaiting, WaitsForReadingAndWritingOfOneDescriptorAtOnce) {
  const auto [a, b] = test::connected_sockets(false);
  bool readable = false;
  bool writable = false;
  const auto read = [&, fd = a]() -> task<> { readable = co_await wait_readable(fd); };
  const auto write = [&, fd = a, peer = b]() -> task<> {
    writable = co_await wait_writable(fd);
    EXPECT_EQ(::write(peer, "x", 1), 1);
  };
  const auto work = [&]() -> task<> { co_await when_all(read(), write()); };
  run(work());
  EXPECT_TRUE(readable && writable);
  ::close(a);
  ::close(b);
}

TEST_P(Awaiting, AWaitForADescriptorCanBeStopped) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
  bool outcome = true;
  const auto work = [&]() -> task<> {
    const auto wait = [&](std::stop_token stop) { return wait_readable(ends[0], std::move(stop)); };
    outcome = co_await with_timeout(2ms, wait);
  };
  run(work());
  EXPECT_FALSE(outcome);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_P(Awaiting, ABadDescriptorIsAnError) {
  const auto work = []() -> task<> { co_await wait_readable(1'000'000); };
  EXPECT_THROW(run(work()), std::system_error);
}

TEST_P(Awaiting, BlockingWorkRunsOnAnotherThreadAndComesBack) {
  net::worker_pool pool({2, 10});
  net::event_loop_options options;
  options.workers = &pool;
  net::event_loop with_pool(net::make_engine(GetParam()).engine, options);
  const std::thread::id here = std::this_thread::get_id();
  std::thread::id worked_on = here;
  std::thread::id came_back_on;
  const auto work = [&]() -> task<> {
    const auto compute = [&] {
      worked_on = std::this_thread::get_id();
      return std::string("result");
    };
    const std::string result = co_await run_blocking(compute);
    EXPECT_EQ(result, "result");
    came_back_on = std::this_thread::get_id();
  };
  task<> started = work();
  bool ended = false;
  {
    const net::event_loop::scope entered(with_pool);
    started.start(&ended, note_end);
  }
  test::run_until(with_pool, [&ended] { return ended; });
  started.take();
  EXPECT_NE(worked_on, here);
  EXPECT_EQ(came_back_on, here);
}

TEST_P(Awaiting, BlockingWorkThatThrowsThrowsWhereItIsAwaited) {
  const auto work = []() -> task<> {
    const auto fail = []() -> int { throw std::runtime_error("disk"); };
    co_await run_blocking(fail);
  };
  EXPECT_THROW(run(work()), std::runtime_error);
}

}  // namespace
}  // namespace windhover
