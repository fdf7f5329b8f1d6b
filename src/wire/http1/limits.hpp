// The bounds on what one HTTP/1.1 request may cost before a person's code has seen it. The defaults are Kestrel's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace windhover::wire::http1 {

inline constexpr std::uint64_t unlimited_body = std::numeric_limits<std::uint64_t>::max();

struct limits {
  // Bytes of the request line with its line end; beyond it 414.
  std::size_t request_line = 8192;
  // Bytes of the field lines and of the empty line behind them, with their line ends; beyond it 431. Trailers are
  // bounded by the same number once more.
  std::size_t header_bytes = 32768;
  // Number of fields; beyond it 431. Trailers are bounded by the same number once more.
  std::size_t header_count = 100;
  // Bytes of the decoded body; beyond it 413. 0 allows only empty bodies.
  std::uint64_t body = 30'000'000;
};

}  // namespace windhover::wire::http1
