// Bodies of requests over a connection: reading them, leaving them, and those that are malformed, too large or not
// sent.
#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "connection_peers.hpp"
#include <windhover/sleep_for.hpp>
#include <windhover/when_all.hpp>

namespace windhover::http {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view expecting_post =
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
constexpr std::string_view told_to_continue = "HTTP/1.1 100 Continue\r\n\r\n";

std::string post_of(std::size_t length) {
  return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

task<> echo_body(exchange& with) {
  const std::string body = co_await with.request().read_all();
  co_await with.response().write("[" + body + "]");
}

// Reads to the end in pieces of at most `size` bytes, and answers with the pieces.
request_handler read_in_pieces(std::size_t size) {
  return [size](exchange& with) -> task<> {
    std::string text(size, '\0');
    std::string answer;
    for (;;) {
      const std::size_t count = co_await with.request().read(std::as_writable_bytes(std::span(text)));
      if (count == 0) break;
      answer += text.substr(0, count) + "|";
    }
    co_await with.response().write(answer);
  };
}

TEST(Http1Bodies, AreReadInPiecesThatFitTheBuffer) {
  connection_peers by_length;
  by_length.context.handler = read_in_pieces(4);
  EXPECT_EQ(body_of(by_length.answer_to_all(post_of(10) + "abcdefghij")), "abcd|efgh|ij|");

  connection_peers chunked;
  chunked.context.handler = read_in_pieces(4);
  const std::string received = chunked.answer_to_all(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n3\r\nghi\r\n0\r\n\r\n");
  EXPECT_EQ(body_of(received), "a|bcde|f|ghi|");
}

TEST(Http1Bodies, AnEmptyBufferReadsNothing) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    const std::size_t nothing = co_await with.request().read({});
    const std::string rest = co_await with.request().read_all();
    co_await with.response().write(std::to_string(nothing) + rest);
  };
  EXPECT_EQ(body_of(peers.answer_to_all(post_of(5) + "hello")), "0hello");
}

TEST(Http1Bodies, AReadBehindTheEndReadsNothing) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    EXPECT_EQ(with.request().content_length(), 5U);
    EXPECT_TRUE(with.request().has_body());
    const std::string body = co_await with.request().read_all();
    const std::string again = co_await with.request().read_all();
    co_await with.response().write(body + "[" + again + "]");
  };
  EXPECT_EQ(body_of(peers.answer_to_all(post_of(5) + "hello")), "hello[]");
}

TEST(Http1Bodies, ABodyThatComesLaterIsWaitedFor) {
  connection_peers peers;
  peers.context.handler = read_in_pieces(100);
  peers.connect();
  peers.send(post_of(10));
  peers.run_idle();
  peers.send("hello");
  peers.run_idle();
  EXPECT_EQ(peers.client.received, "");
  peers.send("world");
  peers.run_until_received("hello|world|");
}

TEST(Http1Bodies, WhatNobodyReadsIsNotTakenFromTheClient) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    co_await sleep_for(1s);
    const std::string body = co_await with.request().read_all(std::size_t{10} << 20);
    co_await with.response().write(std::to_string(body.size()));
  };
  peers.connect();
  peers.send(post_of(5'000'000));
  for (int i = 0; i < 50; ++i) peers.send(std::string(100'000, 'x'));
  peers.run_until([&] { return peers.server_end->reading_paused(); });
  EXPECT_GT(peers.client_end->queued_bytes(), 4'000'000U);
  peers.run_until_received("5000000");
}

TEST(Http1Bodies, ABodyThatNobodyReadIsPassedOverBeforeTheNextRequest) {
  for (const std::size_t cut : all_cuts) {
    connection_peers peers(cut);
    peers.context.handler = do_nothing;
    const std::string received = peers.answer_to_all(
        post_of(26) + "GET /smuggled HTTP/1.1\r\n\r\n" +
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + std::string(get));
    EXPECT_EQ(status_lines(received), std::vector<std::string>(3, "HTTP/1.1 200 OK"));
  }
}

TEST(Http1Bodies, OfABodyThatWasReadInPartTheRestIsPassedOver) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    std::array<std::byte, 3> start;
    co_await with.request().read(start);
  };
  EXPECT_EQ(status_lines(peers.answer_to_all(post_of(10) + "helloworld" + std::string(get))).size(), 2U);
}

