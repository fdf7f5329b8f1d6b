// How HTTP/2 streams and connections end: by the client, by the handler, by the server that stops, by time, and by a
// client that asks for more than is good.
#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "http2_peers.hpp"
#include <windhover/sleep_for.hpp>

namespace windhover::http {
namespace {

using namespace std::chrono_literals;
using test::data_frame;
using test::end_stream;
using test::frame;
using test::frame_type;
using test::http2_peer;
using test::ping;
using test::rst_stream;
using wire::http2::error_code;

request_handler sleeping_for(net::duration time) {
  return [time](exchange& with) -> task<> {
    co_await sleep_for(time);
    co_await with.response().write("done");
  };
}

net::duration elapsed(const http2_peers& peers) { return peers.ends.loop.now() - net::time_point(); }

// ----- The client goes

TEST(Http2Endings, AResetStopsTheHandlersTokenAndNoOtherRequest) {
  http2_peers peers;
  int aborted = 0;
  peers.context().handler = [&aborted](exchange& with) -> task<> {
    const std::stop_token gone = with.aborted();
    while (!gone.stop_requested() && with.request().path() == "/first") co_await sleep_for(1ms);
    if (gone.stop_requested()) ++aborted;
    co_await with.response().write("done");
  };
  peers.connect(peers.peer.get(1, "/first"));
  peers.run_idle();
  peers.send(rst_stream(1) + peers.peer.get(3, "/second"));
  peers.run_until_answered(3);
  peers.run_until([&] { return aborted == 1; });
  EXPECT_EQ(peers.answer(1).status, "");
  peers.run_idle();
  EXPECT_EQ(peers.counters().http2_streams.value(), 0U);
  peers.close_and_run_until_gone();
}

TEST(Http2Endings, AReaderOfABodyLearnsOfTheReset) {
  http2_peers peers;
  int status = 0;
  peers.context().handler = [&status](exchange& with) -> task<> {
    try {
      co_await with.request().read_all();
    } catch (const bad_http_request& error) {
      status = error.status();
    }
  };
  peers.connect(peers.peer.headers_frame(1, http2_peer::request_fields("POST", "/"), 0) + data_frame(1, "some"));
  peers.run_idle();
  peers.send(rst_stream(1));
  peers.run_until([&] { return status != 0; });
  EXPECT_EQ(status, 499);
  peers.close_and_run_until_gone();
}

TEST(Http2Endings, AWriterLearnsOfTheReset) {
  http2_peers peers;
  bool told = false;
  peers.context().handler = [&told](exchange& with) -> task<> {
    const std::string piece(50'000, 'x');
    while (co_await with.response().write(piece)) {
    }
    told = true;
  };
  peers.connect(peers.peer.get(1));
  peers.run_until([&] { return peers.answer(1).body.size() > 60'000; });
  peers.send(rst_stream(1));
  peers.run_until([&] { return told; });
  peers.close_and_run_until_gone();
}

TEST(Http2Endings, TheEndAndTheLossOfTheConnectionAbortItsRequests) {
  for (const bool reset : {false, true}) {
    http2_peers peers;
    int aborted = 0;
    peers.context().handler = [&aborted](exchange& with) -> task<> {
      const std::stop_token gone = with.aborted();
      while (!gone.stop_requested()) co_await sleep_for(1ms);
      ++aborted;
    };
    peers.connect(peers.peer.get(1) + peers.peer.get(3));
    peers.run_idle();
    if (reset) {
      peers.ends.client_end->abort();
    } else {
      peers.ends.client_end->close();
    }
    peers.ends.run_until_gone();
    EXPECT_EQ(aborted, 2);
  }
}

TEST(Http2Endings, AnAbortOfTheHandlerResetsItsStream) {
  http2_peers peers;
  peers.context().handler = [](exchange& with) -> task<> {
    if (with.request().path() == "/abort") with.abort();
    co_return;
  };
  peers.connect(peers.peer.get(1, "/abort") + peers.peer.get(3));
  peers.run_until_answered(1);
  peers.run_until_answered(3);
  EXPECT_EQ(peers.answer(1).reset, error_code::cancel);
  EXPECT_EQ(peers.answer(3).status, "200");
  peers.close_and_run_until_gone();
}

// ----- The server stops (RFC 9113, section 6.8)

TEST(Http2Endings, DrainingSaysSoTwiceAndLetsRequestsEnd) {
  http2_peers peers;
  peers.context().handler = sleeping_for(5s);
  peers.connect(peers.peer.get(1));
  peers.run_idle();
  peers.ends.loop.drain_all();
  peers.run_until([&] { return peers.peer.goaways.size() == 1; });
  EXPECT_EQ(peers.peer.goaways[0].last_stream, 0x7FFFFFFFU);
  // What was under way is still served, until the client has answered the ping that came with it.
  peers.send(peers.peer.get(3));
  peers.run_idle();
  const auto pinged = std::find_if(peers.peer.frames.begin(), peers.peer.frames.end(),
                                   [](const auto& each) { return each.type == frame_type::ping; });
  ASSERT_NE(pinged, peers.peer.frames.end());
  peers.send(frame(frame_type::ping, test::acknowledges, 0, pinged->payload));
  peers.run_until([&] { return peers.peer.goaways.size() == 2; });
  EXPECT_EQ(peers.peer.goaways[1].last_stream, 3U);
  EXPECT_EQ(peers.peer.goaways[1].why, error_code::no_error);
  peers.send(peers.peer.get(5));
  peers.run_until([&] { return peers.ends.client.ended; });
  EXPECT_EQ(peers.answer(1).body, "done");
  EXPECT_EQ(peers.answer(3).body, "done");
  EXPECT_EQ(peers.answer(5).status, "");
  EXPECT_EQ(peers.counters().requests.value(), 2U);
  peers.close_and_run_until_gone();
}

TEST(Http2Endings, DrainingDoesNotWaitLongForAClientThatAnswersNoPing) {
  http2_peers peers;
  peers.context().handler = do_nothing;
  peers.connect(peers.peer.get(1));
  peers.run_until_answered(1);
  peers.ends.loop.drain_all();
  peers.ends.loop.drain_all();
  peers.run_until([&] { return peers.ends.client.ended; });
  EXPECT_EQ(elapsed(peers), 1s);
  EXPECT_EQ(peers.peer.goaways.size(), 2U);
  peers.close_and_run_until_gone();
}

TEST(Http2Endings, DrainingDoesNotWaitForTheRestOfABodyThatNobodyReads) {
  http2_peers peers;
  peers.context().handler = do_nothing;
  peers.connect(peers.peer.headers_frame(1, http2_peer::request_fields("POST", "/"), 0));
  peers.run_until_answered(1);
  peers.ends.loop.drain_all();
  peers.run_until([&] { return peers.ends.client.ended; });
  EXPECT_EQ(peers.answer(1).reset, error_code::no_error);
  EXPECT_EQ(elapsed(peers), 1s);
  peers.close_and_run_until_gone();
}

TEST(Http2Endings, AConnectThatWasRefusedDoesNotHoldItsStreamForLong) {
  http2_peers peers;
  peers.context().handler = [](exchange& with) -> task<> {
    with.response().status(403);
    co_return;
  };
  peers.connect(peers.peer.connect(1));
  peers.run_until([&] { return peers.answer(1).reset.has_value(); });
  EXPECT_EQ(peers.answer(1).status, "403");
  EXPECT_EQ(elapsed(peers), 5s);
  peers.close_and_run_until_gone();
}

TEST(Http2Endings, AbortingEverythingLeavesNothing) {
  http2_peers peers;
  peers.context().handler = [](exchange& with) -> task<> {
    const std::stop_token gone = with.aborted();
    while (!gone.stop_requested()) co_await sleep_for(1ms);
  };
  peers.connect(peers.peer.get(1) + peers.peer.get(3));
  peers.run_idle();
  peers.ends.loop.abort_all();
  peers.ends.run_until_gone();
}

// ----- Time

TEST(Http2Endings, AClientThatSendsNoSettingsOrNoWholeHeadLosesItsConnection) {
  for (const bool with_settings : {false, true}) {
    http2_peers peers;
    peers.context().handler = do_nothing;
    peers.ends.connect();
    const std::string head = peers.peer.get(1);
    peers.send(with_settings ? http2_peer::begin() + frame(frame_type::headers, end_stream, 1, head.substr(9, 4))
                             : std::string(wire::http2::client_preface));
    peers.run_until([&] { return peers.ends.client.ended; });
    EXPECT_EQ(elapsed(peers), 30s);
    EXPECT_EQ(peers.counters().requests_timed_out.value(), 1U);
    EXPECT_FALSE(peers.peer.goaways.empty());
    peers.close_and_run_until_gone();
  }
}

TEST(Http2Endings, AnIdleConnectionIsClosedWithGoaway) {
  http2_peers peers;
  peers.context().handler = sleeping_for(10s);
  peers.connect(peers.peer.get(1));
  peers.run_until([&] { return peers.ends.client.ended; });
  EXPECT_EQ(elapsed(peers), 140s);
  EXPECT_EQ(peers.peer.goaways.back().why, error_code::no_error);
  EXPECT_EQ(peers.answer(1).body, "done");
  peers.close_and_run_until_gone();
}

TEST(Http2Endings, AConnectionWithAStreamIsNotIdle) {
  http2_peers peers;
  peers.context().handler = sleeping_for(1000s);
  peers.connect(peers.peer.get(1));
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).body, "done");
  EXPECT_EQ(elapsed(peers), 1000s);
  peers.close_and_run_until_gone();
}

TEST(Http2Endings, ABodyThatDoesNotArriveInTimeIsAnsweredWith408) {
  http2_peers peers;
  peers.context().handler = [](exchange& with) -> task<> { co_await with.request().read_all(); };
  peers.connect(peers.peer.headers_frame(1, http2_peer::request_fields("POST", "/"), 0));
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).status, "408");
  EXPECT_EQ(elapsed(peers), 30s);
  peers.close_and_run_until_gone();
}

TEST(Http2Endings, AWriterWhoseClientTakesNothingIsGivenUp) {
  http2_peers peers;
  bool told = false;
  peers.context().handler = [&told](exchange& with) -> task<> {
    const std::string piece(200'000, 'x');
    while (co_await with.response().write(piece)) {
    }
    told = true;
  };
  peers.connect(peers.peer.get(1));
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).reset, error_code::cancel);
  EXPECT_EQ(elapsed(peers), 120s) << "what the first window takes is progress once";
  peers.run_until([&] { return told; });
  peers.close_and_run_until_gone();
}

