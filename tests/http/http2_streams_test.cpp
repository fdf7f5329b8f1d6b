// Flow control and fairness of HTTP/2 streams: a window is the bound of what is left unread, output leaves as far as
// the client's windows and the connection have room, and no stream stops another one.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "http/http2_stream.hpp"
#include "http2_peers.hpp"
#include <windhover/sleep_for.hpp>

namespace windhover::http {
namespace {

using namespace std::chrono_literals;
using test::data_frame;
using test::end_stream;
using test::frame_type;
using test::http2_peer;
using test::window_update;
using wire::http2::error_code;

constexpr std::uint16_t initial_window = 4;

// As many bytes as the path says.
task<> answer_with_bytes(exchange& with) {
  const std::size_t size = static_cast<std::size_t>(std::stoul(std::string(with.request().path().substr(1))));
  const std::string body(size, 'x');
  co_await with.response().write(body);
}

// ----- What arrives

TEST(Http2Streams, AWindowIsReturnedOnlyAsTheHandlerReads) {
  http2_peers peers;
  std::size_t wanted = 0;
  std::size_t read = 0;
  peers.context().handler = [&](exchange& with) -> task<> {
    std::vector<std::byte> buffer(10'000);
    for (;;) {
      while (read >= wanted) co_await sleep_for(1ms);
      const std::span<std::byte> room(buffer);
      const std::size_t count = co_await with.request().read(room);
      read += count;
      if (count == 0) co_return;
    }
  };
  peers.connect(peers.peer.headers_frame(1, http2_peer::request_fields("POST", "/"), 0));
  for (int i = 0; i < 4; ++i) peers.send(data_frame(1, std::string(16'000, 'x')));
  peers.run_idle();
  EXPECT_EQ(read, 0U);
  EXPECT_EQ(peers.peer.windows[1], 0U) << "nothing was read, so no more may be sent";
  EXPECT_EQ(peers.ends.loop.inbound().used, 64'000U);
  wanted = 40'000;
  peers.run_until([&] { return peers.peer.windows[1] > 0; });
  EXPECT_LE(peers.peer.windows[1], read);
  wanted = 1'000'000;
  peers.send(data_frame(1, "", end_stream));
  peers.run_until_answered(1);
  EXPECT_EQ(read, 64'000U);
  peers.close_and_run_until_gone();
}

TEST(Http2Streams, AStreamThatIsNotReadStopsNoOther) {
  http2_peers peers;
  peers.context().handler = [](exchange& with) -> task<> {
    if (with.request().path() == "/stuck") co_await sleep_for(1h);
    std::size_t size = 0;
    std::vector<std::byte> buffer(10'000);
    const std::span<std::byte> room(buffer);
    while (const std::size_t count = co_await with.request().read(room)) size += count;
    const std::string answer = std::to_string(size);
    co_await with.response().write(answer);
  };
  peers.connect(peers.peer.headers_frame(1, http2_peer::request_fields("POST", "/stuck"), 0) +
                peers.peer.headers_frame(3, http2_peer::request_fields("POST", "/"), 0));
  // The first stream's window is full; the second one carries many times as much, past the connection's first window.
  for (int i = 0; i < 4; ++i) peers.send(data_frame(1, std::string(16'000, 'x')));
  std::uint64_t sent = 0;
  while (sent < 4'000'000) {
    const std::uint64_t window = 65'536 + peers.peer.windows[3];
    if (sent + 16'000 > window) {
      peers.ends.loop.run_once(true);
      continue;
    }
    peers.send(data_frame(3, std::string(16'000, 'x')));
    sent += 16'000;
  }
  peers.send(data_frame(3, "", end_stream));
  peers.run_until_answered(3);
  EXPECT_EQ(peers.answer(3).body, std::to_string(sent));
  EXPECT_GE(peers.peer.windows[0], 3'000'000U);
  EXPECT_EQ(peers.peer.windows[1], 0U);
  peers.ends.client_end->abort();
  peers.run_until([&] { return peers.counters().http2_streams.value() <= 1; });
}

TEST(Http2Streams, SendingMoreThanTheWindowIsAnError) {
  http2_peers peers;
  peers.context().handler = [](exchange&) -> task<> { co_await sleep_for(1s); };
  peers.connect(peers.peer.headers_frame(1, http2_peer::request_fields("POST", "/"), 0));
  for (int i = 0; i < 5; ++i) peers.send(data_frame(1, std::string(16'000, 'x')));
  peers.run_until([&] { return peers.answer(1).reset || peers.ends.client.ended; });
  const bool of_connection = !peers.peer.goaways.empty();
  EXPECT_EQ(of_connection ? peers.peer.goaways.back().why : *peers.answer(1).reset, error_code::flow_control_error);
  peers.close_and_run_until_gone();
}

TEST(Http2Streams, ABodyThatNobodyReadsIsDrainedUpToABound) {
  for (const bool beyond : {false, true}) {
    http2_peers peers;
    peers.context().handler = do_nothing;
    peers.context().options.drained_body = 20'000;
    peers.connect(peers.peer.headers_frame(1, http2_peer::request_fields("POST", "/"), 0));
    peers.run_until_answered(1);
    EXPECT_EQ(peers.answer(1).status, "200");
    for (int i = 0; i < (beyond ? 2 : 1); ++i) peers.send(data_frame(1, std::string(16'000, 'x')));
    if (!beyond) peers.send(data_frame(1, "", end_stream));
    peers.run_idle();
    if (beyond) {
      EXPECT_EQ(peers.answer(1).reset, error_code::no_error) << "the answer is whole";
    } else {
      EXPECT_FALSE(peers.answer(1).reset);
    }
    EXPECT_EQ(peers.counters().http2_streams.value(), 0U);
    EXPECT_TRUE(peers.peer.goaways.empty());
    peers.close_and_run_until_gone();
  }
}

// A client that opens its windows late may send no more before it has the answer, and is not waited for behind it.
TEST(Http2Streams, ABodyThatNobodyReadsIsGivenUpOnceTheAnswerHasLeft) {
  for (const std::size_t size : {std::size_t{60'000}, std::size_t{200'000}}) {
    for (const std::uint32_t steps : {1U, 2U}) {
      http2_peers peers;
      peers.context().handler = [size](exchange& with) -> task<> {
        const std::string body(size, 'x');
        static_cast<void>(with.response().write(body));
        co_return;
      };
      peers.context().options.drained_body = 20'000;
      peers.connect(peers.peer.headers_frame(1, http2_peer::request_fields("POST", "/"), 0),
                    test::setting(initial_window, 1000));
      for (int i = 0; i < 3; ++i) peers.send(data_frame(1, std::string(16'000, 'x')));
      peers.run_idle();
      EXPECT_FALSE(peers.answer(1).reset) << "the answer would be cut off";
      const auto increment = static_cast<std::uint32_t>(size / steps);
      for (std::uint32_t i = 0; i < steps; ++i) {
        peers.send(window_update(0, increment) + window_update(1, increment));
        peers.run_idle();
      }
      EXPECT_EQ(peers.answer(1).body.size(), size);
      EXPECT_EQ(peers.answer(1).reset, error_code::no_error);
      EXPECT_EQ(peers.counters().http2_streams.value(), 0U);
      peers.close_and_run_until_gone();
    }
  }
}

// ----- What leaves

TEST(Http2Streams, NoMoreLeavesThanTheClientsWindow) {
  http2_peers peers;
  peers.context().handler = answer_with_bytes;
  peers.connect(peers.peer.get(1, "/100000"), test::setting(initial_window, 10'000));
  peers.run_until([&] { return peers.answer(1).body.size() == 10'000; });
  peers.run_idle();
  EXPECT_EQ(peers.answer(1).body.size(), 10'000U);
  peers.send(window_update(1, 5'000));
  peers.run_until([&] { return peers.answer(1).body.size() == 15'000; });
  // The connection's own window, 65,535 octets, is the next bound.
  peers.send(window_update(1, 1'000'000));
  peers.run_until([&] { return peers.answer(1).body.size() == 65'535; });
  peers.run_idle();
  EXPECT_EQ(peers.answer(1).body.size(), 65'535U);
  peers.send(window_update(0, 1'000'000));
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).body.size(), 100'000U);
  peers.close_and_run_until_gone();
}

TEST(Http2Streams, AStreamWhoseClientDoesNotReadStopsNoOther) {
  http2_peers peers;
  peers.context().handler = answer_with_bytes;
  peers.connect(window_update(0, 10'000'000) + peers.peer.get(1, "/100000") + peers.peer.get(3, "/5000"),
                test::setting(initial_window, 6'000));
  peers.run_until_answered(3);
  EXPECT_EQ(peers.answer(3).body.size(), 5'000U);
  EXPECT_EQ(peers.answer(1).body.size(), 6'000U);
  peers.close_and_run_until_gone();
}

TEST(Http2Streams, StreamsTakeTurns) {
  http2_peers peers;
  peers.context().handler = answer_with_bytes;
  peers.connect(window_update(0, 10'000'000) + peers.peer.get(1, "/300000") + peers.peer.get(3, "/300000") +
                    peers.peer.get(5, "/300000"),
                test::setting(initial_window, 1'000'000));
  std::size_t widest = 0;
  peers.ends.client.after_bytes = [&, take = std::move(peers.ends.client.after_bytes)] {
    take();
    const auto sizes =
        std::minmax({peers.answer(1).body.size(), peers.answer(3).body.size(), peers.answer(5).body.size()});
    if (sizes.second < 300'000) widest = std::max(widest, sizes.second - sizes.first);
  };
  for (const std::uint32_t each : {1U, 3U, 5U}) peers.run_until_answered(each);
  EXPECT_LE(widest, 40'000U) << "two frames and a bit";
  peers.close_and_run_until_gone();
}

TEST(Http2Streams, AClientThatTakesNothingIsNotBuried) {
  http2_peers peers;
  bool waits = false;
  peers.context().handler = [&waits](exchange& with) -> task<> {
    const std::string piece(50'000, 'x');
    for (int i = 0; i < 100; ++i) {
      waits = true;
      const bool connected = co_await with.response().write(piece);
      waits = false;
      if (!connected) co_return;
    }
  };
  peers.ends.client.takes = false;
  peers.connect(window_update(0, 100'000'000) + peers.peer.get(1) + peers.peer.get(3),
                test::setting(initial_window, 100'000'000));
  peers.run_idle();
  EXPECT_TRUE(waits);
  EXPECT_LT(peers.ends.server_end->queued_bytes(), 100'000U) << "the mark is at 64 KiB";
  peers.ends.take();
  peers.run_until_answered(1);
  peers.run_until_answered(3);
  EXPECT_EQ(peers.answer(1).body.size(), 5'000'000U);
  peers.close_and_run_until_gone();
}

TEST(Http2Streams, AWriterWaitsForItsOwnStreamOnly) {
  http2_peers peers;
  int pieces = 0;
  peers.context().handler = [&pieces](exchange& with) -> task<> {
    if (with.request().path() != "/large") co_return co_await answer_with_bytes(with);
    const std::string piece(50'000, 'x');
    for (int i = 0; i < 10; ++i) {
      const bool connected = co_await with.response().write(piece);
      if (!connected) co_return;
      ++pieces;
    }
  };
  peers.connect(window_update(0, 10'000'000) + peers.peer.get(1, "/large"), test::setting(initial_window, 60'000));
  peers.run_until([&] { return peers.answer(1).body.size() == 60'000; });
  peers.run_idle();
  const int before = pieces;
  EXPECT_LT(before, 4);
  peers.send(peers.peer.get(3, "/50000"));
  peers.run_until_answered(3);
  EXPECT_EQ(pieces, before);
  peers.send(window_update(1, 1'000'000));
  peers.run_until_answered(1);
  EXPECT_EQ(pieces, 10);
  EXPECT_EQ(peers.answer(1).body.size(), 500'000U);
  peers.close_and_run_until_gone();
}

TEST(Http2Streams, LargePiecesLeaveWithoutACopyAndInOrder) {
  http2_peers peers;
  peers.context().handler = [](exchange& with) -> task<> {
    for (int i = 0; i < 20; ++i) {
      const std::string piece(static_cast<std::size_t>(i) * 4'001, static_cast<char>('a' + i));
      co_await with.response().write(piece);
    }
  };
  peers.connect(window_update(0, 10'000'000) + peers.peer.get(1), test::setting(initial_window, 10'000'000));
  peers.run_until_answered(1);
  std::string expected;
  for (int i = 0; i < 20; ++i) expected.append(static_cast<std::size_t>(i) * 4'001, static_cast<char>('a' + i));
  EXPECT_EQ(peers.answer(1).body, expected);
  peers.close_and_run_until_gone();
}

TEST(Http2Streams, AStreamHasTheEndpointsOfItsConnection) {
  http2_peers peers(test::kind_of_transport::tcp_epoll);
  std::vector<std::string> seen;
  peers.context().handler = [&seen](exchange& with) -> task<> {
    seen.push_back(with.remote_endpoint().to_string());
    seen.push_back(with.local_endpoint().to_string());
    co_return;
  };
  peers.connect(peers.peer.get(1));
  peers.run_until_answered(1);
  EXPECT_EQ(seen, (std::vector<std::string>{peers.ends.server_end->remote_endpoint().to_string(),
                                            peers.ends.server_end->local_endpoint().to_string()}));
  peers.close_and_run_until_gone();
}

}  // namespace
}  // namespace windhover::http
