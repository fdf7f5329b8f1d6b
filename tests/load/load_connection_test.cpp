// One WebSocket of a load, with a server at its other end that writes raw bytes: what it counts, what it notices, and
// how it ends, wherever the stream is cut.
#include "load/load_connection.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "net/memory_pipe.hpp"
#include "net/seeded_random.hpp"
#include "support/virtual_engine.hpp"
#include "support/websocket_peer.hpp"
#include "wire/websocket/deflate.hpp"

namespace windhover::load {
namespace {

using std::chrono::milliseconds;
using test::server_frame;
using wire::opcode;

// Notes what it is told, one line each.
class notes final : public load_connection::listener {
 public:
  void on_open(load_connection&) noexcept override {}
  void on_message(load_connection& of, const load_connection::arrival& message) noexcept override {
    lines.push_back(std::to_string(message.position) + ": " + std::to_string(message.size) + " bytes" +
                    (message.beginning.empty() ? "" : " " + std::string(message.beginning)));
    if (then) then(of);
  }
  void on_pause(load_connection&) noexcept override { ++pauses; }
  void on_ended(load_connection&, const std::string& why) noexcept override {
    ended = true;
    lines.push_back("ended: " + why);
  }

  std::vector<std::string> lines;
  std::function<void(load_connection&)> then;
  int pauses = 0;
  bool ended = false;
};

load_options three_sizes() { return {.least_size = 0, .most_size = 300}; }

// A connection on a memory pipe, in virtual time.
class connected {
 public:
  explicit connected(std::size_t cut = test::uncut, const load_options& options = three_sizes(),
                     bool beginnings = false, std::optional<wire::deflate_parameters> compression = std::nullopt)
      : messages(options, random), loop(std::make_unique<test::virtual_engine>()) {
    const auto [near, far] = net::memory_pipe::make(loop, cut);
    auto made = std::make_unique<load_connection>(*near, noted,
                                                  load_connection::settings{.messages = messages,
                                                                            .check = options.check,
                                                                            .text = options.text,
                                                                            .beginnings = beginnings,
                                                                            .compression = compression});
    connection = made.get();
    net::memory_pipe::set_driver(*near, std::move(made));
    net::memory_pipe::set_driver(*far, std::make_unique<test::raw_peer>(server));
    server_end = far;
    server.compression = compression.has_value();
  }
  connected(const connected&) = delete;
  connected& operator=(const connected&) = delete;
  // Nothing may be left behind.
  ~connected() {
    const net::event_loop::scope here(loop);
    loop.abort_all();
    test::run_idle(loop);
    EXPECT_TRUE(loop.describe_connections(1).empty());
    EXPECT_TRUE(noted.ended);
  }

  void send(std::string_view bytes) { server_end->queue_copy(test::bytes_of(bytes)); }
  void end() { server_end->close(); }
  const std::vector<std::string>& told() {
    test::run_idle(loop, 2000);
    return noted.lines;
  }
  std::string echo(std::size_t index, opcode code = opcode::binary) {
    return server_frame(code, messages.payload(index));
  }

