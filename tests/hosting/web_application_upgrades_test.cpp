// The upgrade under a WebSocket: the cases of Kestrel's UpgradeTests, by the names they have there, and what else
// becomes of the connection.
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "hosting/accepting_application.hpp"
#include <windhover/web_application.hpp>

namespace windhover::hosting {
namespace {

using test::handshake;
using test::http_client;
using test::websocket_client;

class Upgrades : public accepting_application {};
INSTANTIATE_TEST_SUITE_P(Engines, Upgrades, both_engines(), engine_name);

TEST_P(Upgrades, ResponseThrowsAfterUpgrade) {
  make().use_websockets();
  use_long_form([](http_context& context) -> task<> {
    websocket socket = co_await context.websockets().accept();
    EXPECT_THROW(static_cast<void>(context.response().write("no more")), std::logic_error);
    EXPECT_THROW(context.response().status(200), std::logic_error);
    EXPECT_THROW(context.response().header("X", "no"), std::logic_error);
    co_await socket.send("still a WebSocket");
  });
  start();
  websocket_client client(url);
  EXPECT_EQ(client.receive_text(), "still a WebSocket");
}

TEST_P(Upgrades, RequestBodyAlwaysEmptyAfterUpgrade) {
  make().use_websockets();
  use_long_form([](http_context& context) -> task<> {
    websocket socket = co_await context.websockets().accept();
    const std::string body = co_await context.request().read_all();
    EXPECT_EQ(body, "");
    co_await echo(socket);
  });
  start();
  websocket_client client(url);
  client.send_text("data goes through the socket");
  EXPECT_EQ(client.receive_text(), "data goes through the socket");
}

TEST_P(Upgrades, UpgradeCannotBeCalledMultipleTimes) {
  make().use_websockets();
  told<std::string> what;
  use_long_form([&](http_context& context) -> task<> {
    websocket socket = co_await context.websockets().accept();
    EXPECT_FALSE(context.websockets().is_websocket_request());
    try {
      const websocket second = co_await context.websockets().accept();
    } catch (const std::logic_error& error) {
      what.set(error.what());
    }
    co_await echo(socket);
  });
  start();
  websocket_client client(url);
  EXPECT_EQ(what.get(), "the WebSocket request was accepted already, which can be done once");
  client.send_text("the first one lives on");
  EXPECT_EQ(client.receive_text(), "the first one lives on");
}

TEST_P(Upgrades, AcceptsRequestWithUpgradeButNoWebSocket) {
  make().use_websockets();
  app->map("/ws", [](http_context& context) -> task<> {
    EXPECT_FALSE(context.websockets().is_websocket_request());
    const std::string body = co_await context.request().read_all();
    co_await context.response().write(body);
  });
  start();
  http_client client(url);
  client.send("POST /ws HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n" + handshake() + "\r\nA");
  EXPECT_EQ(client.read_answer().body, "A");
  client.send("POST /ws HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" + handshake() +
              "\r\nB\r\nHello World\r\n0\r\n\r\n");
  EXPECT_EQ(client.read_answer().body, "Hello World");
  client.send("POST /ws HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n" + handshake() + "\r\n");
  EXPECT_EQ(client.read_answer().body, "");
}

TEST_P(Upgrades, ThrowsWhenUpgradingNonUpgradableRequest) {
  make().use_websockets();
  app->map("/ws", [](http_context& context) -> task<> {
    std::string what;
    try {
      const websocket socket = co_await context.websockets().accept();
    } catch (const std::logic_error& error) {
      what = error.what();
    }
    co_await context.response().write(what);
  });
  start();
  const test::http_answer answer = get("/ws");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "not a WebSocket request: check is_websocket_request() first");
}

TEST_P(Upgrades, ARequestThatWasNotAcceptedLeavesTheConnectionForTheNext) {
  make().use_websockets();
  app->map("/plain", hello);
  app->map_websocket("/ws", echo);
  start();
  http_client client(url);
  EXPECT_EQ(client.get("/plain", handshake()).body, "hello");
  client.send(http_client::request("GET", "/ws", handshake()));
  websocket_client socket(std::move(client));
  socket.send_text("upgraded later");
  EXPECT_EQ(socket.receive_text(), "upgraded later");
}

TEST_P(Upgrades, ClientEndsItsStream) {
  make().use_websockets();
  told<std::optional<close_code>> status;
  use_long_form([&](http_context& context) -> task<> {
    websocket socket = co_await context.websockets().accept();
    co_await echo(socket);
    status.set(socket.close_status());
  });
  start();
  websocket_client client(url);
  client.connection().end();
  EXPECT_EQ(status.get(), close_code::abnormal_closure);
  EXPECT_EQ(client.connection().read_to_end(), "");
}

}  // namespace
}  // namespace windhover::hosting
