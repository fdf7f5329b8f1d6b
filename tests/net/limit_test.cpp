// Places among a limited number, shared by threads.
#include "net/limit.hpp"

#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace windhover::net {
namespace {

endpoint ip(const char* address) {
  const bool v6 = std::string_view(address).find(':') != std::string_view::npos;
  return {v6 ? endpoint::kind::ipv6 : endpoint::kind::ipv4, address, 1234};
}

TEST(Limit, GivesSoManyPlacesAndTakesThemBack) {
  const auto two = std::make_shared<limit>(2);
  auto first = limit::enter(two);
  auto second = limit::enter(two);
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(*first && *second);
  EXPECT_FALSE(limit::enter(two));
  first->reset();
  EXPECT_TRUE(limit::enter(two));
  EXPECT_TRUE(limit::enter(two)) << "the one before was given back at once";
}

TEST(Limit, WithoutOneThereIsAlwaysAPlace) {
  const auto free = limit::enter(nullptr);
  ASSERT_TRUE(free);
  EXPECT_EQ(*free, nullptr);
  const auto from_anywhere = address_limit::enter(nullptr, ip("192.0.2.1"));
  ASSERT_TRUE(from_anywhere);
  EXPECT_EQ(*from_anywhere, nullptr);
}

TEST(Limit, APlaceMayOutliveEverybodyElse) {
  auto one = std::make_shared<limit>(1);
  auto taken = limit::enter(one);
  one.reset();
  taken->reset();
}

TEST(Limit, IsSharedByThreads) {
  const auto ten = std::make_shared<limit>(10);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 1000; ++round) {
        std::vector<place> taken;
        while (auto next = limit::enter(ten)) taken.push_back(std::move(*next));
        EXPECT_LE(taken.size(), 10U);
      }
    });
  }
  for (std::thread& each : threads) each.join();
  std::vector<place> all;
  while (auto next = limit::enter(ten)) all.push_back(std::move(*next));
  EXPECT_EQ(all.size(), 10U);
}

TEST(AddressLimit, CountsEachAddressApart) {
  const auto one = std::make_shared<address_limit>(1);
  auto first = address_limit::enter(one, ip("192.0.2.1"));
  ASSERT_TRUE(first);
  EXPECT_FALSE(address_limit::enter(one, ip("192.0.2.1"))) << "whatever its port";
  const auto other = address_limit::enter(one, ip("192.0.2.2"));
  EXPECT_TRUE(other);
  first->reset();
  EXPECT_TRUE(address_limit::enter(one, ip("192.0.2.1")));
}

TEST(AddressLimit, CountsANetworkOf64BitsAsOneAddress) {
  const auto one = std::make_shared<address_limit>(1);
  const auto first = address_limit::enter(one, ip("2001:db8:0:1::1"));
  ASSERT_TRUE(first);
  EXPECT_FALSE(address_limit::enter(one, ip("2001:db8:0:1:ffff::2")));
  EXPECT_TRUE(address_limit::enter(one, ip("2001:db8:0:2::1")));
}

TEST(AddressLimit, PeersWithoutAnAddressAreNotCounted) {
  const auto one = std::make_shared<address_limit>(1);
  std::vector<place> taken;
  for (const auto kind : {endpoint::kind::unix_socket, endpoint::kind::none, endpoint::kind::memory}) {
    for (int i = 0; i < 2; ++i) {
      auto next = address_limit::enter(one, {kind, "", 0});
      ASSERT_TRUE(next);
      taken.push_back(std::move(*next));
    }
  }
}

}  // namespace
}  // namespace windhover::net
