// A client and a server when memory runs out, over each version of HTTP, with compression and without: whichever
// allocation of a conversation fails, it ends by itself, and nothing of it is left. This program has operator new
// replaced.
#include <cstdint>
#include <memory>
#include <new>
#include <string>

#include <gtest/gtest.h>

#include "http/server_connection.hpp"
#include "simulation/failing_allocations.hpp"
#include "support/virtual_engine.hpp"
#include "support/websocket_peer.hpp"
#include "websocket/accept.hpp"
#include "websocket/connect.hpp"
#include "wire/websocket/url.hpp"

namespace windhover {
namespace {

using simulation::failing_allocation;

task<> echo(http::exchange& exchange) {
  const compression_settings compression = checked_compression({.dangerous_enable_compression = true});
  websocket socket = accept_websocket(exchange, {}, true, {.dangerous_enable_compression = true}, compression);
  while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

task<> talk(http::client_connection& connection, net::transport& below, const websocket_client_settings& settings,
            bool& heard) {
  try {
    http::client_connection_owner owner(connection);
    http_response_details details;
    const wire::websocket_url to = wire::parse_websocket_url("ws://example.com/ws");
    opened_websocket opened = co_await open_over(std::move(owner), below, settings, to, details, {});
    websocket socket = std::move(opened).make_websocket();
    // Worth compressing, and longer than what is received in one piece.
    const std::string text = test::pattern(20'000);
    co_await socket.send(text);
    const received answer = co_await socket.receive();
    heard = answer && answer->text() == text;
    co_await socket.close();
  } catch (const std::bad_alloc&) {
    // It was this end that had no memory.
  } catch (const websocket_connect_error&) {
    // It was the other one.
  }
}

struct told_of_its_end final : net::kept {
  explicit told_of_its_end(bool& to) noexcept : gone(to) {}
  ~told_of_its_end() override { gone = true; }
  bool& gone;
};

// Whether an allocation has failed in it.
bool converse(const websocket_client_options& options, std::uint64_t failing) {
  const websocket_client_settings settings = checked_settings(options);
  net::event_loop loop(std::make_unique<test::virtual_engine>());
  const net::event_loop::scope here(loop);
  http::server_context server;
  server.handler = echo;
  const auto [near, far] = net::memory_pipe::make(loop);
  auto client = std::make_unique<http::client_connection>(*near, http::client_limits{});
  http::client_connection& connection = *client;
  net::memory_pipe::set_driver(*near, std::move(client));
  net::memory_pipe::set_driver(*far, http::make_server_connection(*far, server, http_protocols::http1_and_http2));
  bool server_gone = false;
  far->keep(std::make_unique<told_of_its_end>(server_gone));
  bool failed = false;
  bool heard = false;
  bool ended = false;
  task<> talking;
  {
    const failing_allocation failure(failing);
    try {
      talking = talk(connection, *near, settings, heard);
      talking.start(&ended, [](void* flag) noexcept -> std::coroutine_handle<> {
        *static_cast<bool*>(flag) = true;
        return std::noop_coroutine();
      });
    } catch (const std::bad_alloc&) {
      ended = true;  // there is not even a coroutine
      connection.let_go();
    }
    for (int i = 0; i < 200 && !ended; ++i) loop.run_once(!failure.has_come() && i < 20);
    failed = failure.has_come();
  }
  // What is left ends by itself when the server has gone.
  if (!server_gone) far->abort();
  test::run_idle(loop);
  EXPECT_TRUE(ended);
  EXPECT_TRUE(loop.describe_connections(1).empty());
  EXPECT_EQ(server.counters->http2_streams.value(), 0U);
  EXPECT_EQ(loop.inbound().used, 0U);
  EXPECT_TRUE(heard || failed);
  return failed;
}

TEST(ConnectMemory, WhicheverAllocationFailsNothingIsLeft) {
  for (const http_protocols version : {http_protocols::http1, http_protocols::http2}) {
    for (const bool compressed : {false, true}) {
      SCOPED_TRACE(::testing::Message() << (version == http_protocols::http2 ? "HTTP/2" : "HTTP/1.1")
                                        << (compressed ? ", compressed" : ""));
      websocket_client_options options;
      options.protocols = version;
      options.dangerous_enable_compression = compressed;
      simulation::fail_each_allocation(15, [&](std::uint64_t failing) { return converse(options, failing); });
    }
  }
}

}  // namespace
}  // namespace windhover
