// Files of the program.
#include "http/embedded_files.hpp"

#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/transports.hpp"

namespace windhover::http {
namespace {

const std::vector<embedded_file> pages = {{"/index.html", "", "<p>hello"},
                                          {"/sub/a.txt", "text/x-mine", "text"},
                                          {"/sub/deeper/b.txt", "", "text"},
                                          {"/zero.txt", "", ""}};

TEST(EmbeddedFiles, AreFoundByTheirPaths) {
  const embedded_files files(pages);
  const auto page = files.open("index.html");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->size(), 8U);
  EXPECT_EQ(page->content_type(), "");
  EXPECT_EQ(files.open("sub/a.txt")->content_type(), "text/x-mine");
  EXPECT_EQ(files.open("zero.txt")->size(), 0U);
  EXPECT_FALSE(files.blocks());
  for (const std::string path : {"", "index", "index.html/", "/index.html", "sub", "a.txt", "sub/b.txt", "zzz"}) {
    EXPECT_FALSE(files.open(path)) << path;
  }
}

TEST(EmbeddedFiles, KnowTheFoldersInTheirPaths) {
  const embedded_files files(pages);
  for (const std::string path : {"", "sub", "sub/deeper"}) EXPECT_TRUE(files.has_folder(path)) << path;
  for (const std::string path : {"su", "sub/", "deeper", "index.html"}) EXPECT_FALSE(files.has_folder(path)) << path;
}

TEST(EmbeddedFiles, TheTagFollowsTheContentAlone) {
  const embedded_files files(pages);
  const std::string text = files.open("sub/a.txt")->state().entity_tag;
  EXPECT_EQ(text, "\"Ny6gjKsz5xwCxlHbyDpHTTLGduo=\"");
  EXPECT_EQ(files.open("sub/deeper/b.txt")->state().entity_tag, text);
  EXPECT_NE(files.open("index.html")->state().entity_tag, text);
  EXPECT_EQ(files.open("index.html")->state().last_modified, std::nullopt);
}

TEST(EmbeddedFiles, AreReadFromAnywhere) {
  const embedded_files files(pages);
  const auto page = files.open("index.html");
  std::array<std::byte, 4> into;
  EXPECT_EQ(page->read(3, into), 4U);
  EXPECT_EQ(test::text_of(into), "hell");
  EXPECT_EQ(page->read(7, into), 1U);
  EXPECT_EQ(page->read(8, into), 0U);
  EXPECT_EQ(page->read(1000, into), 0U);
}

TEST(EmbeddedFiles, MustHavePathsThatCanBeAskedFor) {
  for (const std::string_view path : {"index.html", "/", "", "/sub/", "/.hidden", "//a", "/a/../b"}) {
    const std::vector<embedded_file> wrong = {{path, "", ""}};
    EXPECT_THROW(embedded_files{wrong}, std::invalid_argument) << path;
  }
}

}  // namespace
}  // namespace windhover::http
