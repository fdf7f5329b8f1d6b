#include "hosting/open_file_limit.hpp"

#include <cstdint>
#include <limits>

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace windhover::hosting {
namespace {

TEST(open_file_limit, is_the_soft_limit_of_the_process_which_raising_makes_the_hard_one) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit lower{100, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lower), 0);
  EXPECT_EQ(open_file_limit(), 100U);
  EXPECT_EQ(raise_open_file_limit(), before.rlim_max);
  EXPECT_EQ(open_file_limit(), before.rlim_max);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST(open_file_limit, connections_leave_a_part_of_it_for_everything_else) {
  EXPECT_EQ(connections_within(40), 30U);
  EXPECT_EQ(connections_within(1024), 768U);
  EXPECT_EQ(connections_within(4096), 3072U);
  EXPECT_EQ(connections_within(16'384), 15'360U);
  EXPECT_EQ(connections_within(65'536), 61'440U);
  EXPECT_EQ(connections_within(1'048'576), 983'040U);
}

TEST(open_file_limit, static_files_get_half_of_what_connections_leave) {
  EXPECT_EQ(static_files_within(40), 5U);
  EXPECT_EQ(static_files_within(1024), 128U);
  EXPECT_EQ(static_files_within(65'536), 2048U);
  EXPECT_EQ(static_files_within(0), 0U) << "0 is any number";
}

TEST(open_file_limit, the_smallest_and_the_largest_limit_are_limits_too_and_an_unknown_one_is_none) {
  EXPECT_EQ(connections_within(1), 1U);
  EXPECT_EQ(connections_within(std::numeric_limits<std::uint64_t>::max()),
            std::numeric_limits<std::uint64_t>::max() - std::numeric_limits<std::uint64_t>::max() / 16);
  EXPECT_EQ(connections_within(0), 0U) << "0 is any number";
}

}  // namespace
}  // namespace windhover::hosting
