// Feeds a byte stream to a test in pieces. Whatever consumes a stream must give the same result wherever the network
// cut it, so every test of such a consumer runs its bytes through this sweep: pieces of 1 to 8, 16 and 31 bytes, and
// the whole at once. Each piece is a heap block of exactly its size, so that the address sanitizer sees a consumer
// that looks beyond what it was given.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace windhover::testing {

using byte_pieces = std::vector<std::vector<std::byte>>;

// Cuts `bytes` into pieces of `size` bytes; the last one holds what is left. No bytes give no pieces.
inline byte_pieces cut(std::span<const std::byte> bytes, std::size_t size) {
  byte_pieces pieces;
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(size, bytes.size()));
    pieces.emplace_back(piece.begin(), piece.end());
    bytes = bytes.subspan(piece.size());
  }
  return pieces;
}

// Calls function(const byte_pieces&) once for each way to cut. Failures inside name the size of the pieces.
template <typename Function>
void for_each_cut(std::span<const std::byte> bytes, Function&& function) {
  constexpr std::array<std::size_t, 10> sizes{1, 2, 3, 4, 5, 6, 7, 8, 16, 31};
  for (const std::size_t size : sizes) {
    SCOPED_TRACE("in pieces of " + std::to_string(size) + " bytes");
    function(cut(bytes, size));
  }
  SCOPED_TRACE("in one piece");
  function(cut(bytes, std::max<std::size_t>(bytes.size(), 1)));
}

template <typename Function>
void for_each_cut(std::string_view text, Function&& function) {
  for_each_cut(std::as_bytes(std::span(text)), std::forward<Function>(function));
}

}  // namespace windhover::testing
