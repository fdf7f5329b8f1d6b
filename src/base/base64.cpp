// Base64, three octets and four characters at a time. OpenSSL has a decoder too, but one that skips white space and
// takes any padding, and a handshake must not.
#include "base/base64.hpp"

#include <array>
#include <cstdint>

namespace windhover::base {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 64;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(no_digit);
  std::uint8_t value = 0;
  for (const char character : alphabet) values[static_cast<unsigned char>(character)] = value++;
  return values;
}

constexpr std::array<std::uint8_t, 256> values = make_values();

char digit(std::uint32_t group, unsigned shift) { return alphabet[(group >> shift) & 63U]; }

std::byte octet(std::uint32_t group, unsigned shift) { return static_cast<std::byte>((group >> shift) & 255U); }

}  // namespace

bool is_base64_character(char character) noexcept { return values[static_cast<unsigned char>(character)] != no_digit; }

std::string base64_encode(std::span<const std::byte> data) {
  std::string text;
  text.reserve((data.size() + 2) / 3 * 4);
  for (; !data.empty(); data = data.subspan(data.size() < 3 ? data.size() : 3)) {
    std::uint32_t group = std::to_integer<std::uint32_t>(data[0]) << 16;
    if (data.size() > 1) group |= std::to_integer<std::uint32_t>(data[1]) << 8;
    if (data.size() > 2) group |= std::to_integer<std::uint32_t>(data[2]);
    text.push_back(digit(group, 18));
    text.push_back(digit(group, 12));
    text.push_back(data.size() > 1 ? digit(group, 6) : '=');
    text.push_back(data.size() > 2 ? digit(group, 0) : '=');
  }
  return text;
}

std::optional<std::vector<std::byte>> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.ends_with('=')) text.remove_suffix(1);
  if (text.ends_with('=')) text.remove_suffix(1);

  std::vector<std::byte> data;
  data.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t group = 0;
  unsigned bits = 0;  // how many bits of `group` are not in `data` yet
  for (const char character : text) {
    const std::uint8_t value = values[static_cast<unsigned char>(character)];
    if (value == no_digit) return std::nullopt;
    group = (group << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      data.push_back(octet(group, bits));
    }
  }
  // Six bits left over mean a group of one character; any other remainder is filled up with zeros.
  const std::uint32_t left_over = group & ((1U << bits) - 1U);
  if (bits == 6 || left_over != 0) return std::nullopt;
  return data;
}

}  // namespace windhover::base
