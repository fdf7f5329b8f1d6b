// Formatting and parsing of HTTP's dates.
#include "wire/http_date.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace windhover::wire {
namespace {

using namespace std::string_view_literals;

constexpr std::array day_names{"Sunday"sv,   "Monday"sv, "Tuesday"sv, "Wednesday"sv,
                               "Thursday"sv, "Friday"sv, "Saturday"sv};
constexpr std::array month_names{"Jan"sv, "Feb"sv, "Mar"sv, "Apr"sv, "May"sv, "Jun"sv,
                                 "Jul"sv, "Aug"sv, "Sep"sv, "Oct"sv, "Nov"sv, "Dec"sv};
constexpr std::size_t short_name = 3;

void append_digits(std::string& out, int number, int digits) {
  for (int divisor = digits == 4 ? 1000 : 10; divisor != 0; divisor /= 10)
    out += static_cast<char>('0' + number / divisor % 10);
}

// Takes the parts of a date off the beginning of a text. After the first part that is not there, nothing else is.
class date_reader {
 public:
  explicit date_reader(std::string_view text) : rest_(text) {}

  bool literal(std::string_view expected) {
    good_ = good_ && rest_.starts_with(expected);
    if (good_) rest_.remove_prefix(expected.size());
    return good_;
  }

  int number(std::size_t digits) {
    int result = 0;
    good_ = good_ && rest_.size() >= digits;
    for (std::size_t at = 0; good_ && at != digits; ++at) {
      good_ = rest_[at] >= '0' && rest_[at] <= '9';
      result = result * 10 + (rest_[at] - '0');
    }
    if (good_) rest_.remove_prefix(digits);
    return result;
  }

  void day_name(std::size_t length) {
    good_ = good_ && std::any_of(day_names.begin(), day_names.end(),
                                 [&](std::string_view name) { return literal_ahead(name.substr(0, length)); });
    if (good_) rest_.remove_prefix(matched_);
  }

  unsigned month() {
    const auto found = std::find(month_names.begin(), month_names.end(), rest_.substr(0, short_name));
    good_ = good_ && found != month_names.end();
    if (good_) rest_.remove_prefix(short_name);
    return static_cast<unsigned>(found - month_names.begin()) + 1;
  }

  // HH:MM:SS; the second may be a leap second.
  std::chrono::seconds time_of_day() {
    const int hours = number(2);
    literal(":");
    const int minutes = number(2);
    literal(":");
    const int seconds = number(2);
    good_ = good_ && hours < 24 && minutes < 60 && seconds <= 60;
    return std::chrono::hours(hours) + std::chrono::minutes(minutes) + std::chrono::seconds(seconds);
  }

  bool ahead(std::string_view expected) const { return rest_.starts_with(expected); }
  bool finished() const { return good_ && rest_.empty(); }

 private:
  bool literal_ahead(std::string_view expected) {
    matched_ = expected.size();
    return rest_.starts_with(expected);
  }

  std::string_view rest_;
  std::size_t matched_ = 0;
  bool good_ = true;
};

struct date_parts {
  int year = 0;
  unsigned month = 0;
  int day = 0;
  std::chrono::seconds time{0};
};

std::optional<std::chrono::sys_seconds> assemble(const date_reader& reader, const date_parts& parts) {
  if (!reader.finished()) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(parts.year), std::chrono::month(parts.month),
                                         std::chrono::day(static_cast<unsigned>(parts.day)));
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + parts.time;
}

// Sun, 06 Nov 1994 08:49:37 GMT
std::optional<std::chrono::sys_seconds> parse_fixdate(date_reader reader) {
  date_parts parts;
  reader.day_name(short_name);
  reader.literal(", ");
  parts.day = reader.number(2);
  reader.literal(" ");
  parts.month = reader.month();
  reader.literal(" ");
  parts.year = reader.number(4);
  reader.literal(" ");
  parts.time = reader.time_of_day();
  reader.literal(" GMT");
  return assemble(reader, parts);
}

// Sunday, 06-Nov-94 08:49:37 GMT
std::optional<std::chrono::sys_seconds> parse_rfc850_date(date_reader reader) {
  date_parts parts;
  reader.day_name(std::string_view::npos);
  reader.literal(", ");
  parts.day = reader.number(2);
  reader.literal("-");
  parts.month = reader.month();
  reader.literal("-");
  const int year = reader.number(2);
  parts.year = year < 70 ? 2000 + year : 1900 + year;
  reader.literal(" ");
  parts.time = reader.time_of_day();
  reader.literal(" GMT");
  return assemble(reader, parts);
}

// Sun Nov  6 08:49:37 1994
std::optional<std::chrono::sys_seconds> parse_asctime_date(date_reader reader) {
  date_parts parts;
  reader.day_name(short_name);
  reader.literal(" ");
  parts.month = reader.month();
  reader.literal(" ");
  if (reader.ahead(" ")) {
    reader.literal(" ");
    parts.day = reader.number(1);
  } else {
    parts.day = reader.number(2);
  }
  reader.literal(" ");
  parts.time = reader.time_of_day();
  reader.literal(" ");
  parts.year = reader.number(4);
  return assemble(reader, parts);
}

}  // namespace

std::string http_date(std::chrono::sys_seconds time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(time - days);
  std::string out;
  out.reserve("Sun, 06 Nov 1994 08:49:37 GMT"sv.size());
  out += day_names[std::chrono::weekday(days).c_encoding()].substr(0, short_name);
  out += ", ";
  append_digits(out, static_cast<int>(static_cast<unsigned>(date.day())), 2);
  out += ' ';
  out += month_names[static_cast<unsigned>(date.month()) - 1];
  out += ' ';
  append_digits(out, static_cast<int>(date.year()), 4);
  out += ' ';
  append_digits(out, static_cast<int>(clock.hours().count()), 2);
  out += ':';
  append_digits(out, static_cast<int>(clock.minutes().count()), 2);
  out += ':';
  append_digits(out, static_cast<int>(clock.seconds().count()), 2);
  out += " GMT";
  return out;
}

std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text) {
  for (const auto parse : {parse_fixdate, parse_rfc850_date, parse_asctime_date})
    if (const auto result = parse(date_reader(text))) return result;
  return std::nullopt;
}

}  // namespace windhover::wire
