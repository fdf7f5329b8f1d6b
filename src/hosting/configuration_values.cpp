#include "hosting/configuration_values.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include "base/text.hpp"
#include "hosting/printable_text.hpp"

namespace windhover::hosting {
namespace {

// The longest part of a refused value that an error repeats.
constexpr std::size_t shown_characters = 200;

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  text = base::trim(text);
  // std::from_chars knows no plus sign.
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Takes decimal digits off the front: at least one, at most `limit`.
std::optional<std::int64_t> take_digits(std::string_view& text, std::size_t limit) {
  std::size_t count = 0;
  std::int64_t value = 0;
  while (count < text.size() && text[count] >= '0' && text[count] <= '9') {
    if (count == limit) return std::nullopt;
    value = 10 * value + (text[count++] - '0');
  }
  if (count == 0) return std::nullopt;
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

// The part of a second behind the point, in nanoseconds.
std::optional<std::int64_t> take_fraction(std::string_view& text) {
  const std::size_t before = text.size();
  std::optional<std::int64_t> fraction = take_digits(text, 9);
  if (!fraction) return std::nullopt;
  for (std::size_t digits = before - text.size(); digits < 9; ++digits) *fraction *= 10;
  return fraction;
}

void append_two_digits(std::string& text, std::int64_t value) {
  text += static_cast<char>('0' + value / 10 % 10);
  text += static_cast<char>('0' + value % 10);
}

}  // namespace

std::optional<bool> parse_boolean(std::string_view text) {
  text = base::trim(text);
  if (base::equals_ignoring_case(text, "true")) return true;
  if (base::equals_ignoring_case(text, "false")) return false;
  return std::nullopt;
}

std::optional<std::int64_t> parse_signed(std::string_view text) { return parse_number<std::int64_t>(text); }

std::optional<std::uint64_t> parse_unsigned(std::string_view text) { return parse_number<std::uint64_t>(text); }

std::optional<double> parse_real(std::string_view text) {
  const std::optional<double> number = parse_number<double>(text);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  text = base::trim(text);
  const bool negative = take(text, '-');
  std::optional<std::int64_t> days = 0;
  std::optional<std::int64_t> hours = take_digits(text, 6);
  // With a point, or with three colons, what came first were days.
  if (take(text, '.') || (std::count(text.begin(), text.end(), ':') == 3 && take(text, ':'))) {
    days = hours;
    hours = take_digits(text, 2);
  }
  if (!days || !hours || !take(text, ':')) return std::nullopt;
  const std::optional<std::int64_t> minutes = take_digits(text, 2);
  std::optional<std::int64_t> seconds = 0;
  std::optional<std::int64_t> fraction = 0;
  if (take(text, ':')) {
    seconds = take_digits(text, 2);
    if (take(text, '.')) fraction = take_fraction(text);
  }
  if (!minutes || !seconds || !fraction || !text.empty()) return std::nullopt;
  if (*days > 100'000 || *hours > 23 || *minutes > 59 || *seconds > 59) return std::nullopt;
  const auto duration = std::chrono::hours(24 * *days + *hours) + std::chrono::minutes(*minutes) +
                        std::chrono::seconds(*seconds) + std::chrono::nanoseconds(*fraction);
  return negative ? -duration : duration;
}

std::string format_duration(std::chrono::nanoseconds duration) {
  std::string text;
  if (duration < std::chrono::nanoseconds::zero()) {
    text += '-';
    duration = -duration;
  }
  const std::int64_t total_seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  const std::int64_t fraction = (duration % std::chrono::seconds(1)).count();
  if (const std::int64_t days = total_seconds / 86'400; days != 0) text += std::to_string(days) + ".";
  append_two_digits(text, total_seconds / 3600 % 24);
  text += ':';
  append_two_digits(text, total_seconds / 60 % 60);
  text += ':';
  append_two_digits(text, total_seconds % 60);
  if (fraction != 0) {
    std::string digits = std::to_string(fraction);
    digits.insert(0, 9 - digits.size(), '0');
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text;
}

configuration_error unsuitable_value(std::string_view origin, std::string_view key, std::string_view value,
                                     std::string_view expected) {
  std::string text = printable(origin) + ": " + printable(key);
  if (value.empty()) {
    text += " is empty";
  } else {
    text +=
        " is \"" + printable(value.substr(0, shown_characters)) + (value.size() > shown_characters ? "...\"" : "\"");
  }
  text += "; expected ";
  text += expected;
  return configuration_error(text);
}

}  // namespace windhover::hosting
