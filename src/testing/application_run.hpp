// An application that runs on a simulated network, on one loop, turn by turn: what a simulation and the tests of a user
// have in common. It starts and stops in the order of a real server, by the network's clock. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>

#include "hosting/application_access.hpp"
#include "hosting/loop_server.hpp"
#include "net/event_loop.hpp"
#include "net/seeded_random.hpp"
#include "net/simulated_network.hpp"
#include "net/timer.hpp"
#include "net/tls_context.hpp"
#include <windhover/web_application.hpp>

namespace windhover::testing {

class application_run {
 public:
  // Starts the application, which must outlive this object. Everything that is random follows from the seed. Throws
  // what web_application::start() throws.
  // With `tls` it listens with that too.
  application_run(web_application& application, std::uint64_t seed, net::network_conduct conduct = {},
                  std::shared_ptr<const net::server_tls> tls = nullptr);
  application_run(const application_run&) = delete;
  application_run& operator=(const application_run&) = delete;
  // Stops the application if it runs, and leaves it behind if handlers stay: they refer to it.
  ~application_run();

  // Where it listens: 192.0.2.1, port 80.
  static endpoint address();
  // The same with port 443: where it listens with TLS.
  static endpoint secure_address();

  net::simulated_network& network() const noexcept;
  net::event_loop& loop() const noexcept;

  // One iteration of the loop.
  void turn(bool may_wait);

  // Begins to stop, as web_application::stop() does: no new connections, the stop token, close frames, the drain; after
  // the shutdown timeout connections are aborted, and five seconds later it is given up.
  void stop();
  bool stopping() const noexcept;
  // Nothing runs any more, or it was given up.
  bool ended() const;
  // False: handlers were still running when it was given up.
  bool clean() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace windhover::testing
