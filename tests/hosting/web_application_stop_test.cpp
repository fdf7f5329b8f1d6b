// How an application stops: what it closes, finishes and cuts, and in which order.
#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hosting/running_application.hpp"
#include <windhover/sleep_for.hpp>
#include <windhover/web_application.hpp>

namespace windhover::hosting {
namespace {

using namespace std::chrono_literals;
using test::http_client;
using test::websocket_client;
using wire::opcode;

// A stop under way on a thread of its own, as it waits for what the test does.
class Stop : public running_application {
 protected:
  void TearDown() override {
    if (waiter_.joinable()) waiter_.join();
    running_application::TearDown();
  }
  void begin_to_stop() {
    app->stop();
    waiter_ = std::thread([this] { exit_code_ = app->wait(); });
  }
  int finish() {
    waiter_.join();
    return exit_code_;
  }

 private:
  std::thread waiter_;
  int exit_code_ = -1;
};

TEST_P(Stop, OpenWebSocketsSee1001) {
  make().use_websockets();
  app->map_websocket("/ws", echo);
  start();
  std::vector<websocket_client> clients;
  for (int i = 0; i < 10; ++i) clients.emplace_back(url);
  for (websocket_client& each : clients) {
    each.send_text("hello");
    EXPECT_EQ(each.receive_text(), "hello");
  }
  begin_to_stop();
  for (websocket_client& each : clients) {
    EXPECT_EQ(each.receive_close(), close_code::going_away);
    EXPECT_EQ(each.close_reason(), "the server is shutting down");
    each.send_close(close_code::going_away);
    EXPECT_EQ(each.connection().read_to_end(), "");
    EXPECT_FALSE(each.connection().was_reset());
  }
  clients.clear();
  EXPECT_EQ(finish(), 0);
}

TEST_P(Stop, WhatWasSentBeforeComesBeforeTheClose) {
  make().use_websockets();
  gate sending;
  app->map_websocket("/ws", [&](websocket& socket) -> task<> {
    for (int i = 0; i < 100; ++i) co_await socket.send("message " + std::to_string(i));
    co_await sending.pass();
    co_await echo(socket);
  });
  start();
  {
    websocket_client client(url);
    sending.await_arrival();
    begin_to_stop();
    for (int i = 0; i < 100; ++i) EXPECT_EQ(client.receive_text(), "message " + std::to_string(i));
    EXPECT_EQ(client.receive_close(), close_code::going_away);
    client.send_close(close_code::going_away);
  }
  sending.open();
  EXPECT_EQ(finish(), 0);
}

TEST_P(Stop, RequestsInProgressFinish) {
  make();
  gate working;
  app->map("/work", [&](http_context& context) -> task<> {
    co_await working.pass();
    co_await context.response().write("done after all");
  });
  start();
  {
    http_client client(url);
    client.send(http_client::request("GET", "/work"));
    working.await_arrival();
    begin_to_stop();
    ASSERT_TRUE(log.gets("Application is shutting down..."));
    working.open();
    const test::http_answer answer = client.read_answer();
    EXPECT_EQ(answer.body, "done after all");
    EXPECT_EQ(client.read_to_end(), "") << "and then the connection ends";
    EXPECT_FALSE(client.was_reset());
  }
  EXPECT_EQ(finish(), 0);
}

TEST_P(Stop, IdleConnectionsAndHalfARequestEnd) {
  make().map("/x", hello);
  start();
  {
    http_client idle(url);
    EXPECT_EQ(idle.get("/x").body, "hello");
    http_client silent(url);
    http_client half(url);
    half.send("GET /x HTTP/1.1\r\nHost:");
    begin_to_stop();
    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_EQ(silent.read_to_end(), "");
    EXPECT_EQ(half.read_to_end(), "");
  }
  EXPECT_EQ(finish(), 0);
}

TEST_P(Stop, NobodyConnectsOnceTheTokenIsStopped) {
  make();
  gate serving;
  told<bool> refused;
  app->map("/wait", [&](http_context&) -> task<> {
    co_await serving.pass();
    co_await sleep_for(24h, app->stopping());
    try {
      http_client late(url);
      refused.set(false);
    } catch (const std::system_error&) {
      refused.set(true);
    }
  });
  start();
  {
    http_client client(url);
    client.send(http_client::request("GET", "/wait"));
    serving.await_arrival();
    serving.open();
    begin_to_stop();
    EXPECT_TRUE(refused.get());
    EXPECT_EQ(client.read_answer().status, 200);
  }
  EXPECT_EQ(finish(), 0);
}

TEST_P(Stop, StoppingIsStoppedOnEveryThreadThatAsks) {
  make();
  start();
  const std::stop_token token = app->stopping();
  EXPECT_FALSE(token.stop_requested());
  EXPECT_EQ(stop(), 0);
  EXPECT_TRUE(token.stop_requested());
  app.reset();
  EXPECT_TRUE(token.stop_requested()) << "the token outlives the application";
}

TEST_P(Stop, AWebSocketThatIsAcceptedWhileStoppingIsClosedAtOnce) {
  make().use_websockets();
  gate looking;
  websocket_endpoint_options options;
  options.before_accept = [&](http_context&) -> task<> {
    co_await looking.pass();
    co_await sleep_for(24h, app->stopping());
    // Until the connection has been told as well.
    co_await sleep_for(1ms);
  };
  app->map_websocket("/ws", options, echo);
  start();
  http_client asking(url);
  asking.send(http_client::request("GET", "/ws", test::handshake()));
  looking.await_arrival();
  looking.open();
  begin_to_stop();
  {
    websocket_client client(std::move(asking));
    EXPECT_EQ(client.receive_close(), close_code::going_away);
    client.send_close(close_code::going_away);
  }
  EXPECT_EQ(finish(), 0);
}

TEST_P(Stop, AHandlerThatTakesNoNoticeIsCutOffAfterTheTimeout) {
  make({"--Windhover:ShutdownTimeout=00:00:03"}).use_websockets();
  gate begun;
  told<bool> slept;
  app->map_websocket("/ws", [&](websocket& socket, const http_context& context) -> task<> {
    co_await begun.pass();
    // 1001 is no reason for it to end; the connection that is cut off is.
    const bool whole = co_await sleep_for(24h, context.request_aborted());
    slept.set(whole);
    EXPECT_EQ(socket.close_status(), close_code::abnormal_closure);
  });
  start();
  websocket_client client(url);
  begun.await_arrival();
  begun.open();
  begin_to_stop();
  EXPECT_EQ(client.receive_close(), close_code::going_away);
  // Its half of the closing handshake never comes.
  EXPECT_FALSE(slept.get());
  EXPECT_EQ(finish(), 0);
  EXPECT_TRUE(log.has("the shutdown timeout has passed; aborting the connections that are left"));
}

TEST_P(Stop, ARequestThatTakesNoNoticeIsCutOffAfterTheTimeout) {
  make({"--Windhover:ShutdownTimeout=00:00:00.001"});
  gate begun;
  app->map("/sleep", [&](http_context& context) -> task<> {
    co_await begun.pass();
    co_await sleep_for(24h, context.request_aborted());
  });
  start();
  http_client client(url);
  client.send(http_client::request("GET", "/sleep"));
  begun.await_arrival();
  begun.open();
  EXPECT_EQ(stop(), 0);
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_P(Stop, WithoutATimeEverythingIsCutOffAtOnce) {
  make({"--Windhover:ShutdownTimeout=00:00:00"}).use_websockets();
  app->map_websocket("/ws", echo);
  start();
  websocket_client client(url);
  client.send_text("open");
  EXPECT_EQ(client.receive_text(), "open");
  EXPECT_EQ(stop(), 0);
}

TEST_P(Stop, ClientsThatVanishedDoNotHoldItUp) {
  make().use_websockets();
  app->map_websocket("/ws", echo);
  start();
  for (int i = 0; i < 20; ++i) websocket_client(url).connection().reset();
  EXPECT_EQ(stop(), 0);
}

TEST_P(Stop, AMessageThatIsHalfThereDoesNotHoldItUp) {
  make().use_websockets();
  app->map_websocket("/ws", echo);
  start();
  {
    websocket_client client(url);
    client.send(opcode::text, "half", false);
    begin_to_stop();
    EXPECT_EQ(client.receive_close(), close_code::going_away);
    client.send_close(close_code::going_away);
  }
  EXPECT_EQ(finish(), 0);
}

INSTANTIATE_TEST_SUITE_P(Engines, Stop, both_engines(), engine_name);

}  // namespace
}  // namespace windhover::hosting
