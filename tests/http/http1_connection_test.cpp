// Requests and responses over a connection of HTTP/1.1: order, keep-alive, framing, limits, what is refused.
#include "http/http1_connection.hpp"

#include <stdexcept>
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
constexpr std::string_view get_and_close = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

// A request in pieces of every size gives the same bytes.
void expect_for_every_cut(const request_handler& handler, std::string_view stream, std::string_view expected) {
  for (const std::size_t cut : all_cuts) {
    SCOPED_TRACE("in pieces of " + std::to_string(cut) + " bytes");
    connection_peers peers(cut);
    peers.context.handler = handler;
    EXPECT_EQ(peers.answer_to_all(stream), expected);
  }
}

// ----- One request

TEST(Http1Connection, AnswersWithLengthDateAndServer) {
  connection_peers peers;
  peers.context.handler = tell_request;
  EXPECT_EQ(peers.answer_to_all("GET /chat/room%201?user=a HTTP/1.1\r\nHost: a\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 19\r\n"
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: Windhover\r\n\r\nGET /chat/room 1 []");
}

TEST(Http1Connection, AServerNameOfNothingSendsNoServerHeader) {
  connection_peers peers;
  peers.context.options.server_name.clear();
  peers.context.handler = do_nothing;
  EXPECT_EQ(header_of(peers.answer_to_all(get), "Server"), "");
}

TEST(Http1Connection, DateAndServerOfTheHandlerReplaceTheOwnOnes) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    with.response().header("Date", "yesterday");
    with.response().header("Server", "mine");
    co_return;
  };
  EXPECT_EQ(peers.answer_to_all(get),
            "HTTP/1.1 200 OK\r\nDate: yesterday\r\nServer: mine\r\nContent-Length: 0\r\n\r\n");
}

TEST(Http1Connection, TheDateFollowsTheClock) {
  connection_peers peers;
  peers.context.handler = do_nothing;
  peers.connect();
  peers.send(get);
  peers.run_until_received("\r\n\r\n");
  peers.client.received.clear();
  peers.run_until([&] { return peers.client.ended; });  // the idle connection is closed after 130 s
  peers.client_end->close();
  peers.run_until_gone();
  peers.client.ended = false;
  EXPECT_EQ(header_of(peers.answer_to_all(get), "Date"), "Sun, 06 Nov 1994 08:51:47 GMT");
}

TEST(Http1Connection, AHandlerThatIsNoCoroutineAnswersAsWell) {
  connection_peers peers;
  const auto coroutine = [](exchange& with) -> task<> { co_await with.response().write("there"); };
  peers.context.handler = [coroutine](exchange& with) {
    with.response().status(201);
    return coroutine(with);
  };
  const std::string received = peers.answer_to_all(get);
  EXPECT_EQ(status_lines(received), std::vector<std::string>{"HTTP/1.1 201 Created"});
  EXPECT_EQ(body_of(received), "there");
}

// ----- One request after the other

TEST(Http1Connection, StaysOpenForTheNextRequest) {
  connection_peers peers;
  peers.context.handler = tell_request;
  peers.connect();
  peers.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
  peers.run_until_received("GET /1 []");
  peers.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  peers.run_until_received("GET /2 []");
  EXPECT_FALSE(peers.client.ended);
  EXPECT_EQ(header_of(peers.client.received, "Connection"), "");
}

TEST(Http1Connection, PipelinedRequestsAreAnsweredInOrderWhereverTheStreamIsCut) {
  constexpr std::string_view stream =
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
      "\r\n"
      "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: "
      "t\r\n\r\n"
      "HEAD /4 HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /5 HTTP/1.1\r\nHost: a\r\n\r\n";
  const auto answer = [](std::string_view length, std::string_view body) {
    return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::string(length) +
           "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: Windhover\r\n\r\n" + std::string(body);
  };
  const std::string expected = answer("9", "GET /1 []") + answer("15", "POST /2 [hello]") +
                               answer("21", "POST /3 [hello world]") + answer("10", "") + answer("9", "GET /5 []");
  expect_for_every_cut(tell_request, stream, expected);
  // With a handler that takes its time, the requests behind wait in the transport. The clock's second does not change.
  expect_for_every_cut(tell_request_later, stream, expected);
}

