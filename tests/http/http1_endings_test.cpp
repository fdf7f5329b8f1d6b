// How connections end: by the client, by the handler, by a stopping server, and at every byte. Whatever happens, the
// handler is told, nothing hangs, and both ends are destroyed.
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "connection_peers.hpp"
#include <windhover/sleep_for.hpp>

namespace windhover::http {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n";

task<> echo_body(exchange& with) {
  const std::string body = co_await with.request().read_all();
  co_await with.response().write("[" + body + "]");
}

// Stops when the request is aborted, at the latest after an hour.
request_handler wait_for_abort(bool& was_aborted) {
  return [&was_aborted](exchange& with) -> task<> {
    was_aborted = !co_await sleep_for(1h, with.aborted());
    co_await with.response().write("over");
  };
}

// ----- The client's end

TEST(Http1Endings, AnEndWithoutARequestIsAnsweredByAnEnd) {
  connection_peers peers;
  peers.context.handler = do_nothing;
  EXPECT_EQ(peers.answer_to_all(""), "");
  EXPECT_TRUE(peers.client.ended);
  EXPECT_FALSE(peers.client.failed);
}

TEST(Http1Endings, AnEndWithinTheHeadIsAnsweredByAnEnd) {
  connection_peers peers;
  peers.context.handler = do_nothing;
  EXPECT_EQ(peers.answer_to_all(get.substr(0, 20)), "");
  EXPECT_TRUE(peers.client.ended);
}

TEST(Http1Endings, AClientThatHasEndedItsStreamStillGetsItsAnswers) {
  connection_peers peers(1);
  peers.context.handler = [](exchange& with) -> task<> {
    co_await sleep_for(1s);
    co_await echo_body(with);
  };
  const std::string received = peers.answer_to_all(std::string(post).append("helloworld").append(get));
  EXPECT_EQ(status_lines(received).size(), 2U);
  EXPECT_TRUE(peers.client.ended);
}

TEST(Http1Endings, AHandlerIsToldOfTheClientsEnd) {
  connection_peers peers;
  bool was_aborted = false;
  peers.context.handler = wait_for_abort(was_aborted);
  EXPECT_EQ(body_of(peers.answer_to_all(get)), "over");
  EXPECT_TRUE(was_aborted);
  EXPECT_EQ(peers.loop.now(), net::time_point());
}

TEST(Http1Endings, AHandlerIsToldOfTheClientsReset) {
  connection_peers peers;
  bool was_aborted = false;
  peers.context.handler = wait_for_abort(was_aborted);
  peers.connect();
  peers.send(get);
  peers.run_idle();
  peers.client_end->abort();
  peers.run_until_gone();
  EXPECT_TRUE(was_aborted);
  EXPECT_EQ(peers.loop.now(), net::time_point());
}

TEST(Http1Endings, AnAbortOfTheHandlerStopsItsTokenLaterAndLosesTheAnswer) {
  connection_peers peers;
  bool stopped_at_once = true;
  bool was_aborted = false;
  peers.context.handler = [&](exchange& with) -> task<> {
    co_await with.response().write("lost");
    with.abort();
    stopped_at_once = with.aborted().stop_requested();
    was_aborted = !co_await sleep_for(1h, with.aborted());
  };
  peers.connect();
  peers.send(get);
  peers.run_until_gone();
  EXPECT_FALSE(stopped_at_once);
  EXPECT_TRUE(was_aborted);
  EXPECT_EQ(peers.client.received, "");
  EXPECT_EQ(peers.client.failed, net::failure::cause::reset);
}

TEST(Http1Endings, ATokenThatIsAskedForAfterTheAbortIsStopped) {
  connection_peers peers;
  bool stopped = false;
  peers.context.handler = [&](exchange& with) -> task<> {
    co_await sleep_for(1s);
    stopped = with.aborted().stop_requested();
  };
  peers.connect();
  peers.send(get);
  peers.run_idle();
  peers.client_end->abort();
  peers.run_until_gone();
  EXPECT_TRUE(stopped);
}

TEST(Http1Endings, ATokenOfARequestThatWasAnsweredIsNotStoppedByWhatComesLater) {
  connection_peers peers;
  std::stop_token kept;
  peers.context.handler = [&](exchange& with) -> task<> {
    kept = with.aborted();
    co_return;
  };
  peers.connect();
  peers.send(get);
  peers.run_until_received("\r\n\r\n");
  peers.client_end->abort();
  peers.run_until_gone();
  EXPECT_FALSE(kept.stop_requested());
}

TEST(Http1Endings, AHandlerMayOutliveItsConnection) {
  connection_peers peers;
  bool ended = false;
  peers.context.handler = [&ended](exchange& with) -> task<> {
    co_await sleep_for(1h);
    EXPECT_EQ(with.request().path(), "/");
    const bool connected = co_await with.response().write(std::string(100'000, 'x'));
    EXPECT_FALSE(connected);
    const bool flushed = co_await with.response().flush();
    EXPECT_FALSE(flushed);
    ended = true;
  };
  peers.connect();
  peers.send(get);
  peers.run_idle();
  peers.client_end->abort();
  peers.run_until_gone();
  EXPECT_TRUE(ended);
}

TEST(Http1Endings, AFailureWhileAWriterWaitsWakesIt) {
  connection_peers peers;
  bool told = false;
  peers.context.handler = [&told](exchange& with) -> task<> {
    told = !co_await with.response().write(std::string(200'000, 'x'));
  };
  peers.client.takes = false;
  peers.connect();
  peers.send(get);
  peers.run_idle();
  peers.client_end->abort();
  peers.run_until_gone();
  EXPECT_TRUE(told);
}

TEST(Http1Endings, ASuspendedHandlerGoesWithTheLoop) {
  bool destroyed = false;
  {
    connection_peers peers;
    peers.context.handler = [&destroyed](exchange& with) -> task<> {
      struct guard {
        bool& destroyed;
        exchange& with;
        ~guard() { destroyed = with.request().path() == "/"; }
      } const local{destroyed, with};
      co_await sleep_for(1h);
    };
    peers.connect();
    peers.send(get);
    peers.run_idle();
  }
  EXPECT_TRUE(destroyed);
}

// ----- At every byte

// Requests of all kinds, with a handler that reads and writes in pieces and sometimes takes its time.
constexpr std::string_view all_kinds =
    "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
    "POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: "
    "t\r\n\r\n"
    "POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\nhelloworld"
    "GET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

task<> read_and_stream(exchange& with) {
  const bool late = with.request().path() == "/2" || with.request().path() == "/4";
  if (late) co_await sleep_for(1ms);
  const std::string body = co_await with.request().read_all();
  co_await with.response().write("[");
  if (late) co_await with.response().flush();
  co_await with.response().write(body + "]");
}

TEST(Http1Endings, TheSameAnswersWhereverTheStreamIsCut) {
  std::string whole;
  for (const std::size_t cut : all_cuts) {
    SCOPED_TRACE("in pieces of " + std::to_string(cut) + " bytes");
    connection_peers peers(cut);
    peers.context.handler = read_and_stream;
    const std::string received = peers.answer_to(all_kinds);
    if (cut == uncut) whole = received;
    EXPECT_EQ(received, whole);
    EXPECT_EQ(status_lines(received).size(), 5U) << "four answers, and one to go on";
  }
}

TEST(Http1Endings, AClientMayDieBehindAnyByteThatItSends) {
  for (std::size_t count = 0; count <= all_kinds.size(); ++count) {
    for (const bool at_once : {true, false}) {
      SCOPED_TRACE("behind " + std::to_string(count) + " bytes");
      connection_peers peers;
      peers.context.handler = read_and_stream;
      peers.connect();
      peers.send(all_kinds.substr(0, count));
      // Without the pause the bytes are lost with the connection; with it, they arrive first.
      if (!at_once) peers.run_idle();
      peers.client_end->abort();
      peers.run_until_gone();
    }
  }
}

TEST(Http1Endings, AClientMayEndBehindAnyByteThatItSends) {
  for (std::size_t count = 0; count <= all_kinds.size(); ++count) {
    SCOPED_TRACE("behind " + std::to_string(count) + " bytes");
    connection_peers peers;
    peers.context.handler = read_and_stream;
    peers.answer_to_all(all_kinds.substr(0, count));
  }
}

TEST(Http1Endings, AClientMayDieBehindAnyByteThatItGets) {
  std::size_t whole = 0;
  {
    connection_peers peers;
    peers.context.handler = read_and_stream;
    whole = peers.answer_to(all_kinds).size();
  }
  for (std::size_t count = 1; count <= whole; ++count) {
    SCOPED_TRACE("behind " + std::to_string(count) + " bytes");
    connection_peers peers(1);
    peers.context.handler = read_and_stream;
    peers.client.after_bytes = [&] {
      if (peers.client.received.size() == count) peers.client_end->abort();
    };
    peers.connect();
    peers.send(all_kinds);
    peers.run_until_gone();
    EXPECT_EQ(peers.client.received.size(), count);
  }
}

// The server's own end dies at its n-th write: as when the kernel refuses to send.
TEST(Http1Endings, AConnectionMayDieAtAnyWriteOfTheHandler) {
  for (int dying = 0; dying < 8; ++dying) {
    for (const bool streamed : {false, true}) {
      connection_peers peers;
      int writes = 0;
      peers.context.handler = [&](exchange& with) -> task<> {
        for (int i = 0; i < 8; ++i) {
          if (writes++ == dying) with.abort();
          co_await with.response().write(std::string(7'000, 'x'));
          if (streamed) co_await with.response().flush();
        }
      };
      peers.connect();
      peers.send(get);
      peers.run_until_gone();
      EXPECT_EQ(peers.client.failed, net::failure::cause::reset);
      EXPECT_EQ(peers.client.received, "");
    }
  }
}

// ----- The server stops

TEST(Http1Endings, DrainingEndsAConnectionThatHasNotSaidAnything) {
  connection_peers peers;
  peers.context.handler = do_nothing;
  peers.connect();
  peers.loop.drain_all();
  peers.run_until_end();
  EXPECT_FALSE(peers.client.failed);
  peers.client_end->close();
  peers.run_until_gone();
}

TEST(Http1Endings, DrainingEndsAnIdleConnection) {
  connection_peers peers;
  peers.context.handler = do_nothing;
  peers.connect();
  peers.send(get);
  peers.run_until_received("\r\n\r\n");
  peers.loop.drain_all();
  peers.run_until_end();
  EXPECT_FALSE(peers.client.failed);
  EXPECT_EQ(status_lines(peers.client.received).size(), 1U);
}

TEST(Http1Endings, DrainingWithinAHeadEndsTheConnectionWithoutAnAnswer) {
  connection_peers peers;
  peers.context.handler = do_nothing;
  peers.connect();
  peers.send(get.substr(0, 20));
  peers.run_idle();
  peers.loop.drain_all();
  peers.send(get.substr(20));
  peers.run_until_end();
  EXPECT_EQ(peers.client.received, "");
  EXPECT_FALSE(peers.client.failed);
}

TEST(Http1Endings, DrainingLetsARequestEndAndSaysThatItIsTheLast) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    co_await sleep_for(1s);
    co_await with.response().write("done");
  };
  peers.connect();
  peers.send(std::string(get) + std::string(get));
  peers.run_idle();
  peers.loop.drain_all();
  peers.run_until_end();
  EXPECT_EQ(status_lines(peers.client.received).size(), 1U);
  EXPECT_EQ(header_of(peers.client.received, "Connection"), "close");
  EXPECT_EQ(body_of(peers.client.received), "done");
  peers.client_end->close();
  peers.run_until_gone();
}

TEST(Http1Endings, DrainingLetsABodyBeRead) {
  connection_peers peers;
  peers.context.handler = echo_body;
  peers.connect();
  peers.send(post);
  peers.run_idle();
  peers.loop.drain_all();
  peers.send("helloworld");
  peers.run_until_end();
  EXPECT_EQ(body_of(peers.client.received), "[helloworld]");
}

TEST(Http1Endings, DrainingDoesNotWaitForTheRestOfABodyThatNobodyReads) {
  connection_peers peers;
  peers.context.handler = do_nothing;
  peers.connect();
  peers.send(post);
  peers.run_until_received("\r\n\r\n");
  peers.loop.drain_all();
  peers.run_until_end();
  EXPECT_EQ(peers.loop.now(), net::time_point());
  EXPECT_FALSE(peers.client.failed);
}

TEST(Http1Endings, DrainingTwiceIsDrainingOnce) {
  connection_peers peers;
  peers.context.handler = do_nothing;
  peers.connect();
  peers.send(get);
  peers.run_until_received("\r\n\r\n");
  peers.loop.drain_all();
  peers.loop.drain_all();
  peers.run_until_end();
  peers.loop.drain_all();
  peers.client_end->close();
  peers.run_until_gone();
  EXPECT_FALSE(peers.client.failed);
}

TEST(Http1Endings, AbortingEverythingLeavesNothing) {
  connection_peers peers;
  bool was_aborted = false;
  peers.context.handler = wait_for_abort(was_aborted);
  peers.connect();
  peers.send(get);
  peers.run_idle();
  peers.loop.abort_all();
  peers.run_until_gone();
  EXPECT_TRUE(was_aborted);
}

TEST(Http1Endings, AConnectionSaysWhatItIsDoing) {
  connection_peers peers;
  peers.context.handler = [](exchange&) -> task<> { co_await sleep_for(1h); };
  peers.connect();
  EXPECT_EQ(peers.loop.describe_connections(1).front(), "a connection from memory");
  peers.send("GET /slow?secret=1 HTTP/1.1\r\nHost: a\r\n\r\n");
  peers.run_idle();
  EXPECT_EQ(peers.loop.describe_connections(1).front(), "GET /slow from memory");
}

// ----- On sockets

class Http1EndingsOnSockets : public ::testing::TestWithParam<test::kind_of_transport> {};
INSTANTIATE_TEST_SUITE_P(All, Http1EndingsOnSockets, test::every_kind(), test::kind_name);

TEST_P(Http1EndingsOnSockets, AHandlerIsToldOfTheClientsEndAndReset) {
  for (const bool reset : {false, true}) {
    connection_peers peers(GetParam());
    bool was_aborted = false;
    peers.context.handler = wait_for_abort(was_aborted);
    peers.connect();
    peers.send(get);
    peers.run_until([&] { return peers.loop.describe_connections(1).front().starts_with("GET / "); });
    if (reset) {
      peers.client_end->abort();
    } else {
      peers.client_end->close();
    }
    peers.run_until_gone();
    EXPECT_TRUE(was_aborted);
  }
}

TEST_P(Http1EndingsOnSockets, AClientMayDieWhileTheAnswerIsUnderWay) {
  connection_peers peers(GetParam());
  bool told = false;
  peers.context.handler = [&told](exchange& with) -> task<> {
    const std::string piece(100'000, 'x');
    while (co_await with.response().write(piece)) {
    }
    told = true;
  };
  peers.client.after_bytes = [&] {
    if (peers.client.received.size() > 1'000'000) peers.client_end->abort();
  };
  peers.connect();
  peers.send(get);
  peers.run_until_gone();
  EXPECT_TRUE(told);
}

TEST_P(Http1EndingsOnSockets, DrainingEndsIdleConnections) {
  connection_peers peers(GetParam());
  peers.context.handler = do_nothing;
  peers.connect();
  peers.send(get);
  peers.run_until_received("\r\n\r\n");
  peers.loop.drain_all();
  peers.run_until_end();
  EXPECT_FALSE(peers.client.failed);
  peers.client_end->close();
  peers.run_until_gone();
}

}  // namespace
}  // namespace windhover::http
