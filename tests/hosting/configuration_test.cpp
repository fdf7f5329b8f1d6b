#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hosting/error_text.hpp"
#include "hosting/temporary_folder.hpp"
#include <windhover/configuration.hpp>

namespace windhover {
namespace {

using namespace std::chrono_literals;
using hosting::error_text;
using hosting::temporary_folder;
using words = std::vector<std::string>;

configuration with(std::initializer_list<std::pair<std::string, std::string>> values) {
  configuration_sources sources;
  sources.defaults = values;
  return configuration::load(sources);
}

// Every source sets some of the keys; the name of the key says which source is to win.
TEST(configuration, later_sources_win) {
  const temporary_folder folder;
  folder.write("appsettings.json", R"({"file": 2, "special": 2, "variable": 2, "option": 2})");
  folder.write("appsettings.Production.json", R"({"Special": 3, "VARIABLE": 3, "option": 3})");
  folder.write("appsettings.Staging.json", R"({"file": 99})");
  configuration_sources sources;
  sources.defaults = {{"default", "1"}, {"file", "1"}, {"special", "1"}, {"variable", "1"}, {"option", "1"}};
  sources.environment = {"variable=4", "OPTION=4"};
  sources.arguments = {"--option", "5"};
  sources.content_root = folder.path();
  const configuration configuration = configuration::load(sources);
  EXPECT_EQ(configuration["default"], "1");
  EXPECT_EQ(configuration["file"], "2");
  EXPECT_EQ(configuration["special"], "3");
  EXPECT_EQ(configuration["variable"], "4");
  EXPECT_EQ(configuration["option"], "5");
  EXPECT_EQ(configuration.origin("default"), "default");
  EXPECT_EQ(configuration.origin("file"), (folder.path() / "appsettings.json").string() + ", line 1");
  EXPECT_EQ(configuration.origin("special"), (folder.path() / "appsettings.Production.json").string() + ", line 1");
  EXPECT_EQ(configuration.origin("variable"), "environment variable variable");
  EXPECT_EQ(configuration.origin("option"), "command line --option");
  EXPECT_EQ(configuration.origin("missing"), "");
}

TEST(configuration, the_environment_variable_chooses_the_second_file) {
  const temporary_folder folder;
  folder.write("appsettings.Staging.json", R"({"a": "staging"})");
  folder.write("appsettings.Production.json", R"({"a": "production"})");
  configuration_sources sources;
  sources.content_root = folder.path();
  EXPECT_EQ(configuration::load(sources)["a"], "production");
  EXPECT_EQ(configuration::load(sources)["Windhover:Environment"], "Production");
  sources.environment = {"WINDHOVER_ENVIRONMENT=Staging"};
  EXPECT_EQ(configuration::load(sources)["a"], "staging");
  EXPECT_EQ(configuration::load(sources)["Windhover:Environment"], "Staging");
}

TEST(configuration, the_environment_on_the_command_line_wins_against_the_variable) {
  const temporary_folder folder;
  folder.write("appsettings.Staging.json", R"({"a": "staging"})");
  configuration_sources sources;
  sources.content_root = folder.path();
  sources.environment = {"WINDHOVER_ENVIRONMENT=Development"};
  sources.arguments = {"--environment", "Staging"};
  EXPECT_EQ(configuration::load(sources)["a"], "staging");
}

TEST(configuration, variables_of_dot_net_do_not_choose_the_environment) {
  configuration_sources sources;
  sources.environment = {"ASPNETCORE_ENVIRONMENT=Staging", "DOTNET_ENVIRONMENT=Staging"};
  EXPECT_EQ(configuration::load(sources)["Windhover:Environment"], "Production");
}

TEST(configuration, an_environment_that_would_leave_the_folder_is_refused) {
  configuration_sources sources;
  sources.environment = {"WINDHOVER_ENVIRONMENT=../secrets"};
  EXPECT_EQ(error_text([&] { configuration::load(sources); }),
            "environment variable WINDHOVER_ENVIRONMENT: Windhover:Environment is \"../secrets\"; "
            "expected a name without '/'");
  sources.environment = {"WINDHOVER_ENVIRONMENT="};
  EXPECT_EQ(error_text([&] { configuration::load(sources); }),
            "environment variable WINDHOVER_ENVIRONMENT: Windhover:Environment is empty; expected a name without '/'");
}

TEST(configuration, the_content_root_is_where_the_files_are) {
  const temporary_folder code;
  std::filesystem::create_directory(code.path() / "site");
  code.write("appsettings.json", R"({"a": "code"})");
  code.write("site/appsettings.json", R"({"a": "site"})");
  configuration_sources sources;
  sources.content_root = code.path();
  EXPECT_EQ(configuration::load(sources)["a"], "code");
  EXPECT_EQ(configuration::load(sources)["Windhover:ContentRoot"], code.path().string());
  sources.arguments = {"--contentRoot", (code.path() / "site").string()};
  EXPECT_EQ(configuration::load(sources)["a"], "site");
}

TEST(configuration, a_content_root_that_is_no_folder_is_refused) {
  configuration_sources sources;
  sources.arguments = {"--contentRoot=no/such/folder"};
  EXPECT_EQ(error_text([&] { configuration::load(sources); }),
            "command line --contentRoot: Windhover:ContentRoot is \"no/such/folder\"; expected a folder that is there");
}

TEST(configuration, files_are_left_alone_when_they_are_not_wanted) {
  const temporary_folder folder;
  folder.write("appsettings.json", "malformed");
  configuration_sources sources;
  sources.content_root = folder.path();
  sources.environment = {"a=1"};
  sources.read_files = false;
  EXPECT_EQ(configuration::load(sources)["a"], "1");
  sources.read_files = true;
  EXPECT_THROW(configuration::load(sources), configuration_error);
}

TEST(configuration, a_file_cannot_say_which_files_are_read) {
  const temporary_folder folder;
  configuration_sources sources;
  sources.content_root = folder.path();
  for (const std::string key : {"Environment", "contentroot"}) {
    const std::filesystem::path file = folder.write("appsettings.json", "{\"Windhover\": {\n\"" + key + "\": \"x\"}}");
    const std::string error = error_text([&] { configuration::load(sources); });
    EXPECT_TRUE(error.starts_with(file.string() + ", line 2: Windhover:")) << error;
    EXPECT_NE(error.find("decides which files are read"), std::string::npos) << error;
  }
}

TEST(configuration, a_malformed_file_names_file_line_and_column) {
  const temporary_folder folder;
  const std::filesystem::path file = folder.write("appsettings.json", "{\n \"a\": x}");
  configuration_sources sources;
  sources.content_root = folder.path();
  const std::string error = error_text([&] { configuration::load(sources); });
  EXPECT_TRUE(error.starts_with(file.string() + ", line 2, column 7: ")) << error;
}

TEST(configuration, null_takes_back_an_earlier_value) {
  const temporary_folder folder;
  folder.write("appsettings.json", R"({"a": null, "b": {"c": null}, "d": null})");
  configuration_sources sources;
  sources.defaults = {{"a", "1"}, {"b:c", "2"}, {"b:e", "3"}};
  sources.content_root = folder.path();
  const configuration configuration = configuration::load(sources);
  EXPECT_EQ(configuration.find("a"), std::nullopt);
  EXPECT_EQ(configuration.find("b:c"), std::nullopt);
  EXPECT_EQ(configuration["b:e"], "3");
}

TEST(configuration, lists_of_two_sources_merge_by_index) {
  const temporary_folder folder;
  folder.write("appsettings.json", R"({"list": ["a", "b"]})");
  folder.write("appsettings.Production.json", R"({"list": ["z"]})");
  configuration_sources sources;
  sources.content_root = folder.path();
  EXPECT_EQ(configuration::load(sources).get<words>("list"), words({"z", "b"}));
}

TEST(configuration, an_empty_configuration_has_no_keys) {
  const configuration configuration;
  EXPECT_EQ(configuration.find("a"), std::nullopt);
  EXPECT_EQ(configuration["a"], "");
  EXPECT_TRUE(configuration.keys().empty());
  EXPECT_TRUE(configuration.children().empty());
  EXPECT_EQ(configuration.get<int>("a"), std::nullopt);
  EXPECT_EQ(configuration.get<int>("a", 7), 7);
}

TEST(configuration, typed_values_are_read) {
  const configuration configuration = with({{"bool", "True"},
                                            {"int", "-5"},
                                            {"byte", "255"},
                                            {"double", "0.25"},
                                            {"text", " as it is "},
                                            {"time", "1.02:03:04.5"},
                                            {"list:0", "x"},
                                            {"list:1", "y"}});
  EXPECT_EQ(configuration.get<bool>("BOOL"), true);
  EXPECT_EQ(configuration.get<int>("int"), -5);
  EXPECT_EQ(configuration.get<std::int8_t>("int"), -5);
  EXPECT_EQ(configuration.get<std::uint8_t>("byte"), 255);
  EXPECT_EQ(configuration.get<double>("double"), 0.25);
  EXPECT_EQ(configuration.get<std::string>("text"), " as it is ");
  EXPECT_EQ(configuration.get<std::chrono::milliseconds>("time"), 26h + 3min + 4s + 500ms);
  EXPECT_EQ(configuration.get<std::chrono::duration<double>>("time"), std::chrono::duration<double>(93784.5));
  EXPECT_EQ(configuration.get<words>("list"), words({"x", "y"}));
  EXPECT_EQ(configuration.get<words>("missing"), std::nullopt);
  EXPECT_EQ(configuration.get<std::string>("missing", "otherwise"), "otherwise");
}

TEST(configuration, values_of_another_type_are_errors_with_their_place) {
  const configuration configuration = with({{"word", "x"}, {"big", "256"}, {"negative", "-1"}, {"half", "00:00:00.5"}});
  EXPECT_EQ(error_text([&] { (void)configuration.get<bool>("word"); }),
            "default: word is \"x\"; expected true or false");
  EXPECT_EQ(error_text([&] { (void)configuration.get<std::uint8_t>("big"); }),
            "default: big is \"256\"; expected a whole number from 0 to 255");
  EXPECT_EQ(error_text([&] { (void)configuration.get<std::int8_t>("big"); }),
            "default: big is \"256\"; expected a whole number from -128 to 127");
  EXPECT_EQ(error_text([&] { (void)configuration.get<std::uint16_t>("negative"); }),
            "default: negative is \"-1\"; expected a whole number from 0 to 65535");
  EXPECT_EQ(error_text([&] { (void)configuration.get<double>("word"); }),
            "default: word is \"x\"; expected a number, such as 0.5");
  EXPECT_EQ(error_text([&] { (void)configuration.get<std::chrono::seconds>("negative"); }),
            "default: negative is \"-1\"; expected a duration, such as 00:02:00 for two minutes");
  EXPECT_EQ(error_text([&] { (void)configuration.get<std::chrono::seconds>("half"); }),
            "default: half is \"00:00:00.5\"; expected a duration that is a multiple of 00:00:01");
  EXPECT_EQ(configuration.get<std::chrono::milliseconds>("half"), 500ms);
}

TEST(configuration, text_in_the_place_of_a_list_is_an_error_and_not_an_empty_list) {
  const configuration configuration = with({{"origins", "https://example.com"}});
  EXPECT_EQ(error_text([&] { (void)configuration.get<words>("origins"); }),
            "default: origins is \"https://example.com\"; "
            "expected a list (in a file [...], elsewhere the keys 0, 1, 2 ...)");
}

TEST(configuration, a_section_is_a_configuration_of_its_own) {
  const configuration configuration = with({{"a:b:c", "1"}, {"a:b", "2"}, {"ab:c", "3"}});
  const auto section = configuration.section("A").section("b");
  EXPECT_EQ(section["C"], "1");
  EXPECT_EQ(section.find(""), "2");
  EXPECT_EQ(section.path(), "A:b");
  EXPECT_EQ(section.name(), "b");
  EXPECT_EQ(section.origin("c"), "default");
  EXPECT_EQ(configuration.section("a").keys(), words({"b", "b:c"}));
  EXPECT_EQ(configuration.section("none").find("c"), std::nullopt);
}

TEST(configuration, children_come_once_each_with_numbers_in_order_first) {
  const configuration configuration = with(
      {{"s:name", "n"}, {"s:10", "k"}, {"s:9", "i"}, {"s:0:x", "a"}, {"S:0:y", "b"}, {"s:NAME:x", "m"}, {"t", "-"}});
  words names;
  for (const auto& child : configuration.section("s").children()) names.emplace_back(child.name());
  EXPECT_EQ(names, words({"0", "9", "10", "name"}));
}

TEST(configuration, what_is_set_in_code_is_seen_by_copies_and_sections) {
  configuration configuration = with({{"a:b", "1"}});
  const auto copy = configuration;
  auto section = configuration.section("a");
  section.set("B", "2");
  configuration.set("c", "3");
  EXPECT_EQ(copy["a:b"], "2");
  EXPECT_EQ(copy.origin("a:b"), "code");
  EXPECT_EQ(copy["c"], "3");
  EXPECT_THROW(configuration.set("", "x"), std::invalid_argument);
}

TEST(configuration, separate_configurations_share_nothing) {
  configuration one = with({{"a", "1"}});
  const configuration other = with({{"a", "1"}});
  one.set("a", "2");
  EXPECT_EQ(other["a"], "1");
}

}  // namespace
}  // namespace windhover
