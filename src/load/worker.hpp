// The part of a load that lives on one event loop: its connections, and what it has seen of them.
//
//   prepare()           opens the connections
//   run(stop)           the traffic, until it is stopped; then waits for what is still to come, and closes
//   begin_measuring()   what is counted from now on is the result
//   end_measuring()
//
// All of it on the loop's thread, but for what is said to be read by others.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/counter.hpp"
#include "load/histogram.hpp"
#include "load/load_connection.hpp"
#include "load/load_options.hpp"
#include "load/message_pool.hpp"
#include "load/opening.hpp"
#include "net/event_loop.hpp"
#include <windhover/task.hpp>

namespace windhover::load {

// What all workers of a load share, and none changes.
struct load_plan {
  load_options options;
  load_target target;
  message_pool messages;
};

// What one worker has measured.
struct measurement {
  net::duration time{};
  net::duration own_cpu{};
  std::uint64_t messages = 0;  // that came; in a churn or a storm, connections that were opened
  std::uint64_t bytes = 0;     // of their payloads
  histogram latencies;         // from a message's time to its answer; in a churn or a storm, of connections
  histogram delays;            // with a rate: by how much messages were sent too late
};

class worker : protected load_connection::listener {
 public:
  // `share` of the connections and the rate are its own.
  worker(const load_plan& plan, std::size_t connections, double share);
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  virtual ~worker() = default;

  // Throws load_failure.
  virtual task<> prepare();
  virtual task<> run(std::stop_token stop) = 0;
  void begin_measuring();
  void end_measuring();

  // Any thread: messages so far.
  std::uint64_t messages() const noexcept { return seen_.value(); }
  // Behind end_measuring().
  const measurement& measured() const noexcept { return measured_; }

 protected:
  net::event_loop& loop() const noexcept { return *loop_; }
  const load_plan& plan() const noexcept { return plan_; }
  const load_options& options() const noexcept { return plan_.options; }
  load_connection::settings settings() const noexcept;
  std::size_t wanted() const noexcept { return wanted_; }
  double rate() const noexcept { return options().rate * share_; }
  // Those that are open, in no order.
  const std::vector<load_connection*>& connections() const noexcept { return connections_; }

  // Something has come that is counted, `latency` after its time.
  void note(net::duration latency, std::size_t bytes) noexcept;
  void note_delay(net::duration late) noexcept;
  // The load cannot go on.
  void give_up(std::string why) noexcept;
  bool given_up() const noexcept { return !failure_.empty(); }
  // Waits until run() is to end, or the load cannot go on. Throws load_failure.
  task<> wait_for_the_end(std::stop_token stop);
  // Waits until `all_came()` holds, and closes the connections. Throws load_failure when the patience ends before.
  task<> finish(std::function<bool()> all_came);
  // Until `quiet()` holds or the patience ends.
  task<> settle(std::function<bool()> quiet);
  // Opens a connection within the patience. Throws load_failure, also when it is stopped.
  task<> open(load_connection::listener& tells, std::stop_token stop);
  void forget(load_connection& ended) noexcept;

  void on_open(load_connection& opened) noexcept override;
  void on_message(load_connection&, const load_connection::arrival&) noexcept override {}
  void on_pause(load_connection&) noexcept override {}
  void on_ended(load_connection& which, const std::string& why) noexcept override;

 private:
  task<> open_some(std::size_t& begun, std::stop_token stop);
  task<> close_all();

  const load_plan& plan_;
  net::event_loop* loop_ = nullptr;
  std::vector<load_connection*> connections_;
  std::size_t wanted_;
  double share_;
  bool measuring_ = false;
  bool ending_ = false;  // connections are closed, and may end
  base::counter seen_;
  measurement measured_;
  net::time_point began_;
  net::duration cpu_began_{};
  std::string failure_;
  std::stop_source end_;  // of the traffic, however it comes to it
};

// The workers of a load, one for each thread, of which there are no more than connections; they divide connections and
// rate among themselves. The plan must outlive them.
std::vector<std::unique_ptr<worker>> make_workers(const load_plan& plan);

}  // namespace windhover::load
