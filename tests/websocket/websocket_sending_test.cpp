// send(): frames, order, by reference or by copy, waiting for room, and what can no longer be delivered. The cases of
// ASP.NET Core's tests have the names they have there.
#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/websocket_peer.hpp"
#include "websocket/message_access.hpp"

namespace windhover {
namespace {

using test::client_frame;
using test::gate;
using test::opcode;
using test::pattern;
using test::seen_close;
using test::seen_frame;
using test::seen_text;
using test::server_frame;
using test::websocket_handler;
using test::websocket_peers;
using frames = std::vector<seen_frame>;

// What the peer sees of a handler that returns after sending.
void expect_frames(const websocket_handler& handler, frames expected) {
  expected.push_back(seen_close(1000));
  for (const std::size_t cut : test::all_cuts) {
    SCOPED_TRACE("in pieces of " + std::to_string(cut) + " bytes");
    websocket_peers peers(cut);
    peers.serve(handler);
    peers.run_until_frames(expected.size());
    EXPECT_EQ(peers.peer.frames(), expected);
    peers.send_close(1000);
    peers.finish();
  }
}

// ----- ASP.NET Core, SendReceiveTests and WebSocketMiddlewareTests

TEST(WebsocketSending, ClientReceivesTextMessage) {
  expect_frames([](websocket& socket) -> task<> { EXPECT_TRUE(co_await socket.send("Hello, World!")); },
                {seen_text("Hello, World!")});
}

TEST(WebsocketSending, ClientReceivesBinaryMessage) {
  expect_frames(
      [](websocket& socket) -> task<> {
        const std::array<unsigned char, 4> bytes{0xde, 0xad, 0xbe, 0xef};
        EXPECT_TRUE(co_await socket.send(bytes));
      },
      {{opcode::binary, "\xde\xad\xbe\xef"}});
}

TEST(WebsocketSending, ReceiveShortData) {
  expect_frames([](websocket& socket) -> task<> { co_await socket.send("Hello World"); }, {seen_text("Hello World")});
}

TEST(WebsocketSending, ReceiveMediumData) {
  expect_frames([](websocket& socket) -> task<> { co_await socket.send(pattern(130)); }, {seen_text(pattern(130))});
}

TEST(WebsocketSending, ReceiveLongData) {
  websocket_peers peers;
  peers.serve([](websocket& socket) -> task<> { co_await socket.send(pattern(0x1FFFF)); });
  peers.run_until_frames(1);
  EXPECT_EQ(peers.peer.frames()[0], seen_text(pattern(0x1FFFF)));
}

TEST(WebsocketSending, ReceiveFragmentedData) {
  expect_frames(
      [](websocket& socket) -> task<> {
        co_await socket.send("He", end_of_message::no);
        co_await socket.send("ll", end_of_message::no);
        co_await socket.send("o World");
      },
      {{opcode::text, "He", false}, {opcode::continuation, "ll", false}, {opcode::continuation, "o World"}});
}

// ----- Frames

TEST(WebsocketSending, EveryLengthHasTheShortestHeader) {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 1024U, 1025U, 65535U, 65536U, 300'000U}) {
    SCOPED_TRACE(size);
    const std::string text = pattern(size);
    std::vector<std::byte> bytes(size);
    std::copy_n(test::bytes_of(text).begin(), size, bytes.begin());
    websocket_settings settings;
    settings.max_queued_bytes = 4 << 20;
    websocket_peers peers;
    peers.serve(
        [&](websocket& socket) -> task<> {
          co_await socket.send(text);
          co_await socket.send(bytes);
          co_await socket.send(std::span<const std::byte>(bytes));
          const auto of_bytes = message::from_bytes(bytes);
          co_await socket.send(of_bytes);
          const auto prepared = prepared_message::from_text(text);
          co_await socket.send(prepared);
        },
        settings);
    const std::string expected = server_frame(opcode::text, text) + server_frame(opcode::binary, text) +
                                 server_frame(opcode::binary, text) + server_frame(opcode::binary, text) +
                                 server_frame(opcode::text, text) + server_frame(opcode::close, test::closing(1000));
    peers.run_until([&] { return peers.peer.received.size() >= expected.size(); });
    EXPECT_TRUE(peers.peer.received == expected);
  }
}

TEST(WebsocketSending, FragmentsContinueWhateverTypeTheySay) {
  expect_frames(
      [](websocket& socket) -> task<> {
        const std::array<std::byte, 1> byte{std::byte{'b'}};
        const auto message = message::from_bytes(byte);
        const auto prepared = prepared_message::from_bytes(byte);
        co_await socket.send("a", end_of_message::no);
        co_await socket.send(byte, end_of_message::no);
        co_await socket.send(byte);
        co_await socket.send("", end_of_message::no);
        co_await socket.send(message);
        co_await socket.send(byte, end_of_message::no);
        co_await socket.send(prepared);
        co_await socket.send("whole");
      },
      {{opcode::text, "a", false},
       {opcode::continuation, "b", false},
       {opcode::continuation, "b"},
       {opcode::text, "", false},
       {opcode::continuation, "b"},
       {opcode::binary, "b", false},
       {opcode::continuation, "b"},
       seen_text("whole")});
}

TEST(WebsocketSending, ALargeMessageMayEndAFragmentedOne) {
  const std::string large = pattern(5000);
  expect_frames(
      [&](websocket& socket) -> task<> {
        const auto whole = message::from_text(large);
        const auto prepared = prepared_message::from_text(large);
        co_await socket.send("a", end_of_message::no);
        co_await socket.send(whole);
        co_await socket.send("b", end_of_message::no);
        co_await socket.send(prepared);
      },
      {{opcode::text, "a", false},
       {opcode::continuation, large},
       {opcode::text, "b", false},
       {opcode::continuation, large}});
}

TEST(WebsocketSending, TextOfFragmentsMayBeCutWithinACharacter) {
  expect_frames(
      [](websocket& socket) -> task<> {
        co_await socket.send("\xce", end_of_message::no);
        co_await socket.send("\xba");
      },
      {{opcode::text, "\xce", false}, {opcode::continuation, "\xba"}});
}

TEST(WebsocketSending, WholeTextThatIsNotUtf8IsRefusedAndNothingIsSent) {
  expect_frames(
      [](websocket& socket) -> task<> {
        EXPECT_THROW(static_cast<void>(socket.send("\xce")), std::invalid_argument);
        co_await socket.send("after");
      },
      {seen_text("after")});
}

TEST(WebsocketSending, FragmentsThatAreNotUtf8TogetherAreRefusedAndTheMessageGoesOn) {
  expect_frames(
      [](websocket& socket) -> task<> {
        co_await socket.send("a\xce", end_of_message::no);
        const message whole = message::from_text("whole");
        const auto prepared = prepared_message::from_text("prepared");
        EXPECT_THROW(static_cast<void>(socket.send("b", end_of_message::no)), std::invalid_argument);
        EXPECT_THROW(static_cast<void>(socket.send("", end_of_message::yes)), std::invalid_argument)
            << "it would end within a character";
        EXPECT_THROW(static_cast<void>(socket.send(whole)), std::invalid_argument);
        EXPECT_THROW(static_cast<void>(socket.send(prepared)), std::invalid_argument);
        const std::byte other[] = {std::byte{0xff}};
        EXPECT_THROW(static_cast<void>(socket.send(other, end_of_message::no)), std::invalid_argument)
            << "whatever type a fragment says, it continues a text";
        co_await socket.send("\xba", end_of_message::no);
        co_await socket.send("!");
        co_await socket.send("after");
      },
      {{opcode::text, "a\xce", false},
       {opcode::continuation, "\xba", false},
       {opcode::continuation, "!"},
       seen_text("after")});
}

TEST(WebsocketSending, TheFragmentsOfABinaryMessageMayHoldAnything) {
  expect_frames(
      [](websocket& socket) -> task<> {
        const std::byte bytes[] = {std::byte{0xff}, std::byte{0xce}};
        co_await socket.send(bytes, end_of_message::no);
        co_await socket.send("\xce", end_of_message::no);
        co_await socket.send(bytes);
      },
      {{opcode::binary, "\xff\xce", false}, {opcode::continuation, "\xce", false}, {opcode::continuation, "\xff\xce"}});
}

TEST(WebsocketSending, ThePayloadMayBeChangedAfterTheCall) {
  expect_frames(
      [](websocket& socket) -> task<> {
        std::string small = "small";
        std::string large = pattern(5000);
        auto first = socket.send(small);
        auto second = socket.send(large);
        small.assign(small.size(), 'x');
        large.assign(large.size(), 'x');
        co_await first;
        co_await second;
      },
      {seen_text("small"), seen_text(pattern(5000))});
}

TEST(WebsocketSending, EverythingLeavesInTheOrderOfTheCalls) {
  // Small ones are gathered, large ones are slices, messages are references, and pongs stand between them.
  frames expected;
  for (int i = 0; i < 50; ++i) {
    expected.push_back(seen_text("small" + std::to_string(i)));
    expected.push_back(seen_text("large" + std::to_string(i) + pattern(2000)));
    expected.push_back(seen_text("message" + std::to_string(i) + pattern(2000)));
    expected.push_back(seen_text("prepared" + std::to_string(i) + pattern(2000)));
  }
  websocket_settings settings;
  settings.max_queued_bytes = 1 << 20;
  websocket_peers peers;
  peers.serve(
      [&](websocket& socket) -> task<> {
        for (std::size_t i = 0; i < expected.size(); i += 4) {
          const auto whole = message::from_text(expected[i + 2].payload);
          const auto prepared = prepared_message::from_text(expected[i + 3].payload);
          co_await socket.send(expected[i].payload);
          co_await socket.send(expected[i + 1].payload);
          co_await socket.send(whole);
          co_await socket.send(prepared);
        }
      },
      settings);
  peers.run_until_frames(expected.size());
  frames seen = peers.peer.frames();
  seen.resize(expected.size(), seen_close(0));
  EXPECT_EQ(seen, expected);
}

TEST(WebsocketSending, OneMessageManyTimes) {
  // The header that stands in front of it is right every time, whole or as the end of a fragmented message.
  for (const std::size_t size : {std::size_t{10}, std::size_t{2000}, std::size_t{70'000}}) {
    const std::string text = pattern(size);
    websocket_settings settings;
    settings.max_queued_bytes = 1 << 20;
    websocket_peers peers;
    peers.serve(
        [&](websocket& socket) -> task<> {
          const auto whole = message::from_text(text);
          co_await socket.send(whole);
          co_await socket.send(whole);
          co_await socket.send("a", end_of_message::no);
          co_await socket.send(whole);
          co_await socket.send(whole);
        },
        settings);
    const std::string expected = server_frame(opcode::text, text) + server_frame(opcode::text, text) +
                                 server_frame(opcode::text, "a", false) + server_frame(opcode::continuation, text) +
                                 server_frame(opcode::text, text) + server_frame(opcode::close, test::closing(1000));
    peers.run_until([&] { return peers.peer.received.size() >= expected.size(); });
    EXPECT_TRUE(peers.peer.received == expected) << size;
  }
}

// ----- By reference

TEST(WebsocketSending, AnEchoedMessageIsNotCopied) {
  for (const bool fragmented : {false, true}) {
    const std::string large = pattern(5000);
    const std::byte* received_at = nullptr;
    const std::byte* sent_from = nullptr;
    websocket_peers peers;
    peers.serve([&](websocket& socket) -> task<> {
      auto message = co_await socket.receive();
      received_at = message->bytes().data();
      co_await socket.send(*message);
    });
    peers.peer.on_bytes = [&](std::span<const std::byte> bytes) {
      if (bytes.size() == 4 + large.size()) sent_from = bytes.data();
    };
    if (fragmented) {
      peers.send(client_frame(opcode::text, large.substr(0, 100), false) +
                 client_frame(opcode::continuation, large.substr(100)));
    } else {
      peers.send_text(large);
    }
    peers.run_until_frames(1);
    EXPECT_EQ(peers.peer.frames()[0], seen_text(large));
    ASSERT_NE(received_at, nullptr);
    EXPECT_EQ(sent_from, received_at - 4) << "header and payload leave as one slice of the buffer it was received in";
  }
}

TEST(WebsocketSending, TheRestOfAMessageThatWasReadInPartIsEchoed) {
  const std::string large = pattern(5000);
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    std::array<std::byte, 3> buffer{};
    static_cast<void>(co_await socket.receive(buffer));
    auto rest = co_await socket.receive();
    co_await socket.send(*rest);
  });
  peers.send_text(large);
  peers.run_until_frames(1);
  EXPECT_EQ(peers.peer.frames()[0], seen_text(large.substr(3)));
}

TEST(WebsocketSending, AMessageMayEndBeforeItHasLeft) {
  const std::string large = pattern(5000);
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    {
      const auto whole = message::from_text(large);
      static_cast<void>(socket.send(whole));
    }
    const auto other = message::from_text(std::string(5000, 'x'));
    co_await socket.send(other);
  });
  peers.run_until_frames(2);
  EXPECT_EQ(peers.peer.frames()[0], seen_text(large));
}

