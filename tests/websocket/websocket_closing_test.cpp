// The closing handshake, both ways: codes, states, what is dropped, and connections that end without one. The cases of
// ASP.NET Core's tests have the names they have there.
#include <array>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/websocket_peer.hpp"
#include <windhover/when_all.hpp>

namespace windhover {
namespace {

using namespace std::chrono_literals;
using test::client_close;
using test::client_frame;
using test::gate;
using test::note_messages;
using test::opcode;
using test::pattern;
using test::seen_close;
using test::seen_frame;
using test::seen_text;
using test::server_frame;
using test::websocket_peers;
using frames = std::vector<seen_frame>;
using notes = std::vector<std::string>;

class WebsocketClosing : public test::every_cut {};
INSTANTIATE_TEST_SUITE_P(All, WebsocketClosing, test::each_cut(), test::cut_name);

// ----- The peer closes first

TEST_P(WebsocketClosing, ReceivedCloseIsAnsweredWithTheSame) {
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve(note_messages(seen));
  peers.send_close(4321, "Grüße");
  peers.finish();
  EXPECT_EQ(seen, (notes{"4321 Grüße"}));
  EXPECT_EQ(peers.peer.frames(), (frames{seen_close(4321, "Grüße")}));
  EXPECT_TRUE(peers.peer.ended) << "the server ends the connection";
}

TEST_P(WebsocketClosing, ACloseWithoutACodeIs1005AndAnsweredWithoutOne) {
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve(note_messages(seen));
  peers.send(client_frame(opcode::close, ""));
  peers.finish();
  EXPECT_EQ(seen, (notes{"1005"}));
  EXPECT_EQ(test::to_hex(peers.peer.received), "8800");
}

TEST_P(WebsocketClosing, TheLongestReason) {
  const std::string reason(123, 'r');
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve(note_messages(seen));
  peers.send_close(1000, reason);
  peers.finish();
  EXPECT_EQ(seen, (notes{"1000 " + reason}));
  EXPECT_EQ(peers.peer.frames(), (frames{seen_close(1000, reason)}));
}

TEST_P(WebsocketClosing, WhatFollowsACloseIsNotRead) {
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve(note_messages(seen));
  peers.send(client_close(1000) + client_frame(opcode::text, "late") + client_frame(opcode::ping, "late") + "nonsense");
  peers.finish();
  EXPECT_EQ(seen, (notes{"1000"}));
  EXPECT_EQ(peers.peer.frames(), (frames{seen_close(1000)}));
}

TEST_P(WebsocketClosing, ACloseWithinAMessageEndsIt) {
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve(note_messages(seen));
  peers.send(client_frame(opcode::text, "begin", false) + client_close(1001));
  peers.finish();
  EXPECT_EQ(seen, (notes{"1001"}));
}

TEST_P(WebsocketClosing, MessagesBeforeACloseAreReceivedAfterIt) {
  notes seen;
  gate go_on;
  const auto receive_all = note_messages(seen);
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    co_await go_on;
    EXPECT_EQ(socket.state(), websocket_state::close_received);
    EXPECT_EQ(test::status_of(socket), "1000 bye");
    co_await receive_all(socket);
    EXPECT_EQ(socket.state(), websocket_state::closed);
  });
  peers.send(client_frame(opcode::text, "one") + client_frame(opcode::text, "two") + client_close(1000, "bye"));
  peers.run_idle();
  peers.open(go_on);
  peers.finish();
  EXPECT_EQ(seen, (notes{"text one", "text two", "1000 bye"}));
  EXPECT_EQ(peers.elapsed(), 0s);
}

TEST_P(WebsocketClosing, MessagesBeforeACloseAreAnsweredBeforeIt) {
  gate go_on;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    co_await go_on;
    co_await test::echo(socket);
  });
  peers.send(client_frame(opcode::text, "one") + client_frame(opcode::text, "two") + client_close(1000, "bye"));
  peers.run_idle();
  EXPECT_EQ(peers.peer.received, "");
  peers.open(go_on);
  peers.finish();
  EXPECT_EQ(peers.peer.frames(), (frames{seen_text("one"), seen_text("two"), seen_close(1000, "bye")}));
}

