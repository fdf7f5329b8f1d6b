// map_websocket: what a handler takes, what is refused, options of an endpoint, and the look before accepting.
#include <atomic>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hosting/accepting_application.hpp"
#include "hosting/pipeline.hpp"
#include <windhover/sleep_for.hpp>
#include <windhover/web_application.hpp>

namespace windhover::hosting {
namespace {

using namespace std::chrono_literals;
using test::handshake;
using test::http_client;
using test::websocket_client;
using wire::opcode;

class WebSocketEndpoints : public accepting_application {};
INSTANTIATE_TEST_SUITE_P(Engines, WebSocketEndpoints, both_engines(), engine_name);

// ----- map_websocket

TEST_P(WebSocketEndpoints, AHandlerTakesTheSocketAlone) {
  make().use_websockets();
  app->map_websocket("/ws", echo);
  start();
  websocket_client client(url);
  client.send(opcode::binary, std::string("\xde\xad\xbe\xef"));
  const auto frame = client.receive();
  EXPECT_EQ(frame.code, opcode::binary);
  EXPECT_EQ(frame.payload, "\xde\xad\xbe\xef");
}

TEST_P(WebSocketEndpoints, AHandlerTakesTheContextToo) {
  make().use_websockets();
  app->use([](http_context& context, next_middleware next) {
    context.items()["user"] = std::string("Ann");
    return next();
  });
  app->map_websocket("/rooms/{id}", [](websocket& socket, const http_context& context) -> task<> {
    const std::string text = *context.item<std::string>("user") + " in " + std::string(context.route_value("id")) +
                             " as " + context.request().query_value("as").value_or("?");
    co_await socket.send(text);
  });
  start();
  websocket_client client(url, "/rooms/lobby%207?as=guest");
  EXPECT_EQ(client.receive_text(), "Ann in lobby 7 as guest");
}

TEST_P(WebSocketEndpoints, AHandlerMayHaveAStateOfItsOwn) {
  make().use_websockets();
  app->map_websocket("/ws", [count = 0](websocket& socket) mutable -> task<> {
    const std::string text = std::to_string(++count);
    co_await socket.send(text);
  });
  start();
  EXPECT_EQ(websocket_client(url).receive_text(), "1");
}

TEST_P(WebSocketEndpoints, ARequestThatIsNoneIs400) {
  make().use_websockets();
  app->map_websocket("/ws", echo);
  start();
  EXPECT_EQ(get("/ws").status, 400);
  EXPECT_EQ(get("/ws", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n").status, 400);
  EXPECT_EQ(http_client(url).ask("POST", "/ws", handshake()).status, 400);
}

TEST_P(WebSocketEndpoints, AnotherVersionIs426WithTheOneThatIsSpoken) {
  make().use_websockets();
  app->map_websocket("/ws", echo);
  start();
  http_client client(url);
  const test::http_answer answer = client.get(
      "/ws", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8, 7\r\nSec-WebSocket-Key: x\r\n");
  EXPECT_EQ(answer.status, 426);
  EXPECT_EQ(answer.header("Sec-WebSocket-Version"), "13");
  EXPECT_EQ(answer.header("Upgrade"), "websocket");
  EXPECT_EQ(answer.header("Connection"), "Upgrade");
  EXPECT_EQ(client.get("/ws", handshake()).status, 101) << "the connection is still good";
}

TEST_P(WebSocketEndpoints, TheFirstSubProtocolOfTheEndpointThatTheClientOffersIsChosen) {
  make().use_websockets();
  websocket_endpoint_options options;
  options.sub_protocols = {"v3", "v2", "v1"};
  app->map_websocket("/ws", options, [](websocket& socket) -> task<> {
    const std::string spoken = "speaking " + std::string(socket.sub_protocol());
    co_await socket.send(spoken);
  });
  start();
  websocket_client client(url, "/ws", "Sec-WebSocket-Protocol: v1\r\nSec-WebSocket-Protocol: other, V2\r\n");
  EXPECT_EQ(client.answer().header("Sec-WebSocket-Protocol"), "V2");
  EXPECT_EQ(client.receive_text(), "speaking V2");
  EXPECT_EQ(ask_for_websocket("/ws", "Sec-WebSocket-Protocol: v9\r\n").header("Sec-WebSocket-Protocol"), std::nullopt);
  EXPECT_EQ(ask_for_websocket("/ws").status, 101);
}

TEST_P(WebSocketEndpoints, AnEndpointMayRequireASubProtocol) {
  make().use_websockets();
  websocket_endpoint_options options;
  options.sub_protocols = {"v1"};
  options.requires_sub_protocol = true;
  app->map_websocket("/ws", options, echo);
  start();
  EXPECT_EQ(ask_for_websocket("/ws", "Sec-WebSocket-Protocol: v2\r\n").status, 400);
  EXPECT_EQ(ask_for_websocket("/ws").status, 400);
  EXPECT_EQ(ask_for_websocket("/ws", "Sec-WebSocket-Protocol: v1\r\n").status, 101);
}

TEST_P(WebSocketEndpoints, EndpointsHaveLimitsOfTheirOwn) {
  make().use_websockets({.max_message_size = 100});
  websocket_endpoint_options options;
  options.max_message_size = 4;
  app->map_websocket("/small", options, echo);
  app->map_websocket("/ws", echo);
  start();
  websocket_client small(url, "/small");
  small.send_text("five!");
  EXPECT_EQ(small.receive_close(), close_code::message_too_big);
  websocket_client usual(url);
  usual.send_text("five!");
  EXPECT_EQ(usual.receive_text(), "five!");
}

TEST_P(WebSocketEndpoints, EndpointsHaveAKeepAliveOfTheirOwn) {
  make().use_websockets();
  websocket_endpoint_options options;
  options.keep_alive_interval = 1ms;
  options.keep_alive_timeout = 0ms;
  app->map_websocket("/ws", options, echo);
  start();
  // As in the original without a time-out: unsolicited pongs.
  websocket_client client(url);
  EXPECT_EQ(client.receive().code, opcode::pong);
  EXPECT_EQ(client.receive().code, opcode::pong);
}

TEST_P(WebSocketEndpoints, OptionsOfAnEndpointAreCheckedWhereItIsMapped) {
  make().use_websockets();
  websocket_endpoint_options options;
  options.keep_alive_timeout = -1ms;
  EXPECT_THROW(app->map_websocket("/ws", options, echo), std::invalid_argument);
}

// ----- A look before accepting

TEST_P(WebSocketEndpoints, ALookBeforeAcceptingMayRefuse) {
  make().use_websockets();
  websocket_endpoint_options options;
  options.before_accept = [](http_context& context) -> task<> {
    co_await sleep_for(1ms);
    if (context.request().query_value("token") == "good") co_return;
    context.response().status(401);
    context.response().header("WWW-Authenticate", "Bearer");
    co_await context.response().write("who are you?");
  };
  app->map_websocket("/ws", options, echo);
  start();
  http_client client(url);
  const test::http_answer refused = client.get("/ws?token=bad", handshake());
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.header("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(refused.body, "who are you?");
  EXPECT_EQ(client.get("/ws?token=good", handshake()).status, 101);
}

TEST_P(WebSocketEndpoints, ALookBeforeAcceptingMayAddToTheHandshakeAndLeaveSomethingForTheHandler) {
  make().use_websockets();
  websocket_endpoint_options options;
  options.before_accept = [](http_context& context) {
    context.response().header("X-Seen", "yes");
    context.items()["user"] = std::string("Ann");
    return hosting::done();
  };
  app->map_websocket("/ws", options, [](websocket& socket, const http_context& context) -> task<> {
    co_await socket.send(*context.item<std::string>("user"));
  });
  start();
  websocket_client client(url);
  EXPECT_EQ(client.answer().header("X-Seen"), "yes");
  EXPECT_EQ(client.receive_text(), "Ann");
}

TEST_P(WebSocketEndpoints, ALookBeforeAcceptingThatThrowsRefusesWith500) {
  make().use_websockets();
  websocket_endpoint_options options;
  options.before_accept = [](http_context&) -> task<> {
    throw std::runtime_error("no directory");
    co_return;
  };
  app->map_websocket("/ws", options, echo);
  start();
  EXPECT_EQ(ask_for_websocket().status, 500);
  EXPECT_TRUE(log.has("hosting: an unhandled exception ended GET /ws: no directory"));
}

TEST_P(WebSocketEndpoints, OnlyWebSocketRequestsAreLookedAt) {
  make().use_websockets();
  std::atomic<int> looked = 0;
  websocket_endpoint_options options;
  options.before_accept = [&looked](http_context&) {
    ++looked;
    return hosting::done();
  };
  app->map_websocket("/ws", options, echo);
  start();
  EXPECT_EQ(get("/ws").status, 400);
  EXPECT_EQ(looked, 0);
  EXPECT_EQ(ask_for_websocket().status, 101);
  EXPECT_EQ(looked, 1);
}

TEST_P(WebSocketEndpoints, AClientThatGoesDuringTheLookIsNobodysFailure) {
  make().use_websockets();
  gate looking;
  told<bool> ended;
  app->use([&](http_context&, next_middleware next) -> task<> {
    try {
      co_await next();
    } catch (const bad_http_request& error) {
      ended.set(error.status() == 499);
      throw;
    }
  });
  websocket_endpoint_options options;
  options.before_accept = [&](http_context& context) -> task<> {
    co_await looking.pass();
    co_await sleep_for(1h, context.request_aborted());
  };
  app->map_websocket("/ws", options, echo);
  start();
  http_client client(url);
  client.send(http_client::request("GET", "/ws", handshake()));
  looking.await_arrival();
  client.reset();
  looking.open();
  EXPECT_TRUE(ended.get());
  stop();
  EXPECT_EQ(log.lines(log_level::warning), std::vector<std::string>{});
}

}  // namespace
}  // namespace windhover::hosting
