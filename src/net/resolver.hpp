// Names to addresses, through the system's resolver (getaddrinfo), which blocks: it runs on the worker pool.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "net/address.hpp"
#include "net/event_loop.hpp"
#include <windhover/task.hpp>

namespace windhover::net {

struct resolution {
  std::vector<address> addresses;  // in the system's order of preference (RFC 6724)
  std::string failure;             // why there are none: "Name or service not known"
  bool stopped = false;
};

// A numeric address needs no worker and is there at once. Stopping ends the wait at once; the worker's call, which
// cannot be stopped, ends by itself. Throws std::runtime_error when the worker pool's queue is full. Thread: the
// loop's.
task<resolution> resolve(event_loop& loop, std::string host, std::uint16_t port, std::stop_token stop);

}  // namespace windhover::net
