// Coroutines: a call that is a task, its frame from the pool included.
#include <cstdint>
#include <utility>

#include <benchmark/benchmark.h>

#include <windhover/task.hpp>

namespace windhover {
namespace {

task<int> one() { co_return 1; }

task<> sum(std::int64_t count, std::int64_t& total) {
  for (std::int64_t i = 0; i < count; ++i) {
    const int next = co_await one();
    total += next;
  }
}

void run(task<> whole) {
  whole.start(nullptr, [](void*) noexcept -> std::coroutine_handle<> { return std::noop_coroutine(); });
  whole.take();
}

void await_a_task_that_ends_at_once(benchmark::State& state) {
  constexpr std::int64_t calls = 1000;
  std::int64_t total = 0;
  for (auto _ : state) run(sum(calls, total));
  benchmark::DoNotOptimize(total);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * calls);
}
BENCHMARK(await_a_task_that_ends_at_once);

}  // namespace
}  // namespace windhover