TEST(Http2Endings, AStreamThatTheClientNeverEndsIsGivenUpWithoutAnError) {
  http2_peers peers;
  peers.context().handler = do_nothing;
  peers.connect(peers.peer.headers_frame(1, http2_peer::request_fields("POST", "/"), 0));
  peers.run_until([&] { return peers.answer(1).reset.has_value(); });
  EXPECT_EQ(peers.answer(1).status, "200");
  EXPECT_EQ(peers.answer(1).reset, error_code::no_error);
  EXPECT_EQ(elapsed(peers), 30s);
  peers.close_and_run_until_gone();
}

TEST(Http2Endings, PingsKeepAConnectionAliveAndFindOutThatOneIsDead) {
  http2_peers peers;
  peers.context().options.http2.ping_delay = 10s;
  peers.context().options.http2.ping_timeout = 5s;
  peers.context().options.keep_alive_timeout = 1000s;
  peers.context().handler = do_nothing;
  peers.connect();
  for (int i = 1; i <= 3; ++i) {
    peers.run_until([&] { return peers.peer.count(frame_type::ping) == static_cast<std::size_t>(i); });
    peers.send(frame(frame_type::ping, test::acknowledges, 0, peers.peer.frames.back().payload));
  }
  EXPECT_GE(elapsed(peers), 30s);
  const net::duration before = elapsed(peers);
  peers.run_until([&] { return peers.ends.client.failed.has_value(); });
  EXPECT_LE(elapsed(peers) - before, 20s);
  peers.ends.run_until_gone();
}

