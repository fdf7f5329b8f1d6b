// The limits of a server, what it counts, and the hosts that it answers for: an application in memory, with its
// clients.
#include <chrono>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <windhover/sleep_for.hpp>
#include <windhover/testing.hpp>

namespace windhover::hosting {
namespace {

using namespace std::chrono_literals;

class silent_log final : public logger {
 public:
  bool enabled(log_level) const noexcept override { return true; }
  void write(log_level, std::string_view, std::string_view) noexcept override {}
};

task<> echo(websocket& socket) {
  for (;;) {
    auto seen = co_await socket.receive();
    if (!seen) break;
    co_await socket.send(*seen);
  }
}
task<> wait_for_minutes(websocket&) { co_await sleep_for(30min); }

class Limits : public ::testing::Test {
 protected:
  using keys = std::initializer_list<std::pair<std::string, std::string>>;

  web_application& make(keys configured = {}) {
    configuration_sources sources;
    sources.read_files = false;
    sources.defaults.assign(configured.begin(), configured.end());
    app.emplace(sources);
    app->use_logger(log);
    return *app;
  }
  testing::host& start() { return host.emplace(*app); }
  server_counters counters() const { return app->counters(); }
  // A WebSocket that is refused before its handshake, or with a status.
  int refusal(std::string_view target = "/ws") {
    try {
      host->connect_websocket(target);
    } catch (const testing::handshake_refused& refused) {
      return refused.answer().status;
    } catch (const testing::nothing_came&) {
      return 0;
    }
    return 101;
  }

