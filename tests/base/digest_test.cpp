// Digests against published examples.
#include "base/digest.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace windhover::base {
namespace {

std::string sha1_hex(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const std::byte octet : sha1(std::as_bytes(std::span(text)))) {
    hex.push_back(digits[std::to_integer<unsigned>(octet) >> 4]);
    hex.push_back(digits[std::to_integer<unsigned>(octet) & 15U]);
  }
  return hex;
}

// The examples of FIPS 180 and the one of RFC 6455, section 1.3.
TEST(digest, sha1_of_published_examples) {
  EXPECT_EQ(sha1_hex(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(sha1_hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(sha1_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  EXPECT_EQ(sha1_hex("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"),
            "b37a4f2cc0624f1690f64606cf385945b2bec4ea");
}

TEST(digest, sha1_of_a_million_letters) {
  EXPECT_EQ(sha1_hex(std::string(1'000'000, 'a')), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

}  // namespace
}  // namespace windhover::base
