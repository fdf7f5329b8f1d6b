// UTF-8 by its definition (RFC 3629, section 3), slowly: the numbers that the octets seen so far can still become, and
// whether one of them is a character. The code under test works with a table of ranges instead.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace windhover::fuzz {

struct utf8_verdict {
  std::size_t whole = 0;     // octets at the front that are whole, valid characters
  std::size_t possible = 0;  // octets at the front with which a valid text can begin
  bool valid = false;        // all of it is whole characters
};

// How many octets a character with this lead octet has by its bit pattern; 0 when it is none.
inline std::size_t length_by_pattern(std::uint32_t lead) noexcept {
  if (lead < 0x80) return 1;
  if ((lead & 0xe0) == 0xc0) return 2;
  if ((lead & 0xf0) == 0xe0) return 3;
  return (lead & 0xf8) == 0xf0 ? 4 : 0;
}

// Whether a number from `lowest` to `highest` is a character that needs exactly `length` octets.
inline bool holds_character(std::uint32_t lowest, std::uint32_t highest, std::size_t length) noexcept {
  constexpr std::uint32_t first_of_length[] = {0, 0, 0x80, 0x800, 0x10000, 0x110000};
  lowest = std::max(lowest, first_of_length[length]);
  highest = std::min(highest, first_of_length[length + 1] - 1);
  const bool all_surrogates = lowest >= 0xd800 && highest <= 0xdfff;
  return lowest <= highest && !all_surrogates;
}

inline utf8_verdict judge_utf8(std::span<const std::byte> text) noexcept {
  utf8_verdict verdict;
  const auto octet = [&text](std::size_t at) { return std::to_integer<std::uint32_t>(text[at]); };
  while (verdict.whole < text.size()) {
    const std::uint32_t lead = octet(verdict.whole);
    const std::size_t length = length_by_pattern(lead);
    if (length == 0) return verdict;
    std::uint32_t bits = length == 1 ? lead : lead & (0x7fU >> length);
    for (std::size_t known = 1;; ++known) {
      const std::size_t missing = 6 * (length - known);
      const std::uint32_t lowest = bits << missing;
      if (!holds_character(lowest, lowest | ((1U << missing) - 1), length)) return verdict;
      verdict.possible = verdict.whole + known;
      if (known == length) break;
      if (verdict.possible == text.size()) return verdict;
      const std::uint32_t next = octet(verdict.possible);
      if ((next & 0xc0) != 0x80) return verdict;
      bits = bits << 6 | (next & 0x3f);
    }
    verdict.whole = verdict.possible;
  }
  verdict.valid = true;
  return verdict;
}

inline utf8_verdict judge_utf8(std::string_view text) noexcept { return judge_utf8(std::as_bytes(std::span(text))); }

}  // namespace windhover::fuzz
