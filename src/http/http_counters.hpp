// What the HTTP connections of one loop count.
#pragma once

#include "base/counter.hpp"

namespace windhover::http {

struct http_counters {
  base::counter requests;            // handed to the pipeline
  base::counter requests_refused;    // malformed, or beyond a limit
  base::counter requests_timed_out;  // whose head has not arrived in time
  base::counter upgrades_refused;    // beyond the limit of upgraded connections
};

}  // namespace windhover::http
