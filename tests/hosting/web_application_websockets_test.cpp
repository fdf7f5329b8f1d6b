// WebSockets in an application: accepting them, the switch, and threads. Where a test is one of dotnet/aspnetcore's, it
// has that one's name; what follows the name says where Windhover differs.
#include <atomic>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hosting/accepting_application.hpp"
#include <windhover/web_application.hpp>

namespace windhover::hosting {
namespace {

using namespace std::chrono_literals;
using test::http_client;
using test::websocket_client;

class WebSockets : public accepting_application {};
INSTANTIATE_TEST_SUITE_P(Engines, WebSockets, both_engines(), engine_name);

// ----- WebSocketMiddlewareTests

TEST_P(WebSockets, Connect_Success) {
  make().use_websockets();
  use_long_form(accept_and_echo);
  start();
  websocket_client client(url);
  EXPECT_EQ(client.answer().header("Upgrade"), "websocket");
  EXPECT_EQ(client.answer().header("Connection"), "Upgrade");
  EXPECT_EQ(client.answer().header("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(client.answer().header("Sec-WebSocket-Protocol"), std::nullopt);
  client.send_text("Hello, World!");
  EXPECT_EQ(client.receive_text(), "Hello, World!");
  EXPECT_EQ(client.close(), close_code::normal_closure);
  EXPECT_EQ(client.connection().read_to_end(), "");
  EXPECT_FALSE(client.connection().was_reset());
}

TEST_P(WebSockets, NegotiateSubProtocol) {
  make().use_websockets();
  told<std::string> offered;
  use_long_form([&](http_context& context) -> task<> {
    std::string all;
    for (const std::string_view each : context.websockets().requested_protocols()) all += std::string(each) + ";";
    offered.set(all);
    websocket socket = co_await context.websockets().accept("Bravo");
    const std::string spoken(socket.sub_protocol());
    co_await socket.send(spoken);
  });
  start();
  websocket_client client(url, "/ws", "Sec-WebSocket-Protocol: alpha, bravo, charlie\r\n");
  EXPECT_EQ(offered.get(), "alpha;bravo;charlie;");
  // In the client's spelling, so that a client that compares case-sensitively is content.
  EXPECT_EQ(client.answer().header("Sec-WebSocket-Protocol"), "bravo");
  EXPECT_EQ(client.receive_text(), "bravo");
}

TEST_P(WebSockets, NegotiateSubProtocol_ThatWasNotOfferedIsAMistake) {
  make().use_websockets();
  use_long_form(
      [](http_context& context) -> task<> { const websocket socket = co_await context.websockets().accept("delta"); });
  start();
  EXPECT_EQ(ask_for_websocket("/ws", "Sec-WebSocket-Protocol: alpha, bravo\r\n").status, 500);
  EXPECT_TRUE(log.has("the sub-protocol 'delta' was not offered by the client"));
}

TEST_P(WebSockets, MultipleValueHeadersNotOverridden) {
  make().use_websockets();
  told<std::string> values;
  use_long_form([&](http_context& context) -> task<> {
    websocket socket = co_await context.websockets().accept();
    values.set(context.request().headers().joined("Connection") + " / " +
               context.request().headers().joined("Upgrade"));
  });
  start();
  http_client client(url);
  client.send(http_client::request("GET", "/ws",
                                   "Connection: Upgrade, keep-alive\r\nUpgrade: websocket, example\r\n"
                                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
  EXPECT_EQ(client.read_answer().status, 101);
  EXPECT_EQ(values.get(), "Upgrade, keep-alive / websocket, example");
}

TEST_P(WebSockets, PingTimeout) {
  make().use_websockets({.keep_alive_interval = 1ms, .keep_alive_timeout = 1ms});
  told<std::optional<close_code>> status;
  use_long_form([&](http_context& context) -> task<> {
    websocket socket = co_await context.websockets().accept();
    co_await echo(socket);
    status.set(socket.close_status());
  });
  start();
  // Never answers a ping, and reads none: the connection is aborted under it.
  websocket_client silent(url);
  EXPECT_EQ(status.get(), close_code::abnormal_closure);
}

// ----- Accepting

TEST_P(WebSockets, AcceptingAfterTheResponseHasStartedIsAMistake) {
  make().use_websockets();
  use_long_form([](http_context& context) -> task<> {
    co_await context.response().flush();
    EXPECT_THROW(co_await context.websockets().accept(), std::logic_error);
  });
  start();
  EXPECT_EQ(ask_for_websocket().status, 200);
}

TEST_P(WebSockets, HeadersThatWereSetBeforeComeWithTheHandshake) {
  make().use_websockets();
  use_long_form([](http_context& context) -> task<> {
    context.response().header("Set-Cookie", "seen=1");
    websocket socket = co_await context.websockets().accept();
  });
  start();
  const websocket_client client(url);
  EXPECT_EQ(client.answer().header("Set-Cookie"), "seen=1");
}

TEST_P(WebSockets, OptionsOfOneAcceptGoBeforeThoseOfTheMiddleware) {
  make().use_websockets();
  use_long_form([](http_context& context) -> task<> {
    websocket_accept_options options;
    options.max_message_size = 4;
    websocket socket = co_await context.websockets().accept(options);
    co_await echo(socket);
  });
  start();
  websocket_client client(url);
  client.send_text("four");
  EXPECT_EQ(client.receive_text(), "four");
  client.send_text("five!");
  EXPECT_EQ(client.receive_close(), close_code::message_too_big);
}

TEST_P(WebSockets, ThePipelineUnwindsWhenTheHandlerReturns) {
  make();
  std::atomic<bool> unwound = false;
  told<bool> before;
  app->use([&](http_context&, next_middleware next) -> task<> {
    co_await next();
    unwound = true;
  });
  app->use_websockets();
  use_long_form([&](http_context& context) -> task<> {
    websocket socket = co_await context.websockets().accept();
    co_await echo(socket);
    before.set(unwound);
  });
  start();
  websocket_client(url).close();
  EXPECT_FALSE(before.get());
  stop();
  EXPECT_TRUE(unwound);
}

// Nothing happens to the request when next() is called: a task begins when it is awaited.
TEST_P(WebSockets, APlainMiddlewareMayDropWhatNextGaveIt) {
  make().use_websockets();
  std::atomic<int> opened = 0;
  app->use([](http_context& context, next_middleware next) {
    task<> rest = next();
    if (context.request().query_value("token") == "good") return rest;
    rest = {};
    context.response().status(401);
    const auto refuse = [](http_context& at) -> task<> { co_await at.response().write("who are you?"); };
    return refuse(context);
  });
  app->map_websocket("/ws", [&opened](websocket& socket) {
    ++opened;
    return echo(socket);
  });
  start();
  EXPECT_EQ(ask_for_websocket("/ws").status, 401);
  EXPECT_EQ(opened, 0);
  EXPECT_EQ(ask_for_websocket("/ws?token=good").status, 101);
  stop();
  EXPECT_EQ(opened, 1);
}

TEST_P(WebSockets, APlainMiddlewareMayAddHeadersBehindNext) {
  make().use_websockets();
  app->use([](http_context& context, next_middleware next) {
    task<> rest = next();
    context.response().header("X-Behind", "next");
    return rest;
  });
  app->map_websocket("/ws", echo);
  start();
  EXPECT_EQ(websocket_client(url).answer().header("X-Behind"), "next");
}

TEST_P(WebSockets, APlainMiddlewareMayWrapWhatNextGaveItUntilTheHandlerReturns) {
  make().use_websockets();
  std::atomic<bool> unwound = false;
  told<bool> before;
  app->use([&unwound](http_context&, next_middleware next) {
    const auto noting = [](std::atomic<bool>& ended, task<> rest) -> task<> {
      co_await std::move(rest);
      ended = true;
    };
    return noting(unwound, next());
  });
  app->map_websocket("/ws", [&](websocket& socket) -> task<> {
    co_await echo(socket);
    before.set(unwound);
  });
  start();
  websocket_client(url).close();
  EXPECT_FALSE(before.get());
  stop();
  EXPECT_TRUE(unwound);
}

TEST_P(WebSockets, HeadersOfTheRequestStayReadableUnlessToldOtherwise) {
  for (const bool retained : {true, false}) {
    make();
    websocket_options options;
    options.retain_request_headers = retained;
    app->use_websockets(options);
    app->map_websocket("/rooms/{id}", [](websocket& socket, const http_context& context) -> task<> {
      const std::string seen = std::string(context.request().header("X-User").value_or("nobody")) + " " +
                               std::string(context.request().path()) + " " + std::string(context.route_value("id"));
      co_await socket.send(seen);
    });
    start();
    EXPECT_EQ(websocket_client(url, "/rooms/7", "X-User: Ann\r\n").receive_text(),
              retained ? "Ann /rooms/7 7" : "nobody /rooms/7 7");
    stop();
  }
}

TEST_P(WebSockets, WithoutTheMiddlewareNothingIsAWebSocketRequestAndAcceptingIsAMistake) {
  make();
  app->map_websocket("/mapped", echo);
  app->map("/ws", [](http_context& context) -> task<> {
    EXPECT_FALSE(context.websockets().is_websocket_request());
    const websocket socket = co_await context.websockets().accept();
  });
  start();
  EXPECT_EQ(ask_for_websocket("/mapped").status, 400);
  EXPECT_EQ(ask_for_websocket("/ws").status, 500);
  EXPECT_TRUE(log.has("WebSockets are not supported: call use_websockets() first"));
}

TEST_P(WebSockets, TheMiddlewareStandsInFrontOfThoseWhoUseIt) {
  make();
  use_long_form(accept_and_echo);
  app->use_websockets();
  start();
  EXPECT_EQ(ask_for_websocket().status, 400);
}

TEST_P(WebSockets, TheFirstMiddlewareWins) {
  make().use_websockets({.max_message_size = 4});
  app->use_websockets({.allowed_origins = {"https://a.example"}, .max_message_size = 1000, .enabled = false});
  app->map_websocket("/ws", echo);
  start();
  websocket_client client(url, "/ws", "Origin: https://b.example\r\n");
  client.send_text("five!");
  EXPECT_EQ(client.receive_close(), close_code::message_too_big);
}

// ----- The switch

TEST_P(WebSockets, SwitchedOffNoRequestIsAWebSocketRequestAndUpgradesPassOnUntouched) {
  make().use_websockets({.allowed_origins = {"https://a.example"}, .enabled = false});
  told<std::string> seen;
  app->map_websocket("/ws", echo);
  app->map("/other", [&](http_context& context) -> task<> {
    EXPECT_FALSE(context.websockets().is_websocket_request());
    EXPECT_THROW(co_await context.websockets().accept(), std::logic_error);
    seen.set(std::string(context.request().header("Upgrade").value_or("")) + " " +
             std::string(context.request().header("Connection").value_or("")));
    context.response().status(202);
  });
  start();
  EXPECT_EQ(ask_for_websocket("/ws").status, 400);
  EXPECT_EQ(ask_for_websocket("/other", "Origin: https://b.example\r\n").status, 202);
  EXPECT_EQ(seen.get(), "websocket Upgrade");
}

TEST_P(WebSockets, TheConfigurationSwitchesTheApplicationOff) {
  make({"--Windhover:WebSockets:Enabled=false"}).use_websockets();
  app->map_websocket("/ws", echo);
  start();
  EXPECT_EQ(ask_for_websocket().status, 400);
}

TEST_P(WebSockets, TheConfigurationSwitchesPathsOffAndOn) {
  make({"--Windhover:WebSockets:Paths:/old:Enabled=false", "--Windhover:WebSockets:Paths:/old/but-used:Enabled=true"})
      .use_websockets();
  app->map_websocket("/{*path}", echo);
  start();
  EXPECT_EQ(ask_for_websocket("/new").status, 101);
  EXPECT_EQ(ask_for_websocket("/old").status, 400);
  EXPECT_EQ(ask_for_websocket("/OLD/room").status, 400);
  EXPECT_EQ(ask_for_websocket("/o%6Cd/room").status, 400) << "whatever the spelling";
  EXPECT_EQ(ask_for_websocket("/old/but-used").status, 101);
}

// ----- Threads

TEST_P(WebSockets, AHandleSendsFromAnyThread) {
  make().use_websockets();
  told<websocket_handle> opened;
  app->map_websocket("/ws", [&](websocket& socket) -> task<> {
    opened.set(socket.handle());
    co_await echo(socket);
  });
  start();
  std::optional<websocket_client> client(url);
  const websocket_handle handle = opened.get();
  std::thread other([&handle] {
    for (int i = 0; i < 100; ++i)
      EXPECT_EQ(handle.send("news " + std::to_string(i)), websocket_handle::outcome::queued);
  });
  for (int i = 0; i < 100; ++i) EXPECT_EQ(client->receive_text(), "news " + std::to_string(i));
  other.join();
  client->close();
  client.reset();
  stop();
  EXPECT_EQ(handle.send("too late"), websocket_handle::outcome::closed);
  app.reset();
  EXPECT_EQ(handle.send("the application has gone"), websocket_handle::outcome::closed);
}

TEST_P(WebSockets, TheSocketItselfBelongsToItsThread) {
  make().use_websockets();
  gate open;
  websocket* its = nullptr;
  app->map_websocket("/ws", [&](websocket& socket) -> task<> {
    its = &socket;
    co_await open.pass();
  });
  start();
  websocket_client client(url);
  open.await_arrival();
  EXPECT_THROW(static_cast<void>(its->send("from here")), std::logic_error);
  EXPECT_THROW(static_cast<void>(its->state()), std::logic_error);
  open.open();
  EXPECT_EQ(client.receive_close(), close_code::normal_closure);
}

TEST_P(WebSockets, ManyAtATimeOnAllThreads) {
  make().use_websockets();
  app->map_websocket("/ws", echo);
  start();
  std::vector<websocket_client> clients;
  for (int i = 0; i < 50; ++i) clients.emplace_back(url);
  for (std::size_t i = 0; i < clients.size(); ++i) clients[i].send_text("client " + std::to_string(i));
  for (std::size_t i = 0; i < clients.size(); ++i) EXPECT_EQ(clients[i].receive_text(), "client " + std::to_string(i));
  for (websocket_client& each : clients) EXPECT_EQ(each.close(), close_code::normal_closure);
}

}  // namespace
}  // namespace windhover::hosting
