// Clients that share connections of HTTP/2, against a web_application.
#include <cerrno>
#include <cstdint>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hosting/running_application.hpp"
#include "hosting/temporary_folder.hpp"
#include "net/self_signed_certificate.hpp"
#include <windhover/event_loop_thread.hpp>
#include <windhover/run_blocking.hpp>
#include <windhover/websocket_client.hpp>
#include <windhover/when_all.hpp>

namespace windhover::hosting {
namespace {

using cause = websocket_connect_error::cause;

// Takes connections and says nothing on them.
class silent_listener {
 public:
  silent_listener() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(descriptor_, reinterpret_cast<const sockaddr*>(&at), size) != 0 || ::listen(descriptor_, 5) != 0 ||
        ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&at), &size) != 0) {
      throw std::system_error(errno, std::generic_category(), "listening");
    }
    port_ = ntohs(at.sin_port);
  }
  silent_listener(const silent_listener&) = delete;
  silent_listener& operator=(const silent_listener&) = delete;
  ~silent_listener() { ::close(descriptor_); }

  std::string url() const { return "ws://127.0.0.1:" + std::to_string(port_); }

 private:
  int descriptor_;
  std::uint16_t port_ = 0;
};

class Http2Client : public running_application {
 protected:
  std::string websocket_url(std::string_view path) const {
    return (url.starts_with("https") ? "wss" + url.substr(5) : "ws" + url.substr(4)) + std::string(path);
  }
  web_application& make_https(http_protocols protocols) {
    const net::made_certificate made =
        net::make_self_signed({.common_name = "localhost", .names = {"localhost", "127.0.0.1"}});
    folder.write("served.pem", made.certificate);
    folder.write("served.key", made.key);
    make({"--contentRoot", folder.path(), "--urls", "https://127.0.0.1:0"});
    app->use_https({.certificate = {.certificate = "served.pem", .key = "served.key"}, .protocols = protocols});
    return *app;
  }
  websocket_client_options trusting(http_protocols protocols) const {
    return {.tls = {.authorities = (folder.path() / "served.pem").string()}, .protocols = protocols};
  }
  // Opens so many sockets, which are all open at the same time, and lets each have its echo. How many had it.
  int talk_on_many(const websocket_client& client, int count) {
    event_loop_thread loop({.engine = engine() == "epoll" ? io_engine::epoll : io_engine::io_uring});
    const std::vector<bool> heard = loop.run([&]() -> task<std::vector<bool>> {
      meeting all_open(count);
      std::vector<task<bool>> talks;
      for (int i = 0; i < count; ++i) talks.push_back(talk(client, i, all_open));
      co_return co_await when_all(std::move(talks));
    });
    return static_cast<int>(std::ranges::count(heard, true));
  }

  temporary_folder folder;
  std::uint64_t connections_seen = 0;

