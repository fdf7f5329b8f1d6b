// Conditional requests (RFC 9110, section 13).
#include "http/preconditions.hpp"

#include <chrono>
#include <vector>

#include <gtest/gtest.h>

#include "wire/http_date.hpp"

namespace windhover::http {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::sys_seconds changed{784111777s};
const std::string at_change = wire::http_date(changed);
const std::string before = wire::http_date(changed - 1s);
const std::string after = wire::http_date(changed + 1s);

const validators file{"\"a,b\"", changed};
const validators undated{"\"a,b\"", std::nullopt};

precondition outcome(const std::vector<headers::field>& fields, const validators& current = file) {
  headers request;
  for (const headers::field& each : fields) request.add(each.name, each.value);
  return evaluate(request, current);
}

bool applies(const std::vector<headers::field>& fields, const validators& current = file) {
  headers request;
  for (const headers::field& each : fields) request.add(each.name, each.value);
  return range_applies(request, current);
}

TEST(Preconditions, WithoutConditionsTheRequestProceeds) { EXPECT_EQ(outcome({}), precondition::proceed); }

TEST(Preconditions, IfNoneMatchComparesWeakly) {
  for (const auto* const list : {"\"a,b\"", "W/\"a,b\"", "\"x\", \"a,b\"", "W/\"x\",, W/\"a,b\" ,", "*", " * "}) {
    EXPECT_EQ(outcome({{"If-None-Match", list}}), precondition::not_modified) << list;
  }
  for (const auto* const list :
       {"\"x\"", "a,b", "", "\"a\", \"b\"", "\"a,b", "w/\"a,b\"", "\"A,B\"", "x, \"a,b\"", "**"}) {
    EXPECT_EQ(outcome({{"If-None-Match", list}}), precondition::proceed) << list;
  }
  EXPECT_EQ(outcome({{"If-None-Match", "\"x\""}, {"If-None-Match", "\"a,b\""}}), precondition::not_modified);
}

TEST(Preconditions, IfMatchComparesStrongly) {
  for (const auto* const list : {"\"a,b\"", "\"x\", \"a,b\"", "*"}) {
    EXPECT_EQ(outcome({{"If-Match", list}}), precondition::proceed) << list;
  }
  for (const auto* const list : {"W/\"a,b\"", "\"x\"", "", "nonsense"}) {
    EXPECT_EQ(outcome({{"If-Match", list}}), precondition::failed) << list;
  }
}

TEST(Preconditions, DatesCompareBySeconds) {
  EXPECT_EQ(outcome({{"If-Modified-Since", at_change}}), precondition::not_modified);
  EXPECT_EQ(outcome({{"If-Modified-Since", after}}), precondition::not_modified);
  EXPECT_EQ(outcome({{"If-Modified-Since", before}}), precondition::proceed);
  EXPECT_EQ(outcome({{"If-Unmodified-Since", at_change}}), precondition::proceed);
  EXPECT_EQ(outcome({{"If-Unmodified-Since", after}}), precondition::proceed);
  EXPECT_EQ(outcome({{"If-Unmodified-Since", before}}), precondition::failed);
}

TEST(Preconditions, AllFormsOfDatesAreRead) {
  EXPECT_EQ(outcome({{"If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT"}}), precondition::not_modified);
  EXPECT_EQ(outcome({{"If-Modified-Since", "Sun Nov  6 08:49:37 1994"}}), precondition::not_modified);
}

TEST(Preconditions, DatesThatAreMalformedOrTwiceThereAreIgnored) {
  EXPECT_EQ(outcome({{"If-Modified-Since", "tomorrow"}}), precondition::proceed);
  EXPECT_EQ(outcome({{"If-Unmodified-Since", "yesterday"}}), precondition::proceed);
  EXPECT_EQ(outcome({{"If-Modified-Since", after}, {"If-Modified-Since", after}}), precondition::proceed);
}

TEST(Preconditions, AFileWithoutADateIgnoresDates) {
  EXPECT_EQ(outcome({{"If-Modified-Since", after}}, undated), precondition::proceed);
  EXPECT_EQ(outcome({{"If-Unmodified-Since", before}}, undated), precondition::proceed);
  EXPECT_FALSE(applies({{"If-Range", at_change}}, undated));
}

// Section 13.2.2.
TEST(Preconditions, EntityTagsComeBeforeDatesAndMatchBeforeNoneMatch) {
  EXPECT_EQ(outcome({{"If-Match", "\"a,b\""}, {"If-Unmodified-Since", before}}), precondition::proceed);
  EXPECT_EQ(outcome({{"If-None-Match", "\"x\""}, {"If-Modified-Since", after}}), precondition::proceed);
  EXPECT_EQ(outcome({{"If-Match", "\"x\""}, {"If-None-Match", "\"a,b\""}}), precondition::failed);
  EXPECT_EQ(outcome({{"If-Match", "*"}, {"If-None-Match", "*"}}), precondition::not_modified);
  EXPECT_EQ(outcome({{"If-Unmodified-Since", before}, {"If-None-Match", "\"a,b\""}}), precondition::failed);
}

TEST(Preconditions, ARangeCountsWhenIfRangeNamesTheCurrentState) {
  EXPECT_TRUE(applies({}));
  EXPECT_TRUE(applies({{"If-Range", "\"a,b\""}}));
  EXPECT_TRUE(applies({{"If-Range", at_change}}));
  for (const std::string& field : {std::string("\"x\""), std::string("W/\"a,b\""), std::string("\"a,b\"x"),
                                   std::string("\"a,b\", \"a,b\""), before, after, std::string("nonsense")}) {
    EXPECT_FALSE(applies({{"If-Range", field}})) << field;
  }
}

}  // namespace
}  // namespace windhover::http