TEST_P(WebsocketClosing, PiecesBeforeACloseAreAnsweredBeforeIt) {
  gate go_on;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    std::array<std::byte, 2> buffer{};
    co_await go_on;
    while (auto piece = co_await socket.receive(buffer)) {
      const bool sent = co_await socket.send(std::span(buffer).first(piece.count), piece.end);
      EXPECT_TRUE(sent);
    }
  });
  peers.send(client_frame(opcode::binary, "one") + client_close(1000));
  peers.run_idle();
  peers.open(go_on);
  peers.finish();
  EXPECT_EQ(peers.peer.frames(),
            (frames{{opcode::binary, "on", false}, {opcode::continuation, "e"}, seen_close(1000)}));
}

TEST_P(WebsocketClosing, ACloseIsAnsweredAtTheLatestAfterTheTimeout) {
  gate done;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket&) -> task<> { co_await done; });
  peers.send(client_frame(opcode::text, "not received") + client_close(1000, "bye"));
  peers.run_until_frames(1);
  EXPECT_EQ(peers.elapsed(), 5s);
  EXPECT_EQ(peers.peer.frames(), (frames{seen_close(1000, "bye")}));
  peers.open(done);
}

TEST_P(WebsocketClosing, AHandlerThatReturnsAnswersTheClose) {
  gate done;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket&) -> task<> { co_await done; });
  peers.send(client_frame(opcode::text, "not received") + client_close(4000, "bye"));
  peers.run_idle();
  peers.open(done);
  peers.finish();
  EXPECT_EQ(peers.peer.frames(), (frames{seen_close(4000, "bye")}));
  EXPECT_EQ(peers.elapsed(), 0s);
}

TEST_P(WebsocketClosing, ACloseMayBeAnsweredWithAnotherCode) {
  gate go_on;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    co_await go_on;
    EXPECT_EQ(socket.state(), websocket_state::close_received);
    EXPECT_TRUE(socket.close_output(close_code::going_away, "ours"));
    EXPECT_EQ(socket.state(), websocket_state::closed);
    EXPECT_EQ(test::status_of(socket), "4000 theirs");
  });
  peers.send(client_frame(opcode::text, "not received") + client_close(4000, "theirs"));
  peers.run_idle();
  peers.open(go_on);
  peers.finish();
  EXPECT_EQ(peers.peer.frames(), (frames{seen_close(1001, "ours")}));
}

TEST_P(WebsocketClosing, ThePeersCodeStaysWhenTheConnectionEndsBeforeItIsAnswered) {
  for (const bool reset : {true, false}) {
    notes seen;
    gate go_on;
    const auto receive_all = note_messages(seen);
    websocket_peers peers(GetParam());
    peers.serve([&](websocket& socket) -> task<> {
      co_await go_on;
      EXPECT_EQ(socket.state(), reset ? websocket_state::aborted : websocket_state::closed);
      co_await receive_all(socket);
      const bool sent = co_await socket.send("late");
      EXPECT_FALSE(sent);
    });
    peers.send(client_frame(opcode::text, "one") + client_close(4000, "bye"));
    peers.run_idle();
    reset ? peers.peer_end->abort() : peers.peer_end->close();
    peers.run_idle();
    peers.open(go_on);
    peers.run_handler();
    EXPECT_EQ(seen, (notes{"text one", "4000 bye"}));
    EXPECT_EQ(peers.peer.frames(), reset ? frames() : (frames{seen_close(4000, "bye")}));
    peers.run_until_gone();
  }
}

TEST_P(WebsocketClosing, LaterReceivesAndSendsFindItClosed) {
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    auto none = co_await socket.receive();
    EXPECT_TRUE(none.closed());
    none = co_await socket.receive();
    EXPECT_TRUE(none.closed());
    std::array<std::byte, 4> buffer{};
    const auto no_piece = co_await socket.receive(buffer);
    EXPECT_EQ(no_piece.outcome, received::outcome::closed);
    const bool sent = co_await socket.send("late");
    EXPECT_FALSE(sent);
    EXPECT_FALSE(socket.close_output());
    co_await socket.close();
    socket.abort();
    EXPECT_EQ(socket.state(), websocket_state::closed);
    EXPECT_EQ(test::status_of(socket), "1000");
  });
  peers.send_close(1000);
  peers.run_handler();
}