TEST(Http1Connection, ThousandsOfPipelinedRequestsNeedNoStack) {
  connection_peers peers;
  peers.context.handler = do_nothing;
  std::string stream;
  for (int i = 0; i < 5000; ++i) stream += get;
  EXPECT_EQ(status_lines(peers.answer_to_all(stream)).size(), 5000U);
}

TEST(Http1Connection, AClientThatSendsRequestsButReadsNoAnswersIsNotReadFromEither) {
  connection_peers peers;
  int requests = 0;
  peers.context.handler = [&requests](exchange& with) -> task<> {
    ++requests;
    // Nothing here waits for the client.
    with.response().header("X-Large", std::string(8000, 'x'));
    co_return;
  };
  peers.client.takes = false;
  peers.connect();
  for (int i = 0; i < 1000; ++i) peers.send(get);
  peers.run_idle();
  EXPECT_LT(requests, 20);
  EXPECT_LT(peers.server_end->queued_bytes(), 100'000U);
  peers.take();
  peers.run_until([&] { return requests == 1000; });
  peers.client_end->close();
  peers.run_until_gone();
  EXPECT_EQ(status_lines(peers.client.received).size(), 1000U);
}

TEST(Http1Connection, ConnectionCloseOfTheClientEndsTheConnectionBehindTheAnswer) {
  connection_peers peers;
  peers.context.handler = tell_request;
  const std::string received =
      peers.answer_to("GET /1 HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n" + std::string(get));
  EXPECT_EQ(status_lines(received).size(), 1U);
  EXPECT_EQ(header_of(received, "Connection"), "close");
  EXPECT_EQ(body_of(received), "GET /1 []");
}

TEST(Http1Connection, ConnectionCloseOfTheHandlerEndsTheConnectionBehindTheAnswer) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    with.response().header("Connection", "Close");
    co_return;
  };
  const std::string received = peers.answer_to(std::string(get) + std::string(get));
  EXPECT_EQ(status_lines(received).size(), 1U);
  EXPECT_EQ(header_of(received, "Connection"), "close");
}

TEST(Http1Connection, Http10EndsTheConnectionBehindTheAnswer) {
  connection_peers peers;
  peers.context.handler = tell_request;
  const std::string received = peers.answer_to("GET /1 HTTP/1.0\r\n\r\nGET /2 HTTP/1.0\r\n\r\n");
  EXPECT_EQ(status_lines(received), std::vector<std::string>{"HTTP/1.1 200 OK"});
  EXPECT_EQ(header_of(received, "Connection"), "close");
}

TEST(Http1Connection, Http10StaysOpenWhenTheClientAsksForIt) {
  connection_peers peers;
  peers.context.handler = tell_request;
  constexpr std::string_view request = "GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  const std::string received = peers.answer_to_all(std::string(request) + std::string(request));
  EXPECT_EQ(status_lines(received).size(), 2U);
  EXPECT_EQ(header_of(received, "Connection"), "keep-alive");
}

TEST(Http1Connection, AStreamedBodyOfHttp10EndsWithTheConnection) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    co_await with.response().write("one ");
    co_await with.response().flush();
    co_await with.response().write("two");
  };
  const std::string received = peers.answer_to("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(header_of(received, "Transfer-Encoding"), "");
  EXPECT_EQ(header_of(received, "Connection"), "close");
  EXPECT_EQ(body_of(received), "one two");
}

// ----- The framing of responses

TEST(Http1Connection, FlushingSendsChunks) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    co_await with.response().write("one");
    co_await with.response().flush();
    co_await with.response().write("");
    co_await with.response().write("seventeen letters");
  };
  const std::string received = peers.answer_to_all(get);
  EXPECT_EQ(header_of(received, "Transfer-Encoding"), "chunked");
  EXPECT_EQ(header_of(received, "Content-Length"), "");
  EXPECT_EQ(body_of(received), "3\r\none\r\n11\r\nseventeen letters\r\n0\r\n\r\n");
}

TEST(Http1Connection, AFlushedHeadArrivesWhileTheHandlerRuns) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    co_await with.response().flush();
    co_await sleep_for(1h);
  };
  peers.connect();
  peers.send(get);
  peers.run_until_received("\r\n\r\n");
  EXPECT_EQ(peers.loop.now(), net::time_point());
  peers.run_until_received("0\r\n\r\n");
  EXPECT_EQ(peers.loop.now(), net::time_point(1h));
}

