// permessage-deflate on a whole connection, sending: what is compressed and what is not, fragments, context takeover,
// windows, order, and memory.
#include <cstddef>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/compressed_peer.hpp"

namespace windhover {
namespace {

using test::client_frame;
using test::deflated;
using test::from_hex;
using test::opcode;
using test::pattern;
using test::peer_inflater;
using test::seen_close;
using test::seen_frame;
using test::seen_text;
using test::websocket_handler;
using test::websocket_peers;
using frames = std::vector<seen_frame>;
using notes = std::vector<std::string>;

// Text that gets much smaller.
std::string words(std::size_t size) {
  std::string text;
  while (text.size() < size) text += "all work and no play " + std::to_string(text.size() % 7);
  text.resize(size);
  return text;
}

// Text in which nothing comes again.
std::string letters(std::size_t size) {
  std::mt19937 random(4);
  std::string text(size, '\0');
  for (char& each : text) each = static_cast<char>('a' + random() % 26);
  return text;
}

struct case_of_sending {
  wire::deflate_parameters agreed = {};
  std::size_t threshold = 0;
  std::size_t max_memory = std::size_t{64} << 20;
};

// The frames that the peer sees of a handler that returns after sending, but for the last one, a close.
frames frames_of(const websocket_handler& handler, const case_of_sending& with = {}) {
  websocket_peers peers;
  peers.compression = with.agreed;
  peers.compressing.threshold = with.threshold;
  peers.compressing.max_memory = with.max_memory;
  peers.serve(handler);
  peers.send_close(1000);
  peers.finish();
  frames seen = peers.peer.frames();
  EXPECT_FALSE(seen.empty());
  if (!seen.empty()) seen.pop_back();
  return seen;
}

// The same as messages; compressed ones have a "*" behind them.
notes messages_of(const websocket_handler& handler, const case_of_sending& with = {}) {
  peer_inflater peer(with.agreed.server_max_window_bits, !with.agreed.server_no_context_takeover);
  return peer.messages(frames_of(handler, with));
}

websocket_handler sending(std::vector<std::string> texts) {
  return [texts = std::move(texts)](websocket& socket) -> task<> {
    for (const std::string& each : texts) EXPECT_TRUE(co_await socket.send(each));
  };
}

// ----- The bytes of the standard

TEST(CompressionSending, HelloIsTheExampleOfTheStandard) {
  // RFC 7692, sections 7.2.3.1, 7.2.3.2 and 7.2.3.6.
  const frames seen = frames_of(sending({"Hello", "Hello", ""}));
  EXPECT_EQ(seen, (frames{{opcode::text, from_hex("f248cdc9c90700"), true, true},
                          {opcode::text, from_hex("f200110000"), true, true},
                          {opcode::text, from_hex("00"), true, true}}));
}

TEST(CompressionSending, FragmentsAreOneMessage) {
  const frames seen = frames_of([](websocket& socket) -> task<> {
    co_await socket.send("Hello", end_of_message::no);
    co_await socket.send("Hello", end_of_message::no);
    co_await socket.send("", end_of_message::no);
    co_await socket.send("", end_of_message::yes);
  });
  EXPECT_EQ(seen, (frames{{opcode::text, from_hex("f248cdc9c907000000ffff"), false, true},
                          {opcode::continuation, from_hex("f2001100000000ffff"), false},
                          {opcode::continuation, "", false},
                          {opcode::continuation, from_hex("00")}}));
}

// ----- What is compressed

TEST(CompressionSending, AMessageBelowTheThresholdGoesAsItIs) {
  const std::string below = words(99);
  const std::string at = words(100);
  EXPECT_EQ(messages_of(sending({below, at, below}), {.agreed = {}, .threshold = 100}),
            (notes{"text " + below, "text " + at + "*", "text " + below}));
}

TEST(CompressionSending, TheThresholdDoesNotCountForFragments) {
  const auto handler = [](websocket& socket) -> task<> {
    co_await socket.send("short", end_of_message::no);
    co_await socket.send(" and sweet");
  };
  EXPECT_EQ(messages_of(handler, {.agreed = {}, .threshold = 100}), notes{"text short and sweet*"});
}

TEST(CompressionSending, WhatDoesNotGetSmallerGoesAsItIsWithoutAContext) {
  std::mt19937 random(3);
  std::string noise(5000, '\0');
  for (char& each : noise) each = static_cast<char>(random());
  const auto handler = [&](websocket& socket) -> task<> {
    co_await socket.send(std::as_bytes(std::span(noise)));
    co_await socket.send(words(300));
  };
  EXPECT_EQ(messages_of(handler, {.agreed = {.server_no_context_takeover = true}}),
            (notes{"binary " + noise, "text " + words(300) + "*"}));
  EXPECT_EQ(messages_of(handler), (notes{"binary " + noise + "*", "text " + words(300) + "*"}));
}

TEST(CompressionSending, EveryWayToSendIsCompressed) {
  const std::string text = words(2000);
  const auto handler = [&](websocket& socket) -> task<> {
    const std::vector<std::byte> bytes(3000, std::byte{'b'});
    const auto whole = message::from_text(text);
    co_await socket.send(text);
    co_await socket.send(bytes);
    co_await socket.send(whole);
    co_await socket.send(whole);
    EXPECT_EQ(socket.handle().send(text), websocket_handle::outcome::queued);
    EXPECT_EQ(socket.handle().send(message::from_text(text)), websocket_handle::outcome::queued);
    // What was posted comes before the end.
    const auto none = co_await socket.receive();
    EXPECT_FALSE(none);
  };
  for (const bool takeover : {true, false}) {
    EXPECT_EQ(messages_of(handler, {.agreed = {.server_no_context_takeover = !takeover}}),
              (notes{"text " + text + "*", "binary " + std::string(3000, 'b') + "*", "text " + text + "*",
                     "text " + text + "*", "text " + text + "*", "text " + text + "*"}));
  }
}

TEST(CompressionSending, AMessageCanBeLeftUncompressed) {
  const std::string text = words(500);
  const auto handler = [&](websocket& socket) -> task<> {
    const std::vector<std::byte> bytes(500, std::byte{'b'});
    const auto whole = message::from_text(text);
    co_await socket.send(text, disable_compression::yes);
    co_await socket.send(bytes, disable_compression::yes);
    co_await socket.send(whole, disable_compression::yes);
    co_await socket.send(text, end_of_message::yes, disable_compression::yes);
    co_await socket.send(text, end_of_message::yes, disable_compression::no);
    EXPECT_EQ(socket.handle().send(text, disable_compression::yes), websocket_handle::outcome::queued);
    EXPECT_EQ(socket.handle().send(message::from_text(text), disable_compression::yes),
              websocket_handle::outcome::queued);
    const auto none = co_await socket.receive();
    EXPECT_FALSE(none);
  };
  EXPECT_EQ(messages_of(handler), (notes{"text " + text, "binary " + std::string(500, 'b'), "text " + text,
                                         "text " + text, "text " + text + "*", "text " + text, "text " + text}));
}

TEST(CompressionSending, TheFirstFragmentDecides) {
  const std::string text = words(500);
  const auto handler = [&](websocket& socket) -> task<> {
    co_await socket.send(text, end_of_message::no, disable_compression::yes);
    co_await socket.send(text, end_of_message::no);
    co_await socket.send(message::from_text(text));
    co_await socket.send(text, end_of_message::no);
    EXPECT_THROW(static_cast<void>(socket.send(text, end_of_message::no, disable_compression::yes)),
                 std::invalid_argument);
    EXPECT_THROW(static_cast<void>(socket.send(text, disable_compression::yes)), std::invalid_argument);
    co_await socket.send(text);
    co_await socket.send(text, disable_compression::yes);
  };
  EXPECT_EQ(messages_of(handler), (notes{"text " + text + text + text, "text " + text + text + "*", "text " + text}));
}

TEST(CompressionSending, NothingIsCompressedWhereNothingWasNegotiated) {
  websocket_peers peers;
  peers.serve([](websocket& socket) -> task<> {
    EXPECT_EQ(socket.extensions(), "");
    co_await socket.send(words(5000));
    co_await socket.send(words(300), disable_compression::no);
    co_await socket.send(words(300), disable_compression::yes);
  });
  peers.send_close(1000);
  peers.finish();
  EXPECT_EQ(peers.peer.frames(),
            (frames{seen_text(words(5000)), seen_text(words(300)), seen_text(words(300)), seen_close(1000)}));
}

// ----- Prepared messages

// Afterwards the peer's window holds what the socket's own has never seen: the next message of its own must not refer
// to what came before.
TEST(CompressionSending, APreparedMessageIsCompressedBetweenOthers) {
  const std::string own = letters(400);
  const std::string shared = words(3100);
  const auto handler = [&](websocket& socket) -> task<> {
    const auto prepared = prepared_message::from_text(shared);
    co_await socket.send(own);
    co_await socket.send(prepared);
    co_await socket.send(own);
    co_await socket.send(own);
    co_await socket.send(prepared);
    EXPECT_EQ(socket.handle().send(prepared), websocket_handle::outcome::queued);
    const auto none = co_await socket.receive();
    EXPECT_FALSE(none);
  };
  const notes seen{"text " + own + "*", "text " + shared + "*", "text " + own + "*",
                   "text " + own + "*", "text " + shared + "*", "text " + shared + "*"};
  for (const bool takeover : {true, false}) {
    for (int bits = 9; bits <= 15; ++bits) {
      SCOPED_TRACE(std::to_string(bits) + (takeover ? " with" : " without") + " context");
      const case_of_sending with{.agreed = {.server_no_context_takeover = !takeover, .server_max_window_bits = bits}};
      EXPECT_EQ(messages_of(handler, with), seen);
    }
  }
}

TEST(CompressionSending, APreparedMessageCanBeLeftUncompressed) {
  const std::string text = words(3000);
  std::mt19937 random(3);
  std::string noise(5000, '\0');
  for (char& each : noise) each = static_cast<char>(random());
  const auto handler = [&](websocket& socket) -> task<> {
    const auto secret = prepared_message::from_text(text, disable_compression::yes);
    co_await socket.send(secret);
    const auto shorter = prepared_message::from_text(words(99));
    co_await socket.send(shorter);
    const auto dense = prepared_message::from_bytes(std::as_bytes(std::span(noise)));
    co_await socket.send(dense);
    co_await socket.send(text);
  };
  EXPECT_EQ(messages_of(handler, {.agreed = {}, .threshold = 100}),
            (notes{"text " + text, "text " + words(99), "binary " + noise, "text " + text + "*"}));
}

// Its own window has not been changed by what has gone as it is.
TEST(CompressionSending, AnUncompressedPreparedMessageLeavesTheContext) {
  const std::string text = letters(400);
  const frames seen = frames_of([&](websocket& socket) -> task<> {
    const auto secret = prepared_message::from_text(text, disable_compression::yes);
    co_await socket.send(text);
    co_await socket.send(secret);
    co_await socket.send(text);
  });
  EXPECT_LT(seen.at(2).payload.size(), seen.at(0).payload.size() / 4);
}

TEST(CompressionSending, APreparedMessageEndsACompressedOne) {
  const std::string text = words(3000);
  const auto handler = [&](websocket& socket) -> task<> {
    const auto prepared = prepared_message::from_text(text);
    co_await socket.send(text, end_of_message::no);
    co_await socket.send(prepared);
    co_await socket.send(text, end_of_message::no, disable_compression::yes);
    co_await socket.send(prepared);
  };
  for (const bool takeover : {true, false}) {
    EXPECT_EQ(messages_of(handler, {.agreed = {.server_no_context_takeover = !takeover}}),
              (notes{"text " + text + text + "*", "text " + text + text}));
  }
}

// ----- Context takeover and windows

TEST(CompressionSending, EarlierMessagesAreReferredToOnlyWithContextTakeover) {
  const std::string text = letters(400);
  const frames with = frames_of(sending({text, text}));
  EXPECT_LT(with.at(1).payload.size(), with.at(0).payload.size() / 4);
  const frames without = frames_of(sending({text, text}), {.agreed = {.server_no_context_takeover = true}});
  EXPECT_EQ(without.at(1), without.at(0));
}

TEST(CompressionSending, EveryWindowWithAndWithoutContext) {
  const std::string noise = letters(700);
  // It comes again 700 octets later: beyond a window of 512, within all larger ones.
  const std::vector<std::string> texts{noise + noise, noise, words(40'000)};
  for (int bits = 9; bits <= 15; ++bits) {
    for (const bool takeover : {true, false}) {
      SCOPED_TRACE(std::to_string(bits) + (takeover ? " with" : " without") + " context");
      EXPECT_EQ(messages_of(sending(texts),
                            {.agreed = {.server_no_context_takeover = !takeover, .server_max_window_bits = bits}}),
                (notes{"text " + texts[0] + "*", "text " + texts[1] + "*", "text " + texts[2] + "*"}));
    }
  }
}

TEST(CompressionSending, ConnectionsWithoutContextDoNotSeeEachOthersMessages) {
  const wire::deflate_parameters without{.server_no_context_takeover = true};
  const std::string text = pattern(1000);
  websocket_peers first;
  websocket_peers second;
  const websocket_handler handler = [&](websocket& socket) -> task<> {
    while (auto message = co_await socket.receive()) co_await socket.send(text, end_of_message::no);
  };
  for (websocket_peers* const each : {&first, &second}) {
    each->compression = without;
    each->serve(handler);
  }
  // Fragments of two messages in turns, through the one compressor.
  for (int i = 0; i < 3; ++i) {
    for (websocket_peers* const each : {&first, &second}) {
      each->send_text("next");
      each->run_idle();
    }
  }
  EXPECT_EQ(first.peer.frames(), second.peer.frames());
  ASSERT_EQ(first.peer.frames().size(), 3U);
  // Each frame stands alone: the first one's octets again.
  EXPECT_EQ(first.peer.frames()[1].payload, first.peer.frames()[0].payload);
  peer_inflater peer;
  frames seen = first.peer.frames();
  seen.push_back({opcode::continuation, from_hex("00")});
  EXPECT_EQ(peer.messages(seen), notes{"text " + text + text + text + "*"});
  for (websocket_peers* const each : {&first, &second}) {
    each->send_close(1000);
    each->finish();
  }
}

TEST(CompressionSending, WithoutMemoryForItNoContextIsKept) {
  const std::string text = pattern(400);
  const frames without = frames_of(sending({text, text}), {.agreed = {}, .max_memory = wire::deflater_memory(15) - 1});
  EXPECT_EQ(without.at(1), without.at(0));
  const frames with = frames_of(sending({text, text}), {.agreed = {}, .max_memory = wire::deflater_memory(15)});
  EXPECT_NE(with.at(1), with.at(0));
}

TEST(CompressionSending, ASocketThatHasClosedMakesRoomForTheContextOfAnother) {
  const std::string text = pattern(400);
  const auto second_is_shorter = [&](websocket_peers& peers) {
    const frames seen = peers.peer.frames();
    return seen.at(1).payload.size() < seen.at(0).payload.size();
  };
  const auto serve = [&](websocket_peers& peers) {
    peers.compression.emplace();
    peers.compressing.max_memory = wire::deflater_memory(15);
    peers.serve([&](websocket& socket) -> task<> {
      co_await socket.send(text);
      co_await socket.send(text);
      const auto none = co_await socket.receive();
      EXPECT_FALSE(none);
    });
    peers.run_idle();
  };
  websocket_peers third;
  {
    websocket_peers first;
    websocket_peers second;
    serve(first);
    serve(second);
    EXPECT_TRUE(second_is_shorter(first));
    EXPECT_FALSE(second_is_shorter(second));
  }
  serve(third);
  EXPECT_TRUE(second_is_shorter(third));
}

TEST(CompressionSending, AClientThatWasGivenAWindowOf8SendsAsItIs) {
  websocket_peers peers;
  peers.compression = wire::deflate_parameters{.client_max_window_bits = 8};
  peers.serve_as_client([](websocket& socket) -> task<> { co_await socket.send(words(1000)); });
  peers.run_until([&] { return peers.peer.frames(wire::role::server).size() == 2; });
  EXPECT_EQ(peers.peer.frames(wire::role::server).at(0), seen_text(words(1000)));
}

// ----- Order

TEST(CompressionSending, ControlFramesAreNeverCompressed) {
  websocket_peers peers;
  peers.compression.emplace();
  peers.serve([](websocket& socket) -> task<> {
    co_await socket.send(words(1000), end_of_message::no);
    auto message = co_await socket.receive();
    co_await socket.send(words(1000));
    co_await socket.close(close_code::normal_closure, words(123));
  });
  peers.send(client_frame(opcode::ping, words(125)) + client_frame(opcode::text, "go on"));
  peers.run_until_frames(4);
  const frames seen = peers.peer.frames();
  EXPECT_TRUE(seen.at(0).rsv1);
  EXPECT_EQ(seen.at(1), (seen_frame{opcode::pong, words(125)}));
  EXPECT_EQ(seen.at(2).code, opcode::continuation);
  EXPECT_FALSE(seen.at(2).rsv1);
  EXPECT_EQ(seen.at(3), seen_close(1000, words(123)));
  peers.send_close(1000);
  peers.finish();
}

TEST(CompressionSending, MessagesOfAllSizesAndKindsKeepTheirOrder) {
  std::mt19937 random(5);
  std::vector<std::string> texts;
  notes expected;
  for (int i = 0; i < 200; ++i) {
    texts.push_back(words(random() % (i % 10 == 0 ? 100'000 : 500)));
    expected.push_back("text " + texts.back() + (texts.back().size() < 100 ? "" : "*"));
  }
  EXPECT_EQ(messages_of(sending(texts), {.agreed = {}, .threshold = 100}), expected);
}

// ----- Both ends

TEST(CompressionBothEnds, AgreeWithEveryParameter) {
  std::mt19937 random(6);
  for (const int server_bits : {9, 12, 15}) {
    for (const int client_bits : {8, 9, 15}) {
      for (const bool server_takeover : {true, false}) {
        for (const bool client_takeover : {true, false}) {
          const wire::deflate_parameters agreed{.server_no_context_takeover = !server_takeover,
                                                .client_no_context_takeover = !client_takeover,
                                                .server_max_window_bits = server_bits,
                                                .client_max_window_bits = client_bits};
          std::vector<std::string> texts;
          for (int i = 0; i < 10; ++i) texts.push_back(words(random() % 5000));
          std::size_t echoed = 0;
          websocket_peers peers(1 + random() % 3000);
          peers.compression = agreed;
          peers.compressing.threshold = 50;
          peers.serve_both(test::echo, [&](websocket& socket) -> task<> {
            for (const std::string& each : texts) {
              co_await socket.send(each);
              auto message = co_await socket.receive();
              if (message && message->text() == each) ++echoed;
            }
            co_await socket.close();
          });
          peers.run_until_gone();
          EXPECT_EQ(echoed, texts.size());
        }
      }
    }
  }
}

}  // namespace
}  // namespace windhover
