// Asking a server to leave HTTP: the answers it may give, wherever they are cut, and every way in which none comes.
#include "http/client_connection.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "http/connection_peers.hpp"
#include "support/transports.hpp"
#include "support/virtual_engine.hpp"

namespace windhover::http {
namespace {

using expected = client_connection::expected;

constexpr std::string_view request = "GET /chat HTTP/1.1\r\nHost: example.com\r\n\r\n";

// Shows an outcome as "status reason body", "switched 101", or the failure's text.
std::string shown(const client_outcome& outcome) {
  if (outcome.why != client_outcome::failure::none) return outcome.text;
  const client_response& response = outcome.response;
  if (response.switched) return "switched " + std::to_string(response.head.status);
  return std::to_string(response.head.status) + " " + response.head.reason + " '" + response.body + "'";
}

// A client's connection and a scripted server on a memory pipe.
class client_peers {
 public:
  explicit client_peers(std::size_t cut = uncut, const client_limits& limits = {})
      : loop(std::make_unique<test::virtual_engine>()) {
    const auto [near, far] = net::memory_pipe::make(loop, cut);
    auto made = std::make_unique<client_connection>(*near, limits);
    connection = made.get();
    net::memory_pipe::set_driver(*near, std::move(made));
    net::memory_pipe::set_driver(*far, std::make_unique<recording_client>(server));
    client_end = near;
    server_end = far;
  }
  client_peers(const client_peers&) = delete;
  client_peers& operator=(const client_peers&) = delete;
  // Nothing may be left behind.
  ~client_peers() {
    const net::event_loop::scope here(loop);
    if (connection != nullptr) connection->let_go();
    loop.abort_all();
    test::run_idle(loop);
    EXPECT_TRUE(loop.describe_connections(1).empty());
  }

  void ask(expected what = expected::upgrade, std::string_view text = request) {
    const net::event_loop::scope here(loop);
    answered = false;
    asking = connection->ask(std::string(text), what, stop.get_token());
    asking.start(this, [](void* self) noexcept -> std::coroutine_handle<> {
      static_cast<client_peers*>(self)->ended();
      return std::noop_coroutine();
    });
  }
  void release() {
    const net::event_loop::scope here(loop);
    std::exchange(connection, nullptr)->let_go();
  }
  void send(std::string_view bytes) { server_end->queue_copy(test::bytes_of(bytes)); }
  std::string outcome() {
    test::run_idle(loop, 300);
    return answered ? result : "nothing";
  }
  // Another driver takes over as soon as HTTP has ended.
  void upgrade_when_switched() { upgrades = true; }

  client_record server;  // outlives its driver
  net::event_loop loop;
  client_connection* connection = nullptr;
  test::recording_driver* successor = nullptr;
  net::pipe_end* client_end = nullptr;
  net::pipe_end* server_end = nullptr;
  std::stop_source stop;
  bool answered = false;
  std::string result;

 private:
  void ended() {
    answered = true;
    const client_outcome outcome = asking.take();
    result = shown(outcome);
    if (!upgrades || !outcome.response.switched) return;
    auto next = std::make_unique<test::recording_driver>(*client_end);
    next->is_finished = true;
    successor = next.get();
    std::exchange(connection, nullptr)->upgrade(std::move(next));
  }

