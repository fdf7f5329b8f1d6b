// What a loop counts of its connections.
#pragma once

#include "base/counter.hpp"

namespace windhover::net {

struct loop_counters {
  base::counter connections;  // open now, accepted and made
  base::counter accepted;
  base::counter refused;             // beyond the limit of connections
  base::counter refused_by_address;  // beyond the limit of connections of one address
  base::counter accept_failures;     // descriptors or memory had run out
  base::counter inbound_overflows;   // aborted, because the budget for unread input was exceeded
};

}  // namespace windhover::net
