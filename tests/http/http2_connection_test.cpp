// Requests and responses over a connection of HTTP/2: what carries over from HTTP/1.1, and what is different.
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "http/http2_server_connection.hpp"
#include "http2_peers.hpp"
#include <windhover/sleep_for.hpp>

namespace windhover::http {
namespace {

using namespace std::chrono_literals;
using test::data_frame;
using test::end_stream;
using test::field_list;
using test::frame;
using test::frame_type;
using test::http2_peer;
using wire::http2::error_code;

TEST(Http2Connection, AnswersWithLengthDateAndServer) {
  http2_peers peers;
  peers.context().handler = tell_request;
  peers.connect(peers.peer.get(1, "/chat/room%201?user=a"));
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).status, "200");
  EXPECT_EQ(peers.answer(1).fields, (field_list{{"content-type", "text/plain"},
                                                {"content-length", "19"},
                                                {"date", "Sun, 06 Nov 1994 08:49:37 GMT"},
                                                {"server", "Windhover"}}));
  EXPECT_EQ(peers.answer(1).body, "GET /chat/room 1 []");
  peers.close_and_run_until_gone();
}

TEST(Http2Connection, RequestsAreServedWhereverTheStreamIsCut) {
  for (const request_handler& handler : {request_handler(tell_request), request_handler(tell_request_later)}) {
    for (const std::size_t cut : all_cuts) {
      SCOPED_TRACE("in pieces of " + std::to_string(cut) + " bytes");
      http2_peers peers(cut);
      peers.context().handler = handler;
      http2_peer& peer = peers.peer;
      const std::string stream = peer.get(1, "/1") + peer.post(3, "/3", "hello") +
                                 peer.headers_frame(5, http2_peer::request_fields("POST", "/5"), 0) +
                                 data_frame(5, "in ") + data_frame(5, "") + data_frame(5, "pieces", end_stream) +
                                 peer.headers_frame(7, http2_peer::request_fields("HEAD", "/7"));
      peers.connect(stream);
      for (const std::uint32_t each : {1U, 3U, 5U, 7U}) peers.run_until_answered(each);
      EXPECT_EQ(peers.answer(1).body, "GET /1 []");
      EXPECT_EQ(peers.answer(3).body, "POST /3 [hello]");
      EXPECT_EQ(peers.answer(5).body, "POST /5 [in pieces]");
      EXPECT_EQ(peers.answer(7).body, "");
      EXPECT_EQ(peers.answer(7).field("content-length"), "10");
      peers.close_and_run_until_gone();
    }
  }
}

TEST(Http2Connection, ThePrefaceIsRecognizedWhereverItIsCutAndOrdinaryRequestsAreNotAffected) {
  for (const std::size_t cut : all_cuts) {
    for (const std::string_view method : {"GET", "POST", "PUT", "PRI", "PRIVATE"}) {
      SCOPED_TRACE(std::string(method) + " in pieces of " + std::to_string(cut));
      connection_peers peers(cut);
      peers.context.handler = tell_request;
      const std::string received = peers.answer_to_all(std::string(method) + " /a HTTP/1.1\r\nHost: a\r\n\r\n");
      EXPECT_EQ(body_of(received),
                method == "GET" || method == "POST" || method == "PUT" || method == "PRI" || method == "PRIVATE"
                    ? std::string(method) + " /a []"
                    : "");
    }
  }
}

TEST(Http2Connection, WhereOnlyHttp11IsSpokenThePrefaceIsARequestOfAnUnknownVersion) {
  for (const std::size_t cut : all_cuts) {
    connection_peers peers(cut);
    peers.spoken = http_protocols::http1;
    peers.context.handler = do_nothing;
    const std::string received = peers.answer_to(http2_peer::begin());
    EXPECT_EQ(status_lines(received), std::vector<std::string>{"HTTP/1.1 505 HTTP Version Not Supported"});
  }
}

