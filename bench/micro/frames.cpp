// Frames (RFC 6455, section 5): what the decoder and the encoder cost a message.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include "wire/websocket/decoder.hpp"
#include "wire/websocket/encoder.hpp"

namespace windhover::wire {
namespace {

constexpr masking_key key{{std::byte{0x37}, std::byte{0xfa}, std::byte{0x21}, std::byte{0x3d}}};

std::vector<std::byte> masked_frame(std::size_t size) {
  const std::vector<std::byte> payload(size, std::byte{'x'});
  std::vector<std::byte> frame(maximum_frame_header + size);
  frame.resize(encode_frame(frame.data(), {.code = opcode::text, .fin = true, .rsv1 = false, .mask = key}, payload));
  return frame;
}

void decode(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const std::vector<std::byte> frame = masked_frame(size);
  std::vector<std::byte> payload(size);
  frame_decoder decoder(role::server, {.message_size = 1 << 20, .fragments = 16});
  for (auto _ : state) {
    std::span<const std::byte> in(frame);
    if (decoder.read_header(in) != frame_decoder::step::frame) state.SkipWithError("no frame");
    decoder.read_payload(in, payload);
    bool ended = decoder.end_frame();
    benchmark::DoNotOptimize(ended);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(decode)->Arg(0)->Arg(20)->Arg(125)->Arg(1024)->Arg(64 << 10);

void encode(benchmark::State& state) {
  const std::vector<std::byte> payload(static_cast<std::size_t>(state.range(0)), std::byte{'x'});
  std::vector<std::byte> frame(maximum_frame_header + payload.size());
  const frame_header header{.code = opcode::text, .fin = true, .rsv1 = false, .mask = std::nullopt};
  for (auto _ : state) {
    std::size_t size = encode_frame(frame.data(), header, payload);
    benchmark::DoNotOptimize(size);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(encode)->Arg(0)->Arg(20)->Arg(125)->Arg(1024)->Arg(64 << 10);

}  // namespace
}  // namespace windhover::wire
