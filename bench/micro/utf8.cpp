// The validation of text (RFC 6455, section 8.1; RFC 3629).
#include "wire/utf8.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>

namespace windhover::wire {
namespace {

std::string repeated(std::string_view piece, std::size_t size) {
  std::string text;
  while (text.size() + piece.size() <= size) text += piece;
  return text;
}

void validate(benchmark::State& state, std::string_view piece) {
  const std::string text = repeated(piece, static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    utf8_validator validator;
    bool valid = validator.feed(std::as_bytes(std::span(text)));
    benchmark::DoNotOptimize(valid);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(text.size()));
}
BENCHMARK_CAPTURE(validate, latin, "born free ")->Arg(20)->Arg(125)->Arg(1024)->Arg(64 << 10);
BENCHMARK_CAPTURE(validate, korean, "모든 인간은 태어날 때부터 자유로우며 ")->Arg(125)->Arg(1024)->Arg(64 << 10);

}  // namespace
}  // namespace windhover::wire
