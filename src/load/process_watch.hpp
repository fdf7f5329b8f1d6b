// What a process costs, as the kernel accounts for it: its time on processors, its memory, its threads' own time.
#pragma once

#include <cstdint>
#include <optional>

#include "net/time.hpp"

namespace windhover::load {

struct process_usage {
  net::duration cpu{};         // of all threads that have not ended
  std::uint64_t resident = 0;  // bytes of memory
};

// Of any process, from /proc. None: there is no such process, or it may not be looked at.
std::optional<process_usage> usage_of(int process);

// The time that the calling thread has spent on a processor.
net::duration cpu_of_this_thread() noexcept;

}  // namespace windhover::load
