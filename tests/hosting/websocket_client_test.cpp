// Both ends are ours: clients against a web_application, and clients within its handlers.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hosting/running_application.hpp"
#include <windhover/event_loop_thread.hpp>
#include <windhover/websocket_client.hpp>
#include <windhover/when_all.hpp>

namespace windhover::hosting {
namespace {

// Over each version of HTTP: the parameter is an engine, with "_http2" behind it for the other one.
class ClientAndApplication : public running_application {
 protected:
  static constexpr std::string_view suffix = "_http2";
  bool over_http2() const { return GetParam().ends_with(suffix); }
  std::string engine() const override { return GetParam().substr(0, GetParam().find(suffix)); }
  event_loop_thread_options loop_options() const {
    return {.engine = engine() == "epoll" ? io_engine::epoll : io_engine::io_uring, .log = &client_log};
  }
  websocket_client_options with_version(websocket_client_options options = {}) const {
    options.protocols = over_http2() ? http_protocols::http2 : http_protocols::http1;
    return options;
  }
  std::string websocket_url(std::string_view path) const { return "ws" + url.substr(4) + std::string(path); }

  mutable recording_logger client_log;
};
INSTANTIATE_TEST_SUITE_P(All, ClientAndApplication,
                         ::testing::Values("io_uring", "epoll", "io_uring_http2", "epoll_http2"), engine_name);

TEST_P(ClientAndApplication, EchoesOfEverySizeComeBack) {
  make().use_websockets({.max_message_size = 0});
  app->map_websocket("/ws", echo);
  start();
  event_loop_thread loop(loop_options());
  const websocket_client client(with_version({.max_message_size = 0}));
  const int received = loop.run([&]() -> task<int> {
    websocket socket = co_await client.connect(websocket_url("/ws"));
    int count = 0;
    for (const std::size_t size : {0U, 125U, 126U, 65535U, 65536U, 16U << 20}) {
      const std::vector<std::byte> bytes(size, std::byte{0xa5});
      co_await socket.send(bytes);
      auto answer = co_await socket.receive();
      if (answer && answer->is_binary() && answer->size() == size) ++count;
    }
    co_await socket.close();
    EXPECT_EQ(socket.close_status(), close_code::normal_closure);
    co_return count;
  });
  EXPECT_EQ(received, 6);
}

TEST_P(ClientAndApplication, TheServerSeesWhatTheClientSends) {
  told<std::string> seen;
  make().use_websockets({.allowed_origins = {"https://example.com"}});
  app->map_websocket("/rooms/{id}", {.sub_protocols = {"chat.v2", "chat.v1"}, .requires_sub_protocol = true},
                     [&](websocket& socket, const http_context& context) -> task<> {
                       seen.set(std::string(context.route_value("id")) + " " + std::string(context.request().query()) +
                                " " + std::string(context.request().header("Authorization").value_or("")) + " " +
                                std::string(socket.sub_protocol()));
                       co_await socket.close(static_cast<close_code>(4001), "room is full");
                     });
  start();
  event_loop_thread loop(loop_options());
  websocket_client_options options;
  options.sub_protocols = {"chat.v1", "other"};
  options.request_headers = {{"Authorization", "Bearer abc"}};
  options.origin = "https://example.com";
  const websocket_client client(with_version(options));
  const auto status = loop.run([&]() -> task<std::string> {
    websocket socket = co_await client.connect(websocket_url("/rooms/7?user=a"));
    EXPECT_EQ(socket.sub_protocol(), "chat.v1");
    received none = co_await socket.receive();
    EXPECT_FALSE(none);
    co_return std::to_string(static_cast<int>(*socket.close_status())) + " " + std::string(socket.close_reason());
  });
  EXPECT_EQ(status, "4001 room is full");
  EXPECT_EQ(seen.get(), "7 user=a Bearer abc chat.v1");
}

TEST_P(ClientAndApplication, RefusalsOfTheServerAreReported) {
  make().use_websockets({.allowed_origins = {"https://example.com"}});
  app->map_websocket("/ws", echo);
  app->map_get("/page", hello);
  start();
  event_loop_thread loop(loop_options());
  const auto status_of = [&](const websocket_client& client, std::string_view path) {
    return loop.run([&]() -> task<int> {
      try {
        websocket socket = co_await client.connect(websocket_url(path));
      } catch (const websocket_connect_error& error) {
        EXPECT_EQ(error.why(), websocket_connect_error::cause::refused);
        co_return error.status();
      }
      co_return 101;
    });
  };
  websocket_client_options elsewhere;
  elsewhere.origin = "https://elsewhere.example.com";
  EXPECT_EQ(status_of(websocket_client(with_version()), "/ws"), 101);
  EXPECT_EQ(status_of(websocket_client(with_version(elsewhere)), "/ws"), 403);
  EXPECT_EQ(status_of(websocket_client(with_version()), "/nothing"), 404);
  // Bound to GET, which CONNECT is not.
  EXPECT_EQ(status_of(websocket_client(with_version()), "/page"), over_http2() ? 405 : 200);
}

TEST_P(ClientAndApplication, AServerThatStopsSaysGoingAway) {
  make().use_websockets();
  app->map_websocket("/ws", echo);
  start();
  event_loop_thread loop(loop_options());
  const websocket_client client(with_version());
  told<int> open;
  auto status = loop.start([&]() -> task<close_code> {
    websocket socket = co_await client.connect(websocket_url("/ws"));
    open.set(1);
    received none = co_await socket.receive();
    co_return socket.close_status().value_or(close_code{});
  });
  open.get();
  EXPECT_EQ(stop(), 0);
  EXPECT_EQ(status.get(), close_code::going_away);
}

TEST_P(ClientAndApplication, AClientThatStopsSaysGoingAway) {
  told<close_code> seen;
  make().use_websockets();
  app->map_websocket("/ws", [&](websocket& socket) -> task<> {
    co_await echo(socket);
    seen.set(socket.close_status().value_or(close_code{}));
  });
  start();
  told<int> open;
  {
    event_loop_thread loop(loop_options());
    static_cast<void>(loop.start([&]() -> task<> {
      const websocket_client client(with_version());
      websocket socket = co_await client.connect(websocket_url("/ws"));
      open.set(1);
      static_cast<void>(co_await socket.receive());
    }));
    open.get();
  }
  EXPECT_EQ(seen.get(), close_code::going_away);
  EXPECT_EQ(client_log.lines(log_level::warning), std::vector<std::string>{});
}

TEST_P(ClientAndApplication, AHandlerCanBeAClientOfAnotherServer) {
  // A relay: the first message says where to; what it gets then, it sends on, and back.
  make().use_websockets();
  app->map_websocket("/echo", echo);
  app->map_websocket("/relay", [this](websocket& socket) -> task<> {
    const websocket_client client(with_version());
    auto where = co_await socket.receive();
    websocket upstream = co_await client.connect(where->text());
    while (auto message = co_await socket.receive()) {
      co_await upstream.send(*message);
      auto answer = co_await upstream.receive();
      if (!answer) co_return;
      co_await socket.send(*answer);
    }
  });
  start();
  const websocket_client client(with_version());
  const std::string where = websocket_url("/echo");
  const std::string answer = client.run(websocket_url("/relay"), [&](websocket& socket) -> task<std::string> {
    co_await socket.send(where);
    co_await socket.send("round about");
    auto echoed = co_await socket.receive();
    co_return std::string(echoed->text());
  });
  EXPECT_EQ(answer, "round about");
}

TEST_P(ClientAndApplication, AThousandSocketsOfOneLoopEachGetTheirOwnEcho) {
  make().use_websockets();
  app->map_websocket("/ws", echo);
  start();
  event_loop_thread loop(loop_options());
  const websocket_client client(with_version());
  const auto talk = [&](int number) -> task<bool> {
    websocket socket = co_await client.connect(websocket_url("/ws"));
    const std::string text = "client " + std::to_string(number);
    co_await socket.send(text);
    auto answer = co_await socket.receive();
    co_return answer && answer->text() == text;
  };
  const std::vector<bool> answers = loop.run([&]() -> task<std::vector<bool>> {
    std::vector<task<bool>> talks;
    for (int i = 0; i < 1000; ++i) talks.push_back(talk(i));
    co_return co_await when_all(std::move(talks));
  });
  EXPECT_EQ(std::ranges::count(answers, true), 1000);
}

}  // namespace
}  // namespace windhover::hosting
