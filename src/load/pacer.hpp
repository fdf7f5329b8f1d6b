// Something that is to happen so many times a second, at even distances, however long it takes each time.
#pragma once

#include <functional>
#include <stop_token>

#include "net/event_loop.hpp"
#include <windhover/task.hpp>

namespace windhover::load {

// Calls `act` with the time at which it was due, as soon as that has come, until it is stopped: what is late is made up
// for at once. The clock is one of the kernel's, which is finer than the loop's timers. Throws std::system_error.
// Thread: the loop's.
task<> keep_pace(net::event_loop& loop, double times_a_second, std::function<void(net::time_point due)> act,
                 std::stop_token stop);

}  // namespace windhover::load
