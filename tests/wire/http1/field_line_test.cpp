// A field line: what is its name, what its value, and which lines are none.
#include "wire/http1/field_line.hpp"

#include <optional>
#include <string_view>

#include <gtest/gtest.h>

namespace windhover::wire::http1 {
namespace {

struct field_case {
  std::string_view line;
  std::string_view name;
  std::string_view value;
};

TEST(FieldLine, IsSplitAtTheFirstColonAndTrimmed) {
  for (const field_case& each : {
           field_case{"Host: example.com", "Host", "example.com"},
           field_case{"Host:example.com:80", "Host", "example.com:80"},
           field_case{"X: \t a b \t ", "X", "a b"},
           field_case{"X:", "X", ""},
           field_case{"X:  \t", "X", ""},
           field_case{"X: \"a: b\"", "X", "\"a: b\""},
           field_case{"X: \xC3\xA4\xFF", "X", "\xC3\xA4\xFF"},
           field_case{"!#$%&'*+-.^_`|~09aZ: x", "!#$%&'*+-.^_`|~09aZ", "x"},
       }) {
    headers::field field;
    EXPECT_EQ(parse_field_line(each.line, field), std::nullopt) << each.line;
    EXPECT_EQ(field.name, each.name);
    EXPECT_EQ(field.value, each.value);
  }
}

TEST(FieldLine, MalformedLinesAreRefused) {
  using namespace std::string_view_literals;
  for (const std::string_view line :
       {"X"sv, ": x"sv, ":"sv, "X : y"sv, "X\t: y"sv, "X y: z"sv, "(X): y"sv, "X\0: y"sv, "X: a\0b"sv, "X: a\rb"sv,
        "X: a\r"sv, "X: \x01"sv, "X: \x7F"sv, "X\xC3\xA4: y"sv, "\"X\": y"sv, "\x0BX: y"sv, "X: y\x0C"sv}) {
    headers::field field;
    EXPECT_EQ(parse_field_line(line, field), request_error::malformed_field) << line;
  }
}

TEST(FieldLine, ContinuedLinesAreRefused) {
  for (const std::string_view line : {" X: y", "\tX: y", " ", "\t"}) {
    headers::field field;
    EXPECT_EQ(parse_field_line(line, field), request_error::folded_field) << line;
  }
}

}  // namespace
}  // namespace windhover::wire::http1
