// An application over HTTP/2: routes, WebSocket endpoints and settings are those of HTTP/1.1.
#include <future>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "hosting/running_application.hpp"
#include "support/http2_peer.hpp"
#include "support/websocket_peer.hpp"

namespace windhover::hosting {
namespace {

using test::client_close;
using test::client_frame;
using test::data_frame;
using test::end_stream;
using test::http2_peer;
using test::server_frame;
using wire::opcode;
using wire::http2::error_code;

class Http2 : public running_application {
 protected:
  // A server that stops waits for its clients.
  void TearDown() override {
    connection.reset();
    running_application::TearDown();
  }
  void connect(std::string_view further) {
    connection.emplace(url);
    send(http2_peer::begin() + std::string(further));
  }
  void send(std::string_view bytes) { connection->send(bytes); }
  template <class Done>
  void read_until(Done&& done) {
    while (!done()) {
      if (!connection->fill()) throw std::runtime_error("the server ended the connection");
      peer.take(connection->take(connection->buffered().size()));
    }
  }
  test::received_answer& answer_to(std::uint32_t stream) {
    read_until([&] { return peer.answer(stream).ended || peer.answer(stream).reset; });
    return peer.answer(stream);
  }

  http2_peer peer;
  std::optional<test::http_client> connection;
};
INSTANTIATE_TEST_SUITE_P(Engines, Http2, both_engines(), engine_name);

TEST_P(Http2, RoutesTellMethodsApart) {
  make().map_methods({"GET"}, "/get", hello);
  app->map_methods({"GET", "CONNECT"}, "/both", hello);
  app->map("/any", [](http_context& context) -> task<> {
    context.response().status(403);
    co_return;
  });
  start();
  connect(peer.get(1, "/get") + peer.get(3, "/both") + peer.get(5, "/nothing") + peer.connect(7, "/get") +
          peer.connect(9, "/any") + peer.post(11, "/get", "x"));
  EXPECT_EQ(answer_to(1).body, "hello");
  EXPECT_EQ(answer_to(3).body, "hello");
  EXPECT_EQ(answer_to(5).status, "404");
  EXPECT_EQ(answer_to(7).status, "405");
  EXPECT_EQ(answer_to(7).field("allow"), "GET");
  EXPECT_EQ(answer_to(9).status, "403");
  EXPECT_EQ(answer_to(11).status, "405");
}

TEST_P(Http2, AWebSocketEndpointTakesBothVersions) {
  make().use_websockets();
  app->map_websocket("/ws/{room}", [](websocket& socket, const http_context& context) -> task<> {
    const std::string greeting(context.route_value("room"));
    co_await socket.send(greeting);
    co_await echo(socket);
  });
  start();
  connect(peer.connect(1, "/ws/7") + data_frame(1, client_frame(opcode::text, "hello")));
  const std::string expected = server_frame(opcode::text, "7") + server_frame(opcode::text, "hello");
  read_until([&] { return peer.answer(1).body == expected; });
  EXPECT_EQ(peer.answer(1).status, "200");
  send(data_frame(1, client_close(1000), end_stream));
  EXPECT_TRUE(answer_to(1).body.ends_with(server_frame(opcode::close, test::closing(1000))));
  EXPECT_EQ(get("/ws/7").status, 400);
}

TEST_P(Http2, AnEndpointWithoutContextGivesUpTheRequest) {
  make().use_websockets();
  app->map_websocket("/ws", echo);
  start();
  connect(peer.connect(1));
  read_until([&] { return !peer.answer(1).status.empty(); });
  send(data_frame(1, client_frame(opcode::text, "hello")));
  read_until([&] { return peer.answer(1).body == server_frame(opcode::text, "hello"); });
  send(data_frame(1, client_close(1000), end_stream));
  EXPECT_FALSE(answer_to(1).reset);
}

TEST_P(Http2, WhatIsNoWebSocketIsToldWhy) {
  make().use_websockets();
  app->map_websocket("/ws", echo);
  start();
  connect(peer.get(1, "/ws") +
          peer.headers_frame(3, http2_peer::request_fields(
                                    "CONNECT", "/ws", {{":protocol", "websocket"}, {"sec-websocket-version", "8"}})));
  EXPECT_EQ(answer_to(1).status, "400");
  EXPECT_EQ(answer_to(3).status, "426");
  EXPECT_EQ(answer_to(3).field("sec-websocket-version"), "13");
  EXPECT_EQ(answer_to(3).field("upgrade"), std::nullopt);
}

TEST_P(Http2, TheSwitchAndTheOriginsHoldForBothVersions) {
  websocket_options options;
  options.allowed_origins = {"https://example.com"};
  make().use_websockets(options);
  app->map_websocket("/ws", echo);
  start();
  connect(peer.connect(1, "/ws", {{"origin", "https://evil.example"}}) +
          peer.connect(3, "/ws", {{"origin", "https://example.com"}}));
  EXPECT_EQ(answer_to(1).status, "403");
  read_until([&] { return !peer.answer(3).status.empty(); });
  EXPECT_EQ(peer.answer(3).status, "200");
}

TEST_P(Http2, LimitsComeFromTheConfigurationAndAreCounted) {
  make({"--Windhover:Limits:Http2:MaxStreamsPerConnection", "1", "--Windhover:Limits:Http2:InitialStreamWindowSize",
        "5000", "--Windhover:Limits:MaxRequestHeadersTotalSize", "1000"})
      .use_websockets();
  app->map_websocket("/ws", echo);
  start();
  connect(peer.connect(1));
  read_until([&] { return !peer.answer(1).status.empty(); });
  EXPECT_EQ(peer.settings[3], 1U);
  EXPECT_EQ(peer.settings[4], 5000U);
  EXPECT_EQ(peer.settings[6], 1000U);
  EXPECT_EQ(app->counters().http2_connections, 1U);
  EXPECT_EQ(app->counters().http2_streams, 1U);
  EXPECT_EQ(app->counters().requests, 1U);
}

TEST_P(Http2, AServerThatStopsClosesWebSocketsAndSaysGoodbye) {
  make().use_websockets();
  app->map_websocket("/ws", echo);
  start();
  connect(peer.connect(1));
  read_until([&] { return !peer.answer(1).status.empty(); });
  std::future<int> exit_code = std::async(std::launch::async, [this] { return stop(); });
  read_until([&] { return peer.answer(1).body.size() > 4; });
  EXPECT_EQ(test::to_hex(peer.answer(1).body.substr(2, 2)), "03e9");
  send(data_frame(1, client_close(1001), end_stream));
  while (connection->fill()) {
  }
  peer.take(connection->take(connection->buffered().size()));
  ASSERT_FALSE(peer.goaways.empty());
  EXPECT_EQ(peer.goaways.back().why, error_code::no_error);
  connection.reset();  // The server leaves a client time for its own end.
  EXPECT_EQ(exit_code.get(), 0);
  url.clear();
}

}  // namespace
}  // namespace windhover::hosting
