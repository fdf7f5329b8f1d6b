#include "hosting/printable_text.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace windhover::hosting {
namespace {

struct decoded {
  char32_t code_point = 0;
  std::size_t length = 0;  // 0: the text does not start with a well-formed sequence
};

// RFC 3629 section 4: neither overlong forms nor surrogates nor anything above U+10FFFF.
decoded decode_first(std::string_view text) noexcept {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  char32_t code_point = static_cast<char32_t>(lead & (0x7F >> length));
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80) return {};
    code_point = (code_point << 6) | (byte & 0x3F);
  }
  constexpr std::array<char32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (code_point < smallest[length] || code_point > 0x10FFFF || surrogate) return {};
  return {code_point, length};
}

bool acts_on_the_line(char32_t c) noexcept {
  const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
  const bool separator = c == 0x2028 || c == 0x2029;
  const bool direction =
      c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
  return control || separator || direction;
}

void append_hexadecimal(std::string& output, char32_t value, int digits) {
  constexpr std::string_view alphabet = "0123456789abcdef";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) output += alphabet[(value >> shift) & 0xF];
}

void append_escaped(std::string& output, char32_t c) {
  if (c == '\n') {
    output += "\\n";
  } else if (c == '\r') {
    output += "\\r";
  } else if (c == '\t') {
    output += "\\t";
  } else if (c < 0x80) {
    output += "\\x";
    append_hexadecimal(output, c, 2);
  } else {
    output += "\\u{";
    append_hexadecimal(output, c, 4);
    output += '}';
  }
}

}  // namespace

void append_printable(std::string& output, std::string_view text) {
  output.reserve(output.size() + text.size());
  while (!text.empty()) {
    const decoded first = decode_first(text);
    if (first.length == 0) {
      output += "\\x";
      append_hexadecimal(output, static_cast<unsigned char>(text.front()), 2);
      text.remove_prefix(1);
      continue;
    }
    if (acts_on_the_line(first.code_point)) {
      append_escaped(output, first.code_point);
    } else {
      output += text.substr(0, first.length);
    }
    text.remove_prefix(first.length);
  }
}

std::string printable(std::string_view text) {
  std::string output;
  append_printable(output, text);
  return output;
}

}  // namespace windhover::hosting
