#include "hosting/settings.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "hosting/configuration_keys.hpp"
#include "hosting/configuration_values.hpp"
#include "hosting/printable_text.hpp"
#include "hosting/settings_table.hpp"

namespace windhover::hosting {
namespace {

constexpr std::string_view section_name = "Windhover";
constexpr std::string_view environment_origin = "environment variable ";

bool same_key(std::string_view left, std::string_view right) { return base::equals_ignoring_case(left, right); }

std::string full_name(std::string_view name) { return join_keys(section_name, name); }

// The changes of one letter that lead from one text to the other (Levenshtein's distance), whatever their case.
std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> distances(right.size() + 1);
  std::iota(distances.begin(), distances.end(), std::size_t{0});
  for (std::size_t i = 0; i < left.size(); ++i) {
    std::size_t diagonal = std::exchange(distances[0], i + 1);
    for (std::size_t j = 0; j < right.size(); ++j) {
      const std::size_t change = same_key(left.substr(i, 1), right.substr(j, 1)) ? 0 : 1;
      const std::size_t best = std::min({diagonal + change, distances[j] + 1, distances[j + 1] + 1});
      diagonal = std::exchange(distances[j + 1], best);
    }
  }
  return distances.back();
}

// Text of any length comes in from outside; a key of ours has no more than this many characters.
constexpr std::size_t longest_compared_key = 100;

std::string_view last_level(std::string_view key) { return key.substr(key.rfind(':') + 1); }

// The known key that was probably meant: misspelt, or right but in the wrong section.
std::optional<std::string_view> nearest_key(std::string_view name) {
  if (name.size() > longest_compared_key) return std::nullopt;
  std::optional<std::string_view> nearest;
  std::size_t smallest = std::max<std::size_t>(2, name.size() / 4) + 1;
  for (const setting_row& row : setting_table()) {
    const std::size_t whole = edit_distance(name, row.name);
    const bool misplaced = same_key(last_level(name), last_level(row.name));
    const std::size_t distance = misplaced ? std::min<std::size_t>(whole, 2) : whole;
    if (distance < smallest) {
      smallest = distance;
      nearest = row.name;
    }
  }
  return nearest;
}

std::string as_variable(std::string_view name) {
  std::string variable = "WINDHOVER_";
  for (const char letter : name) {
    if (letter == ':') {
      variable += "__";
    } else {
      variable += letter;
    }
  }
  return variable;
}

[[noreturn]] void refuse_unknown(const std::string& origin, std::string_view name) {
  std::string text = printable(origin) + ": " + printable(full_name(name)) + " is no key of Windhover";
  if (const std::optional<std::string_view> nearest = nearest_key(name)) {
    text += "; did you mean " + full_name(*nearest);
    if (origin.starts_with(environment_origin)) text += " (as a variable " + as_variable(*nearest) + ")";
    text += "?";
  }
  throw configuration_error(text);
}

// The path of {section}:{path}:Enabled. A path may contain colons.
std::optional<std::string_view> path_of_switch(std::string_view name) {
  if (!is_below(name, path_switches_section)) return std::nullopt;
  std::string_view path = relative_key(name, path_switches_section);
  const std::size_t suffix = path_switch_suffix.size();
  if (path.size() <= suffix || !same_key(path.substr(path.size() - suffix), path_switch_suffix)) return std::nullopt;
  path.remove_suffix(suffix);
  return path.starts_with('/') ? std::optional(path) : std::nullopt;
}

bool is_known(const setting_row& row, std::string_view name) {
  switch (row.kind) {
    case setting_kind::list:
      return is_below(name, row.name) && is_list_index(relative_key(name, row.name));
    case setting_kind::path_switches:
      return path_of_switch(name).has_value();
    default:
      return same_key(name, row.name);
  }
}

// Says what is wrong with a key that no row knows.
[[noreturn]] void refuse(const configuration& ours, std::string_view name) {
  const std::string origin = ours.origin(name);
  const std::string value = ours[name];
  if (same_key(name, path_switches_section) || is_below(name, path_switches_section))
    throw configuration_error(printable(origin) + ": " + printable(full_name(name)) + " is no key of Windhover; " +
                              "expected " + full_name(path_switches_section) +
                              ":{path}:Enabled with a path that starts with '/'");
  for (const setting_row& row : setting_table()) {
    if (same_key(name, row.name)) throw unsuitable_value(origin, full_name(row.name), value, expected_value(row));
    if (is_below(name, row.name))
      throw configuration_error(printable(origin) + ": " + full_name(row.name) + " has a key " +
                                printable(relative_key(name, row.name)) + "; expected " + expected_value(row));
  }
  for (const setting_row& row : setting_table())
    if (is_below(row.name, name))
      throw unsuitable_value(origin, full_name(name), value, "an object with keys such as " + full_name(row.name));
  refuse_unknown(origin, name);
}

void refuse_unknown_keys(const configuration& whole, const configuration& ours) {
  if (const std::optional<std::string> value = whole.find(section_name))
    throw unsuitable_value(whole.origin(section_name), section_name, *value, "an object");
  for (const std::string& name : ours.keys())
    if (std::ranges::none_of(setting_table(), [&](const setting_row& row) { return is_known(row, name); }))
      refuse(ours, name);
}

std::optional<setting_value> parse_value(const setting_row& row, std::string_view text) {
  setting_value value;
  switch (row.kind) {
    case setting_kind::text:
      value.text = std::string(text);
      return value;
    case setting_kind::choice: {
      const std::vector<std::string_view> choices = choices_of(row);
      const auto found = std::ranges::find_if(
          choices, [&](std::string_view word) { return base::equals_ignoring_case(word, base::trim(text)); });
      value.choice = static_cast<std::size_t>(found - choices.begin());
      return found == choices.end() ? std::nullopt : std::optional(std::move(value));
    }
    case setting_kind::whole_number: {
      const std::optional<std::uint64_t> number = parse_unsigned(text);
      value.number = number.value_or(0);
      return number && *number >= row.minimum && *number <= row.maximum ? std::optional(std::move(value))
                                                                        : std::nullopt;
    }
    case setting_kind::boolean:
    case setting_kind::path_switches: {
      const std::optional<bool> flag = parse_boolean(text);
      value.flag = flag.value_or(false);
      return flag ? std::optional(std::move(value)) : std::nullopt;
    }
    case setting_kind::duration: {
      const std::optional<std::chrono::nanoseconds> duration = parse_duration(text);
      if (!duration) return std::nullopt;
      value.duration = std::chrono::duration_cast<std::chrono::milliseconds>(*duration);
      const bool whole = *duration % std::chrono::milliseconds(1) == std::chrono::nanoseconds::zero();
      const bool inside = value.duration >= std::chrono::milliseconds(row.minimum) &&
                          value.duration <= std::chrono::milliseconds(row.maximum);
      return whole && inside ? std::optional(std::move(value)) : std::nullopt;
    }
    case setting_kind::list:
      break;
  }
  return value;
}

setting_value value_of(const configuration& ours, const setting_row& row, std::string_view name) {
  const std::string text = ours.find(name).value_or(std::string(row.default_text));
  if (std::optional<setting_value> value = parse_value(row, text)) return std::move(*value);
  throw unsuitable_value(ours.origin(name), full_name(name), text, expected_value(row));
}

std::vector<websocket_path_switch> path_switches(const configuration& ours, const setting_row& row) {
  std::vector<websocket_path_switch> switches;
  for (const std::string& name : ours.keys())
    if (const std::optional<std::string_view> path = path_of_switch(name))
      switches.push_back({std::string(*path), value_of(ours, row, name).flag});
  return switches;
}

void read_row(settings& result, const configuration& ours, const setting_row& row) {
  setting_value value;
  if (row.kind == setting_kind::path_switches) {
    value.path_switches = path_switches(ours, row);
  } else if (row.kind == setting_kind::list) {
    value.list = ours.get<std::vector<std::string>>(row.name).value_or(std::vector<std::string>());
  } else {
    value = value_of(ours, row, row.name);
  }
  try {
    row.assign(result, std::move(value));
  } catch (const configuration_error& error) {
    // A text that has rules of its own, as the URLs have; their error does not know where the text stood.
    const std::string origin = ours.origin(row.name);
    throw configuration_error(printable(origin) + ": " + full_name(row.name) + ": " + error.what());
  }
}

}  // namespace

settings read_settings(const configuration& whole) {
  const configuration ours = whole.section(section_name);
  refuse_unknown_keys(whole, ours);
  settings result;
  for (const setting_row& row : setting_table()) read_row(result, ours, row);
  result.web_root = result.content_root / result.web_root;
  return result;
}

}  // namespace windhover::hosting
