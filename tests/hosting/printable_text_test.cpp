#include "hosting/printable_text.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace windhover::hosting {
namespace {

using namespace std::string_view_literals;

TEST(printable_text, ordinary_text_stays_as_it_is) {
  for (const std::string_view text : {""sv, "Now listening on: http://localhost:5000"sv, "C:\\new \"x\" 100%"sv,
                                      "\u00e9 \u20ac \ud55c\uae00 \U0001F985"sv})
    EXPECT_EQ(printable(text), text);
}

TEST(printable_text, what_acts_on_the_line_is_escaped) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"a\nb", "a\\nb"},
      {"a\r\n\tb", "a\\r\\n\\tb"},
      {"\x1b[2J", "\\x1b[2J"},
      {"\x7f", "\\x7f"},
      {"a\0b"sv, "a\\x00b"},
      {"\u0085", "\\u{0085}"},
      {"\u009b31m", "\\u{009b}31m"},
      {"\u00a0", "\u00a0"},
      {"\u2028\u2029", "\\u{2028}\\u{2029}"},
      {"\u202eabc\u2066", "\\u{202e}abc\\u{2066}"},
      {"\u200f\u061c", "\\u{200f}\\u{061c}"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(printable(text), expected);
}

TEST(printable_text, bytes_that_are_no_utf8_are_escaped_one_by_one) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"\xff", "\\xff"},
      {"\x80x", "\\x80x"},
      {"\xc0\xaf", "\\xc0\\xaf"},                    // overlong
      {"\xc1\x8a", "\\xc1\\x8a"},                    // overlong line break
      {"\xe0\x80\x8a", "\\xe0\\x80\\x8a"},           // overlong line break
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // surrogate
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // above U+10FFFF
      {"\xf0\x80\x80\x8a", "\\xf0\\x80\\x80\\x8a"},  // overlong line break
      {"\xe2\x82", "\\xe2\\x82"},                    // cut short
      {"\xe2\nx", "\\xe2\\nx"},
      {"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(printable(text), expected);
}

TEST(printable_text, no_byte_pair_brings_a_control_character_through) {
  for (int first = 0; first < 256; ++first)
    for (int second = 0; second < 256; ++second) {
      const std::string text = {static_cast<char>(first), static_cast<char>(second)};
      for (const char c : printable(text)) {
        const auto byte = static_cast<unsigned char>(c);
        ASSERT_TRUE(byte >= 0x20 && byte != 0x7f) << first << " " << second;
      }
    }
}

TEST(printable_text, appending_keeps_what_is_there) {
  std::string output = "a: ";
  append_printable(output, "b\n");
  EXPECT_EQ(output, "a: b\\n");
}

}  // namespace
}  // namespace windhover::hosting
