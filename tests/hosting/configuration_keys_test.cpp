#include "hosting/configuration_keys.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace windhover::hosting {
namespace {

TEST(configuration_keys, numbers_come_first_and_by_value_and_names_ignore_case) {
  const std::vector<std::string> ordered = {"",      "A",   "a:0", "A:2", "a:10", "A:10:x", "a:b",
                                            "A:B:c", "a:C", "A-",  "ab",  "b",    "B:0"};
  const configuration_key_less less;
  for (std::size_t i = 0; i < ordered.size(); ++i)
    for (std::size_t j = 0; j < ordered.size(); ++j)
      EXPECT_EQ(less(ordered[i], ordered[j]), i < j) << ordered[i] << " before " << ordered[j];
}

TEST(configuration_keys, keys_that_differ_in_case_only_are_equal) {
  const configuration_key_less less;
  EXPECT_FALSE(less("Windhover:WebSockets", "WINDHOVER:websockets"));
  EXPECT_FALSE(less("WINDHOVER:websockets", "Windhover:WebSockets"));
}

TEST(configuration_keys, indexes_with_leading_zeros_are_keys_of_their_own) {
  const configuration_key_less less;
  EXPECT_TRUE(less("a:01", "a:1"));
  EXPECT_TRUE(less("a:1", "a:02"));
  EXPECT_FALSE(less("a:1", "a:01"));
}

TEST(configuration_keys, indexes_longer_than_any_integer_type_still_compare_by_value) {
  const configuration_key_less less;
  EXPECT_TRUE(less("a:99999999999999999999999", "a:100000000000000000000000"));
  EXPECT_FALSE(less("a:100000000000000000000000", "a:99999999999999999999999"));
}

TEST(configuration_keys, a_key_lies_below_a_section_at_a_colon_only) {
  EXPECT_TRUE(is_below("Windhover:Threads", "WINDHOVER"));
  EXPECT_TRUE(is_below("a:b:c", "a"));
  EXPECT_TRUE(is_below("a:b:c", "a:b"));
  EXPECT_FALSE(is_below("Windhovers:Threads", "Windhover"));
  EXPECT_FALSE(is_below("Windhover", "Windhover"));
  EXPECT_TRUE(is_below("a", ""));
  EXPECT_FALSE(is_below("", ""));
}

TEST(configuration_keys, relative_and_joined_keys_are_inverse) {
  EXPECT_EQ(relative_key("a:b:c", "A"), "b:c");
  EXPECT_EQ(relative_key("a:b", ""), "a:b");
  EXPECT_EQ(join_keys("a", "b:c"), "a:b:c");
  EXPECT_EQ(join_keys("", "b"), "b");
  EXPECT_EQ(join_keys("a", ""), "a");
}

TEST(configuration_keys, list_indexes_are_digits) {
  EXPECT_TRUE(is_list_index("0"));
  EXPECT_TRUE(is_list_index("120"));
  EXPECT_FALSE(is_list_index(""));
  EXPECT_FALSE(is_list_index("-1"));
  EXPECT_FALSE(is_list_index("1a"));
}

}  // namespace
}  // namespace windhover::hosting
