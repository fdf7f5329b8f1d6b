// One simulation: an application with its clients on a network, all of it made from one seed, and what became of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "net/simulated_network.hpp"

namespace windhover::simulation {

struct world_options {
  std::uint64_t seed = 0;
  std::uint64_t failing_operation = 0;   // the n-th operation of the engine fails; 0: none but those of the seed
  std::uint64_t failing_allocation = 0;  // the n-th allocation of the application's thread fails; 0: none
  std::function<void(const net::simulated_event&)> trace = {};
};

struct world_outcome {
  std::string failure;  // what is wrong; empty: nothing
  std::uint64_t digest = 0;
  std::uint64_t events = 0;
  std::uint64_t operations = 0;
  std::uint64_t allocations = 0;
  bool allocation_failed = false;
  std::uint64_t messages = 0;      // that arrived, either way
  std::uint64_t clean_closes = 0;  // begun by a client and seen by both sides
  std::uint64_t dropped = 0;       // connections that ended in another way
};

// Lives through it, on a thread of its own, so that what the thread keeps for later is given back at its end.
world_outcome simulate(const world_options& options);

}  // namespace windhover::simulation