 private:
  // Nobody goes on before all have come.
  struct meeting {
    explicit meeting(int count) : absent(count) {}
    task<> come() {
      const completion<> all_here;
      waiting.push_back(all_here);
      if (--absent == 0) {
        for (const completion<>& each : waiting) each.set_value();
      }
      co_await all_here;
    }
    int absent;
    std::vector<completion<>> waiting;
  };
  task<bool> talk(const websocket_client& client, int number, meeting& all_open) {
    websocket socket = co_await client.connect(websocket_url("/ws"));
    co_await all_open.come();
    connections_seen = app->counters().http2_connections;
    const std::string text = "client " + std::to_string(number);
    co_await socket.send(text);
    auto answer = co_await socket.receive();
    co_return answer && answer->text() == text;
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, Http2Client, both_engines(), engine_name);

TEST_P(Http2Client, AHundredWebSocketsShareOneConnection) {
  make().use_websockets();
  app->map_websocket("/ws", echo);
  start();
  const websocket_client client({.protocols = http_protocols::http2});
  EXPECT_EQ(talk_on_many(client, 100), 100);
  EXPECT_EQ(connections_seen, 1);
}

TEST_P(Http2Client, FurtherConnectionsAreMadeForMoreThanTheServerAllows) {
  make({"--Windhover:Limits:Http2:MaxStreamsPerConnection", "10"}).use_websockets();
  app->map_websocket("/ws", echo);
  start();
  const websocket_client client({.protocols = http_protocols::http2});
  EXPECT_EQ(talk_on_many(client, 35), 35);
  EXPECT_EQ(connections_seen, 4);
}

TEST_P(Http2Client, OverTlsTheServerChooses) {
  make_https(http_protocols::http1_and_http2).use_websockets();
  app->map_websocket("/ws", echo);
  start();
  const websocket_client client(trusting(http_protocols::http1_and_http2));
  EXPECT_EQ(talk_on_many(client, 20), 20);
  EXPECT_EQ(connections_seen, 1);
  const websocket_client old_client(trusting(http_protocols::http1));
  EXPECT_EQ(talk_on_many(old_client, 5), 5);
  EXPECT_EQ(connections_seen, 1);
}

TEST_P(Http2Client, AServerOfHttp1GetsAConnectionForEach) {
  make_https(http_protocols::http1).use_websockets();
  app->map_websocket("/ws", echo);
  start();
  const websocket_client client(trusting(http_protocols::http1_and_http2));
  EXPECT_EQ(talk_on_many(client, 20), 20);
  EXPECT_EQ(connections_seen, 0);
}

TEST_P(Http2Client, WhoWantsNothingElseIsToldThatTheServerHasNoHttp2) {
  make_https(http_protocols::http1).use_websockets();
  app->map_websocket("/ws", echo);
  start();
  const websocket_client client(trusting(http_protocols::http2));
  try {
    client.run(websocket_url("/ws"), echo);
    FAIL() << "there is a WebSocket";
  } catch (const websocket_connect_error& error) {
    EXPECT_EQ(error.why(), cause::tls_failed) << error.what();
  }
}

TEST_P(Http2Client, ClearTextToAServerWithoutHttp2IsToldSo) {
  make({"--Windhover:Endpoints:Only:Url", "http://127.0.0.1:0", "--Windhover:Endpoints:Only:Protocols", "Http1"})
      .use_websockets();
  app->map_websocket("/ws", echo);
  start();
  const websocket_client client({.protocols = http_protocols::http2});
  try {
    client.run(websocket_url("/ws"), echo);
    FAIL() << "there is a WebSocket";
  } catch (const websocket_connect_error& error) {
    EXPECT_EQ(error.why(), cause::not_http) << error.what();
  }
}

TEST_P(Http2Client, AnAbortEndsOneSocketAndNotTheOthersOfItsConnection) {
  told<websocket_state> end;
  make().use_websockets();
  app->map_websocket("/ws", echo);
  app->map_websocket("/aborted", [&](websocket& socket) -> task<> {
    co_await echo(socket);
    end.set(socket.state());
  });
  start();
  const websocket_client client({.protocols = http_protocols::http2});
  const std::string echoed = client.run(websocket_url("/ws"), [&](websocket& staying) -> task<std::string> {
    {
      websocket aborted = co_await client.connect(websocket_url("/aborted"));
      aborted.abort();
    }
    co_await staying.send("still here");
    auto answer = co_await staying.receive();
    co_return answer ? std::string(answer->text()) : "nothing";
  });
  EXPECT_EQ(echoed, "still here");
  EXPECT_EQ(end.get(), websocket_state::aborted);
  EXPECT_EQ(app->counters().http2_connections, 1);
}

TEST_P(Http2Client, AReaderThatTakesNothingStopsNoOtherSocketOfItsConnection) {
  make().use_websockets({.max_message_size = 0});
  app->map_websocket("/ws", echo);
  app->map_websocket("/pours", [](websocket& socket) -> task<> {
    const std::vector<std::byte> piece(100'000);
    while (socket.state() == websocket_state::open) co_await socket.send(piece);
  });
  start();
  const websocket_client client({.protocols = http_protocols::http2});
  const int rounds = client.run(websocket_url("/pours"), [&](websocket&) -> task<int> {
    websocket socket = co_await client.connect(websocket_url("/ws"));
    int count = 0;
    for (; count < 100; ++count) {
      co_await socket.send("hello");
      auto answer = co_await socket.receive();
      if (!answer) break;
    }
    co_return count;
  });
  EXPECT_EQ(rounds, 100);
}

// ----- Those who wait for one another

TEST_P(Http2Client, WhenTheConnectionCannotBeMadeWhoWaitsForItIsToldToo) {
  make().use_websockets();
  start();
  stop();
  const websocket_client client({.protocols = http_protocols::http2});
  event_loop_thread loop;
  const auto try_to = [&]() -> task<bool> {
    try {
      websocket socket = co_await client.connect(websocket_url("/ws"));
    } catch (const websocket_connect_error& error) {
      co_return error.why() == cause::not_connected;
    }
    co_return false;
  };
  const std::vector<bool> told = loop.run([&]() -> task<std::vector<bool>> {
    std::vector<task<bool>> tries;
    for (int i = 0; i < 20; ++i) tries.push_back(try_to());
    co_return co_await when_all(std::move(tries));
  });
  EXPECT_EQ(std::ranges::count(told, true), 20);
}

TEST_P(Http2Client, WhoWaitsForAConnectionCanBeStoppedAndTheOthersGoOn) {
  const silent_listener silent;
  const websocket_client client({.protocols = http_protocols::http2});
  event_loop_thread loop;
  std::stop_source first;
  std::stop_source second;
  const auto try_to = [&](std::stop_token stop) -> task<std::string> {
    try {
      websocket socket = co_await client.connect(silent.url(), std::move(stop));
    } catch (const websocket_connect_error& error) {
      co_return error.what();
    }
    co_return "open";
  };
  const auto give_up = [&]() -> task<std::string> {
    second.request_stop();
    first.request_stop();
    co_return "";
  };
  const std::vector<std::string> said = loop.run([&]() -> task<std::vector<std::string>> {
    std::vector<task<std::string>> all;
    all.push_back(try_to(first.get_token()));
    all.push_back(try_to(second.get_token()));
    all.push_back(give_up());
    co_return co_await when_all(std::move(all));
  });
  EXPECT_NE(said[0].find("cancelled"), std::string::npos) << said[0];
  EXPECT_NE(said[1].find("cancelled while another connection to the server was made"), std::string::npos) << said[1];
}

TEST_P(Http2Client, AStreamThatTheServerRefusesIsOpenedOnAnotherConnection) {
  gate lingering;
  make({"--Windhover:Limits:Http2:MaxStreamsPerConnection", "2"}).use_websockets();
  app->map_websocket("/ws", echo);
  app->map_websocket("/lingers", [&](websocket& socket) -> task<> {
    co_await echo(socket);
    co_await lingering.pass();
  });
  start();
  const websocket_client client({.protocols = http_protocols::http2});
  const std::string echoed = client.run(websocket_url("/ws"), [&](websocket&) -> task<std::string> {
    {
      websocket closed = co_await client.connect(websocket_url("/lingers"));
      closed.abort();
    }
    const auto wait = [&] { lingering.await_arrival(); };
    co_await run_blocking(wait);
    // The client has one stream on it, and the server counts two.
    websocket next = co_await client.connect(websocket_url("/ws"));
    co_await next.send("on another one");
    auto answer = co_await next.receive();
    co_return answer ? std::string(answer->text()) : "nothing";
  });
  lingering.open();
  EXPECT_EQ(echoed, "on another one");
  EXPECT_EQ(app->counters().http2_connections, 2);
  EXPECT_EQ(app->counters().http2_streams_refused, 1);
}

}  // namespace
}  // namespace windhover::hosting
