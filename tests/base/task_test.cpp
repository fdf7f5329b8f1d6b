// The behaviour of task, when_all, when_any and task_group, without a loop: the test resumes what waits by hand.
#include <coroutine>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <windhover/task.hpp>
#include <windhover/task_group.hpp>
#include <windhover/when_all.hpp>
#include <windhover/when_any.hpp>

namespace windhover {
namespace {

// A gate that coroutines wait at until the test opens it.
class gate {
 public:
  auto pass() {
    struct awaiter {
      gate& self;
      bool await_ready() const noexcept { return self.open_; }
      void await_suspend(std::coroutine_handle<> waiter) const { self.waiters_.push_back(waiter); }
      void await_resume() const noexcept {}
    };
    return awaiter{*this};
  }
  void open() {
    open_ = true;
    for (const auto waiter : std::exchange(waiters_, {})) waiter.resume();
  }

 private:
  bool open_ = false;
  std::vector<std::coroutine_handle<>> waiters_;
};

std::coroutine_handle<> note_end(void* context) noexcept {
  ++*static_cast<int*>(context);
  return std::noop_coroutine();
}

task<int> immediate(int value) { co_return value; }
task<int> gated(gate& at, int value) {
  co_await at.pass();
  co_return value;
}
task<> failing(std::string text) {
  throw std::runtime_error(text);
  co_return;
}

TEST(Task, DoesNothingUntilItIsStarted) {
  bool ran = false;
  const auto work = [&ran]() -> task<> {
    ran = true;
    co_return;
  };
  task<> idle = work();
  EXPECT_FALSE(ran);
  int ended = 0;
  idle.start(&ended, note_end);
  EXPECT_TRUE(ran);
  EXPECT_EQ(ended, 1);
}

TEST(Task, AMillionTasksThatEndAtOnceNeedNoStack) {
  long sum = 0;
  const auto work = [&sum]() -> task<> {
    for (int i = 0; i < 1'000'000; ++i) sum += co_await immediate(1);
  };
  task<> all = work();
  int ended = 0;
  all.start(&ended, note_end);
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(sum, 1'000'000);
}

TEST(Task, GivesItsValueToTheParentThatWaits) {
  gate at;
  int result = 0;
  const auto work = [&]() -> task<> { result = co_await gated(at, 7); };
  task<> parent = work();
  int ended = 0;
  parent.start(&ended, note_end);
  EXPECT_EQ(ended, 0);
  at.open();
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(result, 7);
}

TEST(Task, ThrowsItsExceptionWhereItIsAwaited) {
  std::string caught;
  const auto work = [&]() -> task<> {
    try {
      co_await failing("broken");
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
  };
  task<> parent = work();
  int ended = 0;
  parent.start(&ended, note_end);
  EXPECT_EQ(caught, "broken");
}

TEST(Task, MovesAValueThatCannotBeCopied) {
  const auto make = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(3); };
  int result = 0;
  const auto work = [&]() -> task<> {
    const auto value = co_await make();
    result = *value;
  };
  task<> parent = work();
  int ended = 0;
  parent.start(&ended, note_end);
  EXPECT_EQ(result, 3);
}

TEST(WhenAll, WaitsForEveryTaskAndKeepsTheOrderOfTheArguments) {
  gate first;
  gate second;
  int sum = 0;
  const auto work = [&]() -> task<> {
    const auto [a, b, c] = co_await when_all(gated(first, 1), gated(second, 20), immediate(300));
    sum = a + b + c;
  };
  task<> parent = work();
  int ended = 0;
  parent.start(&ended, note_end);
  second.open();
  EXPECT_EQ(ended, 0);
  first.open();
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(sum, 321);
}

TEST(WhenAll, ThrowsTheFirstFailureAfterAllHaveEnded) {
  gate at;
  std::string caught;
  const auto work = [&]() -> task<> {
    try {
      co_await when_all(gated(at, 1), failing("one"), failing("two"));
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
  };
  task<> parent = work();
  int ended = 0;
  parent.start(&ended, note_end);
  EXPECT_EQ(caught, "");
  at.open();
  EXPECT_EQ(caught, "one");
  EXPECT_EQ(ended, 1);
}

TEST(WhenAll, TakesAVector) {
  gate at;
  std::vector<int> values;
  const auto work = [&]() -> task<> {
    std::vector<task<int>> tasks;
    for (int i = 0; i < 5; ++i) tasks.push_back(gated(at, i));
    values = co_await when_all(std::move(tasks));
  };
  task<> parent = work();
  int ended = 0;
  parent.start(&ended, note_end);
  at.open();
  EXPECT_EQ(values, (std::vector<int>{0, 1, 2, 3, 4}));
}

// Waits at a gate until it is opened or the token is stopped.
task<int> stoppable(gate& at, std::stop_token stop, int value, bool& was_stopped) {
  const std::stop_callback on_stop(stop, [&] {
    was_stopped = true;
    at.open();
  });
  co_await at.pass();
  co_return value;
}

TEST(WhenAny, StopsTheLosersAndWaitsForThem) {
  gate winner;
  gate loser;
  bool winner_stopped = false;
  bool loser_stopped = false;
  std::size_t index = 99;
  int value = 0;
  const auto work = [&]() -> task<> {
    const auto lose = [&](std::stop_token stop) { return stoppable(loser, stop, 1, loser_stopped); };
    const auto win = [&](std::stop_token stop) { return stoppable(winner, stop, 2, winner_stopped); };
    const auto first = co_await when_any(lose, win);
    index = first.index();
    value = std::get<1>(first);
  };
  task<> parent = work();
  int ended = 0;
  parent.start(&ended, note_end);
  EXPECT_FALSE(loser_stopped);
  winner.open();
  EXPECT_TRUE(loser_stopped);
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(index, 1U);
  EXPECT_EQ(value, 2);
}

TEST(WhenAny, IsStoppedByTheTokenOfTheCaller) {
  gate a;
  gate b;
  bool a_stopped = false;
  bool b_stopped = false;
  std::stop_source source;
  const auto work = [&]() -> task<> {
    const auto one = [&](std::stop_token stop) { return stoppable(a, stop, 1, a_stopped); };
    const auto two = [&](std::stop_token stop) { return stoppable(b, stop, 2, b_stopped); };
    co_await when_any(source.get_token(), one, two);
  };
  task<> parent = work();
  int ended = 0;
  parent.start(&ended, note_end);
  EXPECT_EQ(ended, 0);
  source.request_stop();
  EXPECT_TRUE(a_stopped && b_stopped);
  EXPECT_EQ(ended, 1);
}

TEST(TaskGroup, StopsAndAwaitsItsChildrenWhenTheBodyReturns) {
  gate at;
  bool stopped = false;
  int child_ends = 0;
  const auto child = [&](std::stop_token stop) -> task<> {
    co_await stoppable(at, stop, 0, stopped);
    ++child_ends;
  };
  const auto work = [&]() -> task<> {
    co_await task_group::run([&](task_group& group) -> task<> {
      group.spawn(child(group.stop_token()));
      group.spawn(child(group.stop_token()));
      co_return;
    });
  };
  task<> parent = work();
  int ended = 0;
  parent.start(&ended, note_end);
  EXPECT_TRUE(stopped);
  EXPECT_EQ(child_ends, 2);
  EXPECT_EQ(ended, 1);
}

TEST(TaskGroup, ABodyMayWaitForItsChildren) {
  gate at;
  gate more;
  std::vector<int> order;
  const auto child = [&]() -> task<> {
    co_await at.pass();
    order.push_back(1);
  };
  const auto work = [&]() -> task<> {
    co_await task_group::run([&](task_group& group) -> task<> {
      group.spawn(child());
      co_await group.join();
      order.push_back(2);
      co_await more.pass();
      order.push_back(3);
    });
    order.push_back(4);
  };
  task<> parent = work();
  int ended = 0;
  parent.start(&ended, note_end);
  EXPECT_TRUE(order.empty());
  at.open();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
  more.open();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4}));
}

