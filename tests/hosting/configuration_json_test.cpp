#include "hosting/configuration_json.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hosting/error_text.hpp"
#include "hosting/temporary_folder.hpp"

namespace windhover::hosting {
namespace {

using words = std::vector<std::string>;

// Each entry as `key=value @line`.
words read(std::string_view text) {
  words texts;
  for (const configuration_entry& entry : entries_from_json(text, "a.json")) {
    const std::string line = entry.origin.substr(std::string_view("a.json, line ").size());
    texts.push_back(entry.key + "=" + entry.value.value_or("(null)") + " @" + line);
  }
  return texts;
}

std::string error_of(std::string_view text) {
  return error_text([&] { entries_from_json(text, "a.json"); });
}

TEST(json_source, objects_and_arrays_become_levels) {
  EXPECT_EQ(read(R"({"a":{"b":"x","c":[1,[2,3],{"d":4}]},"e":"y"})"),
            words({"a:b=x @1", "a:c:0=1 @1", "a:c:1:0=2 @1", "a:c:1:1=3 @1", "a:c:2:d=4 @1", "e=y @1"}));
}

TEST(json_source, values_keep_the_text_they_were_written_as) {
  EXPECT_EQ(
      read(R"({"a":1.50,"b":-7,"c":18446744073709551615,"d":true,"e":false,"f":null,"g":"","h":"\u00e9\n","i":1e3})"),
      words({"a=1.50 @1", "b=-7 @1", "c=18446744073709551615 @1", "d=true @1", "e=false @1", "f=(null) @1", "g= @1",
             "h=\u00e9\n @1", "i=1e3 @1"}));
}

TEST(json_source, a_colon_in_a_name_separates_levels) { EXPECT_EQ(read(R"({"a:b":{"c":1}})"), words({"a:b:c=1 @1"})); }

TEST(json_source, an_entry_knows_its_line) {
  EXPECT_EQ(read("{\n\"a\": 1,\n\"b\":\n  2\n,\"c\": [\n\"x\",\n  \"y\"\n],\n\n\"d\": true\n}\n"),
            words({"a=1 @2", "b=2 @4", "c:0=x @6", "c:1=y @7", "d=true @10"}));
  EXPECT_EQ(read("{\r\n\"a\": 1\r\n,\"b\": null\r\n}"), words({"a=1 @2", "b=(null) @3"}));
}

TEST(json_source, comments_and_a_byte_order_mark_are_passed_over) {
  EXPECT_EQ(read("\xEF\xBB\xBF// one\n{ /* two\n lines */ \"a\": 1 // rest\n}"), words({"a=1 @3"}));
}

TEST(json_source, empty_objects_and_arrays_set_nothing) { EXPECT_EQ(read(R"({"a":{},"b":[]})"), words()); }

TEST(json_source, a_malformed_text_is_an_error_with_line_and_column) {
  const std::string error = error_of("{\n  \"a\": tru\n}");
  EXPECT_TRUE(error.starts_with("a.json, line 2, column ")) << error;
  EXPECT_NE(error.find("invalid literal"), std::string::npos) << error;
  EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  EXPECT_TRUE(error_of("{\"a\" 1}").starts_with("a.json, line 1, column 6: ")) << error_of("{\"a\" 1}");
  EXPECT_TRUE(error_of("{\"a\": 1,\n \"b\": }").starts_with("a.json, line 2, column 7: "));
}

TEST(json_source, every_shape_of_malformed_text_is_an_error) {
  for (const char* text : {"", " ", "{", "{\"a\":1", "{\"a\":1,}", "{a:1}", "{\"a\":1}{}", "{\"a\":'x'}",
                           "{\"a\":\"\xff\"}", "{\"a\":\"x\ny\"}", "{\"a\":01}", "/* open"})
    EXPECT_TRUE(error_of(text).starts_with("a.json, line ")) << text;
}

TEST(json_source, the_outermost_value_must_be_an_object) {
  for (const char* text : {"[1]", "[]", "1", "\"x\"", "null"})
    EXPECT_EQ(error_of(text), "a.json, line 1: the outermost value must be an object") << text;
}

TEST(json_source, a_key_that_is_set_twice_is_an_error_whatever_its_case) {
  EXPECT_EQ(error_of("{\"a\":{\"b\":1},\n\"A\":{\"B\":2}}"), "a.json, line 2: the key A:B is set twice");
  EXPECT_EQ(read("{\"a\":{\"b\":1},\"A\":{\"c\":2}}"), words({"a:b=1 @1", "A:c=2 @1"}));
}

TEST(json_source, deep_nesting_needs_no_stack) {
  constexpr std::size_t depth = 2'000;
  const std::string text = "{\"a\":" + std::string(depth, '[') + "1" + std::string(depth, ']') + "}";
  EXPECT_EQ(entries_from_json(text, "a.json").at(0).key.size(), 1 + 2 * depth);
}

TEST(json_file_source, a_file_is_read_and_named) {
  const temporary_folder folder;
  const std::filesystem::path file = folder.write("settings.json", "{\n\"a\": 1}");
  const std::vector<configuration_entry> entries = entries_from_json_file(file);
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].origin, file.string() + ", line 2");
}

TEST(json_file_source, a_file_that_is_not_there_has_no_entries) {
  const temporary_folder folder;
  EXPECT_TRUE(entries_from_json_file(folder.path() / "missing.json").empty());
}

TEST(json_file_source, a_folder_in_the_place_of_the_file_is_an_error) {
  const temporary_folder folder;
  EXPECT_EQ(error_text([&] { entries_from_json_file(folder.path()); }),
            folder.path().string() + ": the file cannot be read");
}

TEST(json_file_source, an_empty_file_is_an_error) {
  const temporary_folder folder;
  const std::filesystem::path file = folder.write("empty.json", "");
  EXPECT_TRUE(error_text([&] { entries_from_json_file(file); }).starts_with(file.string() + ", line 1, column 1: "));
}

}  // namespace
}  // namespace windhover::hosting
