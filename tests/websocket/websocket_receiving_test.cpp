// receive(): whole messages, what stands between them, limits, and what is held for a handler that is busy.
#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "support/websocket_peer.hpp"
#include <windhover/when_all.hpp>

namespace windhover {
namespace {

using test::client_close;
using test::client_frame;
using test::gate;
using test::note_messages;
using test::opcode;
using test::pattern;
using test::seen_close;
using test::seen_frame;
using test::server_frame;
using test::websocket_peers;
using notes = std::vector<std::string>;

// The handler notes the same, and the peer sees the same, however the stream is cut.
void expect_for_every_cut(std::string_view stream, const notes& expected, const std::vector<seen_frame>& answers,
                          const websocket_settings& settings = {}) {
  for (const std::size_t cut : test::all_cuts) {
    SCOPED_TRACE("in pieces of " + std::to_string(cut) + " bytes");
    notes seen;
    websocket_peers peers(cut);
    peers.serve(note_messages(seen), settings);
    peers.send(stream);
    peers.finish();
    EXPECT_EQ(seen, expected);
    EXPECT_EQ(peers.peer.frames(), answers);
  }
}

// ----- Messages

TEST(WebsocketReceiving, WholeMessagesInTheirOrder) {
  expect_for_every_cut(client_frame(opcode::text, "one") + client_frame(opcode::binary, "two") +
                           client_frame(opcode::text, "") + client_close(1000),
                       {"text one", "binary two", "text ", "1000"}, {seen_close(1000)});
}

TEST(WebsocketReceiving, AMessageOfSeveralFramesIsOne) {
  expect_for_every_cut(client_frame(opcode::text, "Hel", false) + client_frame(opcode::continuation, "", false) +
                           client_frame(opcode::continuation, "lo") + client_frame(opcode::binary, "", false) +
                           client_frame(opcode::continuation, "") + client_close(1000),
                       {"text Hello", "binary ", "1000"}, {seen_close(1000)});
}

TEST(WebsocketReceiving, LengthsOfEveryForm) {
  std::string stream;
  notes expected;
  for (const std::size_t size : {1U, 125U, 126U, 127U, 65535U, 65536U, 70000U}) {
    stream += client_frame(opcode::text, pattern(size));
    expected.push_back("text " + pattern(size));
  }
  expected.push_back("1000");
  for (const std::size_t cut : {std::size_t{1}, std::size_t{31}, std::size_t{4096}, test::uncut}) {
    SCOPED_TRACE(cut);
    notes seen;
    websocket_peers peers(cut);
    peers.serve(note_messages(seen));
    peers.send(stream + client_close(1000));
    peers.finish();
    EXPECT_TRUE(seen == expected);
  }
}

TEST(WebsocketReceiving, ControlFramesStandBetweenFragments) {
  expect_for_every_cut(client_frame(opcode::text, "Hel", false) + client_frame(opcode::ping, "p") +
                           client_frame(opcode::pong, "unasked") + client_frame(opcode::continuation, "lo") +
                           client_close(1000),
                       {"text Hello", "1000"}, {{opcode::pong, "p"}, seen_close(1000)});
}

TEST(WebsocketReceiving, TextMayBeCutWithinItsCharacters) {
  expect_for_every_cut(client_frame(opcode::text, "\xce", false) + client_frame(opcode::continuation, "\xba", true) +
                           client_frame(opcode::text, "\xf0\x9f\x90", false) +
                           client_frame(opcode::continuation, "\xa6") + client_close(1000),
                       {"text κ", "text 🐦", "1000"}, {seen_close(1000)});
}

TEST(WebsocketReceiving, BinaryMayHoldAnything) {
  std::string all(256, '\0');
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<char>(i);
  expect_for_every_cut(client_frame(opcode::binary, all) + client_close(1000), {"binary " + all, "1000"},
                       {seen_close(1000)});
}

TEST(WebsocketReceiving, AMessageCanBeKeptWhileTheNextIsReceived) {
  std::string both;
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    auto first = co_await socket.receive();
    auto second = co_await socket.receive();
    both = std::string(first->text()) + std::string(second->text());
  });
  peers.send_text("one");
  peers.send_text("two");
  peers.run_handler();
  EXPECT_EQ(both, "onetwo");
}

TEST(WebsocketReceiving, AWaitingHandlerGoesOnWithinTheArrivalOfItsMessage) {
  notes seen;
  websocket_peers peers;
  peers.serve(note_messages(seen));
  peers.send_text("one");
  peers.run_idle();
  EXPECT_EQ(seen, (notes{"text one"}));
}

