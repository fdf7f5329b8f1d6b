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

std::vector<std::string_view> levels_of(std::string_view key) {
  std::vector<std::string_view> levels;
  for (std::size_t begin = 0;;) {
    const std::size_t colon = key.find(':', begin);
    levels.push_back(key.substr(begin, colon - begin));
    if (colon == std::string_view::npos) return levels;
    begin = colon + 1;
  }
}

bool is_placeholder(std::string_view level) { return level.starts_with('{'); }
bool has_placeholders(const setting_row& row) {
  return row.kind != setting_kind::path_switches && row.name.find('{') != std::string_view::npos;
}

// What stands in the key at the row's placeholders; nothing when it is no key of the row. A list's key has one level
// more, its index.
std::optional<std::vector<std::string>> names_in(const setting_row& row, std::string_view key) {
  std::vector<std::string_view> levels = levels_of(key);
  if (row.kind == setting_kind::list) {
    if (!is_list_index(levels.back())) return std::nullopt;
    levels.pop_back();
  }
  const std::vector<std::string_view> pattern = levels_of(row.name);
  if (levels.size() != pattern.size()) return std::nullopt;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (is_placeholder(pattern[i])) {
      if (levels[i].empty()) return std::nullopt;
      names.emplace_back(levels[i]);
    } else if (!same_key(levels[i], pattern[i])) {
      return std::nullopt;
    }
  }
  return names;
}

// The row's name with the names of a key in the place of its placeholders, as far as the key goes.
std::string filled_in(const setting_row& row, std::string_view key) {
  const std::vector<std::string_view> levels = levels_of(key);
  std::string name;
  std::size_t i = 0;
  for (const std::string_view level : levels_of(row.name)) {
    const bool known = has_placeholders(row) && is_placeholder(level) && i < levels.size();
    name = join_keys(name, known ? levels[i] : level);
    ++i;
  }
  return name;
}

// The row's name as it was probably meant. What a key has in another section is no name of an endpoint.
std::string suggestion(const setting_row& row, std::string_view key) {
  const std::string_view section = key.substr(0, key.find(':'));
  const bool same_section = edit_distance(section, row.name.substr(0, row.name.find(':'))) <= 2;
  return same_section ? filled_in(row, key) : std::string(row.name);
}

// The known key that was probably meant: misspelt, or right but in the wrong section.
std::optional<std::string> nearest_key(std::string_view name) {
  if (name.size() > longest_compared_key) return std::nullopt;
  std::optional<std::string> nearest;
  // Of those that are as far away, the one that looks most like it.
  std::pair<std::size_t, std::size_t> smallest(std::max<std::size_t>(2, name.size() / 4) + 1, 0);
  for (const setting_row& row : setting_table()) {
    std::string candidate = suggestion(row, name);
    const std::size_t whole = edit_distance(name, candidate);
    const bool misplaced = same_key(last_level(name), last_level(row.name));
    const std::pair distance(misplaced ? std::min<std::size_t>(whole, 2) : whole, whole);
    if (distance < smallest) {
      smallest = distance;
      nearest = std::move(candidate);
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
  if (const std::optional<std::string> nearest = nearest_key(name)) {
    text += "; did you mean " + printable(full_name(*nearest));
    if (origin.starts_with(environment_origin)) text += " (as a variable " + printable(as_variable(*nearest)) + ")";
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
  if (has_placeholders(row)) return names_in(row, name).has_value();
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
    const std::string known = filled_in(row, name);
    if (same_key(name, known)) throw unsuitable_value(origin, full_name(known), value, expected_value(row));
    if (is_below(name, known))
      throw configuration_error(printable(origin) + ": " + printable(full_name(known)) + " has a key " +
                                printable(relative_key(name, known)) + "; expected " + expected_value(row));
  }
  for (const setting_row& row : setting_table())
    if (const std::string known = filled_in(row, name); is_below(known, name))
      throw unsuitable_value(origin, full_name(name), value,
                             "an object with keys such as " + printable(full_name(known)));
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
    case setting_kind::number_or_auto:
      value.flag = base::equals_ignoring_case(base::trim(text), "auto");
      if (value.flag) return value;
      [[fallthrough]];
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
    case setting_kind::duration:
    case setting_kind::fine_duration: {
      const std::optional<std::chrono::nanoseconds> duration = parse_duration(text);
      if (!duration || *duration < std::chrono::nanoseconds::zero()) return std::nullopt;
      value.duration = std::chrono::duration_cast<std::chrono::milliseconds>(*duration);
      value.fine_duration = std::chrono::duration_cast<std::chrono::microseconds>(*duration);
      const auto count = static_cast<std::uint64_t>(*duration / unit_of(row));
      const bool whole = *duration % unit_of(row) == std::chrono::nanoseconds::zero();
      const bool inside = count >= row.minimum && count <= row.maximum;
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

void read_key(settings& result, const configuration& ours, const setting_row& row, std::string_view name,
              std::vector<std::string> names = {}) {
  setting_value value;
  if (row.kind == setting_kind::path_switches) {
    value.path_switches = path_switches(ours, row);
  } else if (row.kind == setting_kind::list) {
    value.list = ours.get<std::vector<std::string>>(name).value_or(std::vector<std::string>());
  } else {
    value = value_of(ours, row, name);
  }
  value.names = std::move(names);
  try {
    row.assign(result, std::move(value));
  } catch (const configuration_error& error) {
    // A text that has rules of its own, as the URLs have; their error does not know where the text stood.
    std::string origin = ours.origin(name);
    if (row.kind == setting_kind::list) origin = ours.origin(join_keys(name, "0"));
    throw configuration_error(printable(origin) + ": " + printable(full_name(name)) + ": " + error.what());
  }
}

void read_row(settings& result, const configuration& ours, const setting_row& row) {
  if (!has_placeholders(row) && !row.only_when_said) return read_key(result, ours, row, row.name);
  std::string last;
  for (const std::string& key : ours.keys()) {
    std::optional<std::vector<std::string>> names = names_in(row, key);
    if (!names) continue;
    // The elements of a list are neighbours.
    std::string name = filled_in(row, key);
    if (!same_key(name, std::exchange(last, name))) read_key(result, ours, row, name, std::move(*names));
  }
}

}  // namespace

settings read_settings(const configuration& whole) {
  const configuration ours = whole.section(section_name);
  refuse_unknown_keys(whole, ours);
  settings result;
  for (const setting_row& row : setting_table()) read_row(result, ours, row);
  result.web_root = result.content_root / result.web_root;
  result.has_own_urls = ours.find("Urls").has_value();
  for (const endpoint_settings& each : result.endpoints) check_endpoint(each);
  check_certificate(result.default_certificate, "Windhover:Certificates:Default");
  return result;
}

}  // namespace windhover::hosting
