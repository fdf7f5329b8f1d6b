// The table of Windhover's keys: the one place where a key's name, kind, range, default and meaning stand.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hosting/settings.hpp"

namespace windhover::hosting {

enum class setting_kind {
  text,
  choice,          // one of `choices`, any case
  whole_number,    // minimum to maximum
  number_or_auto,  // the same, or the word auto, which is `flag`
  boolean,         // true or false
  duration,        // minimum to maximum, in milliseconds
  fine_duration,   // the same in microseconds
  list,            // of texts
  path_switches,   // the name is {section}:{path}:Enabled, each value true or false
};

// A value after it has been read: the member that belongs to the kind is filled.
struct setting_value {
  std::string text;
  std::size_t choice = 0;  // the place among the choices
  std::uint64_t number = 0;
  bool flag = false;
  std::chrono::milliseconds duration{};
  std::chrono::microseconds fine_duration{};
  std::vector<std::string> list;
  std::vector<websocket_path_switch> path_switches;
  std::vector<std::string> names;  // what stands in a key at the row's {name}, {host}
};

struct setting_row {
  // Below `Windhover`. A level in braces, as in Endpoints:{name}:Url, is any name; such a row has a value for each name
  // that the configuration has, and no default of its own.
  std::string_view name;
  setting_kind kind;
  std::string_view default_text;
  std::uint64_t minimum = 0;
  std::uint64_t maximum = 0;
  std::string_view choices;  // separated by '|'
  std::string_view meaning;
  void (*assign)(settings&, setting_value&&);
  // Like a row with a level in braces: without the key nothing is assigned, and what the code says holds.
  bool only_when_said = false;
};

std::span<const setting_row> setting_table();

// The section of the path switches, and what stands behind a path in it.
inline constexpr std::string_view path_switches_section = "WebSockets:Paths";
inline constexpr std::string_view path_switch_suffix = ":Enabled";

// What a row's value must be, as it continues "expected ...".
std::string expected_value(const setting_row& row);

// What a row's minimum and maximum count, when it is a duration.
std::chrono::nanoseconds unit_of(const setting_row& row) noexcept;

// The words between the bars.
std::vector<std::string_view> choices_of(const setting_row& row);

}  // namespace windhover::hosting
