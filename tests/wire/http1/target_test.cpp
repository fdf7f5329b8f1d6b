// Paths made safe for routing, and the parameters of a query.
#include "wire/http1/target.hpp"

#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace windhover::wire::http1 {
namespace {

TEST(Target, IsSplitAtTheFirstQuestionMark) {
  EXPECT_EQ(split_target("/a/b").path, "/a/b");
  EXPECT_EQ(split_target("/a/b").query, "");
  EXPECT_EQ(split_target("/a?b?c").path, "/a");
  EXPECT_EQ(split_target("/a?b?c").query, "b?c");
  EXPECT_EQ(split_target("/?").path, "/");
  EXPECT_EQ(split_target("/?").query, "");
  EXPECT_EQ(split_target("*").path, "*");
}

struct path_case {
  std::string_view raw;
  std::string_view decoded;
};

TEST(Target, APathIsDecodedOnce) {
  for (const path_case& each : {
           path_case{"", ""},
           path_case{"*", "*"},
           path_case{"/", "/"},
           path_case{"/a%20b", "/a b"},
           path_case{"/%41%7a", "/Az"},
           path_case{"/caf%C3%A9", "/caf\xC3\xA9"},
           path_case{"/a+b", "/a+b"},
           path_case{"/%2541", "/%41"},
           path_case{"/%0D%0A", "/\r\n"},
           path_case{"/a%5Cb", "/a\\b"},
           path_case{"/a%3Fb", "/a?b"},
       })
    EXPECT_EQ(percent_decode_path(each.raw), each.decoded) << each.raw;
}

TEST(Target, AnEncodedSlashStaysEncoded) {
  EXPECT_EQ(percent_decode_path("/a%2Fb%2fc"), "/a%2Fb%2fc");
  EXPECT_EQ(percent_decode_path("/..%2F..%2Fetc/passwd"), "/..%2F..%2Fetc/passwd");
  EXPECT_EQ(percent_decode_path("/%C0%AF"), "/\xC0\xAF");
}

TEST(Target, MalformedEscapesAndNulAreRefused) {
  for (const std::string_view raw : {"/%", "/%4", "/%4g", "/%g4", "/a%", "/%%41", "/%+1", "/% 1", "/%00", "/a%00.html"})
    EXPECT_EQ(percent_decode_path(raw), std::nullopt) << raw;
}

TEST(Target, DotSegmentsAreResolvedAndNeverLeaveTheRoot) {
  for (const path_case& each : {
           path_case{"/a/b/c/./../../g", "/a/g"},
           path_case{"/./a", "/a"},
           path_case{"/a/.", "/a/"},
           path_case{"/a/./", "/a/"},
           path_case{"/a/..", "/"},
           path_case{"/a/../", "/"},
           path_case{"/a/b/..", "/a/"},
           path_case{"/..", "/"},
           path_case{"/../..", "/"},
           path_case{"/../../etc/passwd", "/etc/passwd"},
           path_case{"/a/../../b", "/b"},
           path_case{"/%2e%2E/%2e/b", "/b"},
           path_case{"/a/.%2e/b", "/b"},
           path_case{"/a//../b", "/a/b"},
           path_case{"//..", "/"},
           path_case{"/.a", "/.a"},
           path_case{"/..a/...", "/..a/..."},
           path_case{"/a./b..", "/a./b.."},
           path_case{"/.", "/"},
           path_case{"/%252e%252e/b", "/%2e%2e/b"},
       })
    EXPECT_EQ(percent_decode_path(each.raw), each.decoded) << each.raw;
}

std::string parameters_of(std::string_view query) {
  std::string text;
  for_each_query(query,
                 [&text](const std::string& name, const std::string& value) { text += name + '=' + value + ';'; });
  return text;
}

TEST(Target, AQueryIsSplitIntoDecodedParameters) {
  EXPECT_EQ(parameters_of(""), "");
  EXPECT_EQ(parameters_of("a=b"), "a=b;");
  EXPECT_EQ(parameters_of("a=b&c=d&a=e"), "a=b;c=d;a=e;");
  EXPECT_EQ(parameters_of("a"), "a=;");
  EXPECT_EQ(parameters_of("a="), "a=;");
  EXPECT_EQ(parameters_of("=b"), "=b;");
  EXPECT_EQ(parameters_of("&&a=b&&"), "a=b;");
  EXPECT_EQ(parameters_of("a=b=c"), "a=b=c;");
  EXPECT_EQ(parameters_of("a+b=c+d"), "a b=c d;");
  EXPECT_EQ(parameters_of("a%26b=%3D%2B%00"), std::string("a&b==+\0;", 8));
}

TEST(Target, AMalformedEscapeInAQueryStandsForItself) {
  EXPECT_EQ(parameters_of("a=100%&b=%4&c=%zz%41"), "a=100%;b=%4;c=%zzA;");
}

TEST(Target, AParameterIsFoundByItsNameWithoutRegardToCase) {
  EXPECT_EQ(query_value("id=1&Name=a%20b+c&name=d", "name"), "a b c");
  EXPECT_EQ(query_value("id=1", "ID"), "1");
  EXPECT_EQ(query_value("id", "id"), "");
  EXPECT_EQ(query_value("%69d=1", "id"), "1");
  EXPECT_EQ(query_value("id=1", "i"), std::nullopt);
  EXPECT_EQ(query_value("", "id"), std::nullopt);
}

}  // namespace
}  // namespace windhover::wire::http1