  silent_log log;
  std::optional<web_application> app;
  std::optional<testing::host> host;
};

// ----- Connections

TEST_F(Limits, BeyondTheLimitConnectionsAreClosedAtOnce) {
  make({{"Windhover:Limits:MaxConnections", "2"}}).use_websockets();
  app->map_websocket("/ws", echo);
  start();
  auto first = host->connect_websocket("/ws");
  auto second = std::make_optional(host->connect_websocket("/ws"));
  EXPECT_EQ(refusal(), 0);
  EXPECT_EQ(counters().connections, 2U);
  EXPECT_EQ(counters().connections_accepted, 2U);
  EXPECT_EQ(counters().connections_refused, 1U);
  second.reset();
  host->settle();
  EXPECT_EQ(refusal(), 101) << "its place is free again";
  first.send("still served");
  EXPECT_EQ(first.receive_text(), "still served");
}

TEST_F(Limits, BeyondTheLimitOfItsAddressAConnectionIsClosedAtOnce) {
  make({{"Windhover:Limits:MaxConnectionsPerAddress", "1"}}).map_get("/", [](http_context&) { return task<>(); });
  app->use_websockets();
  app->map_websocket("/ws", echo);
  start();
  auto first = std::make_optional(host->connect_websocket("/ws"));
  EXPECT_EQ(refusal(), 0);
  EXPECT_EQ(counters().connections_refused_by_address, 1U);
  EXPECT_EQ(counters().connections_refused, 0U);
  first->close();
  first.reset();
  host->settle();
  EXPECT_EQ(refusal(), 101);
}

// ----- Upgraded connections

TEST_F(Limits, BeyondTheLimitOfWebSocketsARequestForOneIs503) {
  make({{"Windhover:Limits:MaxUpgradedConnections", "2"}}).use_websockets();
  app->map_websocket("/ws", echo);
  app->map("/long", [](http_context& context) -> task<> {
    websocket socket = co_await context.websockets().accept();
    co_await echo(socket);
  });
  app->map_get("/page", [](http_context& context) -> task<> { co_await context.response().write("page"); });
  start();
  auto first = host->connect_websocket("/ws");
  auto second = std::make_optional(host->connect_websocket("/long"));
  EXPECT_EQ(refusal("/ws"), 503);
  EXPECT_EQ(refusal("/long"), 503);
  EXPECT_EQ(host->get("/page").body, "page") << "which is no WebSocket";
  EXPECT_EQ(counters().upgrades_refused, 2U);
  EXPECT_EQ(counters().websockets, 2U);
  second->close();
  second.reset();
  host->settle();
  EXPECT_EQ(counters().websockets, 1U);
  EXPECT_EQ(refusal("/long"), 101);
  first.send("still served");
  EXPECT_EQ(first.receive_text(), "still served");
}

TEST_F(Limits, AnApplicationMayAnswerOneWebSocketTooManyItself) {
  make({{"Windhover:Limits:MaxUpgradedConnections", "1"}}).use_websockets();
  app->map("/ws", [](http_context& context) -> task<> {
    std::optional<int> status;
    try {
      websocket socket = co_await context.websockets().accept();
      co_await echo(socket);
    } catch (const bad_http_request& error) {
      status = error.status();
    }
    if (status) context.response().status(*status == 503 ? 429 : 500);
  });
  start();
  auto first = host->connect_websocket("/ws");
  EXPECT_EQ(refusal(), 429);
}

// ----- Hosts

testing::http_answer asked_by(testing::host& host, const char* name) { return host.send({.host = name}); }

TEST_F(Limits, HostsThatAreNotAllowedGet400BeforeEverythingElse) {
  make({{"Windhover:AllowedHosts", "example.com; *.example.org"}});
  bool seen = false;
  app->use([&](http_context&, next_middleware next) {
    seen = true;
    return next();
  });
  app->map_get("/", [](http_context& context) -> task<> { co_await context.response().write("home"); });
  start();
  EXPECT_EQ(asked_by(*host, "example.com").body, "home");
  EXPECT_EQ(asked_by(*host, "www.example.org:8080").body, "home");
  testing::websocket_connect_options page;
  page.host = "attacker.example";
  EXPECT_THROW(host->connect_websocket("/", page), testing::handshake_refused);
  seen = false;
  const testing::http_answer refused = asked_by(*host, "attacker.example");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body, "this host is not served here");
  EXPECT_FALSE(seen);
  EXPECT_EQ(counters().hosts_refused, 2U);
}

TEST_F(Limits, HostFilteringIsAMiddlewareToo) {
  make().use_host_filtering({"example.com"});
  app->map_get("/", [](http_context& context) -> task<> { co_await context.response().write("home"); });
  start();
  EXPECT_EQ(asked_by(*host, "example.com").status, 200);
  EXPECT_EQ(asked_by(*host, "example.net").status, 400);
}

TEST_F(Limits, TheKeyOfAllowedHostsTakesThePlaceOfTheCode) {
  make({{"Windhover:AllowedHosts", "*"}}).use_host_filtering({"example.com"});
  app->map_get("/", [](http_context& context) -> task<> { co_await context.response().write("home"); });
  start();
  EXPECT_EQ(asked_by(*host, "example.net").status, 200);
}

TEST_F(Limits, AHostThatIsNoneIsAnErrorOfTheConfiguration) {
  make({{"Windhover:AllowedHosts", "example.com;http://example.net"}});
  try {
    start();
    FAIL() << "it started";
  } catch (const configuration_error& error) {
    EXPECT_EQ(std::string_view(error.what()),
              "default: Windhover:AllowedHosts: 'http://example.net' is no host to be allowed: write example.com, "
              "*.example.com, an address (IPv6 in brackets) or *, without a port");
  }
  make();
  EXPECT_THROW(app->use_host_filtering({"http://example.net"}), std::invalid_argument);
}

// ----- What is counted

TEST_F(Limits, RequestsAndMessagesAreCounted) {
  make().use_websockets();
  app->map_websocket("/ws", echo);
  EXPECT_EQ(counters().requests, 0U) << "before the start";
  start();
  host->get("/missing");
  auto socket = host->connect_websocket("/ws");
  socket.send("one");
  socket.send("tw", end_of_message::no);
  socket.send("o");
  EXPECT_EQ(socket.receive_text(), "one");
  EXPECT_EQ(socket.receive_text(), "two");
  const server_counters open = counters();
  EXPECT_EQ(open.requests, 2U);
  EXPECT_EQ(open.connections, 1U);
  EXPECT_EQ(open.connections_accepted, 2U);
  EXPECT_EQ(open.websockets, 1U);
  EXPECT_EQ(open.websockets_opened, 1U);
  EXPECT_EQ(open.messages_received, 2U);
  EXPECT_EQ(open.messages_sent, 2U);
  socket.close();
  EXPECT_EQ(host->stop(), 0);
  const server_counters ended = counters();
  EXPECT_EQ(ended.connections, 0U);
  EXPECT_EQ(ended.websockets, 0U);
  EXPECT_EQ(ended.messages_received, 2U) << "also when it has ended";
}

TEST_F(Limits, WhatEndsAWebSocketIsCounted) {
  websocket_options options;
  options.max_message_size = 100;
  options.max_fragments = 2;
  options.max_control_frames_per_second = 1;
  options.keep_alive_interval = 10s;
  options.keep_alive_timeout = 5s;
  options.stalled_timeout = 20s;
  options.max_inbound_bytes = 1024;
  make().use_websockets(options);
  app->map_websocket("/ws", echo);
  app->map_websocket("/busy", wait_for_minutes);
  start();
  {
    auto socket = host->connect_websocket("/ws");
    socket.send(std::string(101, 'x'));
    EXPECT_THROW(socket.receive_text(), testing::nothing_came);
    EXPECT_EQ(socket.close_status(), close_code::message_too_big);
  }
  EXPECT_EQ(counters().messages_too_big, 1U);
  {
    auto socket = host->connect_websocket("/ws");
    for (int i = 0; i < 3; ++i) socket.send("x", end_of_message::no);
    EXPECT_THROW(socket.receive_text(), testing::nothing_came);
    EXPECT_EQ(socket.close_status(), close_code::policy_violation);
  }
  EXPECT_EQ(counters().too_many_fragments, 1U);
  {
    auto socket = host->connect_websocket("/ws");
    const std::string ping("\x89\x80\0\0\0\0", 6);
    socket.send_raw(ping + ping);
    EXPECT_THROW(socket.receive_text(), testing::nothing_came);
    EXPECT_EQ(socket.close_status(), close_code::policy_violation);
  }
  EXPECT_EQ(counters().too_many_control_frames, 1U);
  {
    auto socket = host->connect_websocket("/ws");
    socket.send("\xff");
    EXPECT_THROW(socket.receive_text(), testing::nothing_came);
    EXPECT_EQ(socket.close_status(), close_code::invalid_payload_data);
  }
  EXPECT_EQ(counters().protocol_errors, 1U);
  {
    testing::websocket_connect_options silent;
    silent.answers_pings = false;
    auto socket = host->connect_websocket("/ws", silent);
    EXPECT_EQ(counters().unanswered_pings, 0U);
    host->advance(20s);
  }
  EXPECT_EQ(counters().unanswered_pings, 1U);
  {
    auto socket = host->connect_websocket("/busy");
    for (int i = 0; i < 20; ++i) socket.send(std::string(90, 'x'));
    host->advance(30s);
  }
  EXPECT_EQ(counters().stalled_handlers, 1U);
}

TEST_F(Limits, AHandlerThatDoesNotAwaitItsSendsIsCounted) {
  websocket_options options;
  options.max_queued_bytes = 1024;
  options.max_unsent_bytes = 10'000;
  make().use_websockets(options);
  app->map_websocket("/flood", [](websocket& socket) -> task<> {
    auto begin = co_await socket.receive();
    for (int i = 0; i < 12; ++i) static_cast<void>(socket.send(std::string(1000, 'x')));
  });
  start();
  auto socket = host->connect_websocket("/flood");
  socket.send("begin");
  host->settle();
  EXPECT_EQ(counters().unsent_overflows, 1U);
  EXPECT_EQ(counters().messages_sent, 10U);
}

TEST_F(Limits, LimitsThatEndNothingAreCounted) {
  websocket_options options;
  options.max_queued_bytes = 1024;
  options.max_queued_messages = 2;
  options.max_inbound_bytes = 1024;
  make().use_websockets(options);
  websocket_handle handle;
  app->map_websocket("/handle", [&handle](websocket& socket) -> task<> {
    handle = socket.handle();
    co_await echo(socket);
  });
  app->map_websocket("/ws", echo);
  app->map_websocket("/busy", [](websocket& socket) -> task<> {
    co_await sleep_for(1s);
    co_await echo(socket);
  });
  start();
  {
    auto socket = host->connect_websocket("/handle");
    for (int i = 0; i < 5; ++i) handle.send("x");
    EXPECT_EQ(counters().full_handles, 0U) << "the loop has not been told yet";
    host->settle();
    EXPECT_EQ(counters().full_handles, 3U);
    for (int i = 0; i < 3; ++i) handle.send("x");
    host->settle();
    EXPECT_EQ(counters().full_handles, 4U);
    EXPECT_EQ(counters().messages_sent, 4U);
  }
  EXPECT_EQ(counters().waiting_sends, 0U);
  {
    auto socket = host->connect_websocket("/ws");
    socket.send("a short one");
    socket.send(std::string(2000, 'x'));
    EXPECT_EQ(socket.receive_text(), "a short one");
    EXPECT_EQ(socket.receive_text(), std::string(2000, 'x'));
  }
  EXPECT_EQ(counters().waiting_sends, 1U);
  EXPECT_EQ(counters().paused_readings, 0U);
  {
    auto socket = host->connect_websocket("/busy");
    for (int i = 0; i < 20; ++i) socket.send(std::string(90, 'x'));
    host->settle();
    EXPECT_EQ(counters().paused_readings, 1U);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(socket.receive_text(), std::string(90, 'x'));
  }
  EXPECT_EQ(counters().stalled_handlers, 0U);
}

TEST_F(Limits, RequestsThatAreRefusedAreCounted) {
  make({{"Windhover:Limits:MaxRequestHeaderCount", "3"}});
  app->map_get("/", [](http_context& context) -> task<> { co_await context.response().write("home"); });
  start();
  EXPECT_EQ(host->get("/").status, 200);
  EXPECT_EQ(counters().requests_refused, 0U);
  headers many;
  for (const char* const name : {"One", "Two", "Three", "Four"}) many.add(name, "x");
  EXPECT_EQ(host->get("/", many).status, 431);
  EXPECT_EQ(counters().requests_refused, 1U);
  EXPECT_EQ(counters().requests, 1U);
}

TEST_F(Limits, OriginsThatAreRefusedAreCounted) {
  make().use_websockets({.allowed_origins = {"https://example.com"}});
  app->map_websocket("/ws", echo);
  start();
  testing::websocket_connect_options elsewhere;
  elsewhere.headers.add("Origin", "https://attacker.example");
  EXPECT_THROW(host->connect_websocket("/ws", elsewhere), testing::handshake_refused);
  EXPECT_EQ(counters().origins_refused, 1U);
}

}  // namespace
}  // namespace windhover::hosting
