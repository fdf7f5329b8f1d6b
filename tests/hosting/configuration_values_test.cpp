#include "hosting/configuration_values.hpp"

#include <chrono>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace windhover::hosting {
namespace {

using namespace std::chrono_literals;

TEST(configuration_values, booleans_are_words_in_any_case) {
  EXPECT_EQ(parse_boolean("true"), true);
  EXPECT_EQ(parse_boolean(" FALSE "), false);
  for (const char* text : {"", "1", "0", "yes", "on", "truee"}) EXPECT_EQ(parse_boolean(text), std::nullopt) << text;
}

TEST(configuration_values, whole_numbers_are_decimal_and_complete) {
  EXPECT_EQ(parse_signed("-42"), -42);
  EXPECT_EQ(parse_signed(" +7\t"), 7);
  EXPECT_EQ(parse_signed("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parse_unsigned("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
  for (const char* text : {"", " ", "four", "4x", "x4", "0x10", "1.0", "1e3", "1 2", "+", "-", "+-1", "--1", "1,000"})
    EXPECT_EQ(parse_signed(text), std::nullopt) << text;
  EXPECT_EQ(parse_signed("9223372036854775808"), std::nullopt);
  EXPECT_EQ(parse_unsigned("18446744073709551616"), std::nullopt);
  EXPECT_EQ(parse_unsigned("-1"), std::nullopt);
}

TEST(configuration_values, real_numbers_are_finite) {
  EXPECT_EQ(parse_real("0.5"), 0.5);
  EXPECT_EQ(parse_real("-1e3"), -1000.0);
  for (const char* text : {"", "inf", "nan", "1e999", "1,5", "half"}) EXPECT_EQ(parse_real(text), std::nullopt) << text;
}

TEST(configuration_values, durations_are_read_as_dot_net_reads_them) {
  EXPECT_EQ(parse_duration("00:02:00"), 2min);
  EXPECT_EQ(parse_duration("00:00:20"), 20s);
  EXPECT_EQ(parse_duration("00:02"), 2min);
  EXPECT_EQ(parse_duration("0:0:5"), 5s);
  EXPECT_EQ(parse_duration("1.02:03:04.5"), 26h + 3min + 4s + 500ms);
  EXPECT_EQ(parse_duration("1:02:03:04"), 26h + 3min + 4s);
  EXPECT_EQ(parse_duration("2.03:04"), 51h + 4min);
  EXPECT_EQ(parse_duration("-00:00:01"), -1s);
  EXPECT_EQ(parse_duration(" 00:00:01 "), 1s);
  EXPECT_EQ(parse_duration("00:00:00.0000001"), 100ns);
  EXPECT_EQ(parse_duration("00:00:00.000000001"), 1ns);
  EXPECT_EQ(parse_duration("100000.23:59:59"), 24h * 100'000 + 23h + 59min + 59s);
}

TEST(configuration_values, what_is_no_duration_is_refused) {
  for (const char* text : {"",
                           "20",
                           "20s",
                           "24:00:00",
                           "00:60:00",
                           "00:00:60",
                           "00:00:00.",
                           "00:00:00.0000000001",
                           ":00:01",
                           "00::01",
                           "00:00:",
                           "00:00:00:00:00",
                           "1.2.3",
                           "1.",
                           "1.00",
                           "100001.00:00:00",
                           "9999999.00:00:00",
                           "--00:00:01",
                           "- 00:00:01",
                           "00:00:01x",
                           "00.00:00:00:00",
                           "0:00:000",
                           "PT2M"})
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

TEST(configuration_values, durations_are_written_as_they_are_read) {
  for (const char* text : {"00:00:00", "00:00:20", "00:02:10", "23:59:59", "1.00:00:00", "30.00:00:00", "00:00:00.001",
                           "1.02:03:04.5", "-00:00:01", "-2.00:00:00.000000001", "100000.00:00:00"}) {
    const auto duration = parse_duration(text);
    ASSERT_TRUE(duration.has_value()) << text;
    EXPECT_EQ(format_duration(*duration), text);
  }
}

TEST(configuration_values, an_error_is_one_line_with_place_key_value_and_expectation) {
  EXPECT_STREQ(unsuitable_value("appsettings.json, line 3", "Windhover:Threads", "four", "a number").what(),
               "appsettings.json, line 3: Windhover:Threads is \"four\"; expected a number");
  EXPECT_STREQ(unsuitable_value("code", "a", "", "a number").what(), "code: a is empty; expected a number");
  EXPECT_STREQ(unsuitable_value("environment variable X\n", "a\r", "b\nc", "a number").what(),
               "environment variable X\\n: a\\r is \"b\\nc\"; expected a number");
}

TEST(configuration_values, an_error_repeats_a_long_value_in_part) {
  const std::string error = unsuitable_value("code", "a", std::string(100'000, 'x'), "a number").what();
  EXPECT_EQ(error, "code: a is \"" + std::string(200, 'x') + "...\"; expected a number");
}

}  // namespace
}  // namespace windhover::hosting
