// For tests of the client on real sockets: a loop on which both the client and its servers live.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "accepting.hpp"
#include "http/http1_connection.hpp"
#include "net/listener.hpp"
#include "net/worker_pool.hpp"
#include "support/transports.hpp"
#include <windhover/websocket_client.hpp>

namespace windhover::test {

class client_on_sockets : public ::testing::TestWithParam<net::engine_kind> {
 protected:
  client_on_sockets() { context_.handler = echo_or_400; }
  // Everything that the drivers refer to is still there.
  void TearDown() override {
    for (net::listener* const each : listeners_) each->stop();
    on_loop([this] { loop.abort_all(); });
    run_until(loop, [this] { return loop.describe_connections(1).empty(); });
  }

  // An HTTP server whose handler is an echo, or another one. Returns where it is.
  endpoint serve(const net::address& at = net::make_ip_address("127.0.0.1", 0)) { return listen(at, make_http()); }
  net::event_loop::driver_factory make_http() {
    return [this](net::transport& on) { return std::make_unique<http::http1_connection>(on, context_); };
  }
  void handle_with(http::request_handler handler) { context_.handler = std::move(handler); }
  // One that says nothing.
  endpoint serve_silence() {
    return listen(net::make_ip_address("127.0.0.1", 0),
                  [this](net::transport&) { return std::make_unique<raw_peer>(silent_); });
  }

  template <class Act>
  void on_loop(Act&& act) {
    const net::event_loop::scope here(loop);
    act();
  }
  // Runs a coroutine to its end; what it throws is thrown here.
  void run(const std::function<task<>()>& work) {
    task<> running;
    bool ended = false;
    on_loop([&] {
      running = work();
      running.start(&ended, [](void* flag) noexcept -> std::coroutine_handle<> {
        *static_cast<bool*>(flag) = true;
        return std::noop_coroutine();
      });
    });
    run_until(loop, [&ended] { return ended; });
    running.take();
  }
  // Why there was no WebSocket.
  websocket_connect_error failure_of(const websocket_client& client, const std::string& url,
                                     std::stop_token stop = {}) {
    std::optional<websocket_connect_error> failure;
    run([&]() -> task<> {
      try {
        websocket socket = co_await client.connect(url, stop);
        ADD_FAILURE() << "connected";
      } catch (const websocket_connect_error& error) {
        failure = error;
      }
    });
    return failure.value();
  }
  static std::string url_of(const endpoint& at, std::string_view path = "/") {
    if (at.type == endpoint::kind::unix_socket) return "ws://unix:" + at.address + ":" + std::string(path);
    return "ws://" + at.to_string() + std::string(path);
  }
  static websocket_client client_with(const std::function<void(websocket_client_options&)>& change) {
    websocket_client_options options;
    change(options);
    return websocket_client(options);
  }

  endpoint listen(const net::address& at, net::event_loop::driver_factory make_driver) {
    auto socket = net::listening_socket::bind(at, false);
    const endpoint where = socket.local_endpoint();
    listeners_.push_back(&net::listener::add_to(loop, std::move(socket), std::move(make_driver), {}));
    return where;
  }

 private:
  static net::event_loop_options with_workers(net::worker_pool& workers) {
    net::event_loop_options options;
    options.workers = &workers;
    return options;
  }

  net::worker_pool workers_{{.threads = 1, .queue = 10}};
  http::server_context context_;
  peer_record silent_;
  std::vector<net::listener*> listeners_;

 protected:
  net::event_loop loop{net::make_engine(GetParam()).engine, with_workers(workers_)};
};

}  // namespace windhover::test
