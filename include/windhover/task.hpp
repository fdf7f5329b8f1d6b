// task<T>: the lazy coroutine that every asynchronous function of Windhover returns.
//
//   wh::task<int> answer() { co_return 42; }
//   wh::task<> ask() { int n = co_await answer(); ... }
//
// A task does nothing until it is awaited. It is awaited once, by moving it into the await; the awaiting coroutine goes
// on when the task has ended, and gets its value or its exception. Tasks belong to the thread they were started on.
//
// A task that was default constructed or moved from is empty: there is no coroutine in it. Whoever awaits or starts it,
// a task_group, or the server to which a handler returned it, gets a std::logic_error that says so.
//
// A task that ends before its parent has suspended lets the parent go on in place, so a loop over a million tasks that
// finish at once needs no stack, with or without tail calls. Frames come from the thread's memory pool.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace windhover {

template <class T = void>
class task;

// Memory for coroutine frames: per-thread free lists, one per size class. Memory may be released on another thread than
// the one that allocated it. Throws std::bad_alloc.
void* allocate_frame(std::size_t size);
void release_frame(void* frame, std::size_t size) noexcept;

// Throws the std::logic_error of a task that is empty.
[[noreturn]] void throw_empty_task();

// Stopping may end whoever owns the source, within the call: its state stays until the call is over.
inline void request_stop_outliving(std::stop_source source) noexcept { source.request_stop(); }

// What the promises of all tasks share: where to go on, the exception, and the frame's memory.
class task_promise_base {
 public:
  // Called when a task that was started with task::start has ended. Runs inside the ending coroutine: it must not
  // destroy the task. Returns what to resume next, which may destroy it (std::noop_coroutine() for nothing).
  using ended_function = std::coroutine_handle<> (*)(void* context) noexcept;

  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { release_frame(frame, size); }

  std::suspend_always initial_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { exception_ = std::current_exception(); }

  struct final_awaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      task_promise_base& promise = ended.promise();
      if (promise.ended_ != nullptr) return promise.ended_(promise.continuation_);
      if (promise.continuation_ == nullptr) return std::noop_coroutine();
      return std::coroutine_handle<>::from_address(promise.continuation_);
    }
    void await_resume() const noexcept {}
  };
  final_awaiter final_suspend() const noexcept { return {}; }

  void continue_with(std::coroutine_handle<> parent) noexcept { continuation_ = parent.address(); }
  void notify(void* context, ended_function when_ended) noexcept {
    continuation_ = context;
    ended_ = when_ended;
  }

 protected:
  void rethrow_if_failed() {
    if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
  }

 private:
  void* continuation_ = nullptr;  // the parent's frame, or the context of ended_ where that is set
  ended_function ended_ = nullptr;
  std::exception_ptr exception_;
};

template <class T>
class task_promise final : public task_promise_base {
 public:
  task<T> get_return_object() noexcept;
  template <class Value>
    requires std::is_constructible_v<T, Value>
  void return_value(Value&& value) {
    value_.emplace(std::forward<Value>(value));
  }
  T take() {
    rethrow_if_failed();
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class task_promise<void> final : public task_promise_base {
 public:
  task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void take() { rethrow_if_failed(); }
};

template <class T>
class [[nodiscard("a task does nothing until it is awaited")]] task {
  static_assert(!std::is_reference_v<T>, "a task cannot hold a reference: return a pointer");

 public:
  using promise_type = task_promise<T>;
  using value_type = T;

  task() noexcept = default;
  explicit task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
  task(task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  task& operator=(task&& other) noexcept {
    if (this != &other) {
      if (frame_) frame_.destroy();
      frame_ = std::exchange(other.frame_, nullptr);
    }
    return *this;
  }
  task(const task&) = delete;
  task& operator=(const task&) = delete;
  ~task() {
    if (frame_) frame_.destroy();
  }

  // False for an empty task: one that was moved from or default constructed.
  explicit operator bool() const noexcept { return frame_ != nullptr; }
  bool ended() const noexcept { return frame_ && frame_.done(); }
  // Throws std::logic_error for an empty task.
  void require_coroutine() const {
    if (!frame_) throw_empty_task();
  }
  // Where the coroutine's frame is: equal to std::coroutine_handle::address() of the coroutine that runs in it.
  const void* frame_address() const noexcept { return frame_ ? frame_.address() : nullptr; }

  class awaiter {
   public:
    explicit awaiter(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
    bool await_ready() const noexcept { return frame_.done(); }
    bool await_suspend(std::coroutine_handle<> parent) const {
      frame_.resume();
      if (frame_.done()) return false;
      frame_.promise().continue_with(parent);
      return true;
    }
    T await_resume() const { return frame_.promise().take(); }

   private:
    std::coroutine_handle<promise_type> frame_;
  };
  // Throws std::logic_error for an empty task.
  awaiter operator co_await() && {
    require_coroutine();
    return awaiter(frame_);
  }
  awaiter operator co_await() & = delete;  // await a temporary, or std::move the task into the await

  // Runs the task from code that is no coroutine, up to its first suspension. `when_ended(context)` is called once,
  // when the task has ended, possibly before start returns; the task must stay where it is owned until then and must
  // not be destroyed by the callback. Throws std::logic_error for an empty task, of which nobody is told.
  void start(void* context, task_promise_base::ended_function when_ended) {
    require_coroutine();
    frame_.promise().notify(context, when_ended);
    frame_.resume();
  }
  // The value or the exception of a task that has ended; once.
  T take() { return frame_.promise().take(); }

 private:
  std::coroutine_handle<promise_type> frame_;
};

template <class T>
task<T> task_promise<T>::get_return_object() noexcept {
  return task<T>(std::coroutine_handle<task_promise<T>>::from_promise(*this));
}

inline task<void> task_promise<void>::get_return_object() noexcept {
  return task<void>(std::coroutine_handle<task_promise<void>>::from_promise(*this));
}

}  // namespace windhover
