// Lives through many seeds and prints those that fail. One of them is shown event by event with `1 SEED --trace`, and
// with `--fail-operation N` or `--fail-allocation N` as the tests of faults run it.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <vector>

#include "world.hpp"

namespace {

using namespace windhover;

bool number_in(std::string_view text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

void show(const net::simulated_event& event) {
  const auto at = std::chrono::duration_cast<std::chrono::microseconds>(event.at.time_since_epoch()).count();
  std::printf("%10lld us  %7d  %.*s %lld\n", static_cast<long long>(at), event.descriptor & 0xfffff,
              static_cast<int>(event.what.size()), event.what.data(), static_cast<long long>(event.value));
}

constexpr std::string_view usage =
    "usage: simulate [COUNT [FIRST SEED]] [--trace] [--fail-operation N] [--fail-allocation N]\n";

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t numbers[] = {1000, 1};
  std::size_t found = 0;
  simulation::world_options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    std::uint64_t* const fault = word == "--fail-operation"    ? &options.failing_operation
                                 : word == "--fail-allocation" ? &options.failing_allocation
                                                               : nullptr;
    bool understood = true;
    if (word == "--trace") {
      options.trace = show;
    } else if (fault != nullptr) {
      understood = i + 1 < argc && number_in(argv[++i], *fault);
    } else {
      understood = found < 2 && number_in(word, numbers[found++]);
    }
    if (!understood) {
      std::fputs(usage.data(), stderr);
      return 2;
    }
  }
  const auto [count, first] = numbers;
  simulation::world_outcome all;
  std::uint64_t failed = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    options.seed = seed;
    const auto one = simulation::simulate(options);
    all.events += one.events;
    all.messages += one.messages;
    all.clean_closes += one.clean_closes;
    all.dropped += one.dropped;
    if (one.failure.empty()) continue;
    ++failed;
    std::printf("seed %llu: %s\n  to see it again: ./dev simulate 1 %llu --trace\n",
                static_cast<unsigned long long>(seed), one.failure.c_str(), static_cast<unsigned long long>(seed));
  }
  std::printf("%llu seeds, %llu failed; %llu events, %llu messages, %llu WebSockets closed cleanly, %llu otherwise\n",
              static_cast<unsigned long long>(count), static_cast<unsigned long long>(failed),
              static_cast<unsigned long long>(all.events), static_cast<unsigned long long>(all.messages),
              static_cast<unsigned long long>(all.clean_closes), static_cast<unsigned long long>(all.dropped));
  return failed == 0 ? 0 : 1;
}
