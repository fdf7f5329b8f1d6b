// Masking (RFC 6455, section 5.3): every octet that a client sends goes through this once.
#include <cstddef>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include "wire/websocket/mask.hpp"

namespace windhover::wire {
namespace {

constexpr masking_key key{{std::byte{0x37}, std::byte{0xfa}, std::byte{0x21}, std::byte{0x3d}}};

void sizes(benchmark::internal::Benchmark* each) {
  each->Arg(20)->Arg(125)->Arg(1024)->Arg(16 << 10)->Arg(64 << 10)->Arg(1 << 20);
}

void unmask_while_copying(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const std::vector<std::byte> from(size + 1, std::byte{'x'});
  std::vector<std::byte> to(size);
  for (auto _ : state) {
    // From an odd address, as payloads behind a header are.
    unmask_copy(to.data(), from.data() + 1, size, key, 0);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(unmask_while_copying)->Apply(sizes);

void mask_where_it_stands(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  std::vector<std::byte> octets(size, std::byte{'x'});
  for (auto _ : state) {
    mask_in_place(octets.data(), size, key, 0);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(mask_where_it_stands)->Apply(sizes);

}  // namespace
}  // namespace windhover::wire
