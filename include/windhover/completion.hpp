// completion<T>: the bridge from a callback, on any thread, to the coroutine that waits for it.
//
//   wh::completion<row> found;
//   database.query(id, [found](row result) mutable { found.set_value(std::move(result)); });   // its own thread
//   row result = co_await found;                                                               // back on this loop
#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include <windhover/task.hpp>
#include <windhover/when_all.hpp>

namespace windhover {

// The way back to the event loop on which it was made, from any thread. May outlive the loop; resuming does nothing
// then.
class loop_resumer {
 public:
  // Takes the memory that resuming needs: who waits may refer to what must not end before it was resumed. Throws
  // std::logic_error when this thread runs no event loop, std::bad_alloc.
  loop_resumer();
  // The coroutine that resume() is for.
  void prepare(std::coroutine_handle<> waiting) noexcept;
  // It goes on in a later iteration of its loop; once.
  void resume() noexcept;

 private:
  std::shared_ptr<void> mailbox_;
  std::shared_ptr<void> prepared_;
};

// What the copies of a completion share.
template <class T>
struct completion_state {
  std::mutex mutex;
  loop_resumer home;
  bool completed = false;
  bool awaited = false;
  std::optional<task_result<T>> value;
  std::exception_ptr failure;
};

// Completed once, with a value or an exception, from any thread; awaited once, on the loop where it was made. Copies
// share the one outcome. What is completed before it is awaited is kept. Throws std::logic_error when it is made
// outside of an event loop's thread.
template <class T = void>
class completion {
  using state = completion_state<T>;

 public:
  completion() : state_(std::make_shared<state>()) {}

  // The value. False when there was an outcome already. Any thread.
  template <class... Value>
  bool set_value(Value&&... value) const {
    return complete([&](state& to) { to.value.emplace(std::forward<Value>(value)...); });
  }
  // The exception that the waiter gets. False when there was an outcome already. Any thread.
  bool set_exception(std::exception_ptr failure) const {
    return complete([&](state& to) { to.failure = std::move(failure); });
  }

  class awaiter {
   public:
    explicit awaiter(state& from) noexcept : state_(from) {}
    bool await_ready() const {
      const std::lock_guard lock(state_.mutex);
      return state_.completed;
    }
    bool await_suspend(std::coroutine_handle<> waiter) const {
      const std::lock_guard lock(state_.mutex);
      if (state_.completed) return false;
      state_.home.prepare(waiter);
      state_.awaited = true;
      return true;
    }
    T await_resume() const {
      if (state_.failure) std::rethrow_exception(state_.failure);
      if constexpr (!std::is_void_v<T>) return std::move(*state_.value);
    }

   private:
    state& state_;
  };
  awaiter operator co_await() const noexcept { return awaiter(*state_); }

 private:
  template <class Store>
  bool complete(Store&& store) const {
    bool awaited = false;
    {
      const std::lock_guard lock(state_->mutex);
      if (state_->completed) return false;
      store(*state_);
      state_->completed = true;
      awaited = state_->awaited;
    }
    if (awaited) state_->home.resume();
    return true;
  }

  std::shared_ptr<state> state_;
};

}  // namespace windhover
