// What the programs of this folder have in common: an object that knows whether it was destroyed exactly once,
// something to wait for, and the test of one shape. Every shape suspends, because g++ 12 goes wrong about what lives
// across a suspension.
#pragma once

#include <coroutine>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <windhover/task.hpp>

namespace windhover::compilers {

// Counts what is made and destroyed at each address. It keeps no memory of its own and outlives a double destruction,
// which would end the process at a string.
class ledger {
 public:
  void made(const void* object) { balanced_ = alive_.insert(object).second && balanced_; }
  void destroyed(const void* object) { balanced_ = alive_.erase(object) == 1 && balanced_; }
  bool balanced() const { return balanced_ && alive_.empty(); }

 private:
  std::set<const void*> alive_;
  bool balanced_ = true;
};

// A number in an object with a destructor.
class tracked {
 public:
  tracked(ledger& book, int value) : book_(&book), value_(value) { book_->made(this); }
  tracked(const tracked& other) : book_(other.book_), value_(other.value_) { book_->made(this); }
  tracked& operator=(const tracked&) = default;
  ~tracked() { book_->destroyed(this); }
  int value() const { return value_; }

 private:
  ledger* book_;
  int value_;
};

// Where the coroutine of a test waits, and from where the test goes on.
class stop {
 public:
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { waiter_ = waiter; }
  void await_resume() const noexcept {}
  bool resume() {
    if (!waiter_) return false;
    std::exchange(waiter_, nullptr).resume();
    return true;
  }

 private:
  std::coroutine_handle<> waiter_;
};

class shape : public testing::Test {
 protected:
  // Each suspends once.
  task<> wait() { co_await stop_; }
  task<bool> yes() {
    co_await stop_;
    co_return true;
  }
  task<int> number(int value) {
    co_await stop_;
    co_return value;
  }
  task<tracked> object(int value) {
    co_await stop_;
    co_return tracked(book_, value);
  }

  // Runs `work` to its end and looks whether it came to `expected` and whether every object was destroyed exactly once.
  void expect(int expected, task<int> work) {
    bool ended = false;
    work.start(&ended, [](void* context) noexcept -> std::coroutine_handle<> {
      *static_cast<bool*>(context) = true;
      return std::noop_coroutine();
    });
    while (stop_.resume()) {
    }
    ASSERT_TRUE(ended);
    EXPECT_EQ(work.take(), expected);
    { const task<int> gone = std::move(work); }
    EXPECT_TRUE(book_.balanced());
  }

  ledger book_;
  stop stop_;
  bool is_true_ = true;  // no constant: the compiler must keep both ways
};

}  // namespace windhover::compilers