TEST(Http2Connection, WhatIsNeitherOfTheTwoGetsNoAnswerWhereBothAreSpoken) {
  for (const http_protocols spoken : {http_protocols::http1, http_protocols::http2, http_protocols::http1_and_http2}) {
    for (const std::size_t cut : all_cuts) {
      connection_peers peers(cut);
      peers.spoken = spoken;
      peers.context.handler = do_nothing;
      const std::string received = peers.answer_to("INVALID CONNECTION PREFACE\r\n\r\n");
      http2_peer reader;
      switch (spoken) {
        case http_protocols::http1:
          EXPECT_EQ(status_lines(received), std::vector<std::string>{"HTTP/1.1 400 Bad Request"});
          break;
        case http_protocols::http1_and_http2:
          EXPECT_EQ(received, "");
          break;
        case http_protocols::http2:
          reader.take(received);
          ASSERT_FALSE(reader.goaways.empty());
          EXPECT_EQ(reader.goaways.back().why, error_code::protocol_error);
      }
    }
  }
}

TEST(Http2Connection, TheFirstFrameIsTheServersSettings) {
  http2_peers peers;
  peers.context().handler = do_nothing;
  peers.context().options.http2.max_streams = 7;
  peers.context().options.http2.stream_window = 100'000;
  peers.context().options.limits.header_bytes = 5000;
  peers.connect();
  peers.run_until([&] { return peers.peer.count(frame_type::window_update) > 0; });
  ASSERT_FALSE(peers.peer.frames.empty());
  EXPECT_EQ(peers.peer.frames.front().type, frame_type::settings);
  EXPECT_EQ(peers.peer.settings[3], 7U);
  EXPECT_EQ(peers.peer.settings[4], 100'000U);
  EXPECT_EQ(peers.peer.settings[6], 5000U);
  EXPECT_EQ(peers.peer.settings[8], 1U) << "extended CONNECT (RFC 8441, section 3)";
  EXPECT_EQ(peers.peer.settings[9], 1U) << "priorities are not looked at (RFC 9218, section 2.1)";
  peers.close_and_run_until_gone();
}

TEST(Http2Connection, ARequestLooksLikeOneOfHttp11ToTheHandler) {
  http2_peers peers;
  std::vector<std::string> seen;
  peers.context().handler = [&seen](exchange& with) -> task<> {
    const http_request& request = with.request();
    seen.emplace_back(request.protocol());
    seen.emplace_back(request.method());
    seen.emplace_back(request.target());
    seen.emplace_back(request.header("Host").value_or("none"));
    seen.emplace_back(request.header("Cookie").value_or("none"));
    seen.emplace_back(request.header("X-One").value_or("none"));
    seen.emplace_back(std::to_string(request.headers().size()));
    seen.emplace_back(request.has_body() ? "body" : "no body");
    co_return;
  };
  const field_list further{{"cookie", "a=1"}, {"x-one", "1"}, {"cookie", "b=2"}, {"cookie", "c=3; d=4"}};
  peers.connect(peers.peer.get(1, "/p?q=1", further));
  peers.run_until_answered(1);
  EXPECT_EQ(seen, (std::vector<std::string>{"HTTP/2", "GET", "/p?q=1", "example.com", "a=1; b=2; c=3; d=4", "1", "3",
                                            "no body"}));
  peers.close_and_run_until_gone();
}

TEST(Http2Connection, TheAnnouncedLengthOfABodyIsKnownAndNoneIsUnknown) {
  http2_peers peers;
  std::vector<std::string> seen;
  peers.context().handler = [&seen](exchange& with) -> task<> {
    const auto length = with.request().content_length();
    seen.push_back(length ? std::to_string(*length) : "unknown");
    const std::string body = co_await with.request().read_all();
    seen.push_back(body);
  };
  peers.connect(peers.peer.post(1, "/", "hello", {{"content-length", "5"}}) + peers.peer.post(3, "/", "hi") +
                peers.peer.get(5));
  for (const std::uint32_t each : {1U, 3U, 5U}) peers.run_until_answered(each);
  EXPECT_EQ(seen, (std::vector<std::string>{"5", "hello", "unknown", "hi", "0", ""}));
  peers.close_and_run_until_gone();
}

TEST(Http2Connection, FieldsThatConcernAConnectionOfHttp11AreNotSent) {
  http2_peers peers;
  peers.context().handler = [](exchange& with) -> task<> {
    for (const std::string_view name : {"Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade"})
      with.response().header(name, "close");
    with.response().header("X-Mine", "1");
    co_return;
  };
  peers.connect(peers.peer.get(1));
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).fields, (field_list{{"x-mine", "1"},
                                                {"content-length", "0"},
                                                {"date", "Sun, 06 Nov 1994 08:49:37 GMT"},
                                                {"server", "Windhover"}}));
  EXPECT_TRUE(peers.answer(1).ended_with_head);
  peers.close_and_run_until_gone();
}

