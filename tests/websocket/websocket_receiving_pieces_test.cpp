// receive(span): the data of at most one frame at a time. The cases of ASP.NET Core's tests have the names they have
// there.
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "support/websocket_peer.hpp"

namespace windhover {
namespace {

using test::client_close;
using test::client_frame;
using test::gate;
using test::opcode;
using test::pattern;
using test::websocket_handler;
using test::websocket_peers;
using notes = std::vector<std::string>;

// Receives with a buffer of `size` until the socket has closed.
websocket_handler note_pieces(notes& seen, std::size_t size) {
  return [&seen, size](websocket& socket) -> task<> {
    std::vector<std::byte> buffer(size);
    while (auto piece = co_await socket.receive(buffer)) seen.push_back(test::to_string(piece, buffer));
    seen.push_back(test::status_of(socket));
  };
}

// The same, for a handler that begins to receive when everything has arrived.
websocket_handler note_pieces_later(notes& seen, std::size_t size, gate& go_on) {
  return [&seen, size, &go_on](websocket& socket) -> task<> {
    co_await go_on;
    const auto receive = note_pieces(seen, size);
    co_await receive(socket);
  };
}

// Waiting for the bytes or finding them there makes no difference, nor does the way they are cut.
void expect_pieces(std::string_view stream, std::size_t size, const notes& expected) {
  for (const std::size_t cut : test::all_cuts) {
    SCOPED_TRACE("cut to " + std::to_string(cut) + ", buffer of " + std::to_string(size));
    {
      notes seen;
      websocket_peers peers(cut);
      peers.serve(note_pieces(seen, size));
      peers.send(stream);
      peers.finish();
      EXPECT_EQ(seen, expected);
    }
    {
      notes seen;
      gate go_on;
      websocket_peers peers(cut);
      peers.serve(note_pieces_later(seen, size, go_on));
      peers.send(stream);
      peers.run_until_frames(1);
      peers.open(go_on);
      peers.finish();
      EXPECT_EQ(seen, expected);
    }
  }
}

// ----- ASP.NET Core, SendReceiveTests and WebSocketMiddlewareTests

TEST(WebsocketReceivingPieces, ServerReceivesTextMessage) {
  expect_pieces(client_frame(opcode::text, "Hello, World!") + client_close(1000), 32, {"text Hello, World!.", "1000"});
}

TEST(WebsocketReceivingPieces, ServerReceivesBinaryMessage) {
  expect_pieces(client_frame(opcode::binary, "\xde\xad\xbe\xef") + client_close(1000), 32,
                {"binary \xde\xad\xbe\xef.", "1000"});
}

TEST(WebsocketReceivingPieces, SendEmptyData) {
  for (const bool waits : {true, false}) {
    gate go_on;
    receive_result seen;
    websocket_peers peers;
    peers.serve([&](websocket& socket) -> task<> {
      if (!waits) co_await go_on;
      seen = co_await socket.receive(std::span<std::byte>());
    });
    peers.send(client_frame(opcode::binary, ""));
    peers.run_idle();
    peers.open(go_on);
    peers.run_handler();
    EXPECT_TRUE(seen);
    EXPECT_EQ(seen.end, end_of_message::yes);
    EXPECT_EQ(seen.count, 0U);
    EXPECT_EQ(seen.type, message_type::binary);
  }
}

TEST(WebsocketReceivingPieces, SendShortData) {
  expect_pieces(client_frame(opcode::binary, "Hello World") + client_close(1000), 1024,
                {"binary Hello World.", "1000"});
}

TEST(WebsocketReceivingPieces, SendMediumData) {
  expect_pieces(client_frame(opcode::binary, pattern(130)) + client_close(1000), 1024,
                {"binary " + pattern(130) + ".", "1000"});
}

TEST(WebsocketReceivingPieces, SendLongData) {
  const std::string data = pattern(0x1FFFF);
  for (const std::size_t cut : {std::size_t{31}, std::size_t{4096}, test::uncut}) {
    notes seen;
    websocket_peers peers(cut);
    peers.serve(note_pieces(seen, 0x1FFFF));
    peers.send(client_frame(opcode::binary, data) + client_close(1000));
    peers.finish();
    EXPECT_TRUE(seen == (notes{"binary " + data + ".", "1000"})) << "in one receive";
  }
}

TEST(WebsocketReceivingPieces, SendFragmentedData) {
  expect_pieces(client_frame(opcode::binary, "He", false) + client_frame(opcode::continuation, "ll", false) +
                    client_frame(opcode::continuation, "o World") + client_close(1000),
                1024, {"binary He+", "binary ll+", "binary o World.", "1000"});
}

TEST(WebsocketReceivingPieces, SendClose) {
  receive_result seen;
  std::string status;
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    std::array<std::byte, 1024> buffer{};
    seen = co_await socket.receive(buffer);
    status = test::status_of(socket);
  });
  peers.send_close(1000, "Test Closed");
  peers.finish();
  EXPECT_FALSE(seen);
  EXPECT_EQ(seen.outcome, received::outcome::closed);
  EXPECT_EQ(seen.count, 0U);
  EXPECT_EQ(status, "1000 Test Closed");
}

