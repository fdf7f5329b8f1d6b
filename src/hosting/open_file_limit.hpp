// How many descriptors the process may have open (RLIMIT_NOFILE).
#pragma once

#include <cstdint>

namespace windhover::hosting {

// Raises the soft limit to the hard one, which a process may do by itself. Shells start programs with 1024, so that a
// server would run out of descriptors long before anything else. Returns the limit that is in force.
std::uint64_t raise_open_file_limit() noexcept;
// The one that is in force; 0 when it is not known.
std::uint64_t open_file_limit() noexcept;

// How many connections a process with that limit should take: a quarter of it, but no more than 1024 or a sixteenth,
// whichever is more, stays for everything else (files, databases, connections to other servers, the server itself). 0,
// any number, when the limit is not known.
std::uint64_t connections_within(std::uint64_t open_files) noexcept;
// How many static files it should have open at a time: half of that rest.
std::uint64_t static_files_within(std::uint64_t open_files) noexcept;

}  // namespace windhover::hosting