// ----- ASP.NET Core, WebSocketMiddlewareTests: the client is the raw peer

TEST_P(WebsocketClosing, ReceiveClose) {
  websocket_peers peers(GetParam());
  peers.serve([](websocket& socket) -> task<> {
    EXPECT_TRUE(socket.close_output(close_code::normal_closure, "Test Closed"));
    EXPECT_EQ(socket.state(), websocket_state::close_sent);
    auto none = co_await socket.receive();
    EXPECT_TRUE(none.closed());
    EXPECT_EQ(socket.state(), websocket_state::closed);
  });
  peers.run_until_frames(1);
  EXPECT_EQ(peers.peer.frames(), (frames{seen_close(1000, "Test Closed")}));
  EXPECT_FALSE(peers.host.handler_ended);
  peers.send_close(1000, "Test Closed");
  peers.finish();
}

TEST_P(WebsocketClosing, CloseFromOpen) {
  // The client calls close while the server receives; here both ends are sockets of ours.
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve_both(note_messages(seen), [](websocket& socket) -> task<> {
    EXPECT_EQ(socket.state(), websocket_state::open);
    co_await socket.close(close_code::normal_closure, "Test Closed");
    EXPECT_EQ(socket.state(), websocket_state::closed);
    EXPECT_EQ(test::status_of(socket), "1000 Test Closed");
  });
  peers.run_until_gone();
  EXPECT_EQ(seen, (notes{"1000 Test Closed"}));
  EXPECT_TRUE(peers.other_host.handler_ended);
}

TEST_P(WebsocketClosing, CloseFromCloseSent) {
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve_both(note_messages(seen), [](websocket& socket) -> task<> {
    EXPECT_TRUE(socket.close_output(close_code::normal_closure, "Test Closed"));
    EXPECT_EQ(socket.state(), websocket_state::close_sent);
    co_await socket.close(close_code::going_away, "not sent");
    EXPECT_EQ(socket.state(), websocket_state::closed);
  });
  peers.run_until_gone();
  EXPECT_EQ(seen, (notes{"1000 Test Closed"}));
  EXPECT_TRUE(peers.other_host.handler_ended);
}

TEST_P(WebsocketClosing, CloseFromCloseReceived) {
  // Our answer goes out by itself, so the client is closed before it calls close.
  std::string of_server;
  websocket_peers peers(GetParam());
  peers.serve_both(
      [&](websocket& socket) -> task<> {
        co_await socket.close(close_code::normal_closure, "Test Closed");
        of_server = test::status_of(socket);
      },
      [](websocket& socket) -> task<> {
        auto none = co_await socket.receive();
        EXPECT_TRUE(none.closed());
        EXPECT_EQ(socket.state(), websocket_state::closed);
        co_await socket.close(close_code::normal_closure, "Test Closed");
        EXPECT_EQ(socket.state(), websocket_state::closed);
      });
  peers.run_until_gone();
  EXPECT_EQ(of_server, "1000 Test Closed");
}

TEST_P(WebsocketClosing, AbortInterruptsAPendingReceive) {
  notes seen;
  websocket* socket_of_handler = nullptr;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    socket_of_handler = &socket;
    auto none = co_await socket.receive();
    seen.push_back(test::to_string(none) + " " + test::status_of(socket));
    EXPECT_EQ(socket.state(), websocket_state::aborted);
  });
  peers.on_loop([&] {
    socket_of_handler->abort();
    EXPECT_EQ(socket_of_handler->state(), websocket_state::aborted);
  });
  EXPECT_EQ(seen, notes()) << "nothing is called back from within the call";
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"closed 1006"}));
  peers.run_until_gone();
  EXPECT_EQ(peers.peer.failed, net::failure::cause::reset);
  EXPECT_EQ(peers.peer.received, "") << "no close frame";
}