TEST(Http1Connection, ALargeBodyLeavesInPieces) {
  connection_peers peers;
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += static_cast<char>('a' + i % 26);
  peers.context.handler = [&text](exchange& with) -> task<> {
    with.response().header("Content-Length", std::to_string(text.size()));
    for (std::size_t at = 0; at < text.size(); at += 10'000) {
      const bool connected = co_await with.response().write(std::string_view(text).substr(at, 10'000));
      EXPECT_TRUE(connected);
    }
  };
  const std::string received = peers.answer_to_all(get);
  EXPECT_EQ(header_of(received, "Content-Length"), "200000");
  EXPECT_TRUE(body_of(received) == text);
}

TEST(Http1Connection, FramingFieldsOfTheHandlerAreLeftOut) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    with.response().header("Transfer-Encoding", "gzip, chunked");
    with.response().header("Connection", "keep-alive");
    co_await with.response().write("text");
  };
  const std::string received = peers.answer_to_all(get);
  EXPECT_EQ(header_of(received, "Transfer-Encoding"), "");
  EXPECT_EQ(header_of(received, "Connection"), "");
  EXPECT_EQ(body_of(received), "text");
}

TEST(Http1Connection, HeadGetsTheHeadersOfTheBodyWithoutTheBody) {
  constexpr std::string_view head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    if (with.request().query_value("flush")) co_await with.response().flush();
    co_await with.response().write("seventeen letters");
  };
  const std::string received = peers.answer_to_all(head);
  EXPECT_EQ(header_of(received, "Content-Length"), "17");
  EXPECT_EQ(body_of(received), "");

  connection_peers streaming;
  streaming.context.handler = peers.context.handler;
  const std::string streamed = streaming.answer_to_all("HEAD /?flush HTTP/1.1\r\nHost: a\r\n\r\n" + std::string(get));
  EXPECT_EQ(header_of(streamed, "Transfer-Encoding"), "chunked");
  EXPECT_EQ(status_lines(streamed).size(), 2U);
  EXPECT_TRUE(streamed.substr(end_of_head(streamed)).starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST(Http1Connection, HeadMayAnnounceALengthAndWriteNothing) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    with.response().header("Content-Length", "1000");
    co_return;
  };
  const std::string received = peers.answer_to_all("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(header_of(received, "Content-Length"), "1000");
  EXPECT_EQ(body_of(received), "");
}

TEST(Http1Connection, NoContentAndNotModifiedHaveNoBody) {
  for (const int status : {204, 304}) {
    connection_peers peers;
    peers.context.handler = [status](exchange& with) -> task<> {
      with.response().status(status);
      co_await with.response().write("a body that must not be sent");
    };
    const std::string received = peers.answer_to_all(std::string(get) + std::string(get));
    EXPECT_EQ(header_of(received, "Content-Length"), "") << status;
    EXPECT_EQ(header_of(received, "Transfer-Encoding"), "") << status;
    EXPECT_EQ(status_lines(received).size(), 2U) << status;
    EXPECT_EQ(received.find("a body"), std::string::npos) << status;
  }
}

// ----- Handlers that fail, or say less or more than they announced

TEST(Http1Connection, AnExceptionBeforeTheHeadBecomes500AndTheConnectionGoesOn) {
  connection_peers peers;
  int requests = 0;
  peers.context.handler = [&requests](exchange& with) -> task<> {
    with.response().header("X-Mine", "1");
    co_await with.response().write("half of an answer");
    if (++requests == 1) throw std::runtime_error("the database is on fire");
  };
  const std::string received = peers.answer_to_all(std::string(get) + std::string(get));
  EXPECT_EQ(status_lines(received),
            (std::vector<std::string>{"HTTP/1.1 500 Internal Server Error", "HTTP/1.1 200 OK"}));
  EXPECT_EQ(header_of(received, "X-Mine"), "");
  EXPECT_EQ(header_of(received, "Content-Length"), "0");
  EXPECT_EQ(received.find("fire"), std::string::npos);
  EXPECT_NE(peers.log.lines.find("GET / from memory failed: the database is on fire"), std::string::npos)
      << peers.log.lines;
}

TEST(Http1Connection, AnExceptionOfAHandlerThatIsNoCoroutineBecomes500) {
  connection_peers peers;
  peers.context.handler = [](exchange&) -> task<> { throw std::runtime_error("at once"); };
  const std::string received = peers.answer_to_all(std::string(get) + std::string(get));
  EXPECT_EQ(status_lines(received).size(), 2U);
  EXPECT_EQ(status_lines(received)[0], "HTTP/1.1 500 Internal Server Error");
}

