// RFC 3629. The reference is slow and shares nothing with the implementation: it encodes every Unicode scalar value as
// the RFC defines it and remembers every prefix. A text is valid so far if it is a row of whole encodings and one
// prefix.
#include "wire/utf8.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "support/fragment_sweep.hpp"

namespace windhover::wire {
namespace {

std::string encoded(char32_t value) {
  const auto octet = [](char32_t bits) { return static_cast<char>(static_cast<unsigned char>(bits)); };
  if (value < 0x80) return {octet(value)};
  if (value < 0x800) return {octet(0xc0 | value >> 6), octet(0x80 | (value & 0x3f))};
  if (value < 0x10000)
    return {octet(0xe0 | value >> 12), octet(0x80 | (value >> 6 & 0x3f)), octet(0x80 | (value & 0x3f))};
  return {octet(0xf0 | value >> 18), octet(0x80 | (value >> 12 & 0x3f)), octet(0x80 | (value >> 6 & 0x3f)),
          octet(0x80 | (value & 0x3f))};
}

constexpr bool is_scalar_value(char32_t value) { return value < 0xd800 || (value > 0xdfff && value <= 0x10ffff); }

class reference {
 public:
  enum class state { invalid, whole, partial };

  reference() {
    for (char32_t value = 0; value <= 0x10ffff; ++value) {
      if (!is_scalar_value(value)) continue;
      const std::string encoding = encoded(value);
      for (std::size_t size = 1; size < encoding.size(); ++size)
        prefixes_[size - 1][index(std::string_view(encoding).substr(0, size))] = true;
      if (encoding.size() <= 3) wholes_[encoding.size() - 1][index(encoding)] = true;
    }
  }

  [[nodiscard]] state judge(std::string_view text) const {
    std::size_t begin = 0;
    for (std::size_t end = 1; end <= text.size(); ++end) {
      const std::string_view character = text.substr(begin, end - begin);
      if (is_whole(character)) {
        begin = end;
      } else if (character.size() > 3 || !prefixes_[character.size() - 1][index(character)]) {
        return state::invalid;
      }
    }
    return begin == text.size() ? state::whole : state::partial;
  }

  [[nodiscard]] bool valid(std::string_view text) const { return judge(text) == state::whole; }

 private:
  // One bit for every possible row of one, two and three octets.
  using rows = std::array<std::vector<bool>, 3>;
  static rows none() { return {std::vector<bool>(1U << 8), std::vector<bool>(1U << 16), std::vector<bool>(1U << 24)}; }

  static std::size_t index(std::string_view octets) {
    std::size_t number = 0;
    for (const char octet : octets) number = number << 8 | static_cast<unsigned char>(octet);
    return number;
  }

  // A fourth octet completes any three that are a prefix if it is a continuation octet.
  [[nodiscard]] bool is_whole(std::string_view octets) const {
    if (octets.size() <= 3) return wholes_[octets.size() - 1][index(octets)];
    return (static_cast<unsigned char>(octets[3]) & 0xc0) == 0x80;
  }

  rows prefixes_ = none();
  rows wholes_ = none();
};

const reference& slow() {
  static const reference instance;
  return instance;
}

constexpr std::array<int, 14> edges{0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xed, 0xf4, 0xff};

std::string octets(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(static_cast<unsigned char>(value));
  return text;
}

// Feeds octet by octet: each answer must be the reference's for what came so far.
void expect_same_prefix_by_prefix(const std::string& text) {
  utf8_validator validator;
  for (std::size_t taken = 1; taken <= text.size(); ++taken) {
    const auto expected = slow().judge(std::string_view(text).substr(0, taken));
    const bool accepted = validator.feed(std::as_bytes(std::span(text)).subspan(taken - 1, 1));
    ASSERT_EQ(accepted, expected != reference::state::invalid) << ::testing::PrintToString(text) << " at " << taken;
    ASSERT_EQ(validator.complete(), expected == reference::state::whole) << ::testing::PrintToString(text);
    if (!accepted) return;
  }
}

TEST(utf8, agrees_with_the_reference_on_all_texts_of_two_octets) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text = octets({first, second});
      ASSERT_EQ(valid_utf8(text), slow().valid(text)) << first << ' ' << second;
      expect_same_prefix_by_prefix(text);
    }
  }
}

TEST(utf8, agrees_with_the_reference_on_longer_characters_at_every_edge) {
  for (int first = 0xc0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      for (const int third : edges) {
        expect_same_prefix_by_prefix(octets({first, second, third}));
        for (const int fourth : edges) {
          const std::string text = octets({first, second, third, fourth});
          ASSERT_EQ(valid_utf8(text), slow().valid(text)) << first << ' ' << second << ' ' << third << ' ' << fourth;
        }
      }
    }
  }
}

TEST(utf8, accepts_every_scalar_value_and_no_surrogate) {
  for (char32_t value = 0; value <= 0x10ffff; ++value)
    ASSERT_EQ(valid_utf8(encoded(value)), is_scalar_value(value)) << static_cast<std::uint32_t>(value);
  EXPECT_FALSE(valid_utf8(encoded(0x110000)));
}

TEST(utf8, sees_every_octet_of_a_text_of_any_size) {
  for (std::size_t size = 1; size <= 140; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'a');
      text[at] = '\xff';
      ASSERT_FALSE(valid_utf8(text)) << at << " of " << size;
    }
  }
}

