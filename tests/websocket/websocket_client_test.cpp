// The client on real sockets, on both engines: servers that answer, refuse, and say nothing; names, time limits,
// stopping.
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "client_on_sockets.hpp"
#include <windhover/sleep_for.hpp>
#include <windhover/websocket_client.hpp>
#include <windhover/when_all.hpp>

namespace windhover {
namespace {

using namespace std::chrono_literals;
using cause = websocket_connect_error::cause;

class WebsocketClient : public test::client_on_sockets {};
INSTANTIATE_TEST_SUITE_P(All, WebsocketClient, test::both_engines(), test::engine_name);

TEST_P(WebsocketClient, TalksToAServerOverTcpAndUnixSockets) {
  const std::string path = std::filesystem::temp_directory_path() / ("client-" + std::to_string(::getpid()) + ".sock");
  const websocket_client client;
  for (const endpoint& at : {serve(), serve(net::make_ip_address("::1", 0)), serve(net::make_unix_address(path))}) {
    run([&]() -> task<> {
      websocket socket = co_await client.connect(url_of(at, "/ws?a=b"));
      for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{126}, std::size_t{300'000}}) {
        const std::string text = test::pattern(size);
        co_await socket.send(text);
        auto echo = co_await socket.receive();
        EXPECT_TRUE(echo && echo->text() == text);
      }
      co_await socket.close(close_code::normal_closure, "done");
      EXPECT_EQ(test::status_of(socket), "1000 done");
    });
  }
}

TEST_P(WebsocketClient, ANameIsResolvedAndItsAddressesAreTriedInTurn) {
  // localhost is ::1 as well where there is IPv6, and nobody listens there.
  const endpoint at = serve();
  const websocket_client client;
  run([&]() -> task<> {
    websocket socket = co_await client.connect("ws://localhost:" + std::to_string(at.port));
    EXPECT_EQ(socket.state(), websocket_state::open);
  });
}

TEST_P(WebsocketClient, ManyConnectAtOnceWithOneClient) {
  const endpoint at = serve();
  const websocket_client client;
  const auto talk = [&](int number) -> task<std::string> {
    websocket socket = co_await client.connect(url_of(at));
    const std::string text = std::to_string(number);
    co_await socket.send(text);
    auto echo = co_await socket.receive();
    co_return std::string(echo->text());
  };
  std::vector<std::string> echoes;
  run([&]() -> task<> {
    std::vector<task<std::string>> talks;
    for (int i = 0; i < 50; ++i) talks.push_back(talk(i));
    echoes = co_await when_all(std::move(talks));
  });
  for (int i = 0; i < 50; ++i) EXPECT_EQ(echoes[static_cast<std::size_t>(i)], std::to_string(i));
}

TEST_P(WebsocketClient, TheClientMayGoWhileItsSocketsAreOpened) {
  const endpoint at = serve();
  run([&]() -> task<> {
    auto client = std::make_unique<websocket_client>();
    auto connecting = client->connect(url_of(at));
    client.reset();
    websocket socket = co_await connecting;
    EXPECT_EQ(socket.state(), websocket_state::open);
  });
}

TEST_P(WebsocketClient, TheAnswerIsThereForWhoeverAsks) {
  const endpoint at = serve();
  const websocket_client client;
  http_response_details details;
  run([&]() -> task<> { websocket socket = co_await client.connect(url_of(at), details); });
  EXPECT_EQ(details.status, 101);
  EXPECT_EQ(details.reason, "Switching Protocols");
  EXPECT_EQ(details.headers.find("Upgrade"), "websocket");
}

TEST_P(WebsocketClient, ARefusalIsAnExceptionWithTheAnswer) {
  handle_with([](http::exchange& with) -> task<> {
    with.response().status(401);
    with.response().header("WWW-Authenticate", "Bearer");
    co_await with.response().write("who are you?");
  });
  const endpoint at = serve();
  http_response_details details;
  std::optional<websocket_connect_error> failure;
  run([&]() -> task<> {
    const websocket_client client;
    try {
      websocket socket = co_await client.connect(url_of(at), details);
    } catch (const websocket_connect_error& error) {
      failure = error;
    }
  });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->why(), cause::refused);
  EXPECT_EQ(failure->status(), 401);
  EXPECT_EQ(failure->response().headers.find("www-authenticate"), "Bearer");
  EXPECT_EQ(failure->response().body, "who are you?");
  EXPECT_EQ(failure->what(), "no WebSocket to ws://" + at.to_string() +
                                 ": the server answered with status 401 Unauthorized (WWW-Authenticate: Bearer) when "
                                 "101 was expected");
  EXPECT_EQ(details.status, 401);
}

TEST_P(WebsocketClient, SaysThatNobodyListens) {
  auto gone =
      std::make_unique<net::listening_socket>(net::listening_socket::bind(net::make_ip_address("127.0.0.1", 0), false));
  const endpoint at = gone->local_endpoint();
  gone.reset();
  const auto failure = failure_of({}, url_of(at));
  EXPECT_EQ(failure.why(), cause::not_connected);
  EXPECT_EQ(failure.status(), 0);
  EXPECT_EQ(std::string(failure.what()),
            "no WebSocket to ws://" + at.to_string() + ": " + at.to_string() + ": Connection refused");
  EXPECT_EQ(failure_of({}, "ws://unix:/nowhere/to/be.found:/ws").why(), cause::not_connected);
}

TEST_P(WebsocketClient, SaysThatTheProxyIsNotThere) {
  auto gone =
      std::make_unique<net::listening_socket>(net::listening_socket::bind(net::make_ip_address("127.0.0.1", 0), false));
  const std::string proxy = "http://" + gone->local_endpoint().to_string();
  gone.reset();
  const auto client = client_with([&](auto& options) { options.proxy = proxy; });
  const auto failure = failure_of(client, "ws://example.com/");
  EXPECT_EQ(failure.why(), cause::not_connected);
  EXPECT_NE(std::string_view(failure.what()).find("the proxy could not be connected to"), std::string_view::npos);
}

TEST_P(WebsocketClient, AUnixSocketIsReachedWithoutTheProxy) {
  const std::string path = std::filesystem::temp_directory_path() / ("proxy-" + std::to_string(::getpid()) + ".sock");
  const endpoint at = serve(net::make_unix_address(path));
  const auto client = client_with([](auto& options) { options.proxy = "http://127.0.0.1:1"; });
  run([&]() -> task<> {
    websocket socket = co_await client.connect(url_of(at));
    EXPECT_EQ(socket.state(), websocket_state::open);
  });
}

TEST_P(WebsocketClient, SaysThatANameIsUnknown) {
  // No label of a name is longer than 63 bytes: nobody has to be asked.
  const auto failure = failure_of({}, "ws://" + std::string(64, 'a') + ".invalid/");
  EXPECT_EQ(failure.why(), cause::host_not_found);
  EXPECT_NE(std::string_view(failure.what()).find("could not be resolved"), std::string_view::npos);
}

TEST_P(WebsocketClient, AServerThatSaysNothingIsGivenUp) {
  const auto client = client_with([](auto& options) { options.connect_timeout = 20ms; });
  const endpoint at = serve_silence();
  const auto failure = failure_of(client, url_of(at));
  EXPECT_EQ(failure.why(), cause::timed_out);
  EXPECT_EQ(std::string(failure.what()),
            "no WebSocket to ws://" + at.to_string() +
                ": connecting took longer than 20 ms; it ended while waiting for the answer of the server");
}

TEST_P(WebsocketClient, ConnectingCanBeStoppedFromAnotherThread) {
  const auto client = client_with([](auto& options) { options.connect_timeout = 0ms; });
  const endpoint at = serve_silence();
  std::stop_source source;
  std::thread stopper;
  std::optional<websocket_connect_error> failure;
  run([&]() -> task<> {
    const auto stop_soon = [&]() -> task<> {
      co_await sleep_for(10ms);
      stopper = std::thread([&source] { source.request_stop(); });
    };
    const auto connect = [&]() -> task<> {
      try {
        websocket socket = co_await client.connect(url_of(at), source.get_token());
      } catch (const websocket_connect_error& error) {
        failure = error;
      }
    };
    co_await when_all(connect(), stop_soon());
  });
  stopper.join();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->why(), cause::cancelled);
}

