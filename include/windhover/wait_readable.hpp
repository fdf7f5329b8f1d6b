// wait_readable, wait_writable: readiness of a file descriptor of the application, such as a database driver's socket.
#pragma once

#include <stop_token>

#include <windhover/task.hpp>

namespace windhover {

// Waits until `descriptor` can be read (data, the peer's end, or an error to be picked up). True when it is ready,
// false when `stop` was stopped before. The descriptor stays the caller's and must stay open meanwhile. Throws
// std::system_error for a descriptor that cannot be waited for, std::logic_error outside of an event loop's thread.
// `stop` may be stopped from any thread.
task<bool> wait_readable(int descriptor, std::stop_token stop = {});

// The same for writing.
task<bool> wait_writable(int descriptor, std::stop_token stop = {});

}  // namespace windhover
