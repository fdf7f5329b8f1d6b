// The last words about a loop that is given up.
#pragma once

#include <string_view>

#include "net/event_loop.hpp"

namespace windhover::net {

// Writes a line for each of the first ten things that are still on the loop, behind `prefix`. What there is no memory
// for has no name. Thread: the loop's.
void log_remaining_connections(const event_loop& loop, std::string_view category, std::string_view prefix) noexcept;

}  // namespace windhover::net
