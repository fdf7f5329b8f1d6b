// when_any: runs several operations beside each other, takes the first that ends, stops the others and waits for them.
//
//   auto listen = [&](std::stop_token stop) { return socket.receive(stop); };
//   auto tick = [&](std::stop_token stop) { return wh::sleep_for(1s, stop); };
//   auto first = co_await wh::when_any(listen, tick);
//   if (first.index() == 0) { wh::received message = std::get<0>(std::move(first)); ... }
//
// An operation is a callable that takes a std::stop_token and returns something that can be awaited. When the first one
// has ended the token of all is stopped; when_any returns after every loser has ended too, so nothing they refer to can
// go away under them. A loser's value or exception is dropped; the winner's exception is thrown.
#pragma once

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <limits>
#include <optional>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <windhover/task.hpp>
#include <windhover/when_all.hpp>

namespace windhover {

// The awaiter of something that can be awaited, and the type of `co_await value`.
template <class Awaitable>
decltype(auto) awaiter_of(Awaitable&& value) {
  if constexpr (requires { std::forward<Awaitable>(value).operator co_await(); }) {
    return std::forward<Awaitable>(value).operator co_await();
  } else {
    return std::forward<Awaitable>(value);
  }
}

template <class Awaitable>
using await_result = decltype(awaiter_of(std::declval<Awaitable>()).await_resume());

template <class Operation>
concept stoppable_operation = std::invocable<Operation&, std::stop_token>;

template <stoppable_operation Operation>
using operation_result = await_result<std::invoke_result_t<Operation&, std::stop_token>>;

// One operation as a task. The operation stays with the caller.
template <stoppable_operation Operation>
task<operation_result<Operation>> run_operation(Operation& operation, std::stop_token stop) {
  co_return co_await operation(std::move(stop));
}

template <class... Operations>
class [[nodiscard("when_any does nothing until it is awaited")]] when_any_awaiter {
 public:
  using result = std::variant<task_result<operation_result<Operations>>...>;

  explicit when_any_awaiter(std::stop_token outer, Operations... operations)
      : operations_(std::move(operations)...), outer_(std::move(outer)) {}
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> parent) {
    parent_ = parent;
    running_ = sizeof...(Operations) + 1;
    forward_.emplace(outer_, stop_all{stop_});
    start_all(std::index_sequence_for<Operations...>{});
    return --running_ != 0;
  }
  result await_resume() {
    forward_.reset();
    return result_of_winner(std::index_sequence_for<Operations...>{});
  }

 private:
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

  struct stop_all {
    std::stop_source source;
    void operator()() noexcept { request_stop_outliving(source); }
  };
  struct child {
    when_any_awaiter* all;
    std::size_t index;
  };

  template <std::size_t... I>
  void start_all(std::index_sequence<I...>) {
    // None is started before there is memory for all: a running one could not be given up.
    ((std::get<I>(tasks_) = run_operation(std::get<I>(operations_), stop_.get_token())), ...);
    ((children_[I] = child{this, I}, std::get<I>(tasks_).start(&children_[I], &child_ended)), ...);
  }
  static std::coroutine_handle<> child_ended(void* context) noexcept {
    const child ended = *static_cast<child*>(context);
    when_any_awaiter& all = *ended.all;
    if (all.winner_ == none) {
      all.winner_ = ended.index;
      all.stop_.request_stop();
    }
    return --all.running_ == 0 ? all.parent_ : std::noop_coroutine();
  }
  template <std::size_t... I>
  result result_of_winner(std::index_sequence<I...>) {
    std::optional<result> value;
    ((I == winner_ ? static_cast<void>(value.emplace(std::in_place_index<I>, take_result(std::get<I>(tasks_))))
                   : static_cast<void>(0)),
     ...);
    return std::move(*value);
  }

  std::tuple<Operations...> operations_;
  std::tuple<task<operation_result<Operations>>...> tasks_;
  child children_[sizeof...(Operations)];
  std::stop_token outer_;
  std::stop_source stop_;
  std::optional<std::stop_callback<stop_all>> forward_;
  std::size_t running_ = 0;
  std::size_t winner_ = none;
  std::coroutine_handle<> parent_;
};

// The value of the first operation to end, as a variant whose index() says which it was (std::monostate for void).
template <stoppable_operation... Operations>
  requires(sizeof...(Operations) > 0)
when_any_awaiter<Operations...> when_any(Operations... operations) {
  return when_any_awaiter<Operations...>(std::stop_token(), std::move(operations)...);
}

// The same under a token of the caller: when it is stopped, so are all operations.
template <stoppable_operation... Operations>
  requires(sizeof...(Operations) > 0)
when_any_awaiter<Operations...> when_any(std::stop_token stop, Operations... operations) {
  return when_any_awaiter<Operations...>(std::move(stop), std::move(operations)...);
}

}  // namespace windhover
