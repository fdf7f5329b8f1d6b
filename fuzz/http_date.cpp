// Dates of HTTP (RFC 9110, section 5.6.7) against the C library. Input: an option, and seconds since 1970 or a text.
#include "wire/http_date.hpp"

#include <array>
#include <optional>
#include <string>

#include <time.h>

#include "input.hpp"

namespace windhover::fuzz {

namespace {

using std::chrono::sys_seconds;

// "Thu, 01 Jan 1970" and so on, of a program that has not set a locale.
std::string by_the_library(sys_seconds time, const char* format) {
  const ::time_t seconds = time.time_since_epoch().count();
  ::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  return {text.data(), ::strftime(text.data(), text.size(), format, &parts)};
}

void try_time(sys_seconds time) {
  const std::string date = wire::http_date(time);
  require(date.size() == 29, "all dates have the same length");
  require(wire::parse_http_date(date) == time, "a date that is written is read as the same");
  // The library does not fill years up to four digits.
  if (time < sys_seconds(std::chrono::sys_days(std::chrono::year(1000) / 1 / 1))) return;
  require(date == by_the_library(time, "%a, %d %b %Y %H:%M:%S GMT"), "it is the date of the C library");
  require(wire::parse_http_date(by_the_library(time, "%a %b %e %H:%M:%S %Y")) == time, "and so is asctime's");
  const std::string old = by_the_library(time, "%A, %d-%b-%y %H:%M:%S GMT");
  const auto year = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(time)).year();
  if (year >= std::chrono::year(1970) && year < std::chrono::year(2070))
    require(wire::parse_http_date(old) == time, "and RFC 850's");
}

}  // namespace

void try_input(input in) {
  // From the year 0 to the end of 9999.
  constexpr std::int64_t first = -62'167'219'200;
  constexpr std::int64_t last = 253'402'300'799;
  if ((in.octet() & 1) != 0) {
    const auto seconds = static_cast<std::int64_t>(in.number(5) % static_cast<std::uint64_t>(last - first + 1)) + first;
    return try_time(sys_seconds(std::chrono::seconds(seconds)));
  }
  if (const auto time = wire::parse_http_date(in.text())) try_time(*time);
}

}  // namespace windhover::fuzz
