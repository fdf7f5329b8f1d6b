// with_timeout: an operation that is asked to stop when it takes too long.
//
//   auto ask = [&](std::stop_token stop) { return socket.receive(stop); };
//   wh::received answer = co_await wh::with_timeout(5s, ask);
//   if (answer.cancelled()) { ... }         // nothing came within five seconds; the socket is still open
#pragma once

#include <chrono>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <windhover/sleep_for.hpp>
#include <windhover/task.hpp>
#include <windhover/when_all.hpp>
#include <windhover/when_any.hpp>

namespace windhover {

// Runs `operation(stop_token)` and returns what it returns. When `limit` has passed the token is stopped; with_timeout
// then still waits for the operation, whose own outcome says whether it was stopped, so nothing it received in the last
// moment is lost. An operation that yields void yields true here when it ended before the limit. Stopping `stop` stops
// the operation too. Thread: an event loop's.
template <stoppable_operation Operation>
auto with_timeout(std::chrono::nanoseconds limit, Operation operation, std::stop_token stop = {})
    -> task<std::conditional_t<std::is_void_v<operation_result<Operation>>, bool, operation_result<Operation>>> {
  std::stop_source stop_operation;
  std::stop_source stop_clock;
  bool expired = false;
  const auto expire = [](std::chrono::nanoseconds time, std::stop_token stopped, std::stop_source& target,
                         bool& flag) -> task<> {
    flag = co_await sleep_for(time, std::move(stopped));
    if (flag) target.request_stop();
  };
  const std::stop_callback forward(stop, [&stop_operation]() noexcept { request_stop_outliving(stop_operation); });
  const auto run = [](Operation& what, std::stop_token token,
                      std::stop_source& ended) -> task<operation_result<Operation>> {
    struct at_end {
      std::stop_source& source;
      ~at_end() { source.request_stop(); }
    } const stop_the_clock{ended};
    co_return co_await what(std::move(token));
  };
  auto both = when_all(run(operation, stop_operation.get_token(), stop_clock),
                       expire(limit, stop_clock.get_token(), stop_operation, expired));
  auto results = co_await std::move(both);
  if constexpr (std::is_void_v<operation_result<Operation>>) {
    co_return !expired;
  } else {
    co_return std::get<0>(std::move(results));
  }
}

}  // namespace windhover
