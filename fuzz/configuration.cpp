// Configuration: JSON texts, environment variables, arguments and the values in them. What is understood is understood
// completely, what is not is refused in one line that can be shown. Input: an option (which of them), the text.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "hosting/configuration_json.hpp"
#include "hosting/configuration_keys.hpp"
#include "hosting/configuration_sources.hpp"
#include "hosting/configuration_values.hpp"
#include "hosting/printable_text.hpp"
#include "hosting/settings.hpp"
#include "input.hpp"
#include <windhover/configuration.hpp>

namespace windhover::fuzz {

namespace {

using hosting::configuration_entry;
using hosting::configuration_key_less;

std::vector<std::string> take_lines(input in) {
  std::vector<std::string> lines;
  while (!in.empty()) lines.emplace_back(in.line());
  return lines;
}

// The order must be one, or the containers that use it break.
void judge_order(const std::vector<configuration_entry>& entries) {
  const configuration_key_less less;
  const std::size_t count = std::min<std::size_t>(entries.size(), 12);
  const auto key = [&entries](std::size_t each) -> const std::string& { return entries[each].key; };
  for (std::size_t a = 0; a < count; ++a) {
    require(!less(key(a), key(a)), "no key comes before itself");
    for (std::size_t b = 0; b < count; ++b) {
      require(!(less(key(a), key(b)) && less(key(b), key(a))), "two keys have one order");
      for (std::size_t c = 0; c < count; ++c) {
        require(!(less(key(a), key(b)) && less(key(b), key(c))) || less(key(a), key(c)), "the order carries over");
        const auto equal = [&](std::size_t x, std::size_t y) { return !less(key(x), key(y)) && !less(key(y), key(x)); };
        require(!(equal(a, b) && equal(b, c)) || equal(a, c), "and so does being the same");
      }
    }
  }
}

void judge_json(const std::vector<configuration_entry>& entries, std::string_view text) {
  const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
  constexpr std::string_view origin = "a.json, line ";
  for (const configuration_entry& each : entries) {
    require(each.origin.starts_with(origin), "a value knows where it stands");
    const auto line = hosting::parse_signed(std::string_view(each.origin).substr(origin.size()));
    require(line && *line >= 1 && *line <= lines, "in a line of the file");
  }
}

// As an application reads them; later entries take the place of earlier ones.
void read_as_settings(const std::vector<configuration_entry>& entries) {
  configuration whole;
  for (const configuration_entry& each : entries)
    if (each.value && !each.key.empty()) whole.set(each.key, *each.value);
  const hosting::settings read = hosting::read_settings(whole);
  require(!read.urls.empty() && read.threads <= 1024, "settings are within their ranges");
}

void try_values(std::string_view text) {
  static_cast<void>(hosting::parse_boolean(text));
  const auto number = hosting::parse_signed(text);
  if (number && *number > 0)
    require(hosting::parse_unsigned(text) == static_cast<std::uint64_t>(*number), "a number is one number");
  if (const auto real = hosting::parse_real(text); real && number)
    require(*real == static_cast<double>(*number), "whichever way it is read");
  if (const auto duration = hosting::parse_duration(text)) {
    const std::string shown = hosting::format_duration(*duration);
    require(hosting::parse_duration(shown) == duration, "a duration that is shown is the same");
    require(hosting::format_duration(*hosting::parse_duration(shown)) == shown, "and is shown the same");
  }
}

void try_source(std::uint8_t which, input in) {
  const std::string text(in.text());
  std::vector<configuration_entry> entries;
  switch (which & 3) {
    case 0:
      entries = hosting::entries_from_json(text, "a.json");
      judge_json(entries, text);
      break;
    case 1:
      entries = hosting::entries_from_environment(take_lines(in));
      break;
    case 2:
      entries = hosting::entries_from_command_line(take_lines(in));
      break;
    default:
      return try_values(text);
  }
  judge_order(entries);
  read_as_settings(entries);
}

}  // namespace

void try_input(input in) {
  try {
    const std::uint8_t which = in.octet();
    try_source(which, in);
  } catch (const configuration_error& error) {
    const std::string_view what = error.what();
    require(!what.empty() && hosting::printable(what) == what, "an error is one line");
  }
}

}  // namespace windhover::fuzz
