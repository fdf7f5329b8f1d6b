// HTTP's dates: the form that is sent, the three forms that are read, and what is no date.
#include "wire/http_date.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace windhover::wire {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

constexpr sys_seconds rfc_example = sys_days(1994y / 11 / 6) + 8h + 49min + 37s;

TEST(HttpDate, IsWrittenAsImfFixdate) {
  EXPECT_EQ(http_date(rfc_example), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(sys_seconds()), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(http_date(sys_days(2024y / 2 / 29) + 23h + 59min + 59s), "Thu, 29 Feb 2024 23:59:59 GMT");
  EXPECT_EQ(http_date(sys_days(1969y / 12 / 31) + 1s), "Wed, 31 Dec 1969 00:00:01 GMT");
  EXPECT_EQ(http_date(sys_days(1y / 1 / 1)), "Mon, 01 Jan 0001 00:00:00 GMT");
}

TEST(HttpDate, AllThreeFormsAreRead) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), rfc_example);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), rfc_example);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), rfc_example);
  EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994"), rfc_example + 240h);
}

TEST(HttpDate, EveryDayOfFortyYearsIsReadAsItWasWritten) {
  for (sys_days day = 1995y / 1 / 1; day != sys_days(2035y / 1 / 1); day += std::chrono::days(1)) {
    const sys_seconds time = day + 12h + 34min + 56s;
    ASSERT_EQ(parse_http_date(http_date(time)), time) << http_date(time);
  }
}

TEST(HttpDate, TwoDigitsOfAYearMean1970To2069) {
  EXPECT_EQ(parse_http_date("Thursday, 01-Jan-70 00:00:00 GMT"), sys_seconds());
  EXPECT_EQ(parse_http_date("Tuesday, 01-Jan-69 00:00:00 GMT"), sys_seconds(sys_days(2069y / 1 / 1)));
}

TEST(HttpDate, ALeapSecondIsReadAsTheSecondAfterIt) {
  EXPECT_EQ(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT"), sys_seconds(sys_days(2017y / 1 / 1)));
}

TEST(HttpDate, WhatIsNoDateIsNotRead) {
  for (const std::string_view text : {"",
                                      "Sun",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 06 Nov 1994 08:49:37 UTC",
                                      "Sun, 06 Nov 1994 08:49:37 GMT ",
                                      " Sun, 06 Nov 1994 08:49:37 GMT",
                                      "Sun,06 Nov 1994 08:49:37 GMT",
                                      "Sun, 6 Nov 1994 08:49:37 GMT",
                                      "sun, 06 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 94 08:49:37 GMT",
                                      "Xyz, 06 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Xyz 1994 08:49:37 GMT",
                                      "Sun, 31 Feb 1994 08:49:37 GMT",
                                      "Sun, 00 Nov 1994 08:49:37 GMT",
                                      "Wed, 29 Feb 2023 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 24:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:60:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:61 GMT",
                                      "Sun, 06 Nov 1994 8:49:37 GMT",
                                      "Sun, -6 Nov 1994 08:49:37 GMT",
                                      "Sun, 06-Nov-94 08:49:37 GMT",
                                      "Sunday, 06 Nov 1994 08:49:37 GMT",
                                      "Sunday, 06-Nov-1994 08:49:37 GMT",
                                      "Sun Nov 6 08:49:37 1994",
                                      "Sun Nov   6 08:49:37 1994",
                                      "Sun Nov  6 08:49:37 1994 GMT",
                                      "Sunday Nov  6 08:49:37 1994",
                                      "784111777",
                                      "1994-11-06T08:49:37Z"})
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
}

}  // namespace
}  // namespace windhover::wire
