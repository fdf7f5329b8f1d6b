// A WebSocket over HTTP/1.1 when memory runs out: whichever allocation fails from the request to the close, its handler
// goes on as well as it can, it ends by itself, and nothing of it is left. This program has operator new replaced.
#include <chrono>
#include <cstdint>
#include <new>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>

#include <gtest/gtest.h>

#include "http/connection_peers.hpp"
#include "simulation/failing_allocations.hpp"
#include "support/http_client.hpp"
#include "support/websocket_peer.hpp"
#include "websocket/accept.hpp"
#include <windhover/sleep_for.hpp>
#include <windhover/when_any.hpp>

namespace windhover {
namespace {

using http::connection_peers;
using simulation::failing_allocation;

// Echoes a message, or says that a second has passed. False at the end.
task<bool> serve_once(websocket& socket) {
  auto listen = [&socket](std::stop_token stop) { return socket.receive(std::move(stop)); };
  auto tick = [](std::stop_token stop) { return sleep_for(std::chrono::seconds(1), std::move(stop)); };
  auto first = co_await when_any(listen, tick);
  if (first.index() == 1) {
    co_await socket.send("tick");
    co_return true;
  }
  received got = std::get<0>(std::move(first));
  if (!got) co_return false;
  co_await socket.send(*got);
  co_return true;
}

task<> serve(http::exchange& exchange) {
  websocket socket = accept_websocket(exchange, {}, true, {.sub_protocol = "a-name-that-is-not-kept-in-place"});
  for (bool goes_on = true; goes_on;) {
    try {
      goes_on = co_await serve_once(socket);
    } catch (const std::bad_alloc&) {
      // The next one may find memory.
    }
  }
}

// True when an allocation has failed in it.
bool converse(std::uint64_t failing) {
  const std::string stream = "GET /ws HTTP/1.1\r\nHost: a\r\n" +
                             test::handshake("Sec-WebSocket-Protocol: other, a-name-that-is-not-kept-in-place\r\n") +
                             "\r\n" + test::client_frame(wire::opcode::text, "first") +
                             test::client_frame(wire::opcode::text, "second");
  connection_peers peers;
  peers.context.handler = serve;
  // What the test keeps is not the server's to survive: it has the memory already.
  peers.client.received.reserve(100'000);
  peers.log.lines.reserve(100'000);
  peers.connect();
  peers.send(stream);
  const std::string close = test::client_close(1000);
  bool failed = false;
  {
    const failing_allocation failure(failing);
    for (int i = 0; i < 20; ++i) peers.loop.run_once(false);
    if (!peers.client.failed) peers.client_end->queue_copy(test::bytes_of(close));
    for (int i = 0; i < 20; ++i) peers.loop.run_once(false);
    failed = failure.has_come();
  }
  if (!peers.client.failed) peers.client_end->abort();
  peers.run_until_gone();
  const std::string& answer = peers.client.received;
  EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 ")) << answer;
  EXPECT_TRUE(failed || answer.ends_with(test::server_frame(wire::opcode::text, "second") +
                                         test::server_frame(wire::opcode::close, test::closing(1000))));
  EXPECT_EQ(peers.loop.inbound().used, 0U);
  return failed;
}

TEST(AcceptMemory, WhicheverAllocationFailsNothingIsLeft) { simulation::fail_each_allocation(15, converse); }

}  // namespace
}  // namespace windhover
