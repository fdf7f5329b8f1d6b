// The character classes, byte by byte, and the syntax of a host.
#include "wire/http1/grammar.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace windhover::wire::http1 {
namespace {

TEST(Grammar, AFieldValueHasNoControlCharactersButTab) {
  for (int byte = 0; byte != 256; ++byte) {
    const bool allowed = byte == '\t' || (byte >= 0x20 && byte != 0x7F);
    EXPECT_EQ(is_field_value(std::string(1, static_cast<char>(byte))), allowed) << byte;
  }
  EXPECT_TRUE(is_field_value(""));
  EXPECT_FALSE(is_field_value(std::string_view("a\0b", 3)));
}

TEST(Grammar, ARequestTargetIsVisibleAsciiWithoutFragment) {
  for (int byte = 0; byte != 256; ++byte) {
    const bool allowed = byte > 0x20 && byte < 0x7F && byte != '#';
    EXPECT_EQ(is_request_target(std::string(1, static_cast<char>(byte))), allowed) << byte;
  }
  EXPECT_FALSE(is_request_target(""));
}

TEST(Grammar, HexadecimalDigitsHaveTheirValues) {
  const std::string_view digits = "0123456789abcdefABCDEF";
  for (int byte = 0; byte != 256; ++byte) {
    const auto at = digits.find(static_cast<char>(byte));
    const int expected = at == std::string_view::npos ? -1 : static_cast<int>(at < 16 ? at : at - 6);
    EXPECT_EQ(hexadecimal_value(static_cast<char>(byte)), expected) << byte;
  }
}

TEST(Grammar, HostsAreNamesAndAddressesWithAPort) {
  for (const std::string_view host : {"", "localhost", "example.com", "example.com.", "EXAMPLE.com:80",
                                      "localhost:", "localhost:0", "a:65535", "127.0.0.1:5000", "[::1]", "[::1]:5000",
                                      "[::ffff:127.0.0.1]:1", "[2001:DB8::a]", "a_b-c~d", "%41b", "a!$&'()*+,;=b"})
    EXPECT_TRUE(is_host(host)) << host;
}

TEST(Grammar, EverythingElseIsNoHost) {
  for (const std::string_view host : {":80",          "a b",       "a/b",
                                      "a?b",          "a#b",       "user@host",
                                      "a:b@host",     "a:65536",   "a:99999999999999999999",
                                      "a:+1",         "a:-1",      "a:8x",
                                      "a:80:80",      "::1",       "[::1",
                                      "::1]",         "[::1]5000", "[::1]:x",
                                      "[]",           "[1]",       "[a:b]",
                                      "[::1%25eth0]", "[::g]",     "a[::1]",
                                      "%4",           "%4g",       "%",
                                      "a\\b",         "a\"b",      "<a>",
                                      "a^b",          "\xC3\xA4",  "a\tb",
                                      "http://a"})
    EXPECT_FALSE(is_host(host)) << host;
}

}  // namespace
}  // namespace windhover::wire::http1
