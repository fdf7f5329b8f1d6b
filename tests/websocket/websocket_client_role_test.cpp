// The client's end of a WebSocket (RFC 6455): what it masks, what it refuses, how it closes, and every way in which a
// conversation may break off.
#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "support/websocket_peer.hpp"
#include <windhover/sleep_for.hpp>

namespace windhover {
namespace {

using namespace std::chrono_literals;
using test::client_frame;
using test::closing;
using test::note_messages;
using test::opcode;
using test::pattern;
using test::seen_close;
using test::seen_frame;
using test::seen_text;
using test::server_frame;
using test::websocket_handler;
using test::websocket_peers;
using frames = std::vector<seen_frame>;
using notes = std::vector<std::string>;

std::string server_close(int code, std::string_view reason = {}) {
  return server_frame(opcode::close, closing(code, reason));
}
frames seen_by_server(const websocket_peers& peers) { return peers.peer.frames(wire::role::server); }

// ----- Masks (section 5.3)

TEST(WebsocketClientRole, EveryFrameHasAMaskOfItsOwn) {
  websocket_peers peers;
  peers.serve_as_client([](websocket& socket) -> task<> {
    for (int i = 0; i < 16; ++i) co_await socket.send("same");
    for (int i = 0; i < 16; ++i) static_cast<void>(co_await socket.receive());
  });
  for (int i = 0; i < 16; ++i) peers.send(server_frame(opcode::ping, "same") + server_frame(opcode::text, ""));
  peers.run_until([&] { return seen_by_server(peers).size() == 33; });
  // 16 texts, 16 pongs and a close, each with a header of two bytes and a mask of four.
  const std::string_view bytes = peers.peer.received;
  std::set<std::string> masks;
  std::size_t count = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 6 + (static_cast<unsigned char>(bytes[at + 1]) & 0x7fU), ++count) {
    EXPECT_NE(bytes[at + 1] & 0x80, 0) << "not masked";
    masks.emplace(bytes.substr(at + 2, 4));
  }
  EXPECT_EQ(count, 33U);
  EXPECT_GE(masks.size(), count - 1) << "two of them may be the same, once in a hundred million runs";
}

TEST(WebsocketClientRole, AMaskedFrameIsAnsweredWith1002WhereverItIsCut) {
  for (const std::size_t cut : test::all_cuts) {
    notes seen;
    websocket_peers peers(cut);
    peers.serve_as_client(note_messages(seen));
    peers.send(server_frame(opcode::text, "before") + client_frame(opcode::text, "masked") +
               server_frame(opcode::text, "after"));
    peers.run_handler();
    EXPECT_EQ(seen, (notes{"text before", "1002 a frame from the server is masked"}));
    peers.run_until([&] { return peers.peer.ended; });
    EXPECT_EQ(seen_by_server(peers), (frames{seen_close(1002, "a frame from the server is masked")}));
    peers.peer_end->close();
    peers.run_until_gone();
  }
}

TEST(WebsocketClientRole, AMaskedControlFrameIsRefusedToo) {
  for (const opcode code : {opcode::ping, opcode::pong, opcode::close}) {
    notes seen;
    websocket_peers peers;
    peers.serve_as_client(note_messages(seen));
    peers.send(client_frame(code, code == opcode::close ? closing(1000) : "x"));
    peers.run_handler();
    EXPECT_EQ(seen, (notes{"1002 a frame from the server is masked"}));
  }
}

TEST(WebsocketClientRole, ReceivesWhereverTheStreamIsCut) {
  for (const std::size_t cut : test::all_cuts) {
    notes seen;
    websocket_peers peers(cut);
    peers.serve_as_client(note_messages(seen));
    peers.send(server_frame(opcode::text, "one") + server_frame(opcode::binary, "tw", false) +
               server_frame(opcode::ping, "p") + server_frame(opcode::continuation, "o") +
               server_frame(opcode::text, pattern(70'000)) + server_close(4000, "bye"));
    peers.run_handler();
    EXPECT_EQ(seen, (notes{"text one", "binary two", "text " + pattern(70'000), "4000 bye"}));
    peers.run_until([&] { return seen_by_server(peers).size() == 2; });
    EXPECT_EQ(seen_by_server(peers), (frames{{opcode::pong, "p"}, seen_close(4000, "bye")}));
    peers.peer_end->close();
    peers.run_until_gone();
  }
}

// ----- Closing (section 7)

TEST(WebsocketClientRole, AfterItsOwnCloseItWaitsForTheServerToEndTheConnection) {
  websocket_peers peers;
  bool closed = false;
  peers.serve_as_client([&](websocket& socket) -> task<> {
    co_await socket.close(close_code::normal_closure, "done");
    closed = true;
    EXPECT_EQ(socket.state(), websocket_state::closed);
    EXPECT_EQ(test::status_of(socket), "1000 done");
  });
  peers.run_until([&] { return seen_by_server(peers).size() == 1; });
  EXPECT_EQ(seen_by_server(peers), (frames{seen_close(1000, "done")}));
  EXPECT_FALSE(closed);
  peers.send(server_close(1000, "done"));
  peers.run_handler();
  peers.run_idle();
  EXPECT_FALSE(peers.peer.ended);
  EXPECT_FALSE(peers.peer.failed);
  peers.peer_end->close();
  peers.run_until_gone();
  EXPECT_TRUE(peers.peer.ended);
}

TEST(WebsocketClientRole, AServerThatDoesNotEndTheConnectionIsWaitedForNoLongerThanTheCloseTimeout) {
  websocket_settings settings;
  settings.close_timeout = 3000;
  notes seen;
  websocket_peers peers;
  peers.serve_as_client(note_messages(seen), settings);
  peers.send(server_close(1000));
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"1000"}));
  peers.run_until_gone();
  EXPECT_TRUE(peers.peer.failed);
  EXPECT_EQ(peers.elapsed(), 3s);
}

TEST(WebsocketClientRole, ACloseThatIsNotAnsweredEndsWithTheCloseTimeout) {
  websocket_settings settings;
  settings.close_timeout = 3000;
  std::string status;
  websocket_peers peers;
  peers.serve_as_client(
      [&](websocket& socket) -> task<> {
        co_await socket.close();
        status = test::status_of(socket);
      },
      settings);
  peers.run_handler();
  EXPECT_EQ(status, "1006");
  EXPECT_EQ(peers.elapsed(), 3s);
  peers.run_until_gone();
}

TEST(WebsocketClientRole, BothMayCloseAtOnce) {
  for (const std::size_t cut : test::all_cuts) {
    websocket_peers peers(cut);
    std::string status;
    peers.serve_as_client([&](websocket& socket) -> task<> {
      co_await socket.close(close_code::normal_closure);
      status = test::status_of(socket);
    });
    peers.send(server_close(1001, "going"));
    peers.run_handler();
    EXPECT_EQ(status, "1001 going");
    peers.run_until([&] { return !seen_by_server(peers).empty(); });
    EXPECT_EQ(seen_by_server(peers), (frames{seen_close(1000)}));
    peers.peer_end->close();
    peers.run_until_gone();
  }
}

TEST(WebsocketClientRole, AStoppingProgramSaysGoingAway) {
  notes seen;
  websocket_peers peers;
  peers.serve_as_client(note_messages(seen));
  peers.on_loop([&] { peers.loop.drain_all(); });
  peers.run_until([&] { return !peers.peer.received.empty(); });
  EXPECT_EQ(seen_by_server(peers), (frames{seen_close(1001, "the client is shutting down")}));
  peers.send(server_close(1001));
  peers.run_handler();
  peers.peer_end->close();
  peers.run_until_gone();
}

// ----- What breaks off

std::string conversation() {
  return server_frame(opcode::text, "Hello") + server_frame(opcode::ping, "p") +
         server_frame(opcode::binary, "ab", false) + server_frame(opcode::pong, "") +
         server_frame(opcode::continuation, "") + server_frame(opcode::text, pattern(130)) + server_close(1000, "bye");
}

task<> talk_first(websocket& socket) {
  for (int i = 0; i < 3; ++i) {
    const bool sent = co_await socket.send(pattern(600));
    if (!sent) co_return;
  }
  co_await test::echo(socket);
}
task<> close_at_once(websocket& socket) { co_await socket.close(close_code::going_away, "not today"); }
task<> close_after_one(websocket& socket) {
  static_cast<void>(co_await socket.receive());
  socket.close_output();
  co_await test::echo(socket);
}

websocket_settings narrow() {
  websocket_settings settings;
  settings.max_queued_bytes = 1024;
  settings.max_inbound_bytes = 1024;
  return settings;
}

TEST(WebsocketClientRole, TheServerBreaksOffAfterEveryByte) {
  const std::string stream = conversation();
  for (const websocket_handler& handler : {websocket_handler(test::echo), websocket_handler(talk_first),
                                           websocket_handler(close_at_once), websocket_handler(close_after_one)}) {
    for (const bool reset : {true, false}) {
      for (const std::size_t cut : {std::size_t{1}, test::uncut}) {
        for (std::size_t bytes = 0; bytes <= stream.size(); ++bytes) {
          SCOPED_TRACE((reset ? "reset" : "end") + std::string(" after ") + std::to_string(bytes));
          websocket_peers peers(cut);
          peers.serve_as_client(handler, narrow());
          peers.send(std::string_view(stream).substr(0, bytes));
          if (reset) {
            peers.run_idle();
            if (!peers.peer.gone) peers.peer_end->abort();
          } else {
            peers.peer_end->close();
          }
          peers.run_until_gone();
          EXPECT_TRUE(peers.host.handler_ended);
        }
      }
    }
  }
}

TEST(WebsocketClientRole, TheServerBreaksOffAfterEveryByteThatItGets) {
  const std::string stream = conversation();
  for (const websocket_handler& handler : {websocket_handler(test::echo), websocket_handler(talk_first)}) {
    for (std::size_t bytes = 1; bytes < 240; ++bytes) {
      SCOPED_TRACE(bytes);
      websocket_peers peers(1);
      peers.serve_as_client(handler, narrow());
      peers.peer.on_bytes = [&](std::span<const std::byte>) {
        if (peers.peer.received.size() == bytes) peers.peer_end->abort();
      };
      peers.send(stream);
      peers.run_until_gone();
      EXPECT_TRUE(peers.host.handler_ended);
    }
  }
}

TEST(WebsocketClientRole, AnyByteMayBeWrong) {
  const std::string stream = conversation();
  for (std::size_t at = 0; at < stream.size(); ++at) {
    for (const unsigned bits : {0x01U, 0x08U, 0x40U, 0x80U, 0xffU}) {
      SCOPED_TRACE(std::to_string(at) + " ^ " + std::to_string(bits));
      std::string changed = stream;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ bits);
      websocket_peers peers(7);
      peers.serve_as_client(test::echo, narrow());
      peers.send(changed);
      peers.peer_end->close();
      peers.run_until_gone();
      EXPECT_TRUE(peers.host.handler_ended);
      for (const auto& frame : seen_by_server(peers)) {
        if (frame.code != opcode::close || frame.payload.empty()) continue;
        EXPECT_EQ(wire::parse_close_payload(test::bytes_of(frame.payload)).error, wire::websocket_error::none);
      }
    }
  }
}

}  // namespace
}  // namespace windhover
