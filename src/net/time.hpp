// The types of time in this room. Nobody reads a clock here: the time comes from the engine, through event_loop::now().
#pragma once

#include <chrono>

namespace windhover::net {

using time_point = std::chrono::steady_clock::time_point;
using duration = std::chrono::steady_clock::duration;
using wall_time = std::chrono::system_clock::time_point;

}  // namespace windhover::net
