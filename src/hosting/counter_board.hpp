// Where the counters of all event loops of an application are added up.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "base/counter.hpp"
#include "http/http_counters.hpp"
#include "net/loop_counters.hpp"
#include "websocket/websocket_counters.hpp"
#include <windhover/server_counters.hpp>

namespace windhover::hosting {

// What the pipeline counts on one loop.
struct pipeline_counters {
  base::counter hosts_refused;
  base::counter origins_refused;
};

// Those of one loop.
struct loop_counter_set {
  std::shared_ptr<const net::loop_counters> loop;
  std::shared_ptr<const http::http_counters> http;
  std::shared_ptr<const websocket_counters> websockets;
  std::shared_ptr<const pipeline_counters> pipeline;
};

class counter_board {
 public:
  // The set stays: what a loop has counted counts when the loop has gone. Throws std::bad_alloc.
  void add(loop_counter_set set);
  // Any thread.
  server_counters read() const;

 private:
  mutable std::mutex mutex_;
  std::vector<loop_counter_set> sets_;
};

}  // namespace windhover::hosting
