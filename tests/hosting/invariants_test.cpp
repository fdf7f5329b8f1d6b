// The invariants of docs/architecture.md, as a whole application shows them; each test is named after the one that it
// would see broken. Those of the layers below stand beside the layers, invariant 10 in frames_test.cpp.
#include <atomic>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hosting/running_application.hpp"
#include "support/fragment_sweep.hpp"
#include <windhover/run_blocking.hpp>
#include <windhover/sleep_for.hpp>
#include <windhover/task_group.hpp>
#include <windhover/web_application.hpp>

namespace windhover::hosting {
namespace {

using namespace std::chrono_literals;
using test::http_client;
using test::websocket_client;
using wire::opcode;

class Invariants : public running_application {};

TEST_P(Invariants, Invariant1_BytesBehindTheUpgradeReachTheWebSocketWhereverTheyAreCut) {
  make().use_websockets();
  app->map_websocket("/ws", echo);
  app->map("/x", hello);
  start();
  const std::string stream =
      http_client::request("GET", "/x") + http_client::request("GET", "/ws", test::handshake()) +
      websocket_client::frame(opcode::text, "in one ") + websocket_client::frame(opcode::text, "frag", false) +
      websocket_client::frame(opcode::ping, "ping") + websocket_client::frame(opcode::continuation, "ments");
  testing::for_each_cut(stream, [&](const testing::byte_pieces& pieces) {
    http_client connection(url);
    for (const auto& each : pieces) connection.send(each);
    EXPECT_EQ(connection.read_answer().body, "hello");
    websocket_client client(std::move(connection));
    EXPECT_EQ(client.receive_text(), "in one ");
    EXPECT_EQ(client.receive().payload, "ping");
    EXPECT_EQ(client.receive_text(), "fragments");
  });
}

TEST_P(Invariants, Invariant2_DownwardsNeverCallsBackUp) {
  make().use_websockets();
  told<bool> within_the_call;
  told<bool> later;
  app->map_websocket("/ws", [&](websocket& socket) -> task<> {
    co_await socket.receive();
    bool receive_ended = false;
    const auto listen = [&]() -> task<> {
      const received nothing = co_await socket.receive();
      receive_ended = true;
    };
    co_await task_group::run([&](task_group& group) -> task<> {
      group.spawn(listen());
      socket.abort();
      within_the_call.set(receive_ended);
      co_await group.join();
      later.set(receive_ended);
    });
  });
  start();
  websocket_client client(url);
  client.send_text("go");
  EXPECT_FALSE(within_the_call.get());
  EXPECT_TRUE(later.get());
  EXPECT_EQ(client.connection().read_to_end(), "");
}

TEST_P(Invariants, Invariant4_SendEncodesAtTheCallAndKeepsTheOrderOfTheCalls) {
  make().use_websockets();
  app->map_websocket("/ws", [](websocket& socket) -> task<> {
    std::string text = "first";
    auto first = socket.send(text);
    text = "second";
    auto second = socket.send(text);
    text = "neither";
    co_await second;
    co_await first;
  });
  start();
  websocket_client client(url);
  EXPECT_EQ(client.receive_text(), "first");
  EXPECT_EQ(client.receive_text(), "second");
}

TEST_P(Invariants, Invariant4_AboveTheMarkTheMessageIsQueuedAndTheCallerWaits) {
  make().use_websockets({.max_queued_bytes = 1024});
  told<bool> queued;
  app->map_websocket("/ws", [&](websocket& socket) -> task<> {
    const std::string large(8 << 20, 'x');
    auto sending = socket.send(large);
    const bool ready = sending.await_ready();
    const bool delivered = co_await sending;
    queued.set(!ready && delivered);
  });
  start();
  websocket_client client(url);
  EXPECT_EQ(client.receive_text().size(), std::size_t{8} << 20);
  EXPECT_TRUE(queued.get());
}

TEST_P(Invariants, Invariant6_PingsAreAnsweredAndClosesNoticedWhileTheHandlerIsBusy) {
  make().use_websockets();
  gate busy;
  told<bool> sent;
  app->map_websocket("/ws", [&](websocket& socket) -> task<> {
    co_await busy.pass();
    const bool delivered = co_await socket.send("too late");
    sent.set(delivered);
  });
  start();
  websocket_client client(url);
  busy.await_arrival();
  client.send(opcode::ping, "alive?");
  const auto pong = client.receive();
  EXPECT_EQ(pong.code, opcode::pong);
  EXPECT_EQ(pong.payload, "alive?");
  EXPECT_EQ(client.close(), close_code::normal_closure);
  EXPECT_EQ(client.connection().read_to_end(), "");
  busy.open();
  EXPECT_FALSE(sent.get());
}

TEST_P(Invariants, Invariant8_ACancelledReceiveLeavesTheSocketOpenAndCanBeResumed) {
  make().use_websockets();
  std::stop_source stop_receiving;
  told<bool> cancelled;
  gate waiting;
  app->map_websocket("/ws", [&](websocket& socket) -> task<> {
    co_await waiting.pass();
    const received nothing = co_await socket.receive(stop_receiving.get_token());
    cancelled.set(nothing.cancelled() && socket.state() == websocket_state::open);
    co_await echo(socket);
  });
  start();
  websocket_client client(url);
  client.send(opcode::text, "half ", false);
  waiting.await_arrival();
  waiting.open();
  // From another thread than the socket's.
  stop_receiving.request_stop();
  EXPECT_TRUE(cancelled.get());
  client.send(opcode::continuation, "and half");
  EXPECT_EQ(client.receive_text(), "half and half");
}

// What happens while an application stops, in the order in which it happens.
class shutdown_order {
 public:
  void note(const std::string& what) {
    const std::lock_guard lock(mutex_);
    order_.push_back(what);
  }
  std::vector<std::string> get() const {
    const std::lock_guard lock(mutex_);
    return order_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> order_;
};

TEST_P(Invariants, Invariant9_ShutdownOrder) {
  // One loop, so that all that happens has an order.
  make({"--threads", "1"}).use_websockets();
  shutdown_order order;
  gate listening;
  told<websocket_handle> opened;
  const auto refused = [this] {
    try {
      http_client late(url);
    } catch (const std::system_error&) {
      return true;
    }
    return false;
  };
  struct user_object {
    shutdown_order& order;
    ~user_object() { order.note("the user's objects"); }
  };
  app->map("/token", [&, object = std::shared_ptr<user_object>(new user_object{order})](http_context&) -> task<> {
    co_await listening.pass();
    co_await sleep_for(24h, app->stopping());
    order.note(refused() ? "listeners, then the token" : "the token while somebody listens");
    co_await run_blocking([] {});
    order.note("the worker pool still works");
  });
  app->map_websocket("/ws", [&](websocket& socket) -> task<> {
    opened.set(socket.handle());
    const received nothing = co_await socket.receive();
    order.note(app->stopping().stop_requested() ? "1001 behind the token" : "1001 before the token");
  });
  start();
  websocket_handle handle;
  std::optional<websocket_client> socket(url);
  handle = opened.get();
  std::optional<http_client> request(url);
  request->send(http_client::request("GET", "/token"));
  listening.await_arrival();
  listening.open();
  app->stop();
  std::thread waits([this] { EXPECT_EQ(app->wait(), 0); });
  EXPECT_EQ(socket->receive_close(), close_code::going_away);
  socket->send_close(close_code::going_away);
  socket.reset();
  EXPECT_EQ(request->read_answer().status, 200);
  request.reset();
  waits.join();
  EXPECT_EQ(handle.send("nobody"), websocket_handle::outcome::closed);
  order.note("loops");
  app.reset();
  url.clear();
  const std::vector<std::string> seen = order.get();
  const auto at = [&seen](std::string_view what) { return std::find(seen.begin(), seen.end(), what) - seen.begin(); };
  const auto end = static_cast<std::ptrdiff_t>(seen.size());
  EXPECT_EQ(at("listeners, then the token"), 0);
  EXPECT_LT(at("1001 behind the token"), end);
  EXPECT_LT(at("the worker pool still works"), at("loops"));
  EXPECT_LT(at("loops"), at("the user's objects"));
  EXPECT_LT(at("the user's objects"), end);
}

INSTANTIATE_TEST_SUITE_P(Engines, Invariants, both_engines(), engine_name);

}  // namespace
}  // namespace windhover::hosting
