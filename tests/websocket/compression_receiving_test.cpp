// permessage-deflate on a whole connection, receiving: the vectors, RSV1, limits while inflating, data that is no
// DEFLATE, pieces, and context takeover.
#include <algorithm>
#include <cstddef>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/compressed_peer.hpp"

namespace windhover {
namespace {

using nlohmann::json;
using test::client_close;
using test::client_frame;
using test::compressed_fragment;
using test::compressed_message;
using test::deflated;
using test::from_hex;
using test::gate;
using test::opcode;
using test::pattern;
using test::peer_deflater;
using test::rsv1_frame;
using test::seen_close;
using test::websocket_peers;
using notes = std::vector<std::string>;

struct case_of_receiving {
  wire::deflate_parameters agreed = {};
  websocket_settings settings = {};
};

// What the handler gets of a stream, wherever it is cut; and what the peer is told in the end.
void expect_received(std::string_view stream, const notes& expected, const case_of_receiving& with = {}) {
  for (const std::size_t cut : test::all_cuts) {
    SCOPED_TRACE("in pieces of " + std::to_string(cut) + " bytes");
    notes seen;
    websocket_peers peers(cut);
    peers.compression = with.agreed;
    peers.serve(test::note_messages(seen), with.settings);
    peers.send(stream);
    peers.finish();
    EXPECT_EQ(seen, expected);
    ASSERT_FALSE(peers.peer.frames().empty());
    EXPECT_EQ(peers.peer.frames().back().code, opcode::close);
    EXPECT_EQ(peers.peer.frames().back().payload.substr(0, 2), test::closing(std::stoi(expected.back())));
  }
}

// Behind a whole message comes a fault: the message is delivered, and the close says what was wrong.
void expect_refused(std::string_view fault, const std::string& status, const case_of_receiving& with = {}) {
  const std::string before = client_frame(opcode::text, "plain") + compressed_message(opcode::text, "compressed");
  expect_received(before + std::string(fault), {"text plain", "text compressed", status}, with);
}

const std::string invalid_data = "1007 the compressed data is not valid";
const std::string invalid_text = "1007 the text is not valid UTF-8";
const std::string too_big = "1009 the message is too big";
const std::string reserved_bit = "1002 a reserved bit is set";

// ----- Vectors

json vectors(const char* part) {
  std::ifstream file(std::string(WINDHOVER_FIXTURES) + "/permessage-deflate.json");
  EXPECT_TRUE(file);
  json rows = json::parse(file).at(part).at("rows");
  EXPECT_FALSE(rows.empty());
  return rows;
}

std::string hex_of(const json& row, const char* name) { return from_hex(row.at(name).get<std::string>()); }

TEST(CompressionVectors, PayloadsOfTheStandard) {
  for (const json& row : vectors("rfc7692_7_2_3")) {
    SCOPED_TRACE(row.at("name").get<std::string>());
    std::string stream;
    notes expected;
    for (const char* const name : {"payload_hex", "first_payload_hex", "second_payload_hex"}) {
      if (!row.contains(name)) continue;
      stream += rsv1_frame(opcode::text, hex_of(row, name));
      expected.push_back("text " + row.at("text").get<std::string>());
    }
    if (expected.empty()) continue;  // frames: below
    expected.emplace_back("1000");
    expect_received(stream + client_close(1000), expected);
  }
}

TEST(CompressionVectors, FramesOfTheStandard) {
  std::size_t seen = 0;
  for (const json& row : vectors("rfc7692_7_2_3")) {
    SCOPED_TRACE(row.at("name").get<std::string>());
    std::string frames;
    if (row.contains("frame_unmasked_hex")) frames = hex_of(row, "frame_unmasked_hex");
    if (row.contains("frames_unmasked_hex")) {
      for (const json& frame : row.at("frames_unmasked_hex")) frames += from_hex(frame.get<std::string>());
    }
    if (frames.empty()) continue;
    ++seen;
    // They are not masked, so they are a server's.
    notes received;
    websocket_peers peers;
    peers.compression.emplace();
    peers.serve_as_client(test::note_messages(received));
    peers.send(frames + test::server_frame(opcode::close, test::closing(1000)));
    peers.run_handler();
    peers.peer_end->close();
    peers.run_until_gone();
    EXPECT_EQ(received, (notes{"text " + row.at("text").get<std::string>(), "1000"}));
  }
  EXPECT_EQ(seen, 3U);
}

TEST(CompressionVectors, SyncFlushesWithinAMessageAndAtItsEnd) {
  std::string fragments;
  std::string messages;
  for (const json& row : vectors("zlib_sync_flush")) {
    const std::string output = hex_of(row, "output_hex");
    fragments += compressed_fragment(opcode::text, output, fragments.empty(), false);
    messages += rsv1_frame(opcode::text, output.substr(0, output.size() - 4));
  }
  fragments += client_frame(opcode::continuation, from_hex("00"));
  expect_received(fragments + client_close(1000), {"text HelloHello", "1000"});
  expect_received(messages + client_close(1000), {"text Hello", "text Hello", "1000"});
}

// ----- RSV1

TEST(CompressionReceiving, PlainAndCompressedMessagesMix) {
  peer_deflater peer;
  std::string stream = rsv1_frame(opcode::text, peer.frame_payload("one one one"));
  stream += client_frame(opcode::text, "two");
  stream += rsv1_frame(opcode::binary, peer.frame_payload("one one one"));
  stream += client_frame(opcode::text, "fo", false) + client_frame(opcode::continuation, "ur");
  stream += rsv1_frame(opcode::text, peer.frame_payload("five"));
  expect_received(stream + client_close(1000),
                  {"text one one one", "text two", "binary one one one", "text four", "text five", "1000"});
}

TEST(CompressionReceiving, Rsv1IsForTheFirstFrameOfAMessageOnly) {
  expect_refused(rsv1_frame(opcode::text, deflated("Hel").append(from_hex("0000ffff")), false) +
                     rsv1_frame(opcode::continuation, deflated("lo")),
                 reserved_bit);
  expect_refused(client_frame(opcode::text, "a", false) + rsv1_frame(opcode::continuation, "b"), reserved_bit);
  expect_refused(rsv1_frame(opcode::ping, "ping"), reserved_bit);
  expect_refused(rsv1_frame(opcode::close, test::closing(1000)), reserved_bit);
}

TEST(CompressionReceiving, Rsv1IsRefusedWhereNothingWasNegotiated) {
  for (const std::size_t cut : test::all_cuts) {
    notes seen;
    websocket_peers peers(cut);
    peers.serve(test::note_messages(seen));
    peers.send(client_frame(opcode::text, "plain") + compressed_message(opcode::text, "compressed"));
    peers.finish();
    EXPECT_EQ(seen, (notes{"text plain", reserved_bit}));
  }
}

TEST(CompressionReceiving, ControlFramesComeBetweenCompressedFragments) {
  const std::string payload = deflated(pattern(1000));
  std::string stream = rsv1_frame(opcode::text, payload.substr(0, 10), false) + client_frame(opcode::ping, "p");
  stream += client_frame(opcode::continuation, "", false);
  stream += client_frame(opcode::continuation, payload.substr(10, 1), false) + client_frame(opcode::pong, "");
  stream += client_frame(opcode::continuation, payload.substr(11));
  expect_received(stream + client_close(1000), {"text " + pattern(1000), "1000"});
}

// ----- Messages

TEST(CompressionReceiving, EmptyMessages) {
  const std::string one_octet = rsv1_frame(opcode::text, from_hex("00"));
  const std::string empty_last =
      rsv1_frame(opcode::binary, from_hex("00"), false) + client_frame(opcode::continuation, from_hex("0000ffff00"));
  expect_received(one_octet + empty_last + one_octet + client_close(1000), {"text ", "binary ", "text ", "1000"});
}

TEST(CompressionReceiving, MessagesOfManyBlocks) {
  peer_deflater peer;
  std::string stream;
  std::string content;
  for (int block = 0; block < 40; ++block) {
    const std::string piece = pattern(static_cast<std::size_t>(block) * 37);
    content += piece;
    const std::string payload = peer.frame_payload(piece, block == 39);
    stream += compressed_fragment(opcode::text, payload, block == 0, block == 39);
  }
  expect_received(stream + client_close(1000), {"text " + content, "1000"});
}

TEST(CompressionReceiving, LargeMessages) {
  std::mt19937 random(1);
  std::string noise(300'000, '\0');
  for (char& each : noise) each = static_cast<char>(random());
  const std::string text = pattern(800'000);
  for (const std::size_t cut : {std::size_t{31}, std::size_t{5000}, test::uncut}) {
    SCOPED_TRACE(cut);
    notes seen;
    websocket_peers peers(cut);
    peers.compression.emplace();
    peers.serve(test::note_messages(seen));
    peers.send(compressed_message(opcode::binary, noise) + compressed_message(opcode::text, text) + client_close(1000));
    peers.finish();
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_TRUE(seen[0] == "binary " + noise);
    EXPECT_TRUE(seen[1] == "text " + text);
  }
}

TEST(CompressionReceiving, EveryWindowWithAndWithoutContext) {
  const std::string content = pattern(3000);
  for (int bits = 9; bits <= 15; ++bits) {
    for (const bool takeover : {true, false}) {
      SCOPED_TRACE(std::to_string(bits) + (takeover ? " with" : " without") + " context");
      peer_deflater peer(bits, takeover);
      std::string stream;
      for (int i = 0; i < 3; ++i) stream += rsv1_frame(opcode::text, peer.frame_payload(content));
      expect_received(stream + client_close(1000), {"text " + content, "text " + content, "text " + content, "1000"},
                      {.agreed = {.client_no_context_takeover = !takeover, .client_max_window_bits = bits}});
    }
  }
}

TEST(CompressionReceiving, AWindowOf8IsInflated) {
  // zlib does not deflate with 8: literals and a distance of 1 are within any window.
  const std::string payload = deflated(std::string(200, 'x'));
  expect_received(rsv1_frame(opcode::text, payload) + client_close(1000), {"text " + std::string(200, 'x'), "1000"},
                  {.agreed = {.client_max_window_bits = 8}});
}

TEST(CompressionReceiving, EarlierMessagesAreKnownOnlyWithContextTakeover) {
  // RFC 7692, section 7.2.3.2: the second "Hello" refers to the first.
  const std::string stream =
      rsv1_frame(opcode::text, from_hex("f248cdc9c90700")) + rsv1_frame(opcode::text, from_hex("f200110000"));
  expect_received(stream + client_close(1000), {"text Hello", "text Hello", "1000"});
  expect_received(stream, {"text Hello", invalid_data}, {.agreed = {.client_no_context_takeover = true}});
}

TEST(CompressionReceiving, ConnectionsWithoutContextDoNotSeeEachOthersMessages) {
  const std::string payload = deflated(pattern(2000));
  const wire::deflate_parameters without{.client_no_context_takeover = true};
  notes first_seen;
  notes second_seen;
  websocket_peers first;
  websocket_peers second;
  first.compression = second.compression = without;
  first.serve(test::note_messages(first_seen));
  second.serve(test::note_messages(second_seen));
  // Their fragments arrive in turns.
  for (std::size_t at = 0; at < payload.size(); ++at) {
    for (websocket_peers* const each : {&first, &second}) {
      const bool fin = at + 1 == payload.size();
      each->send(compressed_fragment(opcode::text, payload.substr(at, 1), at == 0, fin));
      each->run_idle();
    }
  }
  // What refers to earlier octets finds none, although the inflater has been used.
  for (websocket_peers* const each : {&first, &second}) each->send(rsv1_frame(opcode::text, from_hex("f200110000")));
  first.finish();
  second.finish();
  EXPECT_EQ(first_seen, (notes{"text " + pattern(2000), invalid_data}));
  EXPECT_EQ(second_seen, first_seen);
}

// ----- Faults

TEST(CompressionReceiving, DataThatIsNoDeflateIsRefused) {
  expect_refused(rsv1_frame(opcode::text, from_hex("ff ff ff ff")), invalid_data);
  expect_refused(rsv1_frame(opcode::binary, from_hex("06")), invalid_data);
  // A distance that reaches before the first octet, a stored block whose lengths differ.
  expect_refused(rsv1_frame(opcode::binary, from_hex("02 03 00")), invalid_data,
                 {{.client_no_context_takeover = true}});
  expect_refused(rsv1_frame(opcode::binary, from_hex("00 05 00 00 00 48")), invalid_data);
}

TEST(CompressionReceiving, AMessageThatEndsWithinABlockIsRefused) {
  const std::string payload = deflated("a message that is not complete");
  expect_refused(rsv1_frame(opcode::text, payload.substr(0, payload.size() / 2)), invalid_data);
  expect_refused(rsv1_frame(opcode::text, ""), invalid_data);
}

TEST(CompressionReceiving, InflatedTextMustBeUtf8) {
  expect_refused(compressed_message(opcode::text, "caf\xe9 au lait"), invalid_text);
  expect_refused(compressed_message(opcode::text, "ends within \xe2\x82"), invalid_text);
  expect_received(compressed_message(opcode::binary, "caf\xe9") + client_close(1000), {"binary caf\xe9", "1000"});
  expect_received(compressed_message(opcode::text, "\xe2\x82\xac") + client_close(1000), {"text \xe2\x82\xac", "1000"});
}

TEST(CompressionReceiving, TextIsRefusedBeforeItsMessageIsComplete) {
  peer_deflater peer;
  std::string first = peer.frame_payload("good, then \xff bad", false);
  notes seen;
  websocket_peers peers;
  peers.compression.emplace();
  peers.serve(test::note_messages(seen));
  peers.send(rsv1_frame(opcode::text, first, false));
  peers.finish();
  EXPECT_EQ(seen, notes{invalid_text});
}

TEST(CompressionReceiving, CharactersMayBeCutByFragments) {
  peer_deflater peer;
  std::string stream;
  const std::string_view text = "\xed\x99\xa9 \xf0\x9f\xa6\x85";
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool fin = at + 1 == text.size();
    stream += compressed_fragment(opcode::text, peer.frame_payload(text.substr(at, 1), fin), at == 0, fin);
  }
  expect_received(stream + client_close(1000), {"text " + std::string(text), "1000"});
}

TEST(CompressionReceiving, EveryChangedOctetIsRefusedOrUnderstoodTheSameHoweverItIsCut) {
  const std::string payload = deflated("a text with some text in the text");
  for (std::size_t at = 0; at < payload.size(); ++at) {
    SCOPED_TRACE(at);
    std::string changed = payload;
    changed[at] = static_cast<char>(changed[at] ^ 0x55);
    std::vector<notes> outcomes;
    for (const std::size_t cut : {std::size_t{1}, std::size_t{5}, test::uncut}) {
      notes seen;
      websocket_peers peers(cut);
      peers.compression.emplace();
      peers.serve(test::note_messages(seen));
      peers.send(rsv1_frame(opcode::binary, changed) + client_close(1000));
      peers.finish();
      outcomes.push_back(seen);
    }
    EXPECT_EQ(outcomes[1], outcomes[0]);
    EXPECT_EQ(outcomes[2], outcomes[0]);
  }
}

// ----- Limits

TEST(CompressionReceiving, TheLimitCountsInflatedBytes) {
  websocket_settings settings;
  settings.max_message_size = 1000;
  const case_of_receiving with{.agreed = {}, .settings = settings};
  expect_received(compressed_message(opcode::text, pattern(1000)) + client_close(1000),
                  {"text " + pattern(1000), "1000"}, with);
  expect_refused(compressed_message(opcode::text, pattern(1001)), too_big, with);
  expect_refused(client_frame(opcode::text, pattern(1001)), too_big, with);
  expect_refused(client_frame(opcode::text, pattern(999), false) + client_frame(opcode::continuation, "12"), too_big,
                 with);
  expect_received(
      client_frame(opcode::text, pattern(999), false) + client_frame(opcode::continuation, "1") + client_close(1000),
      {"text " + pattern(999) + "1", "1000"}, with);
}

TEST(CompressionReceiving, AMessageMayBeLongerOnTheWireThanItsLimit) {
  std::mt19937 random(2);
  std::string noise(1000, '\0');
  for (char& each : noise) each = static_cast<char>(random());
  websocket_settings settings;
  settings.max_message_size = noise.size();
  ASSERT_GT(deflated(noise).size(), noise.size());
  const case_of_receiving with{.agreed = {}, .settings = settings};
  expect_received(compressed_message(opcode::binary, noise) + client_close(1000), {"binary " + noise, "1000"}, with);
  // Every fragment is flushed, which costs more octets than it holds.
  peer_deflater peer;
  std::string stream;
  for (std::size_t at = 0; at < noise.size(); ++at) {
    const bool fin = at + 1 == noise.size();
    stream += compressed_fragment(opcode::binary, peer.frame_payload(noise.substr(at, 1), fin), at == 0, fin);
  }
  expect_received(stream + client_close(1000), {"binary " + noise, "1000"}, with);
}

TEST(CompressionReceiving, NothingButEmptyBlocksComesToAnEnd) {
  websocket_settings settings;
  settings.max_message_size = 10;
  settings.max_fragments = 10;
  std::string blocks;
  for (int i = 0; i < 100; ++i) blocks += from_hex("0000ffff00");
  expect_refused(rsv1_frame(opcode::binary, blocks, false), too_big, {.agreed = {}, .settings = settings});
}

// 10 MB of zeros in 10 KB.
std::string bomb() { return deflated(std::string(10'000'000, '\0')); }

TEST(CompressionReceiving, ABombIsStoppedAtTheLimit) {
  const std::string payload = bomb();
  EXPECT_LT(payload.size(), 50'000U);
  for (const std::size_t cut : {std::size_t{1}, std::size_t{31}, test::uncut}) {
    notes seen;
    websocket_peers peers(cut);
    peers.compression.emplace();
    peers.serve(test::note_messages(seen));
    peers.send(compressed_message(opcode::text, "before") + rsv1_frame(opcode::binary, payload));
    peers.finish();
    EXPECT_EQ(seen, (notes{"text before", too_big}));
  }
}

TEST(CompressionReceiving, ReadingPausesWithinABomb) {
  websocket_settings settings;
  settings.max_message_size = 100 << 20;
  settings.max_inbound_bytes = 64 << 10;
  gate go_on;
  std::size_t size = 0;
  websocket_peers peers;
  peers.compression.emplace();
  peers.serve(
      [&](websocket& socket) -> task<> {
        co_await go_on;
        auto message = co_await socket.receive();
        size = message->size();
      },
      settings);
  peers.send(rsv1_frame(opcode::binary, bomb()));
  peers.run_idle();
  EXPECT_TRUE(peers.host_end->reading_paused());
  EXPECT_LT(peers.connection().held_bytes(), std::size_t{64} << 10);
  peers.on_loop([&] { go_on.open(); });
  peers.run_until([&] { return size != 0; });
  EXPECT_EQ(size, 10'000'000U);
}

TEST(CompressionReceiving, ManyBombsHaveTheLoopForAShortTimeOnly) {
  constexpr std::size_t mebibyte = std::size_t{1} << 20;
  constexpr std::size_t count = 20;
  const std::string message = rsv1_frame(opcode::binary, deflated(std::string(mebibyte, '\0')));
  std::string stream;
  for (std::size_t i = 0; i < count; ++i) stream += message;
  for (const bool in_pieces : {false, true}) {
    std::size_t received = 0;
    websocket_peers peers;
    peers.compression.emplace();
    peers.serve([&](websocket& socket) -> task<> {
      if (in_pieces) {
        std::vector<std::byte> buffer(mebibyte);
        while (auto piece = co_await socket.receive(buffer)) received += piece.count;
      } else {
        while (auto whole = co_await socket.receive()) received += whole->size();
      }
    });
    peers.send(stream + client_close(1000));
    std::size_t most = 0;
    while (!peers.host.handler_ended) {
      const std::size_t before = received;
      peers.loop.run_once(false);
      most = std::max(most, received - before);
    }
    EXPECT_EQ(received, count * mebibyte);
    EXPECT_LE(most, 3 * mebibyte);
    peers.finish();
  }
}

// ----- Pieces

// Receives with a buffer of `size` and counts; never more than the bound is held.
struct piece_counter {
  std::size_t size = 0;
  std::size_t most_held = 0;
  bool ended = false;
  bool intact = true;
};

TEST(CompressionReceiving, AMessageLargerThanMemoryComesInPieces) {
  websocket_settings settings;
  settings.max_message_size = std::numeric_limits<std::uint64_t>::max();
  const std::string content(10'000'000, 'z');
  const std::string payload = deflated(content);
  for (const std::size_t buffer_size : {std::size_t{1000}, std::size_t{65'536}}) {
    for (const std::size_t cut : {std::size_t{7}, test::uncut}) {
      SCOPED_TRACE(std::to_string(buffer_size) + " cut " + std::to_string(cut));
      piece_counter counted;
      websocket_peers peers(cut);
      peers.compression.emplace();
      peers.serve(
          [&](websocket& socket) -> task<> {
            std::vector<std::byte> buffer(buffer_size);
            while (auto piece = co_await socket.receive(buffer)) {
              counted.size += piece.count;
              counted.ended = piece.end == end_of_message::yes;
              counted.most_held = std::max(counted.most_held, peers.connection().held_bytes());
              for (std::size_t i = 0; i < piece.count; ++i) counted.intact &= buffer[i] == std::byte{'z'};
            }
          },
          settings);
      peers.send(rsv1_frame(opcode::text, payload) + client_close(1000));
      peers.finish();
      EXPECT_EQ(counted.size, content.size());
      EXPECT_TRUE(counted.ended);
      EXPECT_TRUE(counted.intact);
      EXPECT_LT(counted.most_held, settings.max_inbound_bytes);
    }
  }
}

std::string text_of_pieces(std::string_view stream, std::size_t cut, std::size_t buffer_size, bool later) {
  std::string text;
  gate go_on;
  websocket_peers peers(cut);
  peers.compression.emplace();
  if (!later) go_on.open();
  peers.serve([&](websocket& socket) -> task<> {
    co_await go_on;
    std::vector<std::byte> buffer(buffer_size);
    while (auto piece = co_await socket.receive(buffer)) {
      text += test::text_of(std::span(buffer).first(piece.count));
      if (piece.end == end_of_message::yes) text += "|";
    }
    text += test::status_of(socket);
  });
  peers.send(stream);
  peers.run_idle();
  peers.on_loop([&] { go_on.open(); });
  peers.finish();
  return text;
}

TEST(CompressionReceiving, PiecesGiveTheSameWhoeverWaits) {
  peer_deflater peer;
  std::string stream = rsv1_frame(opcode::text, peer.frame_payload("Hello, ", false), false);
  stream += client_frame(opcode::continuation, peer.frame_payload("", false), false);
  stream += client_frame(opcode::continuation, peer.frame_payload("Hello!"));
  stream += client_frame(opcode::text, "plain");
  stream += rsv1_frame(opcode::text, peer.frame_payload(""));
  stream += rsv1_frame(opcode::text, peer.frame_payload("Hello, Hello!"));
  for (const std::size_t cut : test::all_cuts) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{3}, std::size_t{100}}) {
      for (const bool later : {false, true}) {
        SCOPED_TRACE(std::to_string(cut) + ", " + std::to_string(size) + (later ? ", later" : ""));
        EXPECT_EQ(text_of_pieces(stream + client_close(1000), cut, size, later),
                  "Hello, Hello!|plain||Hello, Hello!|1000");
      }
    }
  }
}

// ----- Handlers that go away

TEST(CompressionReceiving, AHandlerThatClosesWithinAMessageIsLeftAlone) {
  for (const std::size_t cut : test::all_cuts) {
    websocket_peers peers(cut);
    peers.compression.emplace();
    peers.serve([](websocket& socket) -> task<> {
      std::vector<std::byte> buffer(10);
      const auto piece = co_await socket.receive(buffer);
      EXPECT_EQ(piece.count, 10U);
      co_await socket.close(close_code::normal_closure, "enough");
    });
    peers.send(rsv1_frame(opcode::binary, deflated(std::string(100'000, 'a'))) +
               rsv1_frame(opcode::text, from_hex("ff")));
    peers.run_until_frames(1);
    EXPECT_EQ(peers.peer.frames(), std::vector{seen_close(1000, "enough")});
    peers.send_close(1000);
    peers.finish();
  }
}

TEST(CompressionReceiving, AConnectionThatDiesWithinAMessageLeavesNothing) {
  for (const bool takeover : {true, false}) {
    websocket_peers peers;
    peers.compression = wire::deflate_parameters{.client_no_context_takeover = !takeover};
    notes seen;
    peers.serve(test::note_messages(seen));
    peers.send(rsv1_frame(opcode::text, deflated(pattern(1000)).substr(0, 100), false));
    peers.run_idle();
    peers.on_loop([&] { peers.peer_end->abort(); });
    peers.run_until_gone();
    EXPECT_EQ(seen, notes{"1006"});
  }
}

}  // namespace
}  // namespace windhover
