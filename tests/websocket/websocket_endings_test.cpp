// Ends of a socket that nobody asked for by close(): the handler returns or throws, the application stops, the peer
// vanishes, or somebody takes too long.
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/websocket_peer.hpp"
#include <windhover/sleep_for.hpp>

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
using test::websocket_peers;
using frames = std::vector<seen_frame>;
using notes = std::vector<std::string>;

class WebsocketEndings : public test::every_cut {};
INSTANTIATE_TEST_SUITE_P(All, WebsocketEndings, test::each_cut(), test::cut_name);

// ----- The end of the handler

TEST_P(WebsocketEndings, AHandlerThatReturnsClosesWith1000) {
  websocket_peers peers(GetParam());
  peers.serve([](websocket& socket) -> task<> {
    auto message = co_await socket.receive();
    co_await socket.send(*message);
  });
  peers.send_text("one");
  peers.run_until_frames(2);
  peers.send(client_frame(opcode::text, "dropped"));
  peers.send_close(1000);
  peers.finish();
  EXPECT_EQ(peers.peer.frames(), (frames{seen_text("one"), seen_close(1000)}));
}

TEST_P(WebsocketEndings, AnExceptionClosesWith1011) {
  websocket_peers peers(GetParam());
  peers.serve([](websocket& socket) -> task<> {
    auto message = co_await socket.receive();
    throw std::runtime_error(std::string(message->text()));
  });
  peers.send_text("trouble");
  EXPECT_THROW(peers.run_handler(), std::runtime_error);
  peers.run_until_frames(1);
  EXPECT_EQ(peers.peer.frames(), (frames{seen_close(1011)}));
  peers.send_close(1011);
  peers.run_until([&] { return peers.peer.ended; });
}

TEST_P(WebsocketEndings, AnExceptionThatIsCaughtInsideClosesWith1000) {
  websocket_peers peers(GetParam());
  peers.serve([](websocket&) -> task<> {
    try {
      throw std::runtime_error("caught");
    } catch (const std::exception&) {
    }
    co_return;
  });
  peers.run_until_frames(1);
  EXPECT_EQ(peers.peer.frames(), (frames{seen_close(1000)}));
}

TEST_P(WebsocketEndings, AHandlerThatReturnsWhilePausedClosesAllTheSame) {
  websocket_settings settings;
  settings.max_inbound_bytes = 1024;
  gate go_on;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket&) -> task<> { co_await go_on; }, settings);
  for (int i = 0; i < 20; ++i) peers.send_text(pattern(500));
  peers.run_until([&] { return peers.host_end->reading_paused(); });
  peers.open(go_on);
  peers.run_until_frames(1);
  peers.send_close(1000);
  peers.finish();
  EXPECT_EQ(peers.peer.frames(), (frames{seen_close(1000)}));
}

// ----- The application stops

TEST_P(WebsocketEndings, DrainingClosesWith1001AndTheHandlerSeesTheAnswer) {
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve(note_messages(seen));
  peers.on_loop([&] { peers.loop.drain_all(); });
  peers.run_until_frames(1);
  EXPECT_EQ(peers.peer.frames(), (frames{seen_close(1001, "the server is shutting down")}));
  peers.send(client_frame(opcode::text, "last") + client_close(1001));
  peers.finish();
  EXPECT_EQ(seen, (notes{"text last", "1001"}));
}

// ----- Ends without a closing handshake

TEST_P(WebsocketEndings, APeerThatEndsItsStreamIs1006) {
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve(note_messages(seen));
  peers.send_text("one");
  peers.peer_end->close();
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"text one", "1006"}));
  peers.run_until_gone();
  EXPECT_TRUE(peers.peer.ended);
}

TEST_P(WebsocketEndings, APeerThatResetsIs1006) {
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve(note_messages(seen));
  peers.send_text("one");
  peers.run_until([&] { return seen.size() == 1; });
  peers.peer_end->abort();
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"text one", "1006"}));
  peers.run_until_gone();
}

TEST_P(WebsocketEndings, MessagesThatWereThereAreReceivedAfterAReset) {
  notes seen;
  gate go_on;
  const auto receive_all = note_messages(seen);
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    co_await go_on;
    EXPECT_EQ(socket.state(), websocket_state::aborted);
    co_await receive_all(socket);
  });
  peers.send(client_frame(opcode::text, "one") + client_frame(opcode::text, "two", false));
  peers.run_idle();
  peers.peer_end->abort();
  peers.run_idle();
  peers.open(go_on);
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"text one", "1006"}));
}

TEST_P(WebsocketEndings, APeerThatEndsItsStreamAfterOurCloseIs1006) {
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    co_await socket.close();
    seen.push_back(test::status_of(socket));
    EXPECT_EQ(socket.state(), websocket_state::aborted);
  });
  peers.peer_end->close();
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"1006"}));
  peers.run_until_gone();
}

TEST_P(WebsocketEndings, AnAbortAfterTheCloseLeavesTheStatus) {
  websocket_peers peers(GetParam());
  peers.serve([](websocket& socket) -> task<> {
    auto none = co_await socket.receive();
    socket.abort();
    EXPECT_EQ(socket.state(), websocket_state::closed);
    EXPECT_EQ(test::status_of(socket), "4000 bye");
  });
  peers.send_close(4000, "bye");
  peers.run_handler();
  peers.run_until_gone();
}

// ----- Time