// Long texts take another way than short ones.
TEST(utf8, finds_every_wrong_pair_of_octets_in_a_long_text) {
  for (int first = 0x70; first < 256; ++first) {
    for (int second = 0x70; second < 256; ++second) {
      std::string text(150, 'a');
      const auto at = static_cast<std::size_t>(first * 7 + second) % 149;
      text.replace(at, 2, octets({first, second}));
      ASSERT_EQ(valid_utf8(text), slow().valid(text)) << first << ' ' << second << " at " << at;
    }
  }
}

TEST(utf8, accepts_a_text_whatever_the_place_of_its_cut) {
  std::string text;
  for (const char32_t value : {0x41U, 0x3baU, 0x1f79U, 0x10ffffU, 0x7fU, 0xd7ffU, 0xe000U, 0x1d11eU})
    for (int copies = 0; copies < 20; ++copies) text += encoded(value);
  const auto whole = std::as_bytes(std::span(text));
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    utf8_validator validator;
    ASSERT_TRUE(validator.feed(whole.first(cut))) << cut;
    ASSERT_EQ(validator.complete(), slow().valid(std::string_view(text).substr(0, cut))) << cut;
    ASSERT_TRUE(validator.feed(whole.subspan(cut))) << cut;
    ASSERT_TRUE(validator.complete()) << cut;
  }
  testing::for_each_cut(text, [](const testing::byte_pieces& pieces) {
    utf8_validator validator;
    for (const auto& piece : pieces) ASSERT_TRUE(validator.feed(piece));
    EXPECT_TRUE(validator.complete());
  });
}

TEST(utf8, refuses_a_long_piece_that_ends_in_what_can_not_be_continued) {
  for (const std::string& end : {octets({0xe0, 0x80}), octets({0xed, 0xa0}), octets({0xf4, 0x90}), octets({0xf5}),
                                 octets({0xc1}), octets({0xf0, 0x8f, 0xbf}), octets({0x80, 0x80, 0x80})}) {
    utf8_validator validator;
    const std::string text = std::string(100, 'a') + end;
    EXPECT_FALSE(validator.feed(std::as_bytes(std::span(text)))) << ::testing::PrintToString(end);
    EXPECT_FALSE(validator.complete());
  }
}

TEST(utf8, stays_refused_after_a_failure) {
  utf8_validator validator;
  const std::string wrong = octets({0xff});
  const std::string right(200, 'a');
  EXPECT_FALSE(validator.feed(std::as_bytes(std::span(wrong))));
  EXPECT_FALSE(validator.feed(std::as_bytes(std::span(right)).first(1)));
  EXPECT_FALSE(validator.feed(std::as_bytes(std::span(right))));
  EXPECT_FALSE(validator.complete());
}

// Texts of random characters with now and then a random octet, in random pieces.
TEST(utf8, gives_the_reference_s_answer_after_every_piece_of_random_texts) {
  std::mt19937 random(20260801);
  const auto up_to = [&](std::size_t most) { return std::uniform_int_distribution<std::size_t>(0, most)(random); };
  constexpr std::array<char32_t, 4> largest{0x7f, 0x7ff, 0xffff, 0x10ffff};
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    const std::size_t characters = up_to(150);
    while (text.size() < characters) {
      const auto value = static_cast<char32_t>(up_to(largest[up_to(3)]));
      if (is_scalar_value(value)) text += encoded(value);
    }
    if (!text.empty() && up_to(2) == 0) text[up_to(text.size() - 1)] = static_cast<char>(up_to(255));

    utf8_validator validator;
    for (std::size_t taken = 0; taken < text.size();) {
      const std::size_t piece = 1 + up_to(std::min<std::size_t>(text.size() - taken, 120) - 1);
      const bool accepted = validator.feed(std::as_bytes(std::span(text)).subspan(taken, piece));
      taken += piece;
      const auto expected = slow().judge(std::string_view(text).substr(0, taken));
      ASSERT_EQ(accepted, expected != reference::state::invalid) << "round " << round << " at " << taken;
      ASSERT_EQ(validator.complete(), expected == reference::state::whole) << "round " << round << " at " << taken;
      if (!accepted) break;
    }
  }
}

TEST(utf8, accepts_an_empty_text) {
  EXPECT_TRUE(valid_utf8(std::string_view()));
  utf8_validator validator;
  EXPECT_TRUE(validator.feed({}));
  EXPECT_TRUE(validator.complete());
}

TEST(utf8, a_prefix_ends_with_the_last_whole_character) {
  const std::string text = "a\xce\xba\xe1\xbd\xb9";  // 1, 2 and 3 octets
  const std::array<std::size_t, 7> expected{0, 1, 1, 3, 3, 3, 6};
  for (std::size_t size = 0; size <= text.size(); ++size)
    EXPECT_EQ(valid_utf8_prefix(std::string_view(text).substr(0, size)), expected[size]) << size;
  EXPECT_EQ(valid_utf8_prefix("ab\xff"
                              "cd"),
            2U);
  EXPECT_EQ(valid_utf8_prefix("ab\xce"
                              "cd"),
            2U);
}

}  // namespace
}  // namespace windhover::wire