TEST(TaskGroup, AFailingChildStopsTheOthersAndIsThrownAtTheEnd) {
  gate at;
  bool stopped = false;
  std::string caught;
  const auto wait = [&](std::stop_token stop) -> task<> { co_await stoppable(at, stop, 0, stopped); };
  const auto work = [&]() -> task<> {
    try {
      co_await task_group::run([&](task_group& group) -> task<> {
        group.spawn(wait(group.stop_token()));
        group.spawn(failing("child"));
        co_await group.join();
      });
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
  };
  task<> parent = work();
  int ended = 0;
  parent.start(&ended, note_end);
  EXPECT_TRUE(stopped);
  EXPECT_EQ(caught, "child");
  EXPECT_EQ(ended, 1);
}

// ----- Tasks that are empty: default constructed, or moved from

// What `work` throws when it is run, which must be a std::logic_error.
std::string mistake_in(task<> work) {
  int ended = 0;
  work.start(&ended, note_end);
  EXPECT_EQ(ended, 1);
  try {
    work.take();
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return "none";
}

constexpr const char* empty_task_text =
    "the task is empty: it was default constructed or moved from; await, spawn or return the task that a coroutine "
    "gave, and each of them once";

TEST(EmptyTask, AwaitingItThrows) {
  const auto constructed = []() -> task<> { co_await task<>(); };
  EXPECT_EQ(mistake_in(constructed()), empty_task_text);
  const auto moved_from = []() -> task<> {
    task<int> once = immediate(1);
    const task<int> elsewhere = std::move(once);
    co_await std::move(once);
  };
  EXPECT_EQ(mistake_in(moved_from()), empty_task_text);
}

TEST(EmptyTask, StartingItThrowsAndTellsNobody) {
  int ended = 0;
  task<> none;
  EXPECT_THROW(none.start(&ended, note_end), std::logic_error);
  EXPECT_EQ(ended, 0);
}

TEST(EmptyTask, WhenAllStartsNoneOfTheOthers) {
  bool ran = false;
  const auto other = [&ran]() -> task<> {
    ran = true;
    co_return;
  };
  const auto tuple = [&]() -> task<> { co_await when_all(other(), task<int>(), other()); };
  EXPECT_EQ(mistake_in(tuple()), empty_task_text);
  const auto vector = [&]() -> task<> {
    std::vector<task<>> tasks;
    tasks.push_back(other());
    tasks.emplace_back();
    co_await when_all(std::move(tasks));
  };
  EXPECT_EQ(mistake_in(vector()), empty_task_text);
  EXPECT_FALSE(ran);
}

TEST(EmptyTask, WhenAnyTakesItForAnOperationThatFailsAndStopsTheOthers) {
  gate at;
  bool stopped = false;
  const auto work = [&]() -> task<> {
    const auto other = [&](std::stop_token stop) { return stoppable(at, stop, 1, stopped); };
    const auto none = [](std::stop_token) { return task<int>(); };
    co_await when_any(other, none);
  };
  EXPECT_EQ(mistake_in(work()), empty_task_text);
  EXPECT_TRUE(stopped);
}

TEST(EmptyTask, ATaskGroupRefusesItAndGoesOn) {
  int children = 99;
  std::string caught;
  const auto work = [&]() -> task<> {
    co_await task_group::run([&](task_group& group) -> task<> {
      try {
        group.spawn(task<>());
      } catch (const std::logic_error& error) {
        caught = error.what();
      }
      children = static_cast<int>(group.size());
      co_await group.join();
    });
  };
  EXPECT_EQ(mistake_in(work()), "none");
  EXPECT_EQ(caught, empty_task_text);
  EXPECT_EQ(children, 0);
}

TEST(EmptyTask, ABodyOfATaskGroupThatReturnsNoneFailsTheGroup) {
  const auto work = []() -> task<> { co_await task_group::run([](task_group&) { return task<>(); }); };
  EXPECT_EQ(mistake_in(work()), empty_task_text);
}

}  // namespace
}  // namespace windhover