TEST_P(WebsocketClient, AStoppedTokenConnectsNowhere) {
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(failure_of({}, url_of(serve()), source.get_token()).why(), cause::cancelled);
}

TEST_P(WebsocketClient, StoppingTheTokenLaterIsOfNoMeaningForTheSocket) {
  const endpoint at = serve();
  const websocket_client client;
  std::stop_source source;
  run([&]() -> task<> {
    websocket socket = co_await client.connect(url_of(at), source.get_token());
    source.request_stop();
    co_await socket.send("still here");
    auto echo = co_await socket.receive();
    EXPECT_EQ(test::to_string(echo), "text still here");
  });
}

TEST_P(WebsocketClient, AnotherUrlIsRefusedAtTheCall) {
  const websocket_client client;
  on_loop([&] {
    EXPECT_THROW(static_cast<void>(client.connect("https://example.com")), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(client.connect("example.com")), std::invalid_argument);
  });
}

TEST_P(WebsocketClient, ASocketPathThatIsTooLongIsRefused) {
  const websocket_client client;
  const std::string url = "ws://unix:/" + std::string(200, 'x');
  EXPECT_THROW(run([&]() -> task<> { websocket socket = co_await client.connect(url); }), std::invalid_argument);
}

TEST_P(WebsocketClient, OutsideOfALoopItSaysWhatIsWrong) {
  const websocket_client client;
  const auto work = [&]() -> task<> { websocket socket = co_await client.connect("ws://127.0.0.1:1"); };
  task<> alone = work();
  bool ended = false;
  alone.start(&ended, [](void* flag) noexcept -> std::coroutine_handle<> {
    *static_cast<bool*>(flag) = true;
    return std::noop_coroutine();
  });
  ASSERT_TRUE(ended);
  EXPECT_THROW(alone.take(), std::logic_error);
}

TEST_P(WebsocketClient, RunBlocksAndReturnsWhatItsHandlerReturns) {
  const endpoint at = serve();
  const websocket_client client;
  std::string answer;
  bool done = false;
  std::thread blocking([&] {
    answer = client.run(url_of(at), [](websocket& socket) -> task<std::string> {
      co_await socket.send("from a thread");
      auto echo = co_await socket.receive();
      co_return std::string(echo->text());
    });
    EXPECT_THROW(client.run(url_of(at),
                            [](websocket&) -> task<> {
                              throw std::runtime_error("trouble");
                              co_return;
                            }),
                 std::runtime_error);
    loop.mailbox()->post([&done] { done = true; });
  });
  test::run_until(loop, [&done] { return done; });
  blocking.join();
  EXPECT_EQ(answer, "from a thread");
}

TEST_P(WebsocketClient, RunOnALoopsThreadIsRefused) {
  const websocket_client client;
  on_loop(
      [&] { EXPECT_THROW(client.run("ws://127.0.0.1:1", [](websocket&) -> task<> { co_return; }), std::logic_error); });
}

}  // namespace
}  // namespace windhover