TEST(WebsocketReceivingPieces, TheStreamEndsWithoutAClose) {
  notes seen;
  websocket_peers peers;
  peers.serve(note_pieces(seen, 10));
  peers.peer_end->close();
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"1006"}));
  peers.run_until_gone();
}

// ----- Buffers and frames of every proportion

TEST(WebsocketReceivingPieces, ABufferSmallerThanTheFrameIsFilled) {
  expect_pieces(client_frame(opcode::text, "Hello World") + client_close(1000), 4,
                {"text Hell+", "text o Wo+", "text rld.", "1000"});
}

TEST(WebsocketReceivingPieces, ABufferOfOneByte) {
  expect_pieces(client_frame(opcode::text, "abc", false) + client_frame(opcode::continuation, "d") + client_close(1000),
                1, {"text a+", "text b+", "text c+", "text d.", "1000"});
}

TEST(WebsocketReceivingPieces, ABufferOfTheFramesSizeIsFilledOnceAndEndsIt) {
  expect_pieces(client_frame(opcode::text, "Hello") + client_frame(opcode::text, "World", false) +
                    client_frame(opcode::continuation, "again") + client_close(1000),
                5, {"text Hello.", "text World+", "text again.", "1000"});
}

TEST(WebsocketReceivingPieces, ABufferThatDividesTheFrameEndsWithIt) {
  expect_pieces(client_frame(opcode::text, "abcdef") + client_close(1000), 3, {"text abc+", "text def.", "1000"});
}

TEST(WebsocketReceivingPieces, FramesOfNothing) {
  expect_pieces(client_frame(opcode::text, "", false) + client_frame(opcode::continuation, "ab", false) +
                    client_frame(opcode::continuation, "", false) + client_frame(opcode::continuation, "") +
                    client_frame(opcode::binary, "") + client_close(1000),
                4, {"text +", "text ab+", "text +", "text .", "binary .", "1000"});
}

TEST(WebsocketReceivingPieces, TheTypeIsThatOfTheFirstFrame) {
  expect_pieces(client_frame(opcode::binary, "a", false) + client_frame(opcode::continuation, "b") +
                    client_frame(opcode::text, "c", false) + client_frame(opcode::continuation, "d") +
                    client_close(1000),
                4, {"binary a+", "binary b.", "text c+", "text d.", "1000"});
}

TEST(WebsocketReceivingPieces, ControlFramesDoNotCutAFrame) {
  expect_pieces(client_frame(opcode::text, "ab", false) + client_frame(opcode::ping, "") +
                    client_frame(opcode::continuation, "cd") + client_close(1000),
                4, {"text ab+", "text cd.", "1000"});
}

TEST(WebsocketReceivingPieces, EverySizeOfBufferGivesTheSameBytes) {
  const std::string text = pattern(300);
  const std::string stream = client_frame(opcode::text, text.substr(0, 1), false) +
                             client_frame(opcode::continuation, text.substr(1, 6), false) +
                             client_frame(opcode::continuation, text.substr(7, 193), false) +
                             client_frame(opcode::continuation, "", false) +
                             client_frame(opcode::continuation, text.substr(200)) + client_close(1000);
  for (std::size_t size = 1; size < 210; size += size < 10 ? 1 : 13) {
    for (const std::size_t cut : test::all_cuts) {
      SCOPED_TRACE(std::to_string(size) + " " + std::to_string(cut));
      std::string seen;
      int ends = 0;
      websocket_peers peers(cut);
      peers.serve([&](websocket& socket) -> task<> {
        std::vector<std::byte> buffer(size);
        while (auto piece = co_await socket.receive(buffer)) {
          seen += test::text_of(std::span(buffer).first(piece.count));
          if (piece.end == end_of_message::yes) ++ends;
        }
      });
      peers.send(stream);
      peers.finish();
      EXPECT_EQ(seen, text);
      EXPECT_EQ(ends, 1);
    }
  }
}

