// when_all: runs several tasks beside each other on this thread and waits until every one has ended.
//
//   auto [user, rooms] = co_await wh::when_all(load_user(id), load_rooms(id));
//
// The tasks start in order, each up to its first suspension. A failing task does not stop the others; when all have
// ended the first exception, in argument order, is thrown. The result of a task<void> is std::monostate. Where one of
// the tasks is empty, std::logic_error is thrown and none of them starts.
#pragma once

#include <coroutine>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <windhover/task.hpp>

namespace windhover {

template <class T>
using task_result = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class T>
task_result<T> take_result(task<T>& ended) {
  if constexpr (std::is_void_v<T>) {
    ended.take();
    return {};
  } else {
    return ended.take();
  }
}

// Counts running children and resumes the parent with the last one.
class children_awaited {
 public:
  // `start_all` starts the children, each with `this` as context and `child_ended` as callback. False: all have ended.
  template <class StartAll>
  bool suspend(std::coroutine_handle<> parent, std::size_t children, StartAll&& start_all) {
    running_ = children + 1;
    start_all();
    if (--running_ == 0) return false;
    parent_ = parent;
    return true;
  }
  static std::coroutine_handle<> child_ended(void* context) noexcept {
    auto& self = *static_cast<children_awaited*>(context);
    return --self.running_ == 0 ? self.parent_ : std::noop_coroutine();
  }

 private:
  std::size_t running_ = 0;
  std::coroutine_handle<> parent_;
};

template <class... Ts>
class [[nodiscard("when_all does nothing until it is awaited")]] when_all_awaiter {
 public:
  explicit when_all_awaiter(task<Ts>... tasks) : tasks_(std::move(tasks)...) {
    std::apply([](const auto&... each) { (each.require_coroutine(), ...); }, tasks_);
  }
  bool await_ready() const noexcept { return sizeof...(Ts) == 0; }
  bool await_suspend(std::coroutine_handle<> parent) {
    return children_.suspend(parent, sizeof...(Ts), [this] {
      std::apply([this](auto&... each) { (each.start(&children_, &children_awaited::child_ended), ...); }, tasks_);
    });
  }
  std::tuple<task_result<Ts>...> await_resume() {
    return std::apply([](auto&... each) { return std::tuple<task_result<Ts>...>{take_result(each)...}; }, tasks_);
  }

 private:
  std::tuple<task<Ts>...> tasks_;
  children_awaited children_;
};

template <class T>
class [[nodiscard("when_all does nothing until it is awaited")]] when_all_vector_awaiter {
 public:
  explicit when_all_vector_awaiter(std::vector<task<T>> tasks) : tasks_(std::move(tasks)) {
    for (const task<T>& each : tasks_) each.require_coroutine();
  }
  bool await_ready() const noexcept { return tasks_.empty(); }
  bool await_suspend(std::coroutine_handle<> parent) {
    return children_.suspend(parent, tasks_.size(), [this] {
      for (task<T>& each : tasks_) each.start(&children_, &children_awaited::child_ended);
    });
  }
  std::vector<task_result<T>> await_resume() {
    std::vector<task_result<T>> results;
    results.reserve(tasks_.size());
    for (task<T>& each : tasks_) results.push_back(take_result(each));
    return results;
  }

 private:
  std::vector<task<T>> tasks_;
  children_awaited children_;
};

// The values of all tasks, as a tuple. Thread: the caller's. Not cancellable itself: stop the tasks.
template <class... Ts>
when_all_awaiter<Ts...> when_all(task<Ts>... tasks) {
  return when_all_awaiter<Ts...>(std::move(tasks)...);
}

// The values of all tasks of a vector, in its order.
template <class T>
when_all_vector_awaiter<T> when_all(std::vector<task<T>> tasks) {
  return when_all_vector_awaiter<T>(std::move(tasks));
}

}  // namespace windhover
