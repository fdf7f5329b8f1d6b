// UTF-8 validation (RFC 3629) of text that arrives in pieces.
//
// Long chunks go to simdjson, short ones through a scalar loop with a fast path for ASCII: below about 64 octets the
// scalar loop is the faster one. A character that is cut by the end of a chunk is carried over in four octets of state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace windhover::wire {

// Takes a text piece by piece. It fails at the first octet with which no valid text can go on, which may be before the
// character that the octet belongs to is complete (RFC 6455, section 8.1, lets an endpoint fail that early).
// After a complete text the next one may follow; after a failure a new validator is needed.
class utf8_validator {
 public:
  // Takes the next piece. False as soon as the text is invalid, and from then on.
  [[nodiscard]] bool feed(std::span<const std::byte> piece) noexcept;

  // Whether the text is valid and does not end within a character.
  [[nodiscard]] bool complete() const noexcept { return missing_ == 0; }

 private:
  static constexpr std::uint8_t failed = 0xff;

  bool feed_scalar(const std::uint8_t* at, const std::uint8_t* end) noexcept;
  const std::uint8_t* continue_character(const std::uint8_t* at, const std::uint8_t* end) noexcept;
  bool begin_character(std::uint8_t lead) noexcept;
  bool fail() noexcept;

  // How many octets the current character still needs, or `failed`.
  std::uint8_t missing_ = 0;
  // The range that the next of them must be in: narrower than 80..BF after a lead octet that could otherwise begin an
  // overlong form, a surrogate or a number above U+10FFFF.
  std::uint8_t lowest_ = 0x80;
  std::uint8_t highest_ = 0xbf;
};

// Whether a whole text is valid.
[[nodiscard]] bool valid_utf8(std::span<const std::byte> text) noexcept;
[[nodiscard]] bool valid_utf8(std::string_view text) noexcept;

// The length of the longest prefix that consists of whole, valid characters. Meant for short texts.
[[nodiscard]] std::size_t valid_utf8_prefix(std::string_view text) noexcept;

}  // namespace windhover::wire
