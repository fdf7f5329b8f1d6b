// Puts a load on a server, and says what came of it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "load/histogram.hpp"
#include "load/load_options.hpp"
#include "net/time.hpp"

namespace windhover::load {

struct server_cost {
  net::duration cpu{};                // while it was measured
  std::uint64_t resident = 0;         // at the end of it
  std::uint64_t resident_before = 0;  // before there was any connection
};

struct load_result {
  load_options options;  // with as many threads as there were
  std::string engine;    // the generator's
  net::duration time{};
  std::uint64_t messages = 0;  // that came; in a churn or a storm, connections that came and went
  std::uint64_t bytes = 0;     // of their payloads, on the wire
  histogram latencies;         // from the time for which a message was due to its answer; or of connections
  histogram delays;            // with a rate: by how much the generator sent its messages too late

  double busiest_thread = 0;          // of the generator's: the share of its time that it has used, 0 to 1
  double own_cpu = 0;                 // processors that the generator has used
  std::optional<server_cost> server;  // where its process is known

  double per_second(std::uint64_t count) const noexcept;
  // The server's time for each message, in nanoseconds; 0: not known.
  double server_nanoseconds_per_message() const noexcept;
  // By how much the server's memory has grown for each connection; 0: not known.
  double resident_per_connection() const noexcept;
  // A thread had no time left: what was measured is the generator's limit, and may not be the server's.
  bool generator_was_the_limit() const noexcept;
};

// Called about once a second, on the calling thread.
struct load_progress {
  bool warming_up = false;
  net::duration elapsed{};     // since the warm-up or the measuring began
  std::uint64_t messages = 0;  // in the last second
};

// Blocks until the load has ended. Throws std::invalid_argument for options, load_failure when a connection cannot be
// had or is lost, or what comes back is wrong; std::system_error when an engine or a thread is not to be had.
load_result run_load(load_options options, const std::function<void(const load_progress&)>& tell);

}  // namespace windhover::load
