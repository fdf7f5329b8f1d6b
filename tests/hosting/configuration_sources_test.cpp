#include "hosting/configuration_sources.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hosting/error_text.hpp"
#include <windhover/configuration.hpp>

namespace windhover::hosting {
namespace {

using words = std::vector<std::string>;

// Each entry as `key=value <origin>`.
words shown(const std::vector<configuration_entry>& entries) {
  words texts;
  for (const configuration_entry& entry : entries)
    texts.push_back(entry.key + "=" + entry.value.value_or("(null)") + " <" + entry.origin + ">");
  return texts;
}

words from_environment(const words& variables) { return shown(entries_from_environment(variables)); }
words from_command_line(const words& arguments) { return shown(entries_from_command_line(arguments)); }

TEST(environment_source, double_underscores_separate_levels) {
  EXPECT_EQ(from_environment({"Database__Connection__Host=db"}),
            words({"Database:Connection:Host=db <environment variable Database__Connection__Host>"}));
}

TEST(environment_source, the_prefix_stands_for_the_section_of_windhover) {
  EXPECT_EQ(from_environment(
                {"WINDHOVER_Threads=4", "WINDHOVER_WebSockets__KeepAliveInterval=00:00:20", "windhover_engine=epoll"}),
            words({"Windhover:Threads=4 <environment variable WINDHOVER_Threads>",
                   "Windhover:WebSockets:KeepAliveInterval=00:00:20 <environment variable "
                   "WINDHOVER_WebSockets__KeepAliveInterval>",
                   "Windhover:engine=epoll <environment variable windhover_engine>"}));
}

TEST(environment_source, the_prefixed_spelling_wins_wherever_it_stands) {
  EXPECT_EQ(from_environment({"WINDHOVER_Threads=4", "Windhover__Threads=3", "WINDHOVER__Threads=2"}),
            words({"Windhover:Threads=3 <environment variable Windhover__Threads>",
                   "WINDHOVER:Threads=2 <environment variable WINDHOVER__Threads>",
                   "Windhover:Threads=4 <environment variable WINDHOVER_Threads>"}));
}

TEST(environment_source, values_may_contain_equals_signs_and_be_empty) {
  EXPECT_EQ(from_environment({"A=b=c", "B="}),
            words({"A=b=c <environment variable A>", "B= <environment variable B>"}));
}

TEST(environment_source, what_is_no_variable_is_skipped) {
  EXPECT_EQ(from_environment({"=C:=x", "without", "", "WINDHOVER=/opt/windhover", "WINDHOVER_=x"}),
            words({"WINDHOVER_=x <environment variable WINDHOVER_>"}));
}

TEST(environment_source, a_kubernetes_service_called_windhover_fills_no_keys_of_ours) {
  const words links = {"WINDHOVER_SERVICE_HOST=10.0.0.11",
                       "WINDHOVER_SERVICE_PORT=80",
                       "WINDHOVER_SERVICE_PORT_HTTP=80",
                       "WINDHOVER_PORT=tcp://10.0.0.11:80",
                       "WINDHOVER_PORT_80_TCP=tcp://10.0.0.11:80",
                       "WINDHOVER_PORT_80_TCP_PROTO=tcp",
                       "WINDHOVER_PORT_80_TCP_PORT=80",
                       "WINDHOVER_PORT_80_TCP_ADDR=10.0.0.11",
                       "WINDHOVER_ECHO_PORT_53_UDP_ADDR=10.0.0.12",
                       "WINDHOVER_ECHO_SERVICE_HOST=10.0.0.12"};
  for (const configuration_entry& entry : entries_from_environment(links))
    EXPECT_TRUE(entry.key.starts_with("WINDHOVER_")) << entry.key;
}

TEST(environment_source, a_variable_that_only_resembles_a_service_is_ours) {
  for (const char* variable :
       {"WINDHOVER_PORT=80", "WINDHOVER_PORT_80=x", "WINDHOVER_PORT_x_TCP=x", "WINDHOVER_Ports=1"})
    EXPECT_TRUE(entries_from_environment(words{variable}).at(0).key.starts_with("Windhover:")) << variable;
}

TEST(command_line_source, both_spellings_of_an_option_are_read) {
  EXPECT_EQ(from_command_line({"--A:B", "1", "--C=2", "--D=", "--E=f=g"}),
            words({"A:B=1 <command line --A:B>", "C=2 <command line --C>", "D= <command line --D>",
                   "E=f=g <command line --E>"}));
}

TEST(command_line_source, our_options_stand_for_their_keys_in_any_case) {
  EXPECT_EQ(
      from_command_line({"--urls", "http://*:80", "--engine=epoll", "--threads", "2", "--log-level", "debug",
                         "--environment", "Staging", "--ContentRoot", "site", "--webroot=www"}),
      words({"Windhover:Urls=http://*:80 <command line --urls>", "Windhover:Engine=epoll <command line --engine>",
             "Windhover:Threads=2 <command line --threads>", "Windhover:LogLevel=debug <command line --log-level>",
             "Windhover:Environment=Staging <command line --environment>",
             "Windhover:ContentRoot=site <command line --ContentRoot>",
             "Windhover:WebRoot=www <command line --webroot>"}));
}

TEST(command_line_source, an_option_of_the_application_without_a_value_is_true) {
  EXPECT_EQ(from_command_line({"--verbose", "--dry-run"}),
            words({"verbose=true <command line --verbose>", "dry-run=true <command line --dry-run>"}));
}

TEST(command_line_source, an_option_of_the_application_does_not_swallow_the_next_option) {
  EXPECT_EQ(from_command_line({"--verbose", "--threads", "2"}),
            words({"verbose=true <command line --verbose>", "Windhover:Threads=2 <command line --threads>"}));
}

TEST(command_line_source, a_negative_number_is_a_value) {
  EXPECT_EQ(from_command_line({"--offset", "-5"}), words({"offset=-5 <command line --offset>"}));
}

TEST(command_line_source, our_option_without_a_value_is_an_error) {
  EXPECT_EQ(error_text([] { entries_from_command_line(words{"--threads"}); }),
            "command line --threads: a value must follow");
  EXPECT_EQ(error_text([] {
              entries_from_command_line(words{"--urls", "--threads", "2"});
            }),
            "command line --urls: a value must follow");
}

TEST(command_line_source, other_words_are_left_to_the_application) {
  EXPECT_EQ(from_command_line({"file.txt", "-x", "/threads", "4", "--", "--threads", "2"}), words());
  EXPECT_EQ(from_command_line({"--=x"}), words());
}

TEST(process_environment, lists_the_variables_of_the_process) {
  const words variables = process_environment();
  EXPECT_TRUE(std::ranges::any_of(variables, [](const std::string& each) { return each.starts_with("PATH="); }));
}

}  // namespace
}  // namespace windhover::hosting
