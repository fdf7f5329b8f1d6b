// The simulation engine: the third one beside io_uring and epoll, on a simulated network instead of a kernel.
//
// It does whatever one of the two others may do, as the network's numbers decide: sends complete at once or in a later
// turn, and only then is their memory read for the last time; receives arrive in pieces; what was cancelled completes
// all the same, before on_closed; events of different tokens come in any order. Its clock is the network's. When
// nothing is under way and no timer is armed a turn throws std::logic_error instead of waiting for ever.
#pragma once

#include <memory>

#include "net/engine.hpp"
#include "net/simulated_network.hpp"

namespace windhover::net {

// The network must outlive the engine.
std::unique_ptr<engine> make_simulation_engine(simulated_network& network);

}  // namespace windhover::net