// ----- Too much

TEST(Http2Endings, RapidResetsEndTheConnection) {
  // CVE-2023-44487: requests that are given up at once cost the client nothing.
  http2_peers peers;
  peers.context().handler = sleeping_for(1s);
  std::string flood;
  for (std::uint32_t id = 1; id < 20'000; id += 2) flood += peers.peer.get(id) + rst_stream(id);
  peers.connect(flood);
  peers.run_until([&] { return peers.ends.client.ended; });
  EXPECT_EQ(peers.peer.goaways.back().why, error_code::enhance_your_calm);
  EXPECT_LE(peers.counters().requests.value(), 201U);
  EXPECT_EQ(peers.counters().http2_floods.value(), 1U);
  peers.close_and_run_until_gone();
}

TEST(Http2Endings, HandlersOfStreamsThatWereResetCountAgainstTheLimit) {
  http2_peers peers;
  peers.context().handler = sleeping_for(1s);
  peers.context().options.http2.max_streams = 10;
  std::string flood;
  for (std::uint32_t id = 1; id < 50; id += 2) flood += peers.peer.get(id) + rst_stream(id);
  peers.connect(flood);
  peers.run_idle();
  EXPECT_EQ(peers.counters().requests.value(), 10U);
  EXPECT_EQ(peers.counters().streams_refused.value(), 15U);
  // When they have ended there is room again.
  peers.run_until([&] { return peers.counters().http2_streams.value() == 0; });
  peers.send(peers.peer.get(51));
  peers.run_until_answered(51);
  EXPECT_EQ(peers.answer(51).body, "done");
  peers.close_and_run_until_gone();
}

TEST(Http2Endings, AClientMayGiveUpAHundredStreamsAtOnce) {
  http2_peers peers;
  peers.context().handler = sleeping_for(1s);
  std::string requests;
  std::string resets;
  for (std::uint32_t id = 1; id < 200; id += 2) {
    requests += peers.peer.get(id);
    resets += rst_stream(id);
  }
  peers.connect(requests);
  peers.run_idle();
  peers.send(resets);
  peers.run_until([&] { return peers.counters().http2_streams.value() == 0; });
  EXPECT_TRUE(peers.peer.goaways.empty());
  peers.close_and_run_until_gone();
}

TEST(Http2Endings, FloodsOfFramesThatAskForNothingEndTheConnection) {
  http2_peer writer;
  std::string empty_data = writer.headers_frame(1, http2_peer::request_fields("POST", "/"), 0);
  std::string padded_data = empty_data;
  constexpr std::uint8_t padded = 8;
  std::string pings;
  std::string settings;
  std::string priorities;
  for (int i = 0; i < 1'100; ++i) {
    pings += ping();
    settings += test::settings_frame();
    priorities += frame(frame_type::priority, 0, 3, test::octets(1) + "x");
    empty_data += data_frame(1, "");
    padded_data += data_frame(1, std::string(1, '\0'), padded);
  }
  for (const std::string& flood : {pings, settings, priorities, empty_data, padded_data}) {
    http2_peers peers;
    peers.context().handler = sleeping_for(100s);
    peers.connect(flood);
    peers.run_until([&] { return peers.ends.client.ended; });
    EXPECT_EQ(peers.peer.goaways.back().why, error_code::enhance_your_calm);
    peers.close_and_run_until_gone();
  }
}

TEST(Http2Endings, SlowPingsAreAnsweredForEver) {
  http2_peers peers;
  peers.context().handler = do_nothing;
  peers.context().options.keep_alive_timeout = 1000s;
  peers.connect();
  for (int i = 0; i < 100; ++i) {
    const net::duration before = elapsed(peers);
    std::string many;
    for (int j = 0; j < 100; ++j) many += ping();
    peers.send(many);
    net::timer second(nullptr, [](void*) noexcept {});
    peers.ends.loop.arm(second, 1s);
    peers.run_until([&] { return elapsed(peers) >= before + 1s; });
  }
  EXPECT_EQ(peers.peer.count(frame_type::ping), 10'000U);
  EXPECT_TRUE(peers.peer.goaways.empty());
  peers.close_and_run_until_gone();
}

TEST(Http2Endings, AHeadInEndlesslyManyFramesEndsTheConnection) {
  http2_peers peers;
  peers.context().handler = do_nothing;
  const std::string block = peers.peer.get(1).substr(9);
  std::string flood = frame(frame_type::headers, end_stream, 1, block);
  for (int i = 0; i < 1000; ++i) flood += frame(frame_type::continuation, 0, 1, "");
  peers.connect(flood);
  peers.run_until([&] { return peers.ends.client.ended; });
  EXPECT_EQ(peers.peer.goaways.back().why, error_code::enhance_your_calm);
  EXPECT_EQ(peers.counters().requests.value(), 0U);
  peers.close_and_run_until_gone();
}

// A field of 4,000 octets that the compression remembers, and then references to it, each one octet (RFC 7541, section
// 6.1).
std::string remembered_field() { return "\x40\x01x\x7f\xa1\x1e" + std::string(4000, 'v'); }
std::string references(std::size_t count) { return std::string(count, '\xbe'); }

TEST(Http2Endings, AHeadThatIsFarLargerThanItsOctetsEndsTheConnection) {
  for (const bool in_trailers : {false, true}) {
    http2_peers peers;
    peers.context().handler = do_nothing;
    const std::string first = peers.peer.field_block(http2_peer::request_fields("POST", "/"));
    std::string stream = frame(frame_type::headers, test::end_headers | end_stream, 1, first + remembered_field());
    std::string bomb = first;
    if (in_trailers) {
      stream += frame(frame_type::headers, test::end_headers, 3, first);
      bomb.clear();
    }
    stream += frame(frame_type::headers, test::end_headers | end_stream, 3, bomb + references(1000));
    peers.connect(stream);
    peers.run_until([&] { return peers.ends.client.ended; });
    EXPECT_EQ(peers.peer.goaways.back().why, error_code::enhance_your_calm);
    EXPECT_EQ(peers.counters().requests.value(), in_trailers ? 2U : 1U);
    peers.close_and_run_until_gone();
  }
}

TEST(Http2Endings, AHeadThatIsSomewhatTooLargeIsRefusedByAnAnswer) {
  http2_peers peers;
  peers.context().handler = do_nothing;
  const std::string first = peers.peer.field_block(http2_peer::request_fields("GET", "/"));
  peers.connect(frame(frame_type::headers, test::end_headers | end_stream, 1, first + remembered_field()) +
                frame(frame_type::headers, test::end_headers | end_stream, 3, first + references(20)) +
                frame(frame_type::headers, test::end_headers | end_stream, 5, first));
  peers.run_until_answered(5);
  EXPECT_EQ(peers.answer(3).status, "431");
  EXPECT_EQ(peers.answer(5).status, "200");
  peers.close_and_run_until_gone();
}

TEST(Http2Endings, AClientThatSendsPingsButReadsNoAnswersLosesItsConnection) {
  http2_peers peers;
  peers.context().handler = do_nothing;
  peers.context().options.http2.max_control_frames_per_second = 1'000'000;
  peers.ends.client.takes = false;
  peers.connect();
  for (int i = 0; i < 100; ++i) {
    std::string many;
    for (int j = 0; j < 1000; ++j) many += ping();
    peers.send(many);
    peers.run_idle();
  }
  EXPECT_LT(peers.ends.server_end->queued_bytes(), 200'000U);
  peers.ends.take();
  peers.run_until([&] { return peers.ends.client.ended; });
  EXPECT_EQ(peers.peer.goaways.back().why, error_code::enhance_your_calm);
  peers.close_and_run_until_gone();
}

}  // namespace
}  // namespace windhover::http
