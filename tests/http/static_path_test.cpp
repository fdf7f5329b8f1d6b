// From paths of requests to paths of files.
#include "http/static_path.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace windhover::http {
namespace {

using namespace std::string_view_literals;

// "path" for a file, "path/" for a folder, "-" for nothing.
std::string below_root(std::string_view path, std::string_view prefix = {}) {
  const auto found = to_static_path(path, prefix);
  if (!found) return "-";
  return std::string(found->below_root) + (found->names_folder ? "/" : "");
}

TEST(StaticPath, IsWhatFollowsTheFirstSlash) {
  EXPECT_EQ(below_root("/index.html"), "index.html");
  EXPECT_EQ(below_root("/css/site.css"), "css/site.css");
  EXPECT_EQ(below_root("/a b/\xc3\xa4.txt"), "a b/\xc3\xa4.txt");
  EXPECT_EQ(below_root("/100%"), "100%");
}

TEST(StaticPath, ASlashAtTheEndNamesAFolder) {
  EXPECT_EQ(below_root("/"), "/");
  EXPECT_EQ(below_root("/css/"), "css/");
}

TEST(StaticPath, ThePrefixEndsAtASegment) {
  EXPECT_EQ(below_root("/files/a.txt", "/files"), "a.txt");
  EXPECT_EQ(below_root("/files/", "/files"), "/");
  EXPECT_EQ(below_root("/files", "/files"), "");
  EXPECT_EQ(below_root("/filesystem/a.txt", "/files"), "-");
  EXPECT_EQ(below_root("/other/a.txt", "/files"), "-");
  EXPECT_EQ(below_root("/Files/a.txt", "/files"), "-");
}

TEST(StaticPath, NothingLeadsUpOrIsHidden) {
  for (const std::string_view path :
       {"/..", "/../a", "/a/..", "/a/../b", "/.", "/./a", "/.git/config", "/a/.env", "/...", "/.a/"}) {
    EXPECT_EQ(below_root(path), "-") << path;
  }
}

TEST(StaticPath, EmptySegmentsNameNothing) {
  for (const std::string_view path : {"//", "//a", "/a//b", "/a//", "", "a", "*"})
    EXPECT_EQ(below_root(path), "-") << path;
  EXPECT_EQ(below_root("/files//a", "/files"), "-");
}

TEST(StaticPath, NulBackslashAndEncodedSlashNameNothing) {
  for (const std::string_view path : {"/a\0b"sv, "/a\\b"sv, "/..\\a"sv, "/a%2Fb"sv, "/a%2fb"sv, "/%2F"sv}) {
    EXPECT_EQ(below_root(path), "-") << path;
  }
}

TEST(StaticPath, IsEncodedAgainForALocation) {
  EXPECT_EQ(encode_path("/css/site.css"), "/css/site.css");
  EXPECT_EQ(encode_path("/a b/\xc3\xa4"), "/a%20b/%C3%A4");
  EXPECT_EQ(encode_path("/100%/?#[]\"<>\\^`{|}\r\n\x7f"), "/100%25/%3F%23%5B%5D%22%3C%3E%5C%5E%60%7B%7C%7D%0D%0A%7F");
  EXPECT_EQ(encode_path("/-._~!$&'()*+,;=:@"), "/-._~!$&'()*+,;=:@");
  EXPECT_EQ(encode_path("\0"sv), "%00");
}

}  // namespace
}  // namespace windhover::http
