// Dates as HTTP writes them (RFC 9110, section 5.6.7). Pure functions: nothing here reads a clock.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace windhover::wire {

// IMF-fixdate, the form that is sent: "Sun, 06 Nov 1994 08:49:37 GMT". Years from 0 to 9999.
std::string http_date(std::chrono::sys_seconds time);

// Reads any of the three forms that a recipient must accept: IMF-fixdate, RFC 850's ("Sunday, 06-Nov-94 08:49:37 GMT")
// and that of asctime ("Sun Nov  6 08:49:37 1994"). The two digits of RFC 850's year mean 1970 to 2069, as a function
// without a clock cannot know what is fifty years from now. Nothing when the text is no such date; whether the day of
// the week is the right one is not checked.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text);

}  // namespace windhover::wire
