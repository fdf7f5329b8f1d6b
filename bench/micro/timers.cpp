// The timer wheel. Every WebSocket with keep-alive has a timer, and most of them are moved before they fire.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

#include <benchmark/benchmark.h>

#include "net/timer.hpp"

namespace windhover::net {
namespace {

using namespace std::chrono_literals;

// Moves one timer of many to a later deadline, as a message does with the timer of its connection.
void move_one_of(benchmark::State& state) {
  const time_point start{};
  timer_wheel wheel(start);
  std::deque<timer> timers;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    timers.emplace_back(nullptr, [](void*) noexcept {});
    wheel.arm(timers.back(), start + 2min + i * 1ms);
  }
  std::size_t next = 0;
  for (auto _ : state) {
    wheel.arm(timers[next], start + 3min);
    next = next + 1 == timers.size() ? 0 : next + 1;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(move_one_of)->Arg(1)->Arg(1000)->Arg(1'000'000);

// An iteration of the loop, a millisecond after the one before, when nothing is due.
void advance_without_anything_due(benchmark::State& state) {
  time_point now{};
  timer_wheel wheel(now);
  std::deque<timer> timers;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    timers.emplace_back(nullptr, [](void*) noexcept {});
    wheel.arm(timers.back(), now + 300h + i * 1ms);
  }
  for (auto _ : state) {
    now += 1us;
    wheel.advance(now);
  }
}
BENCHMARK(advance_without_anything_due)->Arg(1)->Arg(1'000'000);

}  // namespace
}  // namespace windhover::net