  net::seeded_random random{1};
  message_pool messages;
  notes noted;
  test::peer_record server;
  net::event_loop loop;
  load_connection* connection = nullptr;
  net::pipe_end* server_end = nullptr;
};

using lines = std::vector<std::string>;

// ----- What comes

TEST(LoadConnection, CountsWhatComesWhereverTheStreamIsCut) {
  const std::string stream =
      server_frame(opcode::text, "hello") + server_frame(opcode::binary, "") + server_frame(opcode::text, "in", false) +
      server_frame(opcode::ping, "now") + server_frame(opcode::continuation, " three", false) +
      server_frame(opcode::continuation, " pieces") + server_frame(opcode::pong, "unasked") +
      server_frame(opcode::binary, test::pattern(126)) + server_frame(opcode::binary, test::pattern(70'000));
  for (const std::size_t cut : test::all_cuts) {
    SCOPED_TRACE(cut);
    connected peers(cut);
    peers.send(stream);
    test::run_until(peers.loop, [&] { return peers.noted.lines.size() == 5; });
    EXPECT_EQ(peers.told(), (lines{"0: 5 bytes", "1: 0 bytes", "2: 15 bytes", "3: 126 bytes", "4: 70000 bytes"}));
    EXPECT_EQ(peers.server.frames(wire::role::server), (std::vector<test::seen_frame>{{opcode::pong, "now"}}));
  }
}

TEST(LoadConnection, TellsHowMessagesBeginWhereverTheyAreCut) {
  const std::string stream = server_frame(opcode::binary, "0123456789abcdef and more") +
                             server_frame(opcode::binary, "short") + server_frame(opcode::binary, "01234567", false) +
                             server_frame(opcode::continuation, "89abcdef+");
  for (const std::size_t cut : test::all_cuts) {
    SCOPED_TRACE(cut);
    connected peers(cut, three_sizes(), true);
    peers.send(stream);
    EXPECT_EQ(peers.told(),
              (lines{"0: 25 bytes 0123456789abcdef", "1: 5 bytes short", "2: 17 bytes 0123456789abcdef"}));
  }
}

TEST(LoadConnection, SaysOnceThatWhatCameTogetherHasBeenTold) {
  connected peers;
  peers.send(server_frame(opcode::text, "one") + server_frame(opcode::text, "two"));
  EXPECT_EQ(peers.told().size(), 2U);
  EXPECT_EQ(peers.noted.pauses, 1);
}

// ----- What is sent

TEST(LoadConnection, SendsTheMessagesOfThePoolInTheirOrderAndBeginsAgain) {
  connected peers;
  const std::size_t count = peers.messages.count() + 2;
  peers.connection->send(1, net::time_point());
  peers.connection->send(count - 1, net::time_point());
  peers.told();
  const auto seen = peers.server.frames(wire::role::server);
  ASSERT_EQ(seen.size(), count);
  for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(seen[i].payload, peers.messages.payload(i)) << i;
}

TEST(LoadConnection, KnowsForWhenEachMessageWasSent) {
  connected peers;
  const auto at = [](int time) { return net::time_point(milliseconds(time)); };
  int next_answer = 0;
  // The queue grows, goes around its end, and grows again while it does.
  for (int time = 0; time < 100; ++time) {
    peers.connection->send(1, at(time));
    if (time % 3 == 2) {
      EXPECT_EQ(peers.connection->answered(), at(next_answer++));
    }
  }
  EXPECT_EQ(peers.connection->unanswered(), static_cast<std::size_t>(100 - next_answer));
  while (peers.connection->unanswered() > 0) EXPECT_EQ(peers.connection->answered(), at(next_answer++));
  EXPECT_EQ(next_answer, 100);
}

// ----- Looking at every octet

load_options checked() {
  load_options options = three_sizes();
  options.check = true;
  options.least_size = 2;
  return options;
}

TEST(LoadConnection, WhatComesBackAsItWasSentIsRight) {
  for (const std::size_t cut : test::all_cuts) {
    SCOPED_TRACE(cut);
    connected peers(cut, checked());
    std::string stream;
    for (std::size_t i = 0; i <= peers.messages.count(); ++i) {
      const std::string_view payload = peers.messages.payload(i);
      stream += server_frame(opcode::binary, payload.substr(0, 1), false) +
                server_frame(opcode::continuation, payload.substr(1));
    }
    peers.send(stream);
    test::run_until(peers.loop, [&] { return peers.noted.lines.size() > peers.messages.count(); });
    EXPECT_FALSE(peers.noted.ended) << peers.noted.lines.back();
  }
}

TEST(LoadConnection, AWrongEchoIsNoticed) {
  struct wrong_echo {
    std::function<std::string(connected&)> second;
    std::string complaint;
  };
  const std::string different = "ended: what came back is not what was sent";
  for (const wrong_echo& each : std::initializer_list<wrong_echo>{
           {[](connected& peers) {
              std::string payload(peers.messages.payload(1));
              payload.back() = static_cast<char>(payload.back() ^ 1);
              return server_frame(opcode::binary, payload);
            },
            different},
           {[](connected& peers) { return peers.echo(2); }, different},
           {[](connected& peers) { return server_frame(opcode::binary, std::string(peers.messages.payload(1)) + "x"); },
            different},
           {[](connected& peers) {
              const std::string_view payload = peers.messages.payload(1);
              return server_frame(opcode::binary, payload.substr(0, payload.size() - 1));
            },
            "ended: less came back than was sent"},
           {[](connected&) { return server_frame(opcode::binary, ""); }, "ended: less came back than was sent"},
       }) {
    for (const std::size_t cut : test::all_cuts) {
      SCOPED_TRACE(cut);
      connected peers(cut, checked());
      peers.send(peers.echo(0) + each.second(peers) + peers.echo(2));
      ASSERT_EQ(peers.told().size(), 2U);
      EXPECT_TRUE(peers.noted.lines[0].starts_with("0: ")) << peers.noted.lines[0];
      EXPECT_EQ(peers.noted.lines[1], each.complaint);
    }
  }
}

TEST(LoadConnection, AnotherTypeOfMessageIsNoticed) {
  load_options options = checked();
  options.text = true;
  connected peers(test::uncut, options);
  peers.send(peers.echo(0, opcode::text) + peers.echo(1, opcode::binary));
  ASSERT_EQ(peers.told().size(), 2U);
  EXPECT_EQ(peers.noted.lines[1], "ended: it came back as another type of message");
}

TEST(LoadConnection, WithoutALookAWrongEchoCounts) {
  connected peers;
  peers.send(server_frame(opcode::text, "anything"));
  EXPECT_EQ(peers.told(), lines{"0: 8 bytes"});
}

// ----- Compression

std::string compressed_frame(wire::deflater& with, std::string_view payload) {
  std::string content(wire::deflate_bound(payload.size()), '\0');
  std::span<const std::byte> in = test::bytes_of(payload);
  content.resize(
      with.deflate(in, std::as_writable_bytes(std::span(content)), wire::deflater::boundary::message).produced);
  return test::frame_on_wire(opcode::binary, content, true, std::nullopt, true);
}

TEST(LoadConnection, LooksIntoCompressedMessagesWithAndWithoutAContext) {
  for (const bool context : {true, false}) {
    for (const std::size_t cut : test::all_cuts) {
      SCOPED_TRACE(cut);
      load_options options = checked();
      options.most_size = 20'000;
      options.compress = true;
      connected peers(cut, options, false, wire::deflate_parameters{.server_no_context_takeover = !context});
      wire::deflater server(15, context);
      std::string stream;
      for (std::size_t i = 0; i < 5; ++i) stream += compressed_frame(server, peers.messages.payload(i));
      stream += peers.echo(5);  // a server may always send one as it is
      stream += compressed_frame(server, "something else");
      peers.send(stream);
      test::run_until(peers.loop, [&] { return peers.noted.ended; });
      EXPECT_EQ(peers.noted.lines.size(), 7U);
      EXPECT_EQ(peers.noted.lines.back(), "ended: what came back is not what was sent");
    }
  }
}

TEST(LoadConnection, TellsHowCompressedMessagesBegin) {
  connected peers(test::uncut, three_sizes(), true, wire::deflate_parameters{});
  wire::deflater server(15, true);
  const std::string first = compressed_frame(server, "0000000000000001 and more");
  const std::string second = compressed_frame(server, "0000000000000002 and more");
  peers.send(first + second);
  const auto size_of = [](const std::string& frame) { return std::to_string(frame.size() - 2); };
  EXPECT_EQ(peers.told(), (lines{"0: " + size_of(first) + " bytes 0000000000000001",
                                 "1: " + size_of(second) + " bytes 0000000000000002"}));
}

TEST(LoadConnection, WhatIsNotDeflatedIsNoticed) {
  for (const std::size_t cut : test::all_cuts) {
    SCOPED_TRACE(cut);
    connected peers(cut, checked(), false, wire::deflate_parameters{});
    peers.send(test::frame_on_wire(opcode::binary, "\xff\xff\xff", true, std::nullopt, true));
    EXPECT_EQ(peers.told(), lines{"ended: what came back is not compressed as it says"});
  }
}

// ----- Ends

struct ending {
  std::string stream;
  std::string last;
};

TEST(LoadConnection, SaysWhyItHasEndedWhereverTheStreamIsCut) {
  for (const ending& each : {
           ending{server_frame(opcode::close, test::closing(1001, "bye")),
                  "ended: the server closed it with 1001 (bye)"},
           ending{server_frame(opcode::close, test::closing(4000)), "ended: the server closed it with 4000"},
           ending{server_frame(opcode::close, ""), "ended: the server closed it with 1005"},
           ending{"", "ended: the server ended it without a close frame"},
           ending{server_frame(opcode::text, "half").substr(0, 4), "ended: the server ended it without a close frame"},
       }) {
    for (const std::size_t cut : test::all_cuts) {
      SCOPED_TRACE(each.last + ", cut to " + std::to_string(cut));
      connected peers(cut);
      peers.send(server_frame(opcode::text, "before") + each.stream);
      peers.end();
      EXPECT_EQ(peers.told(), (lines{"0: 6 bytes", each.last}));
    }
  }
}

TEST(LoadConnection, WhatBreaksTheProtocolEndsIt) {
  for (const std::size_t cut : test::all_cuts) {
    for (const std::string& bad : {test::client_frame(opcode::text, "masked"), server_frame(opcode::text, "\xff"),
                                   std::string("\x83\x00", 2), server_frame(opcode::continuation, "of nothing")}) {
      connected peers(cut);
      peers.send(server_frame(opcode::text, "before") + bad + server_frame(opcode::text, "behind"));
      ASSERT_EQ(peers.told().size(), 2U);
      EXPECT_TRUE(peers.noted.lines[1].starts_with("ended: ")) << peers.noted.lines[1];
      EXPECT_NE(peers.noted.lines[1], "ended: the connection was aborted");
    }
  }
}

TEST(LoadConnection, AnswersTheServersCloseAndHearsNothingBehindIt) {
  connected peers;
  peers.send(server_frame(opcode::close, test::closing(1000)) + server_frame(opcode::text, "behind"));
  peers.told();
  EXPECT_EQ(peers.server.frames(wire::role::server), std::vector{test::seen_close(1000)});
  peers.end();
  EXPECT_EQ(peers.told(), lines{"ended: the server closed it with 1000"});
}

TEST(LoadConnection, ClosedByUsItEndsWithoutAWord) {
  connected peers;
  peers.connection->close();
  peers.connection->close();
  peers.told();
  EXPECT_EQ(peers.server.frames(wire::role::server), std::vector{test::seen_close(1000)});
  peers.send(server_frame(opcode::text, "late") + server_frame(opcode::close, test::closing(1000)) +
             server_frame(opcode::text, "behind"));
  peers.end();
  EXPECT_EQ(peers.told(), (lines{"0: 4 bytes", "ended: "}));
}

TEST(LoadConnection, AServerThatOnlyHangsUpAfterOurCloseIsNoFailure) {
  for (const bool resets : {false, true}) {
    connected peers;
    peers.connection->close();
    peers.told();
    if (resets) {
      peers.server_end->abort();
    } else {
      peers.end();
    }
    EXPECT_EQ(peers.told(), lines{"ended: "});
  }
}

TEST(LoadConnection, AResetIsSaidAsOne) {
  connected peers;
  peers.server_end->abort();
  EXPECT_EQ(peers.told(), lines{"ended: the peer reset the connection"});
}

TEST(LoadConnection, SendingFromWithinAMessageIsAllowedUpToTheEnd) {
  connected peers(test::uncut, checked());
  peers.noted.then = [](load_connection& of) { of.send(1, net::time_point()); };
  peers.send(peers.echo(0) + peers.echo(2));  // the second one is wrong
  EXPECT_EQ(peers.told().back(), "ended: what came back is not what was sent");
}

}  // namespace
}  // namespace windhover::load