TEST(Http1Connection, AHandlerThatReturnsAnEmptyTaskBecomes500AndTheConnectionGoesOn) {
  connection_peers peers;
  int requests = 0;
  peers.context.handler = [&requests](exchange& with) { return ++requests == 1 ? task<>() : do_nothing(with); };
  const std::string received = peers.answer_to_all(std::string(get) + std::string(get));
  EXPECT_EQ(status_lines(received),
            (std::vector<std::string>{"HTTP/1.1 500 Internal Server Error", "HTTP/1.1 200 OK"}));
  EXPECT_NE(peers.log.lines.find("GET / from memory failed: the task is empty"), std::string::npos) << peers.log.lines;
}

TEST(Http1Connection, SomethingThatIsNoExceptionBecomes500) {
  connection_peers peers;
  peers.context.handler = [](exchange&) -> task<> {
    throw 42;
    co_return;
  };
  EXPECT_EQ(status_lines(peers.answer_to_all(get)), std::vector<std::string>{"HTTP/1.1 500 Internal Server Error"});
}

TEST(Http1Connection, AnExceptionBehindTheHeadBreaksTheConnectionOff) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    co_await with.response().write("half of an answer");
    co_await with.response().flush();
    co_await sleep_for(1ms);
    throw std::runtime_error("too late");
  };
  peers.connect();
  peers.send(get);
  peers.run_until_end();
  EXPECT_EQ(peers.client.failed, net::failure::cause::reset);
  EXPECT_EQ(peers.client.received.find("0\r\n\r\n"), std::string::npos);
  EXPECT_NE(peers.log.lines.find("too late"), std::string::npos);
  peers.run_until_gone();
}

TEST(Http1Connection, ABadHttpRequestThatNobodyCatchesBecomesItsStatus) {
  connection_peers peers;
  peers.context.handler = [](exchange&) -> task<> {
    throw bad_http_request(422, "no such colour");
    co_return;
  };
  const std::string received = peers.answer_to_all(get);
  EXPECT_EQ(status_lines(received), std::vector<std::string>{"HTTP/1.1 422 Unprocessable Content"});
  EXPECT_EQ(body_of(received), "no such colour");
  EXPECT_EQ(peers.log.lines, "");
}

TEST(Http1Connection, ABadHttpRequestWithAStatusThatIsNoErrorBecomes500) {
  connection_peers peers;
  peers.context.handler = [](exchange&) -> task<> {
    throw bad_http_request(42, "what is this");
    co_return;
  };
  EXPECT_EQ(status_lines(peers.answer_to_all(get)), std::vector<std::string>{"HTTP/1.1 500 Internal Server Error"});
}

TEST(Http1Connection, LessThanTheContentLengthBreaksTheConnectionOff) {
  for (const std::string_view written : {"", "four"}) {
    connection_peers peers;
    peers.context.handler = [written](exchange& with) -> task<> {
      with.response().header("Content-Length", "5");
      co_await with.response().write(written);
    };
    peers.connect();
    peers.send(get);
    peers.run_until_end();
    EXPECT_EQ(peers.client.failed, net::failure::cause::reset);
    peers.run_until_gone();
  }
}

TEST(Http1Connection, MoreThanTheContentLengthThrowsAndBecomes500) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    with.response().header("Content-Length", "5");
    co_await with.response().write("four");
    co_await with.response().write("more");
  };
  EXPECT_EQ(status_lines(peers.answer_to_all(get)), std::vector<std::string>{"HTTP/1.1 500 Internal Server Error"});
}

TEST(Http1Connection, AWriteThatWasRefusedDoesNotCount) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    http_response& response = with.response();
    response.header("Content-Length", "5");
    co_await response.write("four");
    EXPECT_THROW(static_cast<void>(response.write("too much")), std::logic_error);
    co_await response.write("5");
  };
  const std::string received = peers.answer_to_all(get);
  EXPECT_EQ(header_of(received, "Content-Length"), "5");
  EXPECT_EQ(body_of(received), "four5");
}

TEST(Http1Connection, AContentLengthThatIsSetBehindTheBodyMustFitIt) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    co_await with.response().write("too much");
    with.response().header("Content-Length", "5");
  };
  EXPECT_EQ(status_lines(peers.answer_to_all(get)), std::vector<std::string>{"HTTP/1.1 500 Internal Server Error"});
}

