// Range requests (RFC 9110, section 14).
#include "http/byte_ranges.hpp"

#include <ostream>
#include <string_view>

#include <gtest/gtest.h>

namespace windhover::http {

void PrintTo(const range_selection& selection, std::ostream* out) {
  *out << (selection.what == range_selection::kind::whole  ? "whole"
           : selection.what == range_selection::kind::part ? "part"
                                                           : "unsatisfiable")
       << " " << selection.part.first << "+" << selection.part.length;
}

namespace {

constexpr range_selection whole{};
constexpr range_selection unsatisfiable{range_selection::kind::unsatisfiable, {}};
constexpr range_selection part(std::uint64_t first, std::uint64_t length) {
  return {range_selection::kind::part, {first, length}};
}

TEST(ByteRanges, FirstAndLastAreBothIncluded) {
  EXPECT_EQ(select_range("bytes=0-0", 1000), part(0, 1));
  EXPECT_EQ(select_range("bytes=0-499", 1000), part(0, 500));
  EXPECT_EQ(select_range("bytes=500-999", 1000), part(500, 500));
  EXPECT_EQ(select_range("bytes=999-999", 1000), part(999, 1));
}

TEST(ByteRanges, WithoutALastTheRestIsMeant) {
  EXPECT_EQ(select_range("bytes=0-", 1000), part(0, 1000));
  EXPECT_EQ(select_range("bytes=950-", 1000), part(950, 50));
}

TEST(ByteRanges, ASuffixIsTheLastBytes) {
  EXPECT_EQ(select_range("bytes=-1", 1000), part(999, 1));
  EXPECT_EQ(select_range("bytes=-500", 1000), part(500, 500));
  EXPECT_EQ(select_range("bytes=-1000", 1000), part(0, 1000));
  EXPECT_EQ(select_range("bytes=-1001", 1000), part(0, 1000));
}

TEST(ByteRanges, ALastBehindTheEndIsTheEnd) {
  EXPECT_EQ(select_range("bytes=500-1000", 1000), part(500, 500));
  EXPECT_EQ(select_range("bytes=500-18446744073709551615", 1000), part(500, 500));
  EXPECT_EQ(select_range("bytes=500-99999999999999999999999", 1000), part(500, 500));
  EXPECT_EQ(select_range("bytes=-99999999999999999999999", 1000), part(0, 1000));
}

TEST(ByteRanges, AFirstBehindTheEndCannotBeSatisfied) {
  EXPECT_EQ(select_range("bytes=1000-", 1000), unsatisfiable);
  EXPECT_EQ(select_range("bytes=1000-1001", 1000), unsatisfiable);
  EXPECT_EQ(select_range("bytes=18446744073709551616-", 1000), unsatisfiable);
  EXPECT_EQ(select_range("bytes=-0", 1000), unsatisfiable);
}

TEST(ByteRanges, OfAnEmptyFileThereIsNoPart) {
  EXPECT_EQ(select_range("bytes=0-", 0), unsatisfiable);
  EXPECT_EQ(select_range("bytes=0-0", 0), unsatisfiable);
  EXPECT_EQ(select_range("bytes=-0", 0), unsatisfiable);
  EXPECT_EQ(select_range("bytes=-5", 0), whole);
}

TEST(ByteRanges, UnitsHaveNoCaseAndListsMayHaveEmptyMembers) {
  EXPECT_EQ(select_range("BYTES=0-1", 10), part(0, 2));
  EXPECT_EQ(select_range("bytes= ,\t0-1 ,", 10), part(0, 2));
}

TEST(ByteRanges, SeveralRangesGetTheWholeFile) {
  EXPECT_EQ(select_range("bytes=0-1,3-4", 10), whole);
  EXPECT_EQ(select_range("bytes=0-1, 100-", 10), whole);
}

TEST(ByteRanges, WhatIsMalformedOrCountsInOtherUnitsGetsTheWholeFile) {
  for (const std::string_view field :
       {"",           "bytes",       "bytes=",    "bytes=,",    "bytes=-",    "bytes=a-b",   "bytes=1",
        "bytes=2-1",  "bytes=1-2-3", "bytes=--1", "bytes=+1-2", "bytes=1-+2", "bytes=0x1-2", "bytes= 1 - 2",
        "bytes =1-2", " bytes=1-2",  "lines=1-2", "bytes:1-2",  "bytes=1-2x", "1-2"}) {
    EXPECT_EQ(select_range(field, 10), whole) << field;
  }
}

TEST(ByteRanges, AreDescribedByFirstAndLast) {
  EXPECT_EQ(content_range({0, 500}, 1234), "bytes 0-499/1234");
  EXPECT_EQ(content_range({1233, 1}, 1234), "bytes 1233-1233/1234");
  EXPECT_EQ(unsatisfied_content_range(1234), "bytes */1234");
}

}  // namespace
}  // namespace windhover::http
