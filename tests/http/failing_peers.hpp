// A server's connection with one of its allocations failing.
#pragma once

#include <cstdint>
#include <string_view>

#include "connection_peers.hpp"
#include "simulation/failing_allocations.hpp"

namespace windhover::http {

// Runs what the client sends, up to the end of both ends. Whether an allocation has failed in it.
inline bool run_with_failing(connection_peers& peers, std::string_view stream, std::uint64_t failing) {
  // What the test keeps is not the server's to survive: it has the memory already.
  peers.client.received.reserve(1'000'000);
  peers.log.lines.reserve(100'000);
  peers.connect();
  peers.send(stream);
  bool failed = false;
  {
    const simulation::failing_allocation failure(failing);
    for (int i = 0; i < 200 && !peers.client.failed && !peers.client.ended; ++i) {
      peers.loop.run_once(!failure.has_come() && i < 20);
    }
    failed = failure.has_come();
  }
  if (!peers.client.failed) peers.client_end->abort();
  peers.run_until_gone();
  EXPECT_EQ(peers.loop.inbound().used, 0U);
  return failed;
}

}  // namespace windhover::http
