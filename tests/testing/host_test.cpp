// testing::host as a user's tests see it: an application in memory, with a clock that the test moves.
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <windhover/run_blocking.hpp>
#include <windhover/sleep_for.hpp>
#include <windhover/testing.hpp>
#include <windhover/wait_readable.hpp>

namespace windhover::testing {
namespace {

using namespace std::chrono_literals;

class silent_log final : public logger {
 public:
  bool enabled(log_level) const noexcept override { return true; }
  void write(log_level, std::string_view, std::string_view) noexcept override {}
};

configuration_sources no_sources() {
  configuration_sources sources;
  sources.read_files = false;
  return sources;
}

task<> echo(websocket& socket) {
  for (;;) {
    auto seen = co_await socket.receive();
    if (!seen) break;
    co_await socket.send(*seen);
  }
}

class Host : public ::testing::Test {
 protected:
  Host() {
    app.use_logger(log);
    app.use_websockets({.keep_alive_interval = 30s, .keep_alive_timeout = 5s});
    app.map_websocket("/ws", echo);
  }

  silent_log log;
  web_application app{no_sources()};
};

std::string text_of(const received& seen) { return seen ? std::string(seen->text()) : "nothing"; }

// ----- HTTP

TEST_F(Host, GetsAnAnswer) {
  app.map_get("/greeting", [](http_context& context) -> task<> {
    context.response().header("X-Language", "en");
    co_await context.response().write("hello " + context.request().query_value("name").value_or("nobody"));
  });
  host running(app);
  const http_answer answer = running.get("/greeting?name=Ada");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hello Ada");
  EXPECT_EQ(answer.headers.find("X-Language"), "en");
  EXPECT_EQ(running.get("/elsewhere").status, 404);
}

TEST_F(Host, SendsBodiesHeadersAndOtherMethods) {
  app.map("/mirror", [](http_context& context) -> task<> {
    const std::string body = co_await context.request().read_all();
    const std::string from(context.request().header("X-From").value_or("nobody"));
    co_await context.response().write(std::string(context.request().method()) + " " + from + " " + body);
  });
  host running(app);
  EXPECT_EQ(running.post("/mirror", std::string(100'000, 'x')).body, "POST nobody " + std::string(100'000, 'x'));
  EXPECT_EQ(running.send({.method = "DELETE", .target = "/mirror", .headers = {{"X-From", "a test"}}}).body,
            "DELETE a test ");
  const http_answer head = running.send({.method = "HEAD", .target = "/mirror"});
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.headers.find("Content-Length"), "12");
  EXPECT_THROW(running.get("/mirror", {{"Host", "elsewhere"}}), std::invalid_argument);
}

TEST_F(Host, AStreamedAnswerArrivesWhole) {
  app.map_get("/stream", [](http_context& context) -> task<> {
    for (int i = 0; i < 100; ++i) {
      co_await context.response().write(std::string(5000, static_cast<char>('a' + i % 26)));
      co_await sleep_for(10ms);
    }
  });
  host running(app);
  EXPECT_EQ(running.get("/stream").body.size(), 500'000U);
}

TEST_F(Host, AConnectionThatEndsWithoutAnAnswerIsAnError) {
  app.map_get("/gone", [](http_context& context) -> task<> {
    context.abort();
    co_return;
  });
  host running(app);
  EXPECT_THROW(running.get("/gone"), nothing_came);
}

// ----- WebSockets

TEST_F(Host, AWebSocketCarriesMessagesBothWays) {
  host running(app);
  client_websocket socket = running.connect_websocket("/ws");
  socket.send("hello");
  EXPECT_EQ(socket.receive_text(), "hello");
  const std::vector<std::byte> bytes(70'000, std::byte{7});
  socket.send(bytes);
  const received seen = socket.receive();
  ASSERT_TRUE(seen);
  EXPECT_TRUE(seen->is_binary());
  EXPECT_EQ(seen->size(), bytes.size());
  socket.send("in ", end_of_message::no);
  EXPECT_FALSE(socket.has_message());
  socket.send("pieces");
  EXPECT_TRUE(socket.has_message());
  EXPECT_EQ(text_of(socket.receive()), "in pieces");
}

TEST_F(Host, SubProtocolAndHeadersReachTheApplication) {
  std::string origin;
  app.map_websocket("/chat", {.sub_protocols = {"chat.v2"}},
                    [&origin](websocket& socket, const http_context& context) -> task<> {
                      origin = context.request().header("Origin").value_or("none");
                      co_await socket.close();
                    });
  host running(app);
  websocket_connect_options options;
  options.sub_protocols = {"chat.v3", "chat.v2"};
  options.headers = {{"Origin", "https://example.com"}};
  client_websocket socket = running.connect_websocket("/chat", options);
  EXPECT_EQ(socket.sub_protocol(), "chat.v2");
  EXPECT_EQ(origin, "https://example.com");
}

TEST_F(Host, ARefusedHandshakeTellsTheAnswer) {
  host running(app);
  try {
    running.connect_websocket("/nowhere");
    FAIL() << "nobody refused it";
  } catch (const handshake_refused& refused) {
    EXPECT_EQ(refused.answer().status, 404);
    EXPECT_NE(std::string(refused.what()).find("/nowhere was answered with 404"), std::string::npos) << refused.what();
  }
}

TEST_F(Host, TheClientCloses) {
  std::optional<close_code> seen;
  app.map_websocket("/noting", [&seen](websocket& socket) -> task<> {
    co_await echo(socket);
    seen = socket.close_status();
  });
  host running(app);
  client_websocket socket = running.connect_websocket("/noting");
  EXPECT_EQ(socket.close_status(), std::nullopt);
  socket.send("last");
  socket.close(static_cast<close_code>(4001), "enough");
  EXPECT_EQ(seen, static_cast<close_code>(4001));
  EXPECT_EQ(socket.close_status(), static_cast<close_code>(4001));
  EXPECT_EQ(socket.close_reason(), "enough");
  EXPECT_EQ(socket.receive_text(), "last") << "what came before the close can still be received";
  EXPECT_TRUE(socket.receive().closed());
  EXPECT_THROW(socket.send("too late"), std::logic_error);
}

TEST_F(Host, TheServerCloses) {
  app.map_websocket("/bye", [](websocket& socket) -> task<> {
    co_await socket.send("bye");
    co_await socket.close(close_code::policy_violation, "not today");
  });
  host running(app);
  client_websocket socket = running.connect_websocket("/bye");
  EXPECT_EQ(socket.receive_text(), "bye");
  EXPECT_THROW(socket.receive_text(), nothing_came);
  EXPECT_EQ(socket.close_status(), close_code::policy_violation);
  EXPECT_EQ(socket.close_reason(), "not today");
}

TEST_F(Host, AClientThatVanishesIsAnAbnormalClosure) {
  std::optional<close_code> seen;
  app.map_websocket("/noting", [&seen](websocket& socket) -> task<> {
    co_await echo(socket);
    seen = socket.close_status();
  });
  host running(app);
  {
    client_websocket socket = running.connect_websocket("/noting");
    socket.send("hello");
  }
  running.settle();
  EXPECT_EQ(seen, close_code::abnormal_closure);
}

TEST_F(Host, WhatIsNoFrameIsAProtocolError) {
  host running(app);
  client_websocket socket = running.connect_websocket("/ws");
  socket.send_raw("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(socket.close_status(), close_code::protocol_error);
}

// ----- Time

TEST_F(Host, AConversationTakesNoTime) {
  host running(app);
  client_websocket socket = running.connect_websocket("/ws");
  for (int i = 0; i < 100; ++i) {
    socket.send("hello");
    EXPECT_EQ(socket.receive_text(), "hello");
  }
  EXPECT_EQ(running.elapsed(), 0s);
}

TEST_F(Host, WhatWaitsLetsTheClockJump) {
  app.map_get("/slow", [](http_context& context) -> task<> {
    co_await sleep_for(10s);
    co_await context.response().write("done");
  });
  host running(app);
  EXPECT_EQ(running.get("/slow").body, "done");
  EXPECT_EQ(running.elapsed(), 10s);
}

TEST_F(Host, PatienceHasAnEnd) {
  host running(app, {.patience = 20s});
  client_websocket socket = running.connect_websocket("/ws");
  EXPECT_THROW(socket.receive(), nothing_came);
  EXPECT_EQ(running.elapsed(), 20s);
  EXPECT_THROW(host(app, {.patience = 0s}), std::invalid_argument);
}

TEST_F(Host, AdvanceBringsTheKeepAlive) {
  host running(app);
  client_websocket socket = running.connect_websocket("/ws");
  running.advance(29s);
  EXPECT_EQ(socket.pings_seen(), 0U);
  running.advance(1s);
  EXPECT_EQ(socket.pings_seen(), 1U);
  running.advance(10min);
  EXPECT_GT(socket.pings_seen(), 10U);
  EXPECT_EQ(socket.close_status(), std::nullopt) << "its pings are answered";
  EXPECT_EQ(running.elapsed(), 10min + 30s);
}

TEST_F(Host, AClientThatDoesNotAnswerIsFoundDead) {
  host running(app);
  websocket_connect_options options;
  options.answers_pings = false;
  client_websocket socket = running.connect_websocket("/ws", options);
  running.advance(34s);
  EXPECT_EQ(socket.close_status(), std::nullopt);
  running.advance(2s);
  EXPECT_EQ(socket.close_status(), close_code::abnormal_closure);
}

// ----- Stopping, and misuse

TEST_F(Host, StoppingClosesWebSocketsAndRefusesFurtherConnections) {
  host running(app);
  client_websocket socket = running.connect_websocket("/ws");
  EXPECT_EQ(running.stop(), 0);
  EXPECT_EQ(socket.close_status(), close_code::going_away);
  EXPECT_TRUE(app.stopping().stop_requested());
  EXPECT_THROW(running.get("/"), std::system_error);
  EXPECT_EQ(running.stop(), 0);
}

TEST_F(Host, AHandlerMayStopTheApplication) {
  app.map_get("/stop", [this](http_context&) -> task<> {
    app.stop();
    co_return;
  });
  host running(app);
  client_websocket socket = running.connect_websocket("/ws");
  running.get("/stop");
  EXPECT_EQ(socket.close_status(), close_code::going_away);
}

TEST_F(Host, AnApplicationIsStartedOnce) {
  { const host first(app); }
  EXPECT_THROW(host second(app), std::logic_error);
  EXPECT_THROW(app.start(), std::logic_error);
}

TEST_F(Host, AnErrorInTheConfigurationEndsTheStart) {
  configuration_sources sources = no_sources();
  sources.arguments = {"--Windhover:Treads=2"};
  web_application misspelt(sources);
  EXPECT_THROW(host running(misspelt), configuration_error);
}

TEST_F(Host, ClientsMayOutliveTheirHostButNotBeUsed) {
  std::optional<client_websocket> socket;
  {
    host running(app);
    socket.emplace(running.connect_websocket("/ws"));
  }
  EXPECT_THROW(socket->send("hello"), std::logic_error);
  EXPECT_THROW(socket->receive(), std::logic_error);
}

TEST_F(Host, AHandlerMustNotCallItsHost) {
  host* called = nullptr;
  app.map_get("/inner", [&called](http_context& context) -> task<> {
    std::string outcome = "nothing";
    try {
      called->get("/ws");
    } catch (const std::logic_error&) {
      outcome = "refused";
    }
    co_await context.response().write(outcome);
  });
  host running(app);
  called = &running;
  EXPECT_EQ(running.get("/inner").body, "refused");
}

TEST_F(Host, BlockingWorkRunsInPlaceAndDescriptorsCannotBeWaitedFor) {
  app.map_get("/blocking", [](http_context& context) -> task<> {
    const int found = co_await run_blocking([] { return 42; });
    co_await context.response().write(std::to_string(found));
  });
  app.map_get("/descriptor", [](http_context& context) -> task<> {
    std::string outcome = "readable";
    try {
      co_await wait_readable(0);
    } catch (const std::system_error& error) {
      outcome = error.code().message();
    }
    co_await context.response().write(outcome);
  });
  host running(app);
  EXPECT_EQ(running.get("/blocking").body, "42");
  EXPECT_EQ(running.get("/descriptor").body, std::generic_category().message(EOPNOTSUPP));
}

}  // namespace
}  // namespace windhover::testing
