// The small questions about text: case, white space, names and lists.
#include "base/text.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace windhover::base {
namespace {

std::vector<std::string> members_of(std::string_view list) {
  std::vector<std::string> members;
  for_each_list_member(list, [&](std::string_view member) { members.emplace_back(member); });
  return members;
}

using strings = std::vector<std::string>;

TEST(text, letters_are_equal_in_both_cases) {
  EXPECT_TRUE(equals_ignoring_case("Sec-WebSocket-Key", "sec-websocket-KEY"));
  EXPECT_TRUE(equals_ignoring_case("", ""));
  EXPECT_TRUE(equals_ignoring_case("azAZ", "AZaz"));
}

TEST(text, different_texts_are_not_equal) {
  EXPECT_FALSE(equals_ignoring_case("upgrade", "upgrad"));
  EXPECT_FALSE(equals_ignoring_case("upgrad", "upgrade"));
  EXPECT_FALSE(equals_ignoring_case("upgrade", "upgrada"));
}

TEST(text, only_ascii_letters_have_a_case) {
  EXPECT_FALSE(equals_ignoring_case("@", "`"));             // the neighbours of A and a
  EXPECT_FALSE(equals_ignoring_case("[", "{"));             // the neighbours of Z and z
  EXPECT_FALSE(equals_ignoring_case("\xC4", "\xE4"));       // A and a with diaeresis in Latin-1
  EXPECT_FALSE(equals_ignoring_case("\xE2\x84\xAA", "k"));  // the Kelvin sign, which folds to k in Unicode
}

TEST(text, trims_spaces_and_tabs_only) {
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim("a"), "a");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim("\na\r"), "\na\r");
}

TEST(text, tokens_have_the_characters_of_names) {
  EXPECT_TRUE(is_token("!#$%&'*+-.^_`|~0189azAZ"));
  EXPECT_TRUE(is_token("x"));
  EXPECT_FALSE(is_token(""));
  for (int code = 0; code < 256; ++code) {
    const char character = static_cast<char>(code);
    const bool visible = code > 0x20 && code < 0x7F;
    const bool separator = std::string_view("\"(),/:;<=>?@[\\]{}").find(character) != std::string_view::npos;
    EXPECT_EQ(is_token(std::string(1, character)), visible && !separator) << code;
  }
}

TEST(text, lists_are_split_at_commas_and_trimmed) {
  EXPECT_EQ(members_of("chat, superchat\t,v2"), (strings{"chat", "superchat", "v2"}));
  EXPECT_EQ(members_of("one"), (strings{"one"}));
  EXPECT_EQ(members_of("two words, three"), (strings{"two words", "three"}));
}

TEST(text, empty_members_are_skipped) {
  EXPECT_EQ(members_of(""), strings{});
  EXPECT_EQ(members_of(" , ,\t,"), strings{});
  EXPECT_EQ(members_of(",a,,b,"), (strings{"a", "b"}));
}

TEST(text, commas_in_quoted_strings_belong_to_the_member) {
  EXPECT_EQ(members_of(R"(a="1,2", b)"), (strings{R"(a="1,2")", "b"}));
  EXPECT_EQ(members_of(R"(a="1\",2", b)"), (strings{R"(a="1\",2")", "b"}));
  EXPECT_EQ(members_of(R"(a="1\\",2)"), (strings{R"(a="1\\")", "2"}));
  EXPECT_EQ(members_of(R"(a\,b)"), (strings{R"(a\)", "b"}));
}

TEST(text, a_quoted_string_without_an_end_takes_the_rest) {
  EXPECT_EQ(members_of(R"(a="1,2)"), (strings{R"(a="1,2)"}));
  EXPECT_EQ(members_of(R"(a="1\)"), (strings{R"(a="1\)"}));
}

TEST(text, finds_members_without_regard_to_case) {
  EXPECT_TRUE(list_contains("keep-alive, Upgrade", "upgrade"));
  EXPECT_FALSE(list_contains("keep-alive, Upgraded", "upgrade"));
  EXPECT_FALSE(list_contains("", "upgrade"));
  EXPECT_FALSE(list_contains("\"a, upgrade, b\"", "upgrade"));
}

TEST(for_each_part, trims_parts_and_skips_empty_ones) {
  const auto parts = [](std::string_view text) {
    std::vector<std::string> found;
    for_each_part(text, ';', [&](std::string_view part) { found.emplace_back(part); });
    return found;
  };
  EXPECT_EQ(parts("a; b;;\t;c d;"), (std::vector<std::string>{"a", "b", "c d"}));
  EXPECT_EQ(parts("one"), (std::vector<std::string>{"one"}));
  EXPECT_TRUE(parts("").empty());
  EXPECT_TRUE(parts(" ; ;").empty());
}

}  // namespace
}  // namespace windhover::base
