// What the HTTP connections of one loop count.
#pragma once

#include "base/counter.hpp"

namespace windhover::http {

struct http_counters {
  base::counter requests;            // handed to the pipeline
  base::counter requests_refused;    // malformed, or beyond a limit
  base::counter requests_timed_out;  // whose head has not arrived in time
  base::counter upgrades_refused;    // beyond the limit of upgraded connections
  base::counter http2_connections;   // that have begun
  base::counter http2_streams;       // open now
  base::counter streams_refused;     // beyond the limit of a connection
  base::counter http2_floods;        // connections that were ended for asking too much within a second
};

}  // namespace windhover::http