TEST(Http1Connection, AContentLengthThatIsNotOneNumberBecomes500) {
  for (const auto set : {+[](http_response& response) { response.header("Content-Length", "five"); },
                         +[](http_response& response) {
                           response.add_header("Content-Length", "4");
                           response.add_header("Content-Length", "5");
                         }}) {
    connection_peers peers;
    peers.context.handler = [set](exchange& with) -> task<> {
      set(with.response());
      co_return;
    };
    EXPECT_EQ(status_lines(peers.answer_to_all(get)), std::vector<std::string>{"HTTP/1.1 500 Internal Server Error"});
  }
}

// ----- What is refused: one answer, then the end, and what follows is never a request

struct refusal {
  std::string_view name;
  std::string_view request;
  std::string_view status;
};

TEST(Http1Connection, RefusesMalformedAndSmugglingRequestsAndServesNothingBehindThem) {
  using namespace std::string_view_literals;
  const std::vector<refusal> refusals = {
      {"no HTTP", "hello\r\n\r\n", "400"},
      {"TLS on a plain port", "\x16\x03\x01\x02\x00\x01"sv, "400"},
      {"no host", "GET / HTTP/1.1\r\n\r\n", "400"},
      {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
      {"version", "GET / HTTP/3.0\r\nHost: a\r\n\r\n", "505"},
      {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "400"},
      {"bad escape in the path", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"NUL in the path", "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"bare LF", "GET / HTTP/1.1\nHost: a\n\n", "400"},
      {"space before the colon", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello", "400"},
      {"folded line", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", "400"},
      {"folded coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "400"},
      {"both framings",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
      {"two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", "400"},
      {"equal lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "400"},
      {"list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", "400"},
      {"signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", "400"},
      {"unknown coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "501"},
      {"identity behind chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
       "400"},
      {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
      {"too many empty lines", "\r\n\r\n\r\n", "400"},
  };
  for (const refusal& each : refusals) {
    for (const std::size_t cut : all_cuts) {
      SCOPED_TRACE(std::string(each.name) + ", in pieces of " + std::to_string(cut));
      connection_peers peers(cut);
      int requests = 0;
      peers.context.handler = [&requests](exchange&) -> task<> {
        ++requests;
        co_return;
      };
      const std::string received = peers.answer_to(std::string(each.request) + std::string(get) + std::string(get));
      const std::vector<std::string> lines = status_lines(received);
      ASSERT_EQ(lines.size(), 1U);
      EXPECT_NE(each.status.find(lines[0].substr(9, 3)), std::string_view::npos) << lines[0];
      EXPECT_EQ(header_of(received, "Connection"), "close");
      EXPECT_EQ(std::to_string(body_of(received).size()), header_of(received, "Content-Length"));
      EXPECT_EQ(requests, 0);
    }
  }
}

TEST(Http1Connection, ARequestBeforeARefusedOneIsAnswered) {
  connection_peers peers;
  peers.context.handler = tell_request;
  const std::string received = peers.answer_to(std::string(get).append("GET / HTTP/1.1\r\n\r\n").append(get));
  const std::vector<std::string> expected = {"HTTP/1.1 200 OK", "HTTP/1.1 400 Bad Request"};
  EXPECT_EQ(status_lines(received), expected);
}

TEST(Http1Connection, LimitsOfTheHeadAreAnsweredWith414And431) {
  const auto status_of = [](const std::string& request) {
    connection_peers peers(16);
    peers.context.options.limits.request_line = 40;
    peers.context.options.limits.header_bytes = 100;
    peers.context.options.limits.header_count = 5;
    peers.context.handler = do_nothing;
    return status_lines(peers.answer_to(request + std::string(get_and_close))).front().substr(9, 3);
  };
  EXPECT_EQ(status_of("GET /12345678901234567890 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), "200");
  EXPECT_EQ(status_of("GET /1234567890123456789012345678901234567890"), "414");
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(100, 'x')), "431");
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\n\r\n"), "431");
}

TEST(Http1Connection, ARefusedHeadRequestGetsNoBody) {
  connection_peers peers;
  peers.context.handler = do_nothing;
  const std::string received = peers.answer_to("HEAD / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(status_lines(received), std::vector<std::string>{"HTTP/1.1 400 Bad Request"});
  EXPECT_EQ(body_of(received), "");
}

}  // namespace
}  // namespace windhover::http
