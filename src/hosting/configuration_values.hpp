// What the texts of a configuration mean: numbers, truth values and durations in ASP.NET Core's spelling, and the one
// sentence that says that a text means nothing of the kind. Spaces around a value do not count.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <windhover/configuration.hpp>

namespace windhover::hosting {

std::optional<bool> parse_boolean(std::string_view text);
std::optional<std::int64_t> parse_signed(std::string_view text);
std::optional<std::uint64_t> parse_unsigned(std::string_view text);
std::optional<double> parse_real(std::string_view text);

// [-][days.]hours:minutes[:seconds[.fraction]], also days:hours:minutes:seconds, up to 100,000 days, the fraction up to
// nanoseconds. A bare number is refused: .NET reads it as days, and who writes it means seconds.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

// The same in the shortest form that has hours, minutes and seconds: 00:02:00, 30.00:00:00, 00:00:00.001.
std::string format_duration(std::chrono::nanoseconds duration);

// `appsettings.json, line 3: Windhover:Threads is "four"; expected a whole number from 0 to 1024`
configuration_error unsuitable_value(std::string_view origin, std::string_view key, std::string_view value,
                                     std::string_view expected);

}  // namespace windhover::hosting
