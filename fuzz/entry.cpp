// Where libFuzzer, and the program that replays a corpus, hand over an input.
#include "entry.hpp"

#include <span>

#include "input.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  windhover::fuzz::try_input(windhover::fuzz::input(std::as_bytes(std::span(data, size))));
  return 0;
}
