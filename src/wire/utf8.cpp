// Scalar validation follows table 3-7 of the Unicode standard ("well-formed UTF-8 byte sequences"): the lead octet says
// how many octets follow and narrows the range of the first of them; all later ones are 80..BF.
#include "wire/utf8.hpp"

#include <algorithm>
#include <cstring>

#include <simdjson.h>

namespace windhover::wire {

namespace {

// From here on simdjson beats the scalar loop, even on plain ASCII.
constexpr std::size_t simd_threshold = 64;

// At its first use simdjson looks at the processor, and takes memory to note what it has found: here, and not in the
// middle of a message, where there may be none.
[[maybe_unused]] const bool simdjson_is_ready = simdjson::validate_utf8("", 0);

// How many octets a character with this lead octet has; 1 for what is no lead octet of a longer one.
std::size_t character_length(std::uint8_t lead) noexcept {
  if (lead < 0xc0) return 1;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

// How many octets at the end belong to a character that continues beyond it. At least four octets are there.
std::size_t incomplete_tail(const std::uint8_t* end) noexcept {
  for (std::size_t back = 1; back <= 3; ++back) {
    const std::uint8_t octet = *(end - back);
    if ((octet & 0xc0) != 0x80) return character_length(octet) > back ? back : 0;
  }
  return 0;
}

const std::uint8_t* skip_ascii(const std::uint8_t* at, const std::uint8_t* end) noexcept {
  while (end - at >= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    if ((word & 0x8080808080808080U) != 0) break;
    at += 8;
  }
  while (at != end && *at < 0x80) ++at;
  return at;
}

}  // namespace

bool utf8_validator::feed(std::span<const std::byte> piece) noexcept {
  const auto* at = reinterpret_cast<const std::uint8_t*>(piece.data());
  const auto* end = at + piece.size();
  if (missing_ != 0) {
    at = continue_character(at, end);
    if (missing_ != 0) return missing_ != failed;
  }
  const auto size = static_cast<std::size_t>(end - at);
  if (size >= simd_threshold) {
    const std::size_t whole = size - incomplete_tail(end);
    if (!simdjson::validate_utf8(reinterpret_cast<const char*>(at), whole)) return fail();
    at += whole;
  }
  return feed_scalar(at, end);
}

bool utf8_validator::feed_scalar(const std::uint8_t* at, const std::uint8_t* end) noexcept {
  while ((at = skip_ascii(at, end)) != end) {
    if (!begin_character(*at++)) return fail();
    at = continue_character(at, end);
    if (missing_ == failed) return false;
  }
  return true;
}

// Takes what belongs to the current character. Returns where the next one begins; `missing_` says how it went.
const std::uint8_t* utf8_validator::continue_character(const std::uint8_t* at, const std::uint8_t* end) noexcept {
  while (missing_ != 0 && at != end) {
    if (*at < lowest_ || *at > highest_) {
      fail();
      return end;
    }
    ++at;
    --missing_;
    lowest_ = 0x80;
    highest_ = 0xbf;
  }
  return at;
}

// C0, C1 (overlong), F5..FF (above U+10FFFF) and stray continuation octets begin nothing.
bool utf8_validator::begin_character(std::uint8_t lead) noexcept {
  if (lead < 0xc2 || lead > 0xf4) return false;
  missing_ = static_cast<std::uint8_t>(character_length(lead) - 1);
  switch (lead) {
    case 0xe0:
      lowest_ = 0xa0;
      break;
    case 0xed:
      highest_ = 0x9f;
      break;
    case 0xf0:
      lowest_ = 0x90;
      break;
    case 0xf4:
      highest_ = 0x8f;
      break;
    default:
      break;
  }
  return true;
}

bool utf8_validator::fail() noexcept {
  missing_ = failed;
  // No octet lies in an empty range: the failure stays.
  lowest_ = 0xff;
  highest_ = 0x00;
  return false;
}

bool valid_utf8(std::span<const std::byte> text) noexcept {
  utf8_validator validator;
  return validator.feed(text) && validator.complete();
}

bool valid_utf8(std::string_view text) noexcept { return valid_utf8(std::as_bytes(std::span(text))); }

std::size_t valid_utf8_prefix(std::string_view text) noexcept {
  utf8_validator validator;
  std::size_t valid = 0;
  const auto octets = std::as_bytes(std::span(text));
  for (std::size_t taken = 0; taken < octets.size(); ++taken) {
    if (!validator.feed(octets.subspan(taken, 1))) break;
    if (validator.complete()) valid = taken + 1;
  }
  return valid;
}

}  // namespace windhover::wire