// ----- The empty buffer

TEST(WebsocketReceivingPieces, AnEmptyBufferWaitsForTheNextFrameToBegin) {
  notes seen;
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    std::array<std::byte, 16> buffer{};
    while (auto begun = co_await socket.receive(std::span<std::byte>())) {
      seen.push_back(test::to_string(begun, buffer));
      auto piece = co_await socket.receive(buffer);
      seen.push_back(test::to_string(piece, buffer));
    }
  });
  const std::string frame = client_frame(opcode::text, "Hello");
  peers.send(std::string_view(frame).substr(0, 5));
  peers.run_idle();
  EXPECT_EQ(seen, notes()) << "the header is not complete";
  peers.send(std::string_view(frame).substr(5, 1));
  peers.run_idle();
  EXPECT_EQ(seen, (notes{"text +"})) << "nothing of the payload has come";
  peers.send(std::string_view(frame).substr(6));
  peers.run_idle();
  EXPECT_EQ(seen, (notes{"text +", "text Hello."}));
  peers.send_close(1000);
  peers.finish();
  EXPECT_EQ(seen.size(), 2U);
}

TEST(WebsocketReceivingPieces, AnEmptyBufferBeforeEachPieceChangesNothing) {
  const std::string stream = client_frame(opcode::text, "ab", false) + client_frame(opcode::continuation, "", false) +
                             client_frame(opcode::continuation, "cde") + client_frame(opcode::binary, "") +
                             client_close(1000);
  const notes expected{"text +", "text ab+", "text +", "text +", "text cd+", "text +", "text e.", "binary .", "closed"};
  for (const bool waits : {true, false}) {
    for (const std::size_t cut : test::all_cuts) {
      SCOPED_TRACE(std::to_string(cut) + (waits ? "" : ", later"));
      gate go_on;
      notes seen;
      websocket_peers peers(cut);
      peers.serve([&](websocket& socket) -> task<> {
        std::array<std::byte, 2> buffer{};
        if (!waits) co_await go_on;
        while (true) {
          const auto begun = co_await socket.receive(std::span<std::byte>());
          seen.push_back(test::to_string(begun, buffer));
          if (!begun) break;
          // An empty frame has been received with its beginning.
          const bool was_empty = begun.end == end_of_message::yes || seen.size() == 3;
          if (was_empty) continue;
          const auto piece = co_await socket.receive(buffer);
          seen.push_back(test::to_string(piece, buffer));
        }
      });
      peers.send(stream);
      if (!waits) peers.run_until_frames(1);
      peers.open(go_on);
      peers.finish();
      EXPECT_EQ(seen, expected);
    }
  }
}

// ----- Pieces and whole messages

TEST(WebsocketReceivingPieces, TheRestOfAMessageCanBeReceivedWhole) {
  for (const bool waits : {true, false}) {
    for (const std::size_t cut : test::all_cuts) {
      SCOPED_TRACE(std::to_string(cut) + (waits ? "" : ", later"));
      gate go_on;
      notes seen;
      websocket_peers peers(cut);
      peers.serve([&](websocket& socket) -> task<> {
        std::array<std::byte, 3> buffer{};
        if (!waits) co_await go_on;
        for (int i = 0; i < 4; ++i) {
          auto piece = co_await socket.receive(buffer);
          seen.push_back(test::to_string(piece, buffer));
          auto rest = co_await socket.receive();
          seen.push_back(test::to_string(rest));
        }
      });
      peers.send(client_frame(opcode::text, "Hello World") + client_frame(opcode::binary, "abc", false) +
                 client_frame(opcode::continuation, "def", false) + client_frame(opcode::continuation, "g") +
                 client_frame(opcode::text, "a", false) + client_frame(opcode::continuation, "") +
                 client_frame(opcode::text, "ab", false) + client_frame(opcode::continuation, "cdefg") +
                 client_close(1000));
      if (!waits) peers.run_until_frames(1);
      peers.open(go_on);
      peers.finish();
      EXPECT_EQ(seen, (notes{"text Hel+", "text lo World", "binary abc+", "binary defg", "text a+", "text ", "text ab+",
                             "text cdefg"}));
    }
  }
}

