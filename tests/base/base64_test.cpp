// Base64 in both directions, and what the decoder must refuse.
#include "base/base64.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace windhover::base {
namespace {

std::string encode(std::string_view text) { return base64_encode(std::as_bytes(std::span(text))); }

std::optional<std::string> decode(std::string_view text) {
  const auto data = base64_decode(text);
  if (!data) return std::nullopt;
  std::string decoded(data->size(), '\0');
  std::transform(data->begin(), data->end(), decoded.begin(), [](std::byte octet) { return static_cast<char>(octet); });
  return decoded;
}

struct example {
  std::string_view plain;
  std::string_view encoded;
};

// RFC 4648, section 10.
constexpr std::array<example, 7> examples{{{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}}};

TEST(base64, encodes_the_examples_of_the_standard) {
  for (const example& row : examples) EXPECT_EQ(encode(row.plain), row.encoded);
}

TEST(base64, decodes_the_examples_of_the_standard) {
  for (const example& row : examples) EXPECT_EQ(decode(row.encoded), row.plain) << row.encoded;
}

TEST(base64, uses_the_whole_alphabet) {
  const std::string_view all = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto data = base64_decode(all);
  ASSERT_TRUE(data);
  EXPECT_EQ(data->size(), 48U);
  EXPECT_EQ(base64_encode(*data), all);
}

TEST(base64, the_characters_are_those_of_the_alphabet) {
  std::string characters;
  for (int octet = 0; octet < 256; ++octet) {
    if (is_base64_character(static_cast<char>(octet))) characters.push_back(static_cast<char>(octet));
  }
  EXPECT_EQ(characters, "+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
}

TEST(base64, every_octet_comes_back_at_every_length) {
  std::vector<std::byte> data;
  for (unsigned value = 0; value < 256; ++value) {
    data.push_back(static_cast<std::byte>(255U - value));
    EXPECT_EQ(base64_decode(base64_encode(data)), data) << value;
  }
}

TEST(base64, refuses_what_it_would_not_have_written) {
  for (const std::string_view text : {
           "Zg",         // no padding
           "Zg=",        // half the padding
           "Zg===",      // too much of it
           "Zm9v====",   // a group of padding
           "=",          // padding of nothing
           "====",       // the same, full length
           "Z===",       // one character is no octet
           "Zh==",       // bits after the end, two padding characters
           "Zm9=",       // bits after the end, one padding character
           "Zg==Zg==",   // padding in the middle
           "Z=g=",       // the same
           "Zm 9v===",   // white space
           "Zm9v\n===",  // the same at the end
           "Zm9-",       // the alphabet for URLs
           "Zm9_",       // the same
           "Zm9\xC3",    // not ASCII
       }) {
    EXPECT_EQ(decode(text), std::nullopt) << text;
  }
  EXPECT_EQ(decode(std::string_view("Zm\0v", 4)), std::nullopt);
}

}  // namespace
}  // namespace windhover::base
