// task_group: children that cannot outlive the block that started them.
//
//   co_await wh::task_group::run([&](wh::task_group& group) -> wh::task<> {
//     group.spawn(push_every_second(socket, group.stop_token()));
//     while (auto message = co_await socket.receive()) handle(*message);
//   });                                   // here the pusher was stopped, and has ended
//
// run() starts the body. When the body returns or throws, or a child throws, the group's stop token is stopped; run()
// returns when the body and every child have ended, and throws the first exception there was. A body that wants to wait
// for its children's own ends awaits group.join() before it returns.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <list>
#include <stop_token>
#include <utility>

#include <windhover/task.hpp>

namespace windhover {

class task_group {
 public:
  task_group(const task_group&) = delete;
  task_group& operator=(const task_group&) = delete;

  // Runs `body(group)`, a callable that returns task<>. Stopping `stop` stops the group. Thread: the caller's.
  template <class Body>
  static task<> run(Body body, std::stop_token stop = {}) {
    task_group group;
    const std::stop_callback forward(stop, [&group]() noexcept { group.request_stop(); });
    try {
      co_await body(group);
    } catch (...) {
      group.fail(std::current_exception());
    }
    group.request_stop();
    co_await group.join();
    if (group.failure_) std::rethrow_exception(group.failure_);
  }

  // Starts a child at once, on this thread, up to its first suspension. Once the body has returned, the token that the
  // child is given should be the group's: it is stopped already. Throws std::logic_error for an empty task.
  void spawn(task<> child_task) {
    child_task.require_coroutine();
    std::erase_if(children_, [](const child& each) { return each.work.ended(); });
    child& added = children_.emplace_back(*this, std::move(child_task));
    ++running_;
    added.work.start(&added, &child_ended);
  }

  std::stop_token stop_token() const noexcept { return stop_.get_token(); }
  // May end the group, within the call.
  void request_stop() noexcept { request_stop_outliving(stop_); }
  // Children that have not ended.
  std::size_t size() const noexcept { return running_; }

  class [[nodiscard("join does nothing until it is awaited")]] join_awaiter {
   public:
    explicit join_awaiter(task_group& group) noexcept : group_(group) {}
    bool await_ready() const noexcept { return group_.running_ == 0; }
    void await_suspend(std::coroutine_handle<> waiter) const noexcept { group_.waiter_ = waiter; }
    void await_resume() const noexcept {}

   private:
    task_group& group_;
  };
  // Ready when every child has ended. For the body: one waiter at a time.
  join_awaiter join() noexcept { return join_awaiter(*this); }

 private:
  struct child {
    child(task_group& owner, task<> started) noexcept : group(owner), work(std::move(started)) {}
    task_group& group;
    task<> work;
  };

  task_group() = default;
  ~task_group() = default;

  static std::coroutine_handle<> child_ended(void* context) noexcept {
    child& ended = *static_cast<child*>(context);
    task_group& group = ended.group;
    try {
      ended.work.take();
    } catch (...) {
      group.fail(std::current_exception());
    }
    if (--group.running_ == 0 && group.waiter_) return std::exchange(group.waiter_, nullptr);
    return std::noop_coroutine();
  }

  void fail(std::exception_ptr failure) noexcept {
    if (!failure_) failure_ = std::move(failure);
    request_stop();
  }

  std::list<child> children_;
  std::size_t running_ = 0;
  std::coroutine_handle<> waiter_;
  std::stop_source stop_;
  std::exception_ptr failure_;
};

}  // namespace windhover