// ----- The handler closes first

TEST_P(WebsocketClosing, EveryCodeThatMayBeSent) {
  for (const int code :
       {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999}) {
    websocket_peers peers(GetParam());
    peers.serve([&](websocket& socket) -> task<> { co_await socket.close(static_cast<close_code>(code)); });
    peers.run_until_frames(1);
    EXPECT_EQ(peers.peer.frames(), (frames{seen_close(code)}));
    peers.send_close(code);
    peers.finish();
  }
}

TEST_P(WebsocketClosing, CodesThatMustNotBeSentAreRefused) {
  for (const int code : {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}) {
    websocket_peers peers(GetParam());
    peers.serve([&](websocket& socket) -> task<> {
      EXPECT_THROW(static_cast<void>(socket.close(static_cast<close_code>(code))), std::invalid_argument) << code;
      EXPECT_THROW(socket.close_output(static_cast<close_code>(code)), std::invalid_argument) << code;
      EXPECT_EQ(socket.state(), websocket_state::open);
      co_return;
    });
    peers.run_until_frames(1);
    EXPECT_EQ(peers.peer.frames(), (frames{seen_close(1000)})) << "the handler has returned";
  }
}

TEST_P(WebsocketClosing, ReasonsThatDoNotFitAreRefused) {
  websocket_peers peers(GetParam());
  peers.serve([](websocket& socket) -> task<> {
    EXPECT_THROW(static_cast<void>(socket.close(close_code::normal_closure, std::string(124, 'r'))),
                 std::invalid_argument);
    EXPECT_THROW(static_cast<void>(socket.close(close_code::normal_closure, "\xce")), std::invalid_argument);
    EXPECT_TRUE(socket.close_output(close_code::normal_closure, std::string(123, 'r')));
    co_return;
  });
  peers.run_until_frames(1);
  EXPECT_EQ(peers.peer.frames(), (frames{seen_close(1000, std::string(123, 'r'))}));
}

TEST_P(WebsocketClosing, CloseDropsDataThatStillArrives) {
  websocket_peers peers(GetParam());
  peers.serve([](websocket& socket) -> task<> {
    co_await socket.close();
    auto none = co_await socket.receive();
    EXPECT_TRUE(none.closed());
    EXPECT_EQ(test::status_of(socket), "4000 late");
  });
  peers.run_until_frames(1);
  peers.send(client_frame(opcode::text, pattern(3000)) + client_frame(opcode::binary, "x", false) +
             client_frame(opcode::continuation, "y") + client_close(4000, "late"));
  peers.finish();
}

TEST_P(WebsocketClosing, CloseDropsWhatWasNotReceivedBefore) {
  gate go_on;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    co_await go_on;
    co_await socket.close();
    auto none = co_await socket.receive();
    EXPECT_TRUE(none.closed());
  });
  peers.send(client_frame(opcode::text, "one") + client_frame(opcode::text, "two", false));
  peers.run_idle();
  peers.open(go_on);
  peers.send(client_frame(opcode::continuation, "two") + client_close(1000));
  peers.finish();
}

TEST_P(WebsocketClosing, CloseResumesReadingThatWasPaused) {
  websocket_settings settings;
  settings.max_inbound_bytes = 1024;
  gate go_on;
  websocket_peers peers(GetParam());
  peers.serve(
      [&](websocket& socket) -> task<> {
        co_await go_on;
        co_await socket.close();
        EXPECT_EQ(test::status_of(socket), "1000");
      },
      settings);
  for (int i = 0; i < 20; ++i) peers.send_text(pattern(500));
  peers.send_close(1000);
  peers.run_until([&] { return peers.host_end->reading_paused(); });
  peers.open(go_on);
  peers.finish();
}