TEST(WebsocketReceiving, TwoReceivesAtATimeAreRefused) {
  int refused = 0;
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    const auto wait = [](websocket& on) -> task<> {
      auto message = co_await on.receive();
      EXPECT_EQ(test::to_string(message), "text one");
    };
    const auto try_messages = [&refused](websocket& on) -> task<> {
      try {
        auto message = co_await on.receive();
        ADD_FAILURE() << test::to_string(message);
      } catch (const std::logic_error&) {
        ++refused;
      }
    };
    const auto try_pieces = [&refused](websocket& on) -> task<> {
      std::array<std::byte, 4> buffer{};
      try {
        static_cast<void>(co_await on.receive(buffer));
        ADD_FAILURE();
      } catch (const std::logic_error&) {
        ++refused;
      }
    };
    co_await when_all(wait(socket), try_messages(socket), try_pieces(socket));
  });
  peers.send_text("one");
  peers.run_handler();
  EXPECT_EQ(refused, 2);
}

// ----- The peer's mistakes

// RFC 6455, section 7.1.7.
TEST(WebsocketReceiving, AMistakeIsNotedInTheLog) {
  websocket_peers peers;
  peers.serve(test::echo);
  peers.send(client_frame(opcode::text, "\xff"));
  peers.finish();
  EXPECT_EQ(peers.log.lines, "websocket: a WebSocket from memory is closed with 1007: the text is not valid UTF-8\n");
}

TEST(WebsocketReceiving, MessagesBeforeAMistakeAreReceived) {
  expect_for_every_cut(
      client_frame(opcode::text, "one") + client_frame(opcode::text, "two") + server_frame(opcode::text, "x"),
      {"text one", "text two", "1002 a frame from the client is not masked"},
      {seen_close(1002, "a frame from the client is not masked")});
}

TEST(WebsocketReceiving, MessagesBeforeAMistakeAreReceivedByABusyHandlerToo) {
  gate go_on;
  notes seen;
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    co_await go_on;
    while (auto message = co_await socket.receive()) seen.push_back(test::to_string(*message));
    seen.push_back(test::status_of(socket));
  });
  peers.send(client_frame(opcode::text, "one") + client_frame(opcode::text, "tw", false) +
             client_frame(opcode::text, "x"));
  peers.run_until_frames(1);
  EXPECT_EQ(seen, notes());
  peers.open(go_on);
  peers.finish();
  EXPECT_EQ(seen, (notes{"text one", "1002 a message begins before the one before it has ended"}));
}

TEST(WebsocketReceiving, WhatFollowsAMistakeIsNotRead) {
  expect_for_every_cut(
      server_frame(opcode::text, "x") + client_frame(opcode::ping, "p") + client_frame(opcode::text, "late"),
      {"1002 a frame from the client is not masked"}, {seen_close(1002, "a frame from the client is not masked")});
}

TEST(WebsocketReceiving, InvalidTextFailsBeforeItsFrameHasArrived) {
  notes seen;
  websocket_peers peers;
  peers.serve(note_messages(seen));
  // A hundred bytes are announced, of which the eleventh cannot be.
  const std::string whole = client_frame(opcode::text, std::string(10, 'a') + "\xff" + std::string(89, 'a'));
  peers.send(std::string_view(whole).substr(0, 6 + 10));
  peers.run_idle();
  EXPECT_EQ(peers.peer.frames().size(), 0U);
  peers.send(std::string_view(whole).substr(6 + 10, 1));
  peers.finish();
  EXPECT_EQ(seen, (notes{"1007 the text is not valid UTF-8"}));
  EXPECT_EQ(peers.peer.frames(), (std::vector<seen_frame>{seen_close(1007, "the text is not valid UTF-8")}));
}

TEST(WebsocketReceiving, AMessageThatIsTooBigFailsByItsHeader) {
  websocket_settings settings;
  settings.max_message_size = 1000;
  const std::string allowed = pattern(1000);
  expect_for_every_cut(client_frame(opcode::text, allowed) + client_frame(opcode::binary, pattern(1001)).substr(0, 8),
                       {"text " + allowed, "1009 the message is too big"}, {seen_close(1009, "the message is too big")},
                       settings);
}

TEST(WebsocketReceiving, AllFramesOfAMessageCountTogether) {
  websocket_settings settings;
  settings.max_message_size = 10;
  expect_for_every_cut(
      client_frame(opcode::binary, "123456", false) + client_frame(opcode::continuation, "7890") +
          client_frame(opcode::binary, "123456", false) + client_frame(opcode::continuation, "78901").substr(0, 6),
      {"binary 1234567890", "1009 the message is too big"}, {seen_close(1009, "the message is too big")}, settings);
}

