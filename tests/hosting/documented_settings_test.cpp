// The guide's table of keys is the one that the settings are read by.
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "hosting/settings.hpp"

namespace windhover::hosting {
namespace {

// The Markdown table that begins with `head`, up to the first line that is no row. Empty when there is none.
std::string table_of(const std::string& document, const std::string& head) {
  const std::size_t begin = document.find(head);
  if (begin == std::string::npos) return {};
  std::size_t end = begin;
  while (end < document.size() && document[end] == '|') {
    const std::size_t line_break = document.find('\n', end);
    end = line_break == std::string::npos ? document.size() : line_break + 1;
  }
  return document.substr(begin, end - begin);
}

TEST(documented_settings, the_guide_has_the_table_of_all_keys) {
  std::ifstream file(WINDHOVER_GUIDE "/configuration.md", std::ios::binary);
  ASSERT_TRUE(file) << "there is no " << WINDHOVER_GUIDE "/configuration.md";
  const std::string document{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::string table = markdown_table_of_keys();
  EXPECT_EQ(table_of(document, table.substr(0, table.find('\n') + 1)), table)
      << "Replace the table in docs/guide/configuration.md with this one:\n\n"
      << table;
}

}  // namespace
}  // namespace windhover::hosting