TEST(Http2Connection, StatusesWithoutABodyEndTheStreamWithTheHead) {
  for (const int status : {204, 304}) {
    http2_peers peers;
    peers.context().handler = [status](exchange& with) -> task<> {
      with.response().status(status);
      co_return;
    };
    peers.connect(peers.peer.get(1));
    peers.run_until_answered(1);
    EXPECT_EQ(peers.answer(1).status, std::to_string(status));
    EXPECT_TRUE(peers.answer(1).ended_with_head);
    EXPECT_EQ(peers.answer(1).field("content-length"), std::nullopt);
    peers.close_and_run_until_gone();
  }
}

TEST(Http2Connection, AResponseIsStreamedInPieces) {
  http2_peers peers;
  peers.context().handler = [](exchange& with) -> task<> {
    co_await with.response().flush();
    for (int i = 0; i < 3; ++i) {
      co_await sleep_for(1s);
      const std::string piece = std::to_string(i);
      co_await with.response().write(piece);
    }
  };
  peers.connect(peers.peer.get(1));
  peers.run_until([&] { return !peers.answer(1).status.empty(); });
  EXPECT_FALSE(peers.answer(1).ended);
  EXPECT_EQ(peers.answer(1).field("content-length"), std::nullopt);
  peers.run_until([&] { return peers.answer(1).body == "01"; });
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).body, "012");
  peers.close_and_run_until_gone();
}

TEST(Http2Connection, ManyRequestsRunAtTheSameTimeAndEndInAnyOrder) {
  http2_peers peers;
  peers.context().handler = [](exchange& with) -> task<> {
    const bool is_slow = with.request().path() == "/slow";
    if (is_slow) co_await sleep_for(1s);
    co_await tell_request(with);
  };
  std::string stream;
  for (std::uint32_t id = 1; id < 100; id += 2) stream += peers.peer.get(id, id == 1 ? "/slow" : "/fast");
  peers.connect(stream);
  peers.run_until_answered(99);
  EXPECT_FALSE(peers.answer(1).ended);
  EXPECT_EQ(peers.counters().http2_streams.value(), 1U);
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).body, "GET /slow []");
  EXPECT_EQ(peers.counters().requests.value(), 50U);
  peers.run_idle();
  EXPECT_EQ(peers.counters().http2_streams.value(), 0U);
  peers.close_and_run_until_gone();
}

TEST(Http2Connection, AClientThatWaitsIsToldToContinueWhenTheBodyIsRead) {
  http2_peers peers;
  peers.context().handler = tell_request;
  peers.connect(peers.peer.headers_frame(
      1, http2_peer::request_fields("POST", "/", {{"expect", "100-continue"}, {"content-length", "5"}}), 0));
  peers.run_until([&] { return !peers.answer(1).informed.empty(); });
  EXPECT_EQ(peers.answer(1).status, "");
  peers.send(data_frame(1, "hello", end_stream));
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).informed, std::vector<std::string>{"100"});
  EXPECT_EQ(peers.answer(1).body, "POST / [hello]");
  peers.close_and_run_until_gone();
}

TEST(Http2Connection, AClientThatWaitsIsNotToldToContinueWhenTheBodyIsNotRead) {
  http2_peers peers;
  peers.context().handler = do_nothing;
  peers.connect(peers.peer.headers_frame(1, http2_peer::request_fields("POST", "/", {{"expect", "100-continue"}}), 0));
  peers.run_until_answered(1);
  EXPECT_TRUE(peers.answer(1).informed.empty());
  peers.close_and_run_until_gone();
}

TEST(Http2Connection, TrailersEndTheBodyAndAreDropped) {
  http2_peers peers;
  std::size_t fields = 0;
  peers.context().handler = [&fields](exchange& with) -> task<> {
    co_await tell_request(with);
    fields = with.request().headers().size();
  };
  peers.connect(peers.peer.headers_frame(1, http2_peer::request_fields("POST", "/"), 0) + data_frame(1, "hello") +
                peers.peer.headers_frame(1, {{"x-checksum", "1"}}));
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).body, "POST / [hello]");
  EXPECT_EQ(fields, 1U);
  peers.close_and_run_until_gone();
}