TEST(WebsocketReceiving, AMessageMayNotHaveTooManyFragments) {
  websocket_settings settings;
  settings.max_fragments = 3;
  const std::string more = client_frame(opcode::continuation, "", false);
  expect_for_every_cut(client_frame(opcode::text, "a", false) + more + client_frame(opcode::continuation, "b") +
                           client_frame(opcode::text, "a", false) + more + more +
                           client_frame(opcode::continuation, "b"),
                       {"text ab", "1008 the message has too many fragments"},
                       {seen_close(1008, "the message has too many fragments")}, settings);
}

TEST(WebsocketReceiving, WithoutALimitAMessageMayBeOfAnySize) {
  websocket_settings settings;
  settings.max_message_size = std::numeric_limits<std::uint64_t>::max();
  const std::string large = pattern(std::size_t{3} << 20);
  notes seen;
  websocket_peers peers;
  peers.serve(note_messages(seen), settings);
  peers.send_text(large);
  peers.send_close(1000);
  peers.finish();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_TRUE(seen[0] == "text " + large);
}

// ----- A handler that is not receiving

TEST(WebsocketReceiving, PingsAreAnsweredWhileTheHandlerIsBusy) {
  for (const std::size_t cut : test::all_cuts) {
    gate go_on;
    websocket_peers peers(cut);
    peers.serve([&](websocket&) -> task<> { co_await go_on; });
    const std::string longest(125, 'p');
    peers.send(client_frame(opcode::ping, "") + client_frame(opcode::text, "message") +
               client_frame(opcode::ping, longest));
    peers.run_until_frames(2);
    EXPECT_EQ(peers.peer.frames(), (std::vector<seen_frame>{{opcode::pong, ""}, {opcode::pong, longest}}));
    peers.open(go_on);
  }
}

TEST(WebsocketReceiving, TheCloseIsNoticedAndAnsweredWhileTheHandlerIsBusy) {
  gate go_on;
  websocket* socket_of_handler = nullptr;
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    socket_of_handler = &socket;
    co_await go_on;
    auto none = co_await socket.receive();
    EXPECT_TRUE(none.closed());
  });
  peers.send_close(4000, "bye");
  peers.run_idle();
  EXPECT_EQ(peers.peer.frames(), (std::vector<seen_frame>{seen_close(4000, "bye")}));
  peers.on_loop([&] {
    EXPECT_EQ(socket_of_handler->state(), websocket_state::closed);
    EXPECT_EQ(test::status_of(*socket_of_handler), "4000 bye");
  });
  peers.open(go_on);
  peers.finish();
}

// The bound in these tests: reading pauses when 2000 bytes are held.
websocket_settings bounded() {
  websocket_settings settings;
  settings.max_inbound_bytes = 4000;
  return settings;
}

TEST(WebsocketReceiving, ReadingPausesAtHalfTheBoundAndResumes) {
  for (const std::size_t cut : test::all_cuts) {
    SCOPED_TRACE(cut);
    gate go_on;
    notes seen;
    const auto receive_all = note_messages(seen);
    websocket_peers peers(cut);
    peers.serve(
        [&](websocket& socket) -> task<> {
          co_await go_on;
          co_await receive_all(socket);
        },
        bounded());
    notes expected;
    std::string stream;
    for (int i = 0; i < 50; ++i) {
      expected.push_back("text " + std::to_string(i) + pattern(400));
      stream += client_frame(opcode::text, std::to_string(i) + pattern(400));
    }
    expected.push_back("1000");
    peers.send(stream + client_close(1000));
    peers.run_until([&] { return peers.host_end->reading_paused(); });
    peers.run_idle();
    EXPECT_EQ(peers.peer.frames().size(), 0U) << "the close frame is behind the pause";
    EXPECT_GT(peers.peer_end->queued_bytes() + peers.loop.inbound().used, 15'000U) << "what was not taken";
    peers.open(go_on);
    peers.finish();
    EXPECT_EQ(seen, expected);
  }
}

TEST(WebsocketReceiving, MessagesOfNothingPauseReadingToo) {
  gate go_on;
  std::size_t count = 0;
  websocket_peers peers;
  peers.serve(
      [&](websocket& socket) -> task<> {
        co_await go_on;
        while (auto message = co_await socket.receive()) ++count;
      },
      bounded());
  std::string stream;
  for (int i = 0; i < 1000; ++i) stream += client_frame(opcode::text, "");
  peers.send(stream + client_close(1000));
  peers.run_until([&] { return peers.host_end->reading_paused(); });
  peers.open(go_on);
  peers.finish();
  EXPECT_EQ(count, 1000U);
}

TEST(WebsocketReceiving, FragmentsOfNothingPauseReadingToo) {
  gate go_on;
  notes seen;
  const auto receive_all = note_messages(seen);
  websocket_peers peers;
  peers.serve(
      [&](websocket& socket) -> task<> {
        co_await go_on;
        co_await receive_all(socket);
      },
      bounded());
  std::string stream = client_frame(opcode::text, "a", false);
  for (int i = 0; i < 1000; ++i) stream += client_frame(opcode::continuation, "", false);
  peers.send(stream + client_frame(opcode::continuation, "b") + client_close(1000));
  peers.run_until([&] { return peers.host_end->reading_paused(); });
  peers.open(go_on);
  peers.finish();
  EXPECT_EQ(seen, (notes{"text ab", "1000"}));
}

TEST(WebsocketReceiving, ABigMessagePassesTheBoundWhenItIsWaitedFor) {
  const std::string large = pattern(500'000);
  for (const std::size_t cut : {std::size_t{1000}, test::uncut}) {
    notes seen;
    websocket_peers peers(cut);
    peers.serve(note_messages(seen), bounded());
    peers.send_text(large);
    peers.send_close(1000);
    peers.finish();
    EXPECT_TRUE(seen == (notes{"text " + large, "1000"}));
  }
}

TEST(WebsocketReceiving, ABigMessageThatPausedReadingIsReceivedLater) {
  const std::string large = pattern(500'000);
  gate go_on;
  notes seen;
  const auto receive_all = note_messages(seen);
  websocket_peers peers(1000);
  peers.serve(
      [&](websocket& socket) -> task<> {
        co_await go_on;
        co_await receive_all(socket);
      },
      bounded());
  peers.send_text(large);
  peers.send_close(1000);
  peers.run_until([&] { return peers.host_end->reading_paused(); });
  peers.open(go_on);
  peers.finish();
  EXPECT_TRUE(seen == (notes{"text " + large, "1000"}));
}

TEST(WebsocketReceiving, TheEndOfTheStreamIsNoticedWhileTheHandlerIsBusy) {
  gate go_on;
  notes seen;
  const auto receive_all = note_messages(seen);
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    co_await go_on;
    co_await receive_all(socket);
  });
  peers.send_text("one");
  peers.send_text("two");
  peers.peer_end->close();
  peers.run_until([&] { return peers.peer.ended; });
  peers.open(go_on);
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"text one", "text two", "1006"}));
  peers.run_until_gone();
}

