// Text from the network for a terminal: without control characters, which could move the cursor, change colours or type
// answers in the reader's name.
#pragma once

#include <string>
#include <string_view>

namespace windhover::tool {

// Control characters as \n, \t and \x1b, those of C1 too, which stand as two bytes in UTF-8.
inline std::string printable(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto escaped = [&](unsigned char each) { return std::string{'\\', 'x', digits[each >> 4], digits[each & 15]}; };
  std::string shown;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto each = static_cast<unsigned char>(text[at]);
    const auto next = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0U;
    if (each == '\n') {
      shown += "\\n";
    } else if (each == '\t') {
      shown += "\\t";
    } else if (each < ' ' || each == 0x7f) {
      shown += escaped(each);
    } else if (each == 0xc2 && next >= 0x80 && next < 0xa0) {
      shown += escaped(static_cast<unsigned char>(next));
      ++at;
    } else {
      shown += text[at];
    }
  }
  return shown;
}

}  // namespace windhover::tool