TEST(WebsocketSending, AMessageReachesTwoSockets) {
  for (const std::size_t size : {std::size_t{100}, std::size_t{5000}, std::size_t{70'000}}) {
    const std::string text = pattern(size);
    websocket* first_socket = nullptr;
    gate done;
    test::host_record other_host;
    test::peer_record other_peer;
    websocket_peers peers;
    peers.serve([&](websocket& socket) -> task<> {
      first_socket = &socket;
      co_await done;
    });
    peers.serve_another(
        [&](websocket& socket) -> task<> {
          {
            const auto whole = message::from_text(text);
            static_cast<void>(first_socket->send(whole));
            // Here it ends a fragmented message: another header, and the first one has not left yet.
            static_cast<void>(socket.send("a", end_of_message::no));
            static_cast<void>(socket.send(whole));
            static_cast<void>(socket.send(whole));
          }
          co_await done;
        },
        other_host, other_peer);
    peers.run_until([&] { return !peers.peer.frames().empty() && other_peer.frames().size() == 3; });
    EXPECT_EQ(peers.peer.frames()[0], seen_text(text));
    EXPECT_EQ(other_peer.frames(), (frames{{opcode::text, "a", false}, {opcode::continuation, text}, seen_text(text)}));
    peers.open(done);
  }
}

TEST(WebsocketSending, APreparedMessageIsSharedByTheSocketsItIsSentTo) {
  const auto prepared = prepared_message::from_text(pattern(5000));
  std::vector<const std::byte*> sent_from;
  const auto note = [&](std::span<const std::byte> bytes) {
    if (bytes.size() > 5000) sent_from.push_back(bytes.data());
  };
  gate done;
  test::host_record other_host;
  test::peer_record other_peer;
  websocket_peers peers;
  const auto send = [&](websocket& socket) -> task<> {
    co_await socket.send(prepared);
    co_await done;
  };
  peers.serve(send);
  peers.serve_another(send, other_host, other_peer);
  peers.peer.on_bytes = note;
  other_peer.on_bytes = note;
  peers.run_until([&] { return !peers.peer.frames().empty() && !other_peer.frames().empty(); });
  const std::byte* const frame = message_access::frames(prepared).plain().owner->data();
  EXPECT_EQ(sent_from, (std::vector<const std::byte*>{frame, frame}));
  EXPECT_EQ(other_peer.frames()[0], seen_text(pattern(5000)));
  peers.open(done);
}

// ----- On sockets

class WebsocketSendingOn : public ::testing::TestWithParam<test::kind_of_transport> {};
INSTANTIATE_TEST_SUITE_P(All, WebsocketSendingOn, test::every_kind(), test::kind_name);

TEST_P(WebsocketSendingOn, AFloodWaitsForASlowPeerAndArrivesWhole) {
  constexpr int messages = 400;
  int sent = 0;
  std::size_t most_queued = 0;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    for (; sent < messages; ++sent) {
      const bool queued = co_await socket.send(std::to_string(sent) + ":" + pattern(50'000));
      EXPECT_TRUE(queued);
      most_queued = std::max(most_queued, socket.queued_bytes());
    }
  });
  peers.peer.takes = false;
  // 20 MB do not fit into the sockets: the handler comes to a stop.
  int before = -1;
  while (before != sent) {
    before = sent;
    peers.run_idle();
  }
  EXPECT_LT(sent, messages);
  EXPECT_LE(most_queued, 200'000U);
  peers.take();
  std::size_t expected = 4;
  for (int i = 0; i < messages; ++i) expected += 4 + std::to_string(i).size() + 1 + 50'000;
  peers.run_until([&] { return peers.peer.received.size() >= expected; });
  const frames seen = peers.peer.frames();
  ASSERT_EQ(seen.size(), messages + 1U);
  for (int i = 0; i < messages; ++i) {
    EXPECT_TRUE(seen[static_cast<std::size_t>(i)].payload == std::to_string(i) + ":" + pattern(50'000)) << i;
  }
}

TEST_P(WebsocketSendingOn, ASenderThatWaitsIsToldWhenThePeerResets) {
  std::vector<bool> outcomes;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    while (outcomes.empty() || outcomes.back()) outcomes.push_back(co_await socket.send(pattern(100'000)));
    EXPECT_EQ(test::status_of(socket), "1006");
  });
  peers.peer.takes = false;
  peers.run_idle();
  peers.peer_end->abort();
  peers.run_handler();
  EXPECT_FALSE(outcomes.back());
  peers.run_until_gone();
}

TEST_P(WebsocketSendingOn, EchoesWhateverComes) {
  websocket_peers peers(GetParam());
  peers.serve(test::echo);
  frames expected;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1000}, std::size_t{1025},
                                 std::size_t{65'535}, std::size_t{65'536}, std::size_t{1'000'000}}) {
    expected.push_back(seen_text(pattern(size)));
    peers.send_text(pattern(size));
  }
  expected.push_back(seen_close(1000));
  peers.send_close(1000);
  peers.finish();
  EXPECT_TRUE(peers.peer.frames() == expected);
}

}  // namespace
}  // namespace windhover
