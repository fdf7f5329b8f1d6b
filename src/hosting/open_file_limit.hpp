// How many descriptors the process may have open (RLIMIT_NOFILE).
#pragma once

#include <cstdint>

namespace windhover::hosting {

// Raises the soft limit to the hard one, which a process may do by itself. Shells start programs with 1024, so that a
// server would run out of descriptors long before anything else. Returns the limit that is in force.
std::uint64_t raise_open_file_limit() noexcept;

}  // namespace windhover::hosting
