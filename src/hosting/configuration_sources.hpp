// The sources of a configuration that are lists of words: environment variables and the command line. Each gives
// entries, in the order in which they were written; the later entry wins.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace windhover::hosting {

struct configuration_entry {
  std::string key;
  std::optional<std::string> value;  // nothing: takes back what an earlier source had set
  std::string origin;                // for a person to read
};

// Variables as `NAME=value`. `__` separates levels; the prefix WINDHOVER_ stands for the section Windhover. Variables
// with the prefix come last, so that they win against a spelling without it (Windhover__Threads).
std::vector<configuration_entry> entries_from_environment(std::span<const std::string> variables);

// Arguments without the program's name. Throws configuration_error when an option of ours lacks its value.
std::vector<configuration_entry> entries_from_command_line(std::span<const std::string> arguments);

}  // namespace windhover::hosting
