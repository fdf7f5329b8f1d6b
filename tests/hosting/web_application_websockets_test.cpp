// WebSockets in an application. Where a test is one of dotnet/aspnetcore's, it has that one's name; what follows the
// name says where Windhover differs.
#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hosting/pipeline.hpp"
#include "hosting/running_application.hpp"
#include <windhover/sleep_for.hpp>
#include <windhover/web_application.hpp>

namespace windhover::hosting {
namespace {

using namespace std::chrono_literals;
using test::handshake;
using test::http_client;
using test::websocket_client;
using wire::opcode;

class WebSockets : public running_application {
 protected:
  // The long form of the guide, on /ws, with a handler of the test's.
  void use_long_form(std::function<task<>(http_context&)> on_websocket) {
    app->use([on_websocket = std::move(on_websocket)](http_context& context, next_middleware next) -> task<> {
      if (context.request().path() != "/ws") {
        co_await next();
        co_return;
      }
      if (!context.websockets().is_websocket_request()) {
        context.response().status(400);
        co_return;
      }
      co_await on_websocket(context);
    });
  }
  static task<> accept_and_echo(http_context& context) {
    websocket socket = co_await context.websockets().accept();
    co_await echo(socket);
  }
  test::http_answer ask_for_websocket(std::string_view target = "/ws", std::string_view further = {}) {
    return get(target, handshake(further));
  }
};

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

struct origin_row {
  std::vector<std::string> allowed;
  int status;
};

TEST_P(WebSockets, OriginIsValidatedForWebSocketRequests) {
  const std::vector<origin_row> rows{
      {{}, 101},
      {{"http://e.com"}, 403},
      {{"http://e.com", "http://example.com"}, 101},
      {{"*"}, 101},
      {{"http://e.com", "*"}, 101},
      {{"http://ExAmPLE.cOm"}, 101},
      {{"http://example.com:80"}, 101},
      {{"https://example.com"}, 403},
  };
  for (const origin_row& row : rows) {
    make();
    websocket_options options;
    options.allowed_origins = row.allowed;
    app->use_websockets(options);
    app->map_websocket("/ws", echo);
    start();
    EXPECT_EQ(ask_for_websocket("/ws", "Origin: http://example.com\r\n").status, row.status);
    // The original compares the header case-sensitively; an origin has no case (RFC 6454, section 4).
    EXPECT_EQ(ask_for_websocket("/ws", "Origin: HTTP://EXAMPLE.COM\r\n").status, row.status);
    // Not from a web page.
    EXPECT_EQ(ask_for_websocket("/ws").status, 101);
    stop();
  }
}

TEST_P(WebSockets, OriginIsValidatedForWebSocketRequests_AnEmptyEntryIsAMistakeOfTheCode) {
  make();
  websocket_options options;
  options.allowed_origins = {""};
  EXPECT_THROW(app->use_websockets(options), std::invalid_argument);
}

TEST_P(WebSockets, OriginIsNotValidatedForNonWebSocketRequests) {
  make();
  websocket_options options;
  options.allowed_origins = {"http://example.com"};
  app->use_websockets(options);
  app->map("/ws", hello);
  start();
  EXPECT_EQ(get("/ws", "Origin: http://notexample.com\r\n").status, 200);
}

TEST_P(WebSockets, ARefusedOriginGetsNoFurtherThanTheMiddleware) {
  make();
  std::atomic<int> passed = 0;
  websocket_options options;
  options.allowed_origins = {"http://example.com"};
  app->use_websockets(options);
  app->use([&passed](http_context&, next_middleware next) {
    ++passed;
    return next();
  });
  start();
  const test::http_answer answer = ask_for_websocket("/ws", "Origin: http://elsewhere.com\r\n");
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(passed, 0);
}

TEST_P(WebSockets, SameOriginIsTheHostThatThePageCameFrom) {
  make();
  websocket_options options;
  options.same_origin = true;
  app->use_websockets(options);
  app->map_websocket("/ws", echo);
  start();
  EXPECT_EQ(ask_for_websocket("/ws", "Origin: http://localhost\r\n").status, 101);
  EXPECT_EQ(ask_for_websocket("/ws", "Origin: http://localhost:8080\r\n").status, 403);
  EXPECT_EQ(ask_for_websocket("/ws", "Origin: http://elsewhere.com\r\n").status, 403);
  EXPECT_EQ(ask_for_websocket("/ws", "Origin: null\r\n").status, 403);
  EXPECT_EQ(ask_for_websocket("/ws").status, 101);
}

TEST_P(WebSockets, SameOriginGoesWithFurtherOrigins) {
  make();
  websocket_options options;
  options.same_origin = true;
  options.allowed_origins = {"https://friend.example"};
  app->use_websockets(options);
  app->map_websocket("/ws", echo);
  start();
  EXPECT_EQ(ask_for_websocket("/ws", "Origin: http://localhost\r\n").status, 101);
  EXPECT_EQ(ask_for_websocket("/ws", "Origin: https://friend.example\r\n").status, 101);
  EXPECT_EQ(ask_for_websocket("/ws", "Origin: https://stranger.example\r\n").status, 403);
}

TEST_P(WebSockets, OriginsOfTheConfigurationAreObeyed) {
  make({"--Windhover:WebSockets:AllowedOrigins:0=https://a.example"}).use_websockets();
  app->map_websocket("/ws", echo);
  start();
  EXPECT_EQ(ask_for_websocket("/ws", "Origin: https://a.example\r\n").status, 101);
  EXPECT_EQ(ask_for_websocket("/ws", "Origin: https://b.example\r\n").status, 403);
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

// ----- Kestrel's UpgradeTests

TEST_P(WebSockets, ResponseThrowsAfterUpgrade) {
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

TEST_P(WebSockets, RequestBodyAlwaysEmptyAfterUpgrade) {
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

TEST_P(WebSockets, UpgradeCannotBeCalledMultipleTimes) {
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

TEST_P(WebSockets, AcceptsRequestWithUpgradeButNoWebSocket) {
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

TEST_P(WebSockets, ThrowsWhenUpgradingNonUpgradableRequest) {
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

TEST_P(WebSockets, ARequestThatWasNotAcceptedLeavesTheConnectionForTheNext) {
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

TEST_P(WebSockets, ClientEndsItsStream) {
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

// ----- map_websocket

TEST_P(WebSockets, AHandlerTakesTheSocketAlone) {
  make().use_websockets();
  app->map_websocket("/ws", echo);
  start();
  websocket_client client(url);
  client.send(opcode::binary, std::string("\xde\xad\xbe\xef"));
  const auto frame = client.receive();
  EXPECT_EQ(frame.code, opcode::binary);
  EXPECT_EQ(frame.payload, "\xde\xad\xbe\xef");
}

TEST_P(WebSockets, AHandlerTakesTheContextToo) {
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

TEST_P(WebSockets, AHandlerMayHaveAStateOfItsOwn) {
  make().use_websockets();
  app->map_websocket("/ws", [count = 0](websocket& socket) mutable -> task<> {
    const std::string text = std::to_string(++count);
    co_await socket.send(text);
  });
  start();
  EXPECT_EQ(websocket_client(url).receive_text(), "1");
}

TEST_P(WebSockets, ARequestThatIsNoneIs400) {
  make().use_websockets();
  app->map_websocket("/ws", echo);
  start();
  EXPECT_EQ(get("/ws").status, 400);
  EXPECT_EQ(get("/ws", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n").status, 400);
  EXPECT_EQ(http_client(url).ask("POST", "/ws", handshake()).status, 400);
}

TEST_P(WebSockets, AnotherVersionIs426WithTheOneThatIsSpoken) {
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

TEST_P(WebSockets, TheFirstSubProtocolOfTheEndpointThatTheClientOffersIsChosen) {
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

TEST_P(WebSockets, AnEndpointMayRequireASubProtocol) {
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

TEST_P(WebSockets, EndpointsHaveLimitsOfTheirOwn) {
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

TEST_P(WebSockets, EndpointsHaveAKeepAliveOfTheirOwn) {
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

TEST_P(WebSockets, OptionsOfAnEndpointAreCheckedWhereItIsMapped) {
  make().use_websockets();
  websocket_endpoint_options options;
  options.keep_alive_timeout = -1ms;
  EXPECT_THROW(app->map_websocket("/ws", options, echo), std::invalid_argument);
}

// ----- A look before accepting

TEST_P(WebSockets, ALookBeforeAcceptingMayRefuse) {
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

TEST_P(WebSockets, ALookBeforeAcceptingMayAddToTheHandshakeAndLeaveSomethingForTheHandler) {
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

TEST_P(WebSockets, ALookBeforeAcceptingThatThrowsRefusesWith500) {
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

TEST_P(WebSockets, OnlyWebSocketRequestsAreLookedAt) {
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

TEST_P(WebSockets, AClientThatGoesDuringTheLookIsNobodysFailure) {
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

// ----- The end of a handler

TEST_P(WebSockets, AHandlerThatReturnsClosesWith1000) {
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

TEST_P(WebSockets, AnEscapedExceptionClosesWith1011AndIsLogged) {
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

TEST_P(WebSockets, AnEscapedExceptionOfAHandlerWithContextClosesWith1011AndIsLogged) {
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

TEST_P(WebSockets, AHandlerThatThrowsAtOnceClosesWith1011Too) {
  make().use_websockets();
  app->map_websocket("/ws", [](websocket&) -> task<> { throw std::runtime_error("no coroutine"); });
  start();
  EXPECT_EQ(websocket_client(url).receive_close(), close_code::internal_error);
  EXPECT_TRUE(log.gets("the WebSocket handler of /ws failed: no coroutine"));
}

TEST_P(WebSockets, AHandlerThatReturnsAnEmptyTaskClosesWith1011AndIsLogged) {
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

TEST_P(WebSockets, WhateverIsThrownClosesWith1011) {
  make().use_websockets();
  app->map_websocket("/ws", [](websocket&) -> task<> {
    throw 7;
    co_return;
  });
  start();
  EXPECT_EQ(websocket_client(url).receive_close(), close_code::internal_error);
  EXPECT_TRUE(log.gets("the WebSocket handler of /ws failed: an exception that is no std::exception"));
}

TEST_P(WebSockets, AnExceptionInTheLongFormClosesWith1011AndIsLogged) {
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

TEST_P(WebSockets, ACodeOfTheHandlersOwnIsKept) {
  make().use_websockets();
  app->map_websocket(
      "/ws", [](websocket& socket) -> task<> { co_await socket.close(static_cast<close_code>(4001), "enough"); });
  start();
  websocket_client client(url);
  EXPECT_EQ(client.receive_close(), static_cast<close_code>(4001));
  EXPECT_EQ(client.close_reason(), "enough");
}

TEST_P(WebSockets, TheClientThatGoesStopsTheHandlersToken) {
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

TEST_P(WebSockets, ACleanCloseDoesNotStopTheToken) {
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

INSTANTIATE_TEST_SUITE_P(Engines, WebSockets, both_engines(), engine_name);

}  // namespace
}  // namespace windhover::hosting