TEST_P(WebsocketClosing, AReceiverThatWaitsBesideACloseEndsWithIt) {
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    const auto close = [](websocket& of) -> task<> { co_await of.close(); };
    const auto receive_all = note_messages(seen);
    co_await when_all(receive_all(socket), close(socket));
  });
  peers.send(client_frame(opcode::text, "dropped") + client_close(1000));
  peers.finish();
  EXPECT_EQ(seen, (notes{"1000"}));
}

TEST_P(WebsocketClosing, CloseOutputKeepsReceiving) {
  notes seen;
  const auto receive_all = note_messages(seen);
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    EXPECT_TRUE(socket.close_output(close_code::going_away, "that is all"));
    EXPECT_EQ(socket.close_status(), std::nullopt);
    co_await receive_all(socket);
  });
  peers.run_until_frames(1);
  peers.send(client_frame(opcode::text, "one") + client_frame(opcode::ping, "p") + client_frame(opcode::text, "two") +
             client_close(1001, "me too"));
  peers.finish();
  EXPECT_EQ(seen, (notes{"text one", "text two", "1001 me too"}));
  EXPECT_EQ(peers.peer.frames(), (frames{seen_close(1001, "that is all"), {opcode::pong, "p"}}))
      << "pings are answered until the peer has closed (RFC 6455, section 5.5.2)";
}

TEST_P(WebsocketClosing, ASecondCloseDoesNothing) {
  websocket_peers peers(GetParam());
  peers.serve([](websocket& socket) -> task<> {
    EXPECT_TRUE(socket.close_output(close_code::normal_closure, "first"));
    EXPECT_FALSE(socket.close_output(close_code::going_away, "second"));
    co_await socket.close(close_code::going_away, "third");
    EXPECT_EQ(socket.state(), websocket_state::closed);
    EXPECT_FALSE(socket.close_output(close_code::going_away, "fourth"));
    co_await socket.close(close_code::going_away, "fifth");
  });
  peers.run_until_frames(1);
  peers.send_close(1000);
  peers.finish();
  EXPECT_EQ(peers.peer.frames(), (frames{seen_close(1000, "first")}));
}

TEST_P(WebsocketClosing, EverybodyWhoWaitsForTheCloseGoesOn) {
  int ended = 0;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    const auto close = [](websocket& of, int& count) -> task<> {
      co_await of.close();
      ++count;
    };
    co_await when_all(close(socket, ended), close(socket, ended), close(socket, ended));
  });
  peers.run_until_frames(1);
  EXPECT_EQ(ended, 0);
  peers.send_close(1000);
  peers.finish();
  EXPECT_EQ(ended, 3);
}

TEST_P(WebsocketClosing, BothMayCloseAtTheSameTime) {
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    co_await socket.close(close_code::normal_closure, "ours");
    seen.push_back(test::status_of(socket));
  });
  peers.send_close(1001, "theirs");  // before ours has arrived
  peers.finish();
  EXPECT_EQ(seen, (notes{"1001 theirs"}));
  EXPECT_EQ(peers.peer.frames(), (frames{seen_close(1000, "ours")})) << "one close frame";
}

TEST_P(WebsocketClosing, BothSocketsMayCloseAtTheSameTime) {
  notes seen;
  websocket_peers peers(GetParam());
  const auto close = [&](websocket& socket) -> task<> {
    co_await socket.close(close_code::normal_closure, "done");
    EXPECT_EQ(socket.state(), websocket_state::closed);
    seen.push_back(test::status_of(socket));
  };
  peers.serve_both(close, close);
  peers.run_until_gone();
  EXPECT_EQ(seen, (notes{"1000 done", "1000 done"}));
}

TEST_P(WebsocketClosing, AMistakeOfThePeerAfterTheOwnCloseSendsNoSecondOne) {
  notes seen;
  const auto receive_all = note_messages(seen);
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    EXPECT_TRUE(socket.close_output());
    co_await receive_all(socket);
  });
  peers.run_until_frames(1);
  peers.send(server_frame(opcode::text, "not masked"));
  peers.finish();
  EXPECT_EQ(seen, (notes{"1002 a frame from the client is not masked"}));
  EXPECT_EQ(peers.peer.frames(), (frames{seen_close(1000)}));
}

}  // namespace
}  // namespace windhover