TEST(WebsocketReceiving, TheEndOfTheStreamComesBehindWhatThePauseKept) {
  gate go_on;
  notes seen;
  const auto receive_all = note_messages(seen);
  websocket_peers peers;
  peers.serve(
      [&](websocket& socket) -> task<> {
        co_await go_on;
        co_await receive_all(socket);
      },
      bounded());
  notes expected;
  for (int i = 0; i < 10; ++i) {
    peers.send_text(pattern(1000));
    expected.push_back("text " + pattern(1000));
  }
  expected.push_back("1006");
  peers.peer_end->close();
  peers.run_until([&] { return peers.host_end->reading_paused(); });
  peers.open(go_on);
  peers.run_handler();
  EXPECT_EQ(seen, expected);
  peers.run_until_gone();
}

// ----- On sockets

class WebsocketReceivingOn : public ::testing::TestWithParam<test::kind_of_transport> {};
INSTANTIATE_TEST_SUITE_P(All, WebsocketReceivingOn, test::every_kind(), test::kind_name);

TEST_P(WebsocketReceivingOn, BigMessagesAndManySmallOnes) {
  websocket_peers peers(GetParam());
  websocket_settings settings;
  settings.max_message_size = std::uint64_t{64} << 20;
  notes seen;
  peers.serve(note_messages(seen), settings);
  const std::string large = pattern(std::size_t{10} << 20);
  notes expected;
  for (int i = 0; i < 2000; ++i) {
    peers.send_text("number " + std::to_string(i));
    expected.push_back("text number " + std::to_string(i));
  }
  peers.send_text(large);
  expected.push_back("text " + large);
  peers.send_close(1000);
  expected.push_back("1000");
  peers.finish();
  EXPECT_TRUE(seen == expected);
}

TEST_P(WebsocketReceivingOn, APausedSocketLosesNothing) {
  gate go_on;
  notes seen;
  const auto receive_all = note_messages(seen);
  websocket_peers peers(GetParam());
  peers.serve(
      [&](websocket& socket) -> task<> {
        co_await go_on;
        co_await receive_all(socket);
      },
      bounded());
  notes expected;
  for (int i = 0; i < 300; ++i) {
    const std::string text = std::to_string(i) + pattern(1000);
    peers.send_text(text);
    expected.push_back("text " + text);
  }
  peers.send_close(1000);
  expected.push_back("1000");
  peers.run_until([&] { return peers.host_end->reading_paused(); });
  EXPECT_EQ(seen, notes());
  peers.open(go_on);
  peers.finish();
  EXPECT_TRUE(seen == expected);
}

}  // namespace
}  // namespace windhover
