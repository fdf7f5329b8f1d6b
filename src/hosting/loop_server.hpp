// What of a server lives on one event loop: its listeners, the connections that they accept, and the order in which
// these end. Everything here is for the loop's thread, or for a time when the loop does not run.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "hosting/settings.hpp"
#include "http/exchange.hpp"
#include "http/server_options.hpp"
#include "net/event_loop.hpp"
#include "net/listener.hpp"
#include <windhover/logger.hpp>

namespace windhover::hosting {

// The second deadline of a shutdown, after connections were aborted.
inline constexpr std::chrono::milliseconds time_for_handlers_to_notice = std::chrono::seconds(5);

class loop_server {
 public:
  // Everything handed in outlives it, and it outlives the loop's connections.
  loop_server(net::event_loop& loop, const settings& from, logger& log, http::request_handler handler);
  loop_server(const loop_server&) = delete;
  loop_server& operator=(const loop_server&) = delete;

  // Accepts at most `max_connections` at a time on this loop; 0: no limit.
  void listen(net::listening_socket socket, std::size_t max_connections);
  // The same with a listening descriptor of the loop's engine, which is taken, whatever happens.
  void listen(int descriptor, std::size_t max_connections);

  // Accepts no more. What is open may go on.
  void stop_listening() noexcept;
  // Asks every connection to end, after stop_listening().
  void drain() noexcept;
  // To be called after each iteration of the loop.
  void after_iteration() noexcept;
  // Once drain() was called: nothing is left on the loop.
  bool ended() const noexcept;

 private:
  net::event_loop::driver_factory connections();

  net::event_loop& loop_;
  http::server_context shared_;
  std::vector<net::listener*> listeners_;
  bool draining_ = false;
  bool has_late_connection_ = false;  // accepted by the kernel before its listener was closed, and told of afterwards
};

}  // namespace windhover::hosting