TEST(Http2Connection, AnExceptionBecomes500AndALineInTheLog) {
  http2_peers peers;
  peers.context().handler = [](exchange&) -> task<> {
    co_await sleep_for(1ms);
    throw std::runtime_error("the disk is full");
  };
  peers.connect(peers.peer.get(1, "/a"));
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).status, "500");
  EXPECT_NE(peers.ends.log.lines.find("GET /a from memory failed: the disk is full"), std::string::npos);
  peers.close_and_run_until_gone();
}

TEST(Http2Connection, AHandlerThatReturnsAnEmptyTaskBecomes500AndALineInTheLog) {
  http2_peers peers;
  peers.context().handler = [](exchange&) { return task<>(); };
  peers.connect(peers.peer.get(1, "/a"));
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).status, "500");
  EXPECT_NE(peers.ends.log.lines.find("GET /a from memory failed: the task is empty"), std::string::npos);
  peers.close_and_run_until_gone();
}

TEST(Http2Connection, AnExceptionBehindTheHeadResetsTheStreamAndNothingElse) {
  http2_peers peers;
  peers.context().handler = [](exchange& with) -> task<> {
    co_await with.response().flush();
    if (with.request().path() == "/bad") throw std::runtime_error("too late");
  };
  peers.connect(peers.peer.get(1, "/bad") + peers.peer.get(3, "/good"));
  peers.run_until_answered(1);
  peers.run_until_answered(3);
  EXPECT_EQ(peers.answer(1).reset, error_code::internal_error);
  EXPECT_TRUE(peers.answer(3).ended);
  EXPECT_FALSE(peers.answer(3).reset);
  peers.close_and_run_until_gone();
}

TEST(Http2Connection, AResponseThatIsShorterThanItsLengthIsReset) {
  http2_peers peers;
  peers.context().handler = [](exchange& with) -> task<> {
    with.response().header("Content-Length", "10");
    co_await with.response().write("five");
  };
  peers.connect(peers.peer.get(1));
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).reset, error_code::internal_error);
  peers.close_and_run_until_gone();
}

// ----- What is refused, with an answer

