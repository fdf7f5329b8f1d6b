// A client that opens a WebSocket, and the other end of its memory pipe, which a test scripts.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "support/virtual_engine.hpp"
#include "support/websocket_peer.hpp"
#include "websocket/connect.hpp"
#include "wire/websocket/url.hpp"

namespace windhover::test {

class opening_peers {
 public:
  using handler = std::function<task<>(websocket&)>;

  explicit opening_peers(std::size_t cut = uncut) : loop(std::make_unique<virtual_engine>()) {
    const auto [near, far] = net::memory_pipe::make(loop, cut);
    auto made = std::make_unique<http::client_connection>(*near, http::client_limits{});
    connection_ = made.get();
    net::memory_pipe::set_driver(*near, std::move(made));
    client_end_ = near;
    server_end = far;
    net::memory_pipe::set_driver(*far, std::make_unique<raw_peer>(server));
  }
  opening_peers(const opening_peers&) = delete;
  opening_peers& operator=(const opening_peers&) = delete;
  // Nothing may be left behind.
  ~opening_peers() {
    const net::event_loop::scope here(loop);
    loop.abort_all();
    run_idle(loop);
    EXPECT_TRUE(loop.describe_connections(1).empty());
  }

  // Opens, and runs a handler on the socket. The outcome is "open protocol", or what was thrown.
  std::string open(const websocket_client_options& options = {}, std::string_view url = "ws://example.com/chat?room=1",
                   handler with_socket = {}) {
    {
      const net::event_loop::scope here(loop);
      running_ = run(checked_settings(options), wire::parse_websocket_url(url), std::move(with_socket));
      running_.start(this, [](void* self) noexcept -> std::coroutine_handle<> {
        static_cast<opening_peers*>(self)->ended = true;
        return std::noop_coroutine();
      });
    }
    run_idle(loop, 1500);
    return outcome;
  }

  net::event_loop loop;
  peer_record server;
  net::pipe_end* server_end = nullptr;
  std::stop_source stop;
  http_response_details details;
  std::optional<websocket_connect_error> error;
  std::string outcome = "nothing";
  bool ended = false;

 private:
  task<> run(websocket_client_settings settings, wire::websocket_url to, handler with_socket) {
    try {
      http::client_connection_owner owner(*connection_);
      opened_websocket opened =
          co_await open_over(std::move(owner), *client_end_, settings, to, details, stop.get_token());
      websocket socket = std::move(opened).make_websocket();
      outcome = "open " + std::string(socket.sub_protocol());
      if (with_socket) co_await with_socket(socket);
    } catch (const websocket_connect_error& failure) {
      error = failure;
      outcome = failure.what();
    } catch (const connecting_stopped& stopped) {
      outcome = stopped.what();
    }
  }

  http::client_connection* connection_ = nullptr;
  net::pipe_end* client_end_ = nullptr;
  task<> running_;
};

}  // namespace windhover::test
