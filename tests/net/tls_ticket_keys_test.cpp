#include "net/tls_ticket_keys.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace windhover::net {
namespace {

using namespace std::chrono_literals;

constexpr time_point start{};
base::system_random_source random_bytes;

TEST(TlsTicketKeys, OneKeyServesForSixHours) {
  tls_ticket_keys keys;
  const auto first = keys.newest(start, random_bytes);
  EXPECT_EQ(keys.newest(start + 6h - 1s, random_bytes).name, first.name);
  EXPECT_NE(keys.newest(start + 6h, random_bytes).name, first.name);
}

TEST(TlsTicketKeys, KeysAreRandom) {
  tls_ticket_keys one;
  tls_ticket_keys other;
  const auto first = one.newest(start, random_bytes);
  const auto second = other.newest(start, random_bytes);
  EXPECT_NE(first.name, second.name);
  EXPECT_NE(first.cipher, second.cipher);
  EXPECT_NE(first.mac, second.mac);
}

// A ticket that was issued with the last breath of a key is good for twelve hours more.
TEST(TlsTicketKeys, AnOldKeyIsFoundForAsLongAsATicketIsGood) {
  tls_ticket_keys keys;
  const auto first = keys.newest(start, random_bytes);
  static_cast<void>(keys.newest(start + 6h, random_bytes));
  const auto found = keys.find(first.name, start + 18h - 1s);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->cipher, first.cipher);
  EXPECT_FALSE(tls_ticket_keys::is_newest(*found, start + 18h - 1s));
  EXPECT_FALSE(keys.find(first.name, start + 18h));
}

TEST(TlsTicketKeys, AKeyOfSomebodyElseIsNotFound) {
  tls_ticket_keys keys;
  tls_ticket_keys others;
  static_cast<void>(keys.newest(start, random_bytes));
  EXPECT_FALSE(keys.find(others.newest(start, random_bytes).name, start));
}

}  // namespace
}  // namespace windhover::net