TEST(Http1Bodies, ALongBodyThatNobodyReadEndsTheConnection) {
  connection_peers peers;
  peers.context.options.drained_body = 1000;
  peers.context.handler = do_nothing;
  const std::string received = peers.answer_to(post_of(10'000) + std::string(10'000, 'x') + std::string(get));
  EXPECT_EQ(status_lines(received).size(), 1U);
}

TEST(Http1Bodies, AMalformedBodyThatNobodyReadEndsTheConnection) {
  connection_peers peers;
  peers.context.handler = do_nothing;
  const std::string received =
      peers.answer_to("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n" + std::string(get));
  EXPECT_EQ(status_lines(received).size(), 1U);
}

// ----- Expect: 100-continue (RFC 9110, section 10.1.1)

TEST(Http1Bodies, AClientThatExpectsItIsToldToContinueWhenTheBodyIsRead) {
  connection_peers peers;
  peers.context.handler = echo_body;
  peers.connect();
  peers.send(expecting_post);
  peers.run_until_received(told_to_continue);
  peers.send("hello");
  peers.run_until_received("[hello]");
  EXPECT_TRUE(peers.client.received.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
  peers.client.received.clear();
  peers.send(get);
  peers.run_until_received("[]");
  EXPECT_EQ(peers.client.received.find("100"), std::string::npos);
}

TEST(Http1Bodies, WhenTheBodyIsNotReadTheClientIsNotToldAndTheConnectionEnds) {
  connection_peers peers;
  peers.context.handler = do_nothing;
  // What comes may be the body, or the next request: nobody can tell.
  const std::string received = peers.answer_to(std::string(expecting_post) + std::string(get));
  EXPECT_EQ(status_lines(received), std::vector<std::string>{"HTTP/1.1 200 OK"});
  EXPECT_EQ(header_of(received, "Connection"), "close");
}

TEST(Http1Bodies, WithoutABodyNobodyIsToldToContinue) {
  connection_peers peers;
  peers.context.handler = echo_body;
  const std::string received = peers.answer_to_all("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(status_lines(received), std::vector<std::string>{"HTTP/1.1 200 OK"});
}

TEST(Http1Bodies, BehindTheHeadOfTheResponseNobodyIsToldToContinue) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    co_await with.response().write("early,");
    co_await with.response().flush();
    const std::string body = co_await with.request().read_all();
    co_await with.response().write(body);
  };
  const std::string received = peers.answer_to(std::string(expecting_post) + "hello");
  EXPECT_EQ(received.find("100 Continue"), std::string::npos);
  EXPECT_EQ(body_of(received), "6\r\nearly,\r\n5\r\nhello\r\n0\r\n\r\n");
}

// ----- Bodies that cannot be read

// Answers with what reading the body throws.
task<> tell_failure(exchange& with) {
  std::optional<int> status;
  try {
    co_await with.request().read_all();
  } catch (const bad_http_request& error) {
    status = error.status();
  }
  if (status) with.response().header("X-Failure", std::to_string(*status));
}

TEST(Http1Bodies, MalformedChunksAre400AndEndTheConnection) {
  const std::string chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string_view body :
       {"xyz\r\n", "5\r\nhelloX\r\n", "-1\r\n", "5\nhello\r\n", "0\r\nbad trailer\r\n\r\n"}) {
    for (const std::size_t cut : all_cuts) {
      connection_peers caught(cut);
      caught.context.handler = tell_failure;
      const std::string received = caught.answer_to(chunked + std::string(body) + std::string(get));
      EXPECT_EQ(status_lines(received).size(), 1U) << body;
      EXPECT_EQ(header_of(received, "X-Failure"), "400") << body;
      EXPECT_EQ(header_of(received, "Connection"), "close") << body;

      connection_peers uncaught(cut);
      uncaught.context.handler = echo_body;
      EXPECT_EQ(status_lines(uncaught.answer_to(chunked + std::string(body) + std::string(get))),
                std::vector<std::string>{"HTTP/1.1 400 Bad Request"})
          << body;
    }
  }
}

