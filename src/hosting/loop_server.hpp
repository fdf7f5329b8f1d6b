// What of a server lives on one event loop: its listeners, the connections that they accept, and the order in which
// these end. Everything here is for the loop's thread, or for a time when the loop does not run.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "hosting/counter_board.hpp"
#include "hosting/served_endpoints.hpp"
#include "hosting/settings.hpp"
#include "http/exchange.hpp"
#include "http/server_options.hpp"
#include "net/event_loop.hpp"
#include "net/limit.hpp"
#include "net/listener.hpp"
#include <windhover/logger.hpp>

namespace windhover::hosting {

// The second deadline of a shutdown, after connections were aborted.
inline constexpr std::chrono::milliseconds time_for_handlers_to_notice = std::chrono::seconds(5);

// What all loops of a server share, and each may use up.
struct server_limits {
  explicit server_limits(const limit_settings& from);
  std::shared_ptr<net::limit> connections;
  std::shared_ptr<net::address_limit> connections_of_address;
  std::shared_ptr<net::limit> upgrades;
};

class loop_server {
 public:
  // What is handed in by reference outlives it, and it outlives the loop's connections.
  loop_server(net::event_loop& loop, const settings& from, const server_limits& limits, logger& log,
              counter_board& counters, http::request_handler handler);
  loop_server(const loop_server&) = delete;
  loop_server& operator=(const loop_server&) = delete;

  void listen(net::listening_socket socket, const served_endpoint& endpoint);
  // The same with a listening descriptor of the loop's engine, which is taken, whatever happens; without TLS.
  void listen(int descriptor, const served_endpoint& endpoint);

  // Accepts no more. What is open may go on.
  void stop_listening() noexcept;
  // Asks every connection to end, after stop_listening().
  void drain() noexcept;
  // To be called after each iteration of the loop.
  void after_iteration() noexcept;
  // Once drain() was called: nothing is left on the loop.
  bool ended() const noexcept;

 private:
  net::event_loop::driver_factory connections(const served_endpoint& endpoint);

  net::event_loop& loop_;
  net::listener::options accepting_;
  http::server_context shared_;
  std::vector<net::listener*> listeners_;
  bool draining_ = false;
  bool has_late_connection_ = false;  // accepted by the kernel before its listener was closed, and told of afterwards
};

}  // namespace windhover::hosting