TEST(Http2Connection, RequestsBeyondALimitAreAnsweredAndTheConnectionGoesOn) {
  struct refusal {
    std::string_view name;
    field_list fields;
    std::string_view status;
  };
  const std::string long_text(2000, 'x');
  field_list many;
  for (int i = 0; i < 11; ++i) many.emplace_back("x-" + std::to_string(i), "1");
  const std::vector<refusal> refusals{
      {"a long path", http2_peer::request_fields("GET", "/" + long_text), "414"},
      {"large fields", http2_peer::request_fields("GET", "/", {{"x-large", long_text}}), "431"},
      {"many fields", http2_peer::request_fields("GET", "/", many), "431"},
      {"a bad escape", http2_peer::request_fields("GET", "/%zz"), "400"},
      {"a host that is none", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a b"}}, "400"},
      {"two hosts", http2_peer::request_fields("GET", "/", {{"host", "other.example"}}), "400"},
      {"a tunnel", {{":method", "CONNECT"}, {":authority", "a:443"}}, "400"},
  };
  for (const refusal& each : refusals) {
    SCOPED_TRACE(each.name);
    http2_peers peers;
    peers.context().handler = do_nothing;
    peers.context().options.limits.request_line = 1000;
    peers.context().options.limits.header_bytes = 1000;
    peers.context().options.limits.header_count = 10;
    const std::string refused = peers.peer.headers_frame(1, each.fields);
    peers.connect(refused + peers.peer.get(3));
    peers.run_until_answered(1);
    peers.run_until_answered(3);
    if (peers.answer(1).reset) {
      EXPECT_EQ(peers.answer(1).reset, error_code::protocol_error);
    } else {
      EXPECT_EQ(peers.answer(1).status, each.status);
      EXPECT_EQ(peers.counters().requests_refused.value(), 1U);
      EXPECT_EQ(peers.answer(1).field("content-length"), std::to_string(peers.answer(1).body.size()));
    }
    EXPECT_EQ(peers.answer(3).status, "200");
    EXPECT_EQ(peers.counters().requests.value(), 1U);
    peers.close_and_run_until_gone();
  }
}

TEST(Http2Connection, ABodyThatIsTooLargeIsAnsweredWith413) {
  for (const bool announced : {true, false}) {
    http2_peers peers;
    peers.context().handler = tell_request;
    peers.context().options.limits.body = 4;
    const field_list length = announced ? field_list{{"content-length", "5"}} : field_list{};
    peers.connect(peers.peer.post(1, "/", "hello", length) + peers.peer.post(3, "/", "four"));
    peers.run_until_answered(1);
    peers.run_until_answered(3);
    EXPECT_EQ(peers.answer(1).status, "413");
    EXPECT_EQ(peers.answer(3).body, "POST / [four]");
    peers.close_and_run_until_gone();
  }
}

// ----- What is malformed: the stream is reset (RFC 9113, section 8.1.1)

TEST(Http2Connection, MalformedRequestsResetTheirStream) {
  const field_list base = http2_peer::request_fields("GET", "/");
  const auto with = [&base](std::string_view name, std::string_view value) {
    field_list fields = base;
    fields.emplace_back(name, value);
    return fields;
  };
  const auto without = [&base](std::string_view name) {
    field_list fields;
    for (const auto& each : base) {
      if (each.first != name) fields.push_back(each);
    }
    return fields;
  };
  const std::vector<std::pair<std::string_view, field_list>> malformed{
      {"no method", without(":method")},
      {"no path", without(":path")},
      {"no scheme", without(":scheme")},
      {"connection", with("connection", "close")},
      {"keep-alive", with("keep-alive", "1")},
      {"transfer-encoding", with("transfer-encoding", "chunked")},
      {"upgrade", with("upgrade", "websocket")},
      {"te", with("te", "gzip")},
      {"capital letters", with("X-Mine", "1")},
      {"a pseudo-header field behind others",
       [&] {
         field_list fields = without(":path");
         fields.emplace_back("x", "1");
         fields.emplace_back(":path", "/");
         return fields;
       }()},
      {"an unknown pseudo-header field",
       [&] {
         field_list fields = base;
         fields.insert(fields.begin(), {":unknown", "1"});
         return fields;
       }()},
      {"a length without a body", with("content-length", "5")},
      {"a line break in a value", with("x", "a\r\nb")},
  };
  for (const auto& [name, fields] : malformed) {
    SCOPED_TRACE(name);
    http2_peers peers;
    peers.context().handler = do_nothing;
    const std::string bad = peers.peer.headers_frame(1, fields);
    peers.connect(bad + peers.peer.get(3));
    peers.run_until_answered(1);
    peers.run_until_answered(3);
    EXPECT_EQ(peers.answer(1).reset, error_code::protocol_error);
    EXPECT_EQ(peers.answer(3).status, "200");
    EXPECT_EQ(peers.counters().requests.value(), 1U);
    peers.close_and_run_until_gone();
  }
}

TEST(Http2Connection, ABodyOfAnotherLengthThanAnnouncedResetsTheStream) {
  for (const std::string_view body : {"four", "sixsix"}) {
    http2_peers peers;
    bool failed = false;
    peers.context().handler = [&failed](exchange& with) -> task<> {
      try {
        co_await with.request().read_all();
      } catch (const bad_http_request&) {
        failed = true;
      }
    };
    peers.connect(peers.peer.post(1, "/", body, {{"content-length", "5"}}));
    peers.run_until_answered(1);
    EXPECT_EQ(peers.answer(1).reset, error_code::protocol_error);
    peers.run_idle();
    EXPECT_TRUE(failed);
    peers.close_and_run_until_gone();
  }
}

// ----- The connection in error: GOAWAY, then the end

TEST(Http2Connection, WhatBreaksTheConnectionIsAnsweredWithGoaway) {
  struct mistake {
    std::string_view name;
    std::string bytes;
    error_code why;
  };
  http2_peer writer;
  const std::string get = writer.get(1);
  const std::vector<mistake> mistakes{
      {"data on no stream", data_frame(0, "x"), error_code::protocol_error},
      {"data on an idle stream", data_frame(1, "x"), error_code::protocol_error},
      {"a frame that is too large", frame(frame_type::data, 0, 1, std::string(16385, 'x')),
       error_code::frame_size_error},
      {"settings on a stream", frame(frame_type::settings, 0, 1), error_code::protocol_error},
      {"settings cut short", frame(frame_type::settings, 0, 0, "12345"), error_code::frame_size_error},
      {"a short ping", test::ping("short"), error_code::frame_size_error},
      {"a window of nothing", test::window_update(0, 0), error_code::protocol_error},
      {"a window that is too large", test::window_update(0, 0x7FFFFFFF), error_code::flow_control_error},
      {"an even stream", writer.headers_frame(2, http2_peer::request_fields("GET", "/")), error_code::protocol_error},
      {"a lone continuation", frame(frame_type::continuation, test::end_headers, 1), error_code::protocol_error},
      {"priority on no stream", frame(frame_type::priority, 0, 0, std::string(5, '\0')), error_code::protocol_error},
      {"a stream that depends on itself", frame(frame_type::priority, 0, 1, test::octets(1) + "x"),
       error_code::protocol_error},
      {"fields that cannot be decompressed", frame(frame_type::headers, test::end_headers, 1, "\xff\xff\xff\xff\xff"),
       error_code::compression_error},
  };
  for (const mistake& each : mistakes) {
    for (const std::size_t cut : {uncut, std::size_t{1}, std::size_t{7}}) {
      SCOPED_TRACE(std::string(each.name) + ", in pieces of " + std::to_string(cut));
      http2_peers peers(cut);
      peers.context().handler = do_nothing;
      peers.connect(each.bytes);
      peers.run_until([&] { return peers.ends.client.ended; });
      ASSERT_FALSE(peers.peer.goaways.empty());
      EXPECT_EQ(peers.peer.goaways.back().why, each.why);
      EXPECT_EQ(peers.counters().requests.value(), 0U);
      peers.close_and_run_until_gone();
    }
  }
}

TEST(Http2Connection, FramesOnStreamsThatAreOverBreakTheConnection) {
  const auto last_words = [](std::string_view behind, bool with_reset) {
    http2_peers peers;
    peers.context().handler = do_nothing;
    peers.connect(peers.peer.get(1) + (with_reset ? test::rst_stream(1) : std::string()));
    peers.run_idle();
    peers.send(behind);
    peers.run_until([&] { return peers.ends.client.ended; });
    const error_code why = peers.peer.goaways.back().why;
    peers.close_and_run_until_gone();
    return why;
  };
  for (const bool with_reset : {false, true}) {
    http2_peer writer;
    static_cast<void>(writer.get(1));
    EXPECT_EQ(last_words(data_frame(1, "more"), with_reset), error_code::stream_closed);
    EXPECT_EQ(last_words(writer.get(1), with_reset), error_code::stream_closed);
  }
  http2_peer writer;
  static_cast<void>(writer.get(1));
  const std::string later = writer.get(5);
  EXPECT_EQ(last_words(later + writer.get(3), false), error_code::protocol_error);
}

TEST(Http2Connection, DataForAStreamThatTheServerHasResetIsNoMistake) {
  http2_peers peers;
  peers.context().handler = [](exchange& with) -> task<> {
    co_await with.response().flush();
    if (with.request().path() == "/bad") throw std::runtime_error("broken off");
  };
  peers.connect(peers.peer.headers_frame(1, http2_peer::request_fields("POST", "/bad"), 0));
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).reset, error_code::internal_error);
  peers.send(data_frame(1, "under way", end_stream) + peers.peer.get(3));
  peers.run_until_answered(3);
  EXPECT_TRUE(peers.peer.goaways.empty());
  peers.close_and_run_until_gone();
}

TEST(Http2Connection, ThePriorityOfAStreamIsNotLookedAt) {
  http2_peers peers;
  peers.context().handler = do_nothing;
  peers.connect(frame(frame_type::priority, 0, 3, test::octets(1) + "x") + peers.peer.get(1));
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).status, "200");
  peers.close_and_run_until_gone();
}

TEST(Http2Connection, ConnectionsOnSocketsAreServedToo) {
  for (const test::kind_of_transport kind :
       {test::kind_of_transport::tcp_io_uring, test::kind_of_transport::tcp_epoll}) {
    http2_peers peers(kind);
    peers.context().handler = tell_request;
    peers.connect(peers.peer.post(1, "/", std::string(16'000, 'x')) + peers.peer.get(3));
    peers.run_until_answered(1);
    peers.run_until_answered(3);
    EXPECT_EQ(peers.answer(1).body, "POST / [" + std::string(16'000, 'x') + "]");
    EXPECT_EQ(peers.answer(3).body, "GET / []");
    peers.close_and_run_until_gone();
  }
}

}  // namespace
}  // namespace windhover::http