TEST(WebsocketReceivingPieces, WholeMessagesAndPiecesAlternate) {
  notes seen;
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    std::array<std::byte, 10> buffer{};
    for (int i = 0; i < 2; ++i) {
      auto whole = co_await socket.receive();
      seen.push_back(test::to_string(whole));
      auto piece = co_await socket.receive(buffer);
      seen.push_back(test::to_string(piece, buffer));
    }
  });
  for (int i = 0; i < 4; ++i) peers.send_text(std::to_string(i));
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"text 0", "text 1.", "text 2", "text 3."}));
}

// ----- A message that never ends

TEST(WebsocketReceivingPieces, TheBeginningOfAFrameThatBreaksOffIsGivenOnce) {
  for (const std::size_t size : {std::size_t{2}, std::size_t{3}, std::size_t{10}}) {
    for (const bool waits : {true, false}) {
      SCOPED_TRACE(std::to_string(size) + (waits ? "" : ", later"));
      gate go_on;
      notes seen;
      websocket_peers peers;
      peers.serve(waits ? note_pieces(seen, size) : note_pieces_later(seen, size, go_on));
      peers.send(client_frame(opcode::text, "Hello World").substr(0, 6 + 3));
      peers.run_idle();
      peers.peer_end->close();
      peers.run_until([&] { return peers.peer.ended; });
      peers.open(go_on);
      peers.run_handler();
      EXPECT_EQ(seen, size == 2 ? (notes{"text He+", "text l+", "1006"}) : (notes{"text Hel+", "1006"}));
      peers.run_until_gone();
    }
  }
}

TEST(WebsocketReceivingPieces, AfterTheEndAnEmptyBufferFindsTheEndToo) {
  gate go_on;
  notes seen;
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    std::array<std::byte, 10> buffer{};
    co_await go_on;
    for (int i = 0; i < 2; ++i) {
      auto begun = co_await socket.receive(std::span<std::byte>());
      seen.push_back(test::to_string(begun, buffer));
      auto piece = co_await socket.receive(buffer);
      seen.push_back(test::to_string(piece, buffer));
    }
  });
  peers.send(client_frame(opcode::text, "Hello World").substr(0, 6 + 3));
  peers.run_idle();
  peers.peer_end->abort();
  peers.run_idle();
  peers.open(go_on);
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"text +", "text Hel+", "closed", "closed"}));
}

TEST(WebsocketReceivingPieces, AFrameWhoseTextIsInvalidIsGivenUpToThere) {
  notes seen;
  websocket_peers peers;
  peers.serve(note_pieces(seen, 100));
  const std::string frame = client_frame(opcode::text, "Hello\xff");
  peers.send(std::string_view(frame).substr(0, 6 + 5));
  peers.run_idle();
  peers.send(std::string_view(frame).substr(6 + 5));
  peers.finish();
  EXPECT_EQ(seen, (notes{"text Hello+", "1007 the text is not valid UTF-8"}));
}

// ----- Reading that is paused

TEST(WebsocketReceivingPieces, AMessageLargerThanTheBoundIsReadThroughASmallBuffer) {
  const std::string large = pattern(100'000);
  for (const bool waits : {true, false}) {
    websocket_settings settings;
    settings.max_inbound_bytes = 4000;
    gate go_on;
    std::string seen;
    websocket_peers peers(1000);
    peers.serve(
        [&](websocket& socket) -> task<> {
          if (!waits) co_await go_on;
          std::array<std::byte, 700> buffer{};
          while (auto piece = co_await socket.receive(buffer)) {
            seen += test::text_of(std::span(buffer).first(piece.count));
            if (piece.end == end_of_message::yes) seen += ".";
          }
        },
        settings);
    peers.send_text(large);
    peers.send_close(1000);
    if (!waits) peers.run_until([&] { return peers.host_end->reading_paused(); });
    peers.open(go_on);
    peers.finish();
    EXPECT_TRUE(seen == large + ".");
  }
}

TEST(WebsocketReceivingPieces, TheBytesOfAWaitedForFrameGoStraightIntoTheBuffer) {
  std::array<std::byte, 16> buffer{};
  bool received_piece = false;
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    auto piece = co_await socket.receive(buffer);
    EXPECT_EQ(test::to_string(piece, buffer), "text Hello.");
    received_piece = true;
  });
  const std::string frame = client_frame(opcode::text, "Hello");
  peers.send(std::string_view(frame).substr(0, 9));
  peers.run_idle();
  EXPECT_FALSE(received_piece);
  EXPECT_EQ(test::text_of(buffer).substr(0, 3), "Hel");
  peers.send(std::string_view(frame).substr(9));
  peers.run_handler();
}

}  // namespace
}  // namespace windhover