TEST_P(WebsocketEndings, APeerThatDoesNotAnswerIsAbortedAfterTheTimeout) {
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    co_await socket.close();
    seen.push_back(test::status_of(socket));
    EXPECT_EQ(socket.state(), websocket_state::aborted);
  });
  peers.run_handler();
  EXPECT_EQ(peers.elapsed(), 5s);
  EXPECT_EQ(seen, (notes{"1006"}));
  peers.run_until_gone();
  EXPECT_EQ(peers.peer.failed, net::failure::cause::reset);
}

TEST_P(WebsocketEndings, DataThatGoesOnArrivingDoesNotProlongTheTimeout) {
  websocket_settings settings;
  settings.close_timeout = 100;
  websocket_peers peers(GetParam());
  peers.serve([](websocket& socket) -> task<> { co_await socket.close(); }, settings);
  const auto talk = [&]() -> task<> {
    while (!peers.host.handler_ended) {
      peers.send_text("on and on");
      co_await sleep_for(10ms);
    }
  };
  task<> talking = talk();
  bool talked = false;
  peers.on_loop([&] {
    talking.start(&talked, [](void* context) noexcept -> std::coroutine_handle<> {
      *static_cast<bool*>(context) = true;
      return std::noop_coroutine();
    });
  });
  peers.run_handler();
  EXPECT_EQ(peers.elapsed(), 100ms);
  peers.run_until([&] { return talked; });
}

TEST_P(WebsocketEndings, APeerThatDoesNotEndTheConnectionIsAbortedAfterTheTimeout) {
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve(note_messages(seen));
  peers.send_close(1000);
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"1000"}));
  EXPECT_EQ(peers.elapsed(), 0s);
  peers.run_until_gone();
  EXPECT_EQ(peers.elapsed(), 5s);
}

TEST_P(WebsocketEndings, APeerThatDoesNotReadOurCloseIsAbortedAfterTheTimeout) {
  gate go_on;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    static_cast<void>(socket.send("first"));
    static_cast<void>(socket.send(pattern(100'000)));
    co_await go_on;
  });
  peers.peer.takes = false;
  peers.run_idle();
  peers.open(go_on);
  peers.run_until_gone();
  EXPECT_EQ(peers.elapsed(), 5s);
}

// ----- On sockets

class WebsocketEndingsOn : public ::testing::TestWithParam<test::kind_of_transport> {};
INSTANTIATE_TEST_SUITE_P(All, WebsocketEndingsOn, test::every_kind(), test::kind_name);

TEST_P(WebsocketEndingsOn, BothWays) {
  for (const bool server_first : {true, false}) {
    std::string of_server;
    std::string of_client;
    websocket_peers peers(GetParam());
    const auto close = [](websocket& socket, std::string& status) -> task<> {
      co_await socket.close(close_code::going_away, "bye");
      status = test::status_of(socket);
    };
    const auto receive_end = [](websocket& socket, std::string& status) -> task<> {
      auto none = co_await socket.receive();
      EXPECT_TRUE(none.closed());
      status = test::status_of(socket);
    };
    if (server_first) {
      peers.serve_both([&](websocket& socket) { return close(socket, of_server); },
                       [&](websocket& socket) { return receive_end(socket, of_client); });
    } else {
      peers.serve_both([&](websocket& socket) { return receive_end(socket, of_server); },
                       [&](websocket& socket) { return close(socket, of_client); });
    }
    peers.run_until_gone();
    EXPECT_EQ(of_server, "1001 bye");
    EXPECT_EQ(of_client, "1001 bye");
  }
}

TEST_P(WebsocketEndingsOn, WhatIsQueuedGoesOutBeforeTheClose) {
  // More than the sockets hold, to a peer that reads late.
  gate go_on;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    static_cast<void>(socket.send(pattern(20'000'000)));
    co_await socket.close();
    EXPECT_EQ(test::status_of(socket), "1000");
  });
  peers.peer.takes = false;
  peers.run_idle();
  peers.take();
  peers.run_until([&] { return peers.peer.received.size() == 10 + 20'000'000 + 4; });
  peers.send_close(1000);
  peers.finish();
  const frames seen = peers.peer.frames();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_TRUE(seen[0] == seen_text(pattern(20'000'000)));
}

TEST_P(WebsocketEndingsOn, APeerThatVanishesIs1006) {
  for (const bool reset : {true, false}) {
    notes seen;
    websocket_peers peers(GetParam());
    peers.serve(note_messages(seen));
    peers.send_text("one");
    peers.run_until([&] { return seen.size() == 1; });
    reset ? peers.peer_end->abort() : peers.peer_end->close();
    peers.run_handler();
    EXPECT_EQ(seen, (notes{"text one", "1006"}));
    peers.run_until_gone();
  }
}

TEST_P(WebsocketEndingsOn, AnAbortedSocketResetsItsPeer) {
  websocket_peers peers(GetParam());
  peers.serve([](websocket& socket) -> task<> {
    socket.abort();
    auto none = co_await socket.receive();
    EXPECT_TRUE(none.closed());
  });
  peers.finish();
  // Unix sockets know no reset.
  const bool is_unix =
      GetParam() == test::kind_of_transport::unix_epoll || GetParam() == test::kind_of_transport::unix_io_uring;
  EXPECT_EQ(peers.peer.failed.has_value(), !is_unix);
  EXPECT_EQ(peers.peer.received, "");
}

}  // namespace
}  // namespace windhover
