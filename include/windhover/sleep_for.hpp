// sleep_for: lets time pass without holding the event loop.
#pragma once

#include <chrono>
#include <stop_token>

#include <windhover/task.hpp>

namespace windhover {

// Waits for `time`, rounded up to the next millisecond; not at all when it is zero or negative. True when the time has
// passed, false when `stop` was stopped before. Thread: an event loop's; throws std::logic_error elsewhere. `stop` may
// be stopped from any thread.
task<bool> sleep_for(std::chrono::nanoseconds time, std::stop_token stop = {});

}  // namespace windhover
