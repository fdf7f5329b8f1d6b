// How a WebSocket ends with its handler, and a handler learns of the end.
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
using test::websocket_client;

class WebSocketHandlers : public accepting_application {};
INSTANTIATE_TEST_SUITE_P(Engines, WebSocketHandlers, both_engines(), engine_name);

TEST_P(WebSocketHandlers, AHandlerThatReturnsClosesWith1000) {
  make().use_websockets();
  app->map_websocket("/ws", [](websocket& socket) -> task<> { co_await socket.send("bye"); });
  start();
  websocket_client client(url);
  EXPECT_EQ(client.receive_text(), "bye");
  EXPECT_EQ(client.receive_close(), close_code::normal_closure);
  client.send_close(close_code::normal_closure);
  EXPECT_EQ(client.connection().read_to_end(), "");
  EXPECT_FALSE(client.connection().was_reset());
}

TEST_P(WebSocketHandlers, AnEscapedExceptionClosesWith1011AndIsLogged) {
  make().use_websockets();
  app->map_websocket("/ws", [](websocket& socket) -> task<> {
    co_await socket.receive();
    throw std::runtime_error("the handler is broken");
  });
  start();
  websocket_client client(url);
  client.send_text("go");
  EXPECT_EQ(client.receive_close(), close_code::internal_error);
  EXPECT_EQ(client.close_reason(), "") << "what went wrong is nothing for strangers";
  EXPECT_EQ(log.lines(log_level::error),
            std::vector<std::string>{"websocket: the WebSocket handler of /ws failed: the handler is broken"});
}

TEST_P(WebSocketHandlers, AnEscapedExceptionOfAHandlerWithContextClosesWith1011AndIsLogged) {
  make().use_websockets();
  app->map_websocket("/rooms/{id}", [](websocket& socket, const http_context&) -> task<> {
    co_await socket.receive();
    throw std::runtime_error("the handler is broken");
  });
  app->map_websocket("/other", [](websocket&, const http_context&) -> task<> {
    throw 7;
    co_return;
  });
  start();
  websocket_client client(url, "/rooms/7");
  client.send_text("go");
  EXPECT_EQ(client.receive_close(), close_code::internal_error);
  EXPECT_EQ(websocket_client(url, "/other").receive_close(), close_code::internal_error);
  EXPECT_TRUE(log.gets("the WebSocket handler of /rooms/7 failed: the handler is broken"));
  EXPECT_TRUE(log.gets("the WebSocket handler of /other failed: an exception that is no std::exception"));
}

TEST_P(WebSocketHandlers, AHandlerThatThrowsAtOnceClosesWith1011Too) {
  make().use_websockets();
  app->map_websocket("/ws", [](websocket&) -> task<> { throw std::runtime_error("no coroutine"); });
  start();
  EXPECT_EQ(websocket_client(url).receive_close(), close_code::internal_error);
  EXPECT_TRUE(log.gets("the WebSocket handler of /ws failed: no coroutine"));
}

TEST_P(WebSocketHandlers, AHandlerThatReturnsAnEmptyTaskClosesWith1011AndIsLogged) {
  make().use_websockets();
  const auto look = [](http_context& context) { return context.request().path() == "/refused" ? task<>() : done(); };
  app->map_websocket("/ws", [](websocket&) { return task<>(); });
  app->map_websocket("/looked", {.before_accept = look}, [](websocket&) { return task<>(); });
  app->map_websocket("/context", [](websocket&, const http_context&) { return task<>(); });
  app->map_websocket("/refused", {.before_accept = look}, echo);
  start();
  for (const std::string path : {"/ws", "/looked", "/context"}) {
    EXPECT_EQ(websocket_client(url, path).receive_close(), close_code::internal_error);
    EXPECT_TRUE(log.gets("the WebSocket handler of " + path + " failed: the task is empty"));
  }
  EXPECT_EQ(ask_for_websocket("/refused").status, 500);
  EXPECT_TRUE(log.gets("an unhandled exception ended GET /refused: the task is empty"));
}

TEST_P(WebSocketHandlers, WhateverIsThrownClosesWith1011) {
  make().use_websockets();
  app->map_websocket("/ws", [](websocket&) -> task<> {
    throw 7;
    co_return;
  });
  start();
  EXPECT_EQ(websocket_client(url).receive_close(), close_code::internal_error);
  EXPECT_TRUE(log.gets("the WebSocket handler of /ws failed: an exception that is no std::exception"));
}

TEST_P(WebSocketHandlers, AnExceptionInTheLongFormClosesWith1011AndIsLogged) {
  make().use_websockets();
  use_long_form([](http_context& context) -> task<> {
    websocket socket = co_await context.websockets().accept();
    co_await socket.receive();
    throw std::runtime_error("the handler is broken");
  });
  start();
  websocket_client client(url);
  client.send_text("go");
  EXPECT_EQ(client.receive_close(), close_code::internal_error);
  EXPECT_TRUE(log.gets("hosting: an unhandled exception ended GET /ws: the handler is broken"));
}

TEST_P(WebSocketHandlers, ACodeOfTheHandlersOwnIsKept) {
  make().use_websockets();
  app->map_websocket(
      "/ws", [](websocket& socket) -> task<> { co_await socket.close(static_cast<close_code>(4001), "enough"); });
  start();
  websocket_client client(url);
  EXPECT_EQ(client.receive_close(), static_cast<close_code>(4001));
  EXPECT_EQ(client.close_reason(), "enough");
}

TEST_P(WebSocketHandlers, TheClientThatGoesStopsTheHandlersToken) {
  make().use_websockets();
  told<bool> slept;
  app->map_websocket("/ws", [&](websocket&, const http_context& context) -> task<> {
    const bool whole = co_await sleep_for(1h, context.request_aborted());
    slept.set(whole);
  });
  start();
  websocket_client client(url);
  client.connection().reset();
  EXPECT_FALSE(slept.get());
}

TEST_P(WebSocketHandlers, ACleanCloseDoesNotStopTheToken) {
  make().use_websockets();
  told<bool> stopped;
  app->map_websocket("/ws", [&](websocket& socket, const http_context& context) -> task<> {
    co_await echo(socket);
    stopped.set(context.request_aborted().stop_requested());
  });
  start();
  websocket_client client(url);
  client.close();
  EXPECT_FALSE(stopped.get());
}

}  // namespace
}  // namespace windhover::hosting