  task<client_outcome> asking;
  bool upgrades = false;
};

TEST(ClientConnection, SendsTheRequestAsItIs) {
  client_peers peers;
  peers.ask();
  EXPECT_EQ(peers.outcome(), "nothing");
  EXPECT_EQ(peers.server.received, request);
}

struct answer_case {
  std::string_view stream;
  std::string_view outcome;
};

constexpr std::string_view chunks =
    "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnot\r\n5;a=b\r\n here\r\n0\r\n\r\n";

TEST(ClientConnection, GivesTheFinalAnswerWhereverItIsCut) {
  for (const answer_case& each : {
           answer_case{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", "switched 101"},
           answer_case{"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100\r\n\r\nHTTP/1.1 101 Now\r\n\r\n", "switched 101"},
           answer_case{"HTTP/1.1 401 Who\r\nContent-Length: 5\r\n\r\nlogin", "401 Who 'login'"},
           answer_case{"HTTP/1.1 301 There\r\nContent-Length: 0\r\nLocation: ws://b/\r\n\r\n", "301 There ''"},
           answer_case{"HTTP/1.1 304 Same\r\nContent-Length: 7\r\n\r\n", "304 Same ''"},
           answer_case{"HTTP/1.1 204\r\n\r\n", "204  ''"},
           answer_case{chunks, "403 No 'not here'"},
           answer_case{"HTTP/1.1 400 Bad\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "400 Bad ''"},
           answer_case{"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnot\r\nx\r\n", "403 No 'not'"},
           answer_case{"SSH-2.0-OpenSSH\r\n", "the answer does not begin with a status line of HTTP/1.1"},
           answer_case{"HTTP/1.1 200 OK\r\nfolded:\r\n x\r\n\r\n", "a header field of the answer is malformed"},
       }) {
    for (const std::size_t cut : all_cuts) {
      SCOPED_TRACE(std::string(each.outcome) + ", cut to " + std::to_string(cut));
      client_peers peers(cut);
      peers.ask();
      peers.send(each.stream);
      EXPECT_EQ(peers.outcome(), each.outcome);
    }
  }
}

TEST(ClientConnection, WhatFollowsTheSwitchReachesTheOtherProtocolWhereverTheStreamIsCut) {
  for (const std::size_t cut : all_cuts) {
    SCOPED_TRACE(cut);
    client_peers peers(cut);
    peers.upgrade_when_switched();
    peers.ask();
    peers.send("HTTP/1.1 101 Now\r\n\r\n\x81\x05Hello");
    EXPECT_EQ(peers.outcome(), "switched 101");
    peers.send("\x81\x02Yo");
    test::run_idle(peers.loop, 100);
    ASSERT_NE(peers.successor, nullptr);
    EXPECT_EQ(peers.successor->received, "\x81\x05Hello\x81\x02Yo");
  }
}

TEST(ClientConnection, ASecondRequestGoesThroughTheTunnel) {
  for (const std::size_t cut : all_cuts) {
    SCOPED_TRACE(cut);
    client_peers peers(cut);
    peers.ask(expected::tunnel, "CONNECT example.com:80 HTTP/1.1\r\nHost: example.com:80\r\n\r\n");
    // Content-Length means nothing in this answer (RFC 9110, section 9.3.6).
    peers.send("HTTP/1.1 200 Connected\r\nContent-Length: 5\r\n\r\n");
    EXPECT_EQ(peers.outcome(), "switched 200");
    peers.upgrade_when_switched();
    peers.ask();
    peers.send("HTTP/1.1 101 Now\r\n\r\nHello");
    EXPECT_EQ(peers.outcome(), "switched 101");
    ASSERT_NE(peers.successor, nullptr);
    EXPECT_EQ(peers.successor->received, "Hello");
    EXPECT_NE(peers.server.received.find("CONNECT example.com:80"), std::string::npos);
    EXPECT_TRUE(peers.server.received.ends_with(request));
  }
}

TEST(ClientConnection, ATunnelIsNothingThatAnUpgradeExpects) {
  client_peers upgrade;
  upgrade.ask(expected::upgrade);
  upgrade.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage");
  EXPECT_EQ(upgrade.outcome(), "200 OK 'page'");
  client_peers tunnel;
  tunnel.ask(expected::tunnel);
  tunnel.send("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(tunnel.outcome(), "407 Proxy Authentication Required ''");
}

TEST(ClientConnection, KeepsOnlyTheBeginningOfABodyAndReadsNoFurther) {
  for (const std::string_view head : {"HTTP/1.1 404 No\r\n\r\n", "HTTP/1.1 404 No\r\nContent-Length: 1000000\r\n\r\n",
                                      "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n"}) {
    for (const std::size_t cut : all_cuts) {
      client_limits limits;
      limits.body_prefix = 10;
      client_peers peers(cut, limits);
      peers.ask();
      peers.send(std::string(head) + std::string(100, 'x'));
      EXPECT_EQ(peers.outcome(), "404 No 'xxxxxxxxxx'");
      EXPECT_TRUE(peers.server.failed);  // it is cut off, whatever it still has to say
    }
  }
  client_limits none;
  none.body_prefix = 0;
  client_peers peers(uncut, none);
  peers.ask();
  peers.send("HTTP/1.1 404 No\r\n\r\nx");
  EXPECT_EQ(peers.outcome(), "404 No ''");
}

TEST(ClientConnection, ACompleteRefusalEndsWithoutAReset) {
  for (const std::string_view answer :
       {"HTTP/1.1 401 Who\r\nContent-Length: 5\r\n\r\nlogin", "HTTP/1.1 302 There\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 204\r\n\r\n"}) {
    SCOPED_TRACE(answer);
    client_peers polite;
    polite.ask();
    polite.send(answer);
    polite.outcome();
    EXPECT_TRUE(polite.server.ended);
    polite.loop.drain_all();
    test::run_idle(polite.loop);
    EXPECT_FALSE(polite.server.failed);
    polite.send("what nobody wants any more");
    polite.server_end->close();
    polite.release();
    test::run_idle(polite.loop);
    EXPECT_FALSE(polite.server.failed);
    EXPECT_TRUE(polite.loop.describe_connections(1).empty());
    // One that does not end its side is waited for a second.
    client_peers stubborn;
    stubborn.ask();
    stubborn.send(answer);
    stubborn.outcome();
    stubborn.release();
    EXPECT_FALSE(stubborn.server.failed);
    test::run_until(stubborn.loop, [&] { return stubborn.loop.describe_connections(1).empty(); });
    EXPECT_TRUE(stubborn.server.failed);
    EXPECT_EQ(stubborn.loop.now() - net::time_point(), std::chrono::seconds(1));
  }
}

TEST(ClientConnection, ABodyWithoutALengthGoesOnToTheEndOfTheConnection) {
  client_peers peers;
  peers.ask();
  peers.send("HTTP/1.1 500 Trouble\r\n\r\nsorry");
  EXPECT_EQ(peers.outcome(), "nothing");
  peers.server_end->close();
  EXPECT_EQ(peers.outcome(), "500 Trouble 'sorry'");
}

TEST(ClientConnection, ABodyThatDoesNotComeIsGivenAsFarAsItCame) {
  constexpr std::string_view half = "HTTP/1.1 401 Who\r\nContent-Length: 10\r\n\r\nlogin";
  client_peers ended;
  ended.ask();
  ended.send(half);
  ended.server_end->close();
  EXPECT_EQ(ended.outcome(), "401 Who 'login'");
  client_peers reset;
  reset.ask();
  reset.send(half);
  EXPECT_EQ(reset.outcome(), "nothing");
  reset.server_end->abort();
  EXPECT_EQ(reset.outcome(), "401 Who 'login'");
  client_peers stopped;
  stopped.ask();
  stopped.send(half);
  EXPECT_EQ(stopped.outcome(), "nothing");
  {
    const net::event_loop::scope here(stopped.loop);
    stopped.stop.request_stop();
  }
  EXPECT_EQ(stopped.outcome(), "401 Who 'login'");
}

TEST(ClientConnection, AnEndOrAResetAfterEveryByteOfTheHeadIsAnOutcome) {
  constexpr std::string_view head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
  for (const bool reset : {true, false}) {
    for (std::size_t bytes = 0; bytes < head.size(); ++bytes) {
      SCOPED_TRACE(bytes);
      client_peers peers;
      peers.ask();
      peers.send(head.substr(0, bytes));
      EXPECT_EQ(peers.outcome(), "nothing");
      reset ? peers.server_end->abort() : peers.server_end->close();
      EXPECT_EQ(peers.outcome(), reset        ? "the peer reset the connection"
                                 : bytes == 0 ? "the server ended the connection without an answer"
                                              : "the server ended the connection within its answer");
    }
  }
}

TEST(ClientConnection, StoppingEndsTheWait) {
  client_peers peers;
  peers.ask();
  peers.send("HTTP/1.1 10");
  EXPECT_EQ(peers.outcome(), "nothing");
  const net::event_loop::scope here(peers.loop);
  peers.stop.request_stop();
  EXPECT_EQ(peers.outcome(), "stopped");
}

TEST(ClientConnection, AStoppingApplicationEndsIt) {
  client_peers peers;
  peers.ask();
  EXPECT_EQ(peers.outcome(), "nothing");
  peers.loop.drain_all();
  EXPECT_EQ(peers.outcome(), "the connection was aborted");
}

TEST(ClientConnection, InterimAnswersWithoutEndAreBounded) {
  client_limits limits;
  limits.head.header_bytes = 1000;
  client_peers peers(uncut, limits);
  peers.ask();
  for (int i = 0; i < 100; ++i) peers.send("HTTP/1.1 103 Hint\r\n\r\n");
  EXPECT_EQ(peers.outcome(), "the head of the answer is larger than the limit");
}

TEST(ClientConnection, ADeadConnectionAnswersAtOnce) {
  client_peers peers;
  peers.server_end->abort();
  test::run_idle(peers.loop);
  peers.ask();
  EXPECT_TRUE(peers.answered);
  EXPECT_EQ(peers.outcome(), "the peer reset the connection");
}

TEST(ClientConnection, OneRequestAtATime) {
  client_peers peers;
  peers.ask();
  bool ended = false;
  task<client_outcome> second = peers.connection->ask(std::string(request), expected::upgrade, {});
  second.start(&ended, [](void* flag) noexcept -> std::coroutine_handle<> {
    *static_cast<bool*>(flag) = true;
    return std::noop_coroutine();
  });
  ASSERT_TRUE(ended);
  EXPECT_THROW(second.take(), std::logic_error);
}

}  // namespace
}  // namespace windhover::http