TEST(Http1Bodies, BodiesBeyondTheLimitAre413AndEndTheConnection) {
  const auto answer = [](const std::string& request) {
    connection_peers peers(8);
    peers.context.options.limits.body = 10;
    peers.context.handler = echo_body;
    return peers.answer_to(request + std::string(get));
  };
  const std::string announced = answer(post_of(11) + "hello world");
  EXPECT_EQ(status_lines(announced), std::vector<std::string>{"HTTP/1.1 413 Content Too Large"});
  EXPECT_EQ(header_of(announced, "Connection"), "close");
  const std::string chunked =
      answer("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n");
  EXPECT_EQ(status_lines(chunked), std::vector<std::string>{"HTTP/1.1 413 Content Too Large"});
  EXPECT_EQ(header_of(chunked, "Connection"), "close");
}

TEST(Http1Bodies, ReadAllRefusesWhatIsLongerThanItsLimit) {
  const request_handler read_five = [](exchange& with) -> task<> {
    const std::string body = co_await with.request().read_all(5);
    co_await with.response().write(body);
  };
  connection_peers fits;
  fits.context.handler = read_five;
  EXPECT_EQ(body_of(fits.answer_to_all(post_of(5) + "hello")), "hello");

  connection_peers announced;
  announced.context.handler = read_five;
  const std::vector<std::string> refused_and_next = {"HTTP/1.1 413 Content Too Large", "HTTP/1.1 200 OK"};
  EXPECT_EQ(status_lines(announced.answer_to_all(post_of(6) + "hello!" + std::string(get))), refused_and_next);

  connection_peers chunked;
  chunked.context.handler = read_five;
  EXPECT_EQ(status_lines(chunked.answer_to_all(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello!\r\n0\r\n\r\n" +
                std::string(get))),
            refused_and_next);
}

TEST(Http1Bodies, ABodyThatIsRefusedByItsLengthIsNotAskedFor) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> { co_await with.request().read_all(4); };
  const std::string received = peers.answer_to(expecting_post);
  EXPECT_EQ(status_lines(received), std::vector<std::string>{"HTTP/1.1 413 Content Too Large"});
}

TEST(Http1Bodies, AClientThatEndsWithinTheBodyIsNoticedByTheReader) {
  for (const std::size_t cut : all_cuts) {
    connection_peers peers(cut);
    peers.context.handler = tell_failure;
    const std::string received = peers.answer_to_all(post_of(10) + "hello");
    EXPECT_EQ(header_of(received, "X-Failure"), "499");

    connection_peers later(cut);
    later.context.handler = [](exchange& with) -> task<> {
      std::array<std::byte, 5> start;
      for (std::size_t count = 0; count < start.size();) {
        count += co_await with.request().read(std::span(start).subspan(count));
      }
      co_await sleep_for(1s);  // the end arrives meanwhile
      co_await tell_failure(with);
    };
    EXPECT_EQ(header_of(later.answer_to_all(post_of(10) + "hello"), "X-Failure"), "499");
  }
}

TEST(Http1Bodies, ATruncatedBodyThatNobodyCaughtIsAnsweredByNothing) {
  connection_peers peers;
  peers.context.handler = echo_body;
  EXPECT_EQ(peers.answer_to_all(post_of(10) + "hello"), "");
  EXPECT_EQ(peers.client.failed, net::failure::cause::reset);
}

TEST(Http1Bodies, AnAbortIsNoticedByTheReader) {
  connection_peers peers;
  std::optional<int> status;
  peers.context.handler = [&status](exchange& with) -> task<> {
    try {
      co_await with.request().read_all();
    } catch (const bad_http_request& error) {
      status = error.status();
    }
    const bool connected = co_await with.response().write("nobody");
    EXPECT_FALSE(connected);
    EXPECT_THROW(co_await with.request().read_all(), bad_http_request);
  };
  peers.connect();
  peers.send(post_of(10) + "hello");
  peers.run_idle();
  peers.client_end->abort();
  peers.run_until_gone();
  EXPECT_EQ(status, 499);
}

TEST(Http1Bodies, TwoReadsAtATimeAreRefused) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    bool refused = false;
    const auto read = [&with, &refused]() -> task<> {
      std::array<std::byte, 5> into;
      try {
        co_await with.request().read(into);
      } catch (const std::logic_error&) {
        refused = true;
      }
    };
    co_await when_all(read(), read());
    const std::string_view outcome = refused ? "refused" : "both";
    co_await with.response().write(outcome);
  };
  peers.connect();
  peers.send(post_of(5));
  peers.run_idle();
  peers.send("hello");
  peers.run_until_received("refused");
}

}  // namespace
}  // namespace windhover::http
