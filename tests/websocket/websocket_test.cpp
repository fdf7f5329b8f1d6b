// The object that a handler has: what it tells, who may use it and for how long, and two of them talking to each other.
#include <array>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "support/websocket_peer.hpp"
#include <windhover/sleep_for.hpp>
#include <windhover/websocket.hpp>
#include <windhover/when_all.hpp>

namespace windhover {
namespace {

using test::client_close;
using test::client_frame;
using test::gate;
using test::opcode;
using test::pattern;
using test::seen_close;
using test::seen_frame;
using test::seen_text;
using test::websocket_peers;
using frames = std::vector<seen_frame>;
using notes = std::vector<std::string>;

TEST(Websocket, IsOpenInTheBeginning) {
  websocket_peers peers;
  peers.serve(
      [](websocket& socket) -> task<> {
        EXPECT_EQ(socket.state(), websocket_state::open);
        EXPECT_EQ(socket.close_status(), std::nullopt);
        EXPECT_EQ(socket.close_reason(), "");
        EXPECT_EQ(socket.sub_protocol(), "chat");
        EXPECT_EQ(socket.queued_bytes(), 0U);
        static_cast<void>(socket.send("Hello"));
        EXPECT_EQ(socket.queued_bytes(), 7U);
        co_return;
      },
      {}, "chat");
  EXPECT_TRUE(peers.host.handler_ended);
}

TEST(Websocket, IsNeitherCopiedNorMoved) {
  EXPECT_FALSE(std::is_copy_constructible_v<websocket>);
  EXPECT_FALSE(std::is_move_constructible_v<websocket>);
  EXPECT_FALSE(std::is_copy_assignable_v<websocket>);
  EXPECT_FALSE(std::is_move_assignable_v<websocket>);
}

TEST(Websocket, EchoesTheSameHoweverTheStreamIsCut) {
  const std::string stream = client_frame(opcode::text, "Hello") + client_frame(opcode::binary, pattern(300)) +
                             client_frame(opcode::ping, "ping") + client_frame(opcode::text, "Gr", false) +
                             client_frame(opcode::ping, "") + client_frame(opcode::continuation, "üß", false) +
                             client_frame(opcode::continuation, "e") + client_frame(opcode::text, "") +
                             client_frame(opcode::pong, "ignored") + client_close(3000, "done");
  const frames expected{seen_text("Hello"),      {opcode::binary, pattern(300)},
                        {opcode::pong, "ping"},  {opcode::pong, ""},
                        seen_text("Grüße"),      seen_text(""),
                        seen_close(3000, "done")};
  for (const std::size_t cut : test::all_cuts) {
    SCOPED_TRACE("in pieces of " + std::to_string(cut) + " bytes");
    websocket_peers peers(cut);
    peers.serve(test::echo);
    peers.send(stream);
    peers.finish();
    EXPECT_EQ(peers.peer.frames(), expected);
  }
}

// ----- Two ends of ours

TEST(Websocket, AClientMasksAndAServerDoesNot) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{5}, std::size_t{1024}, std::size_t{1025}, std::size_t{70'000}}) {
    SCOPED_TRACE(size);
    const std::string text = pattern(size);
    websocket_settings settings;
    settings.max_queued_bytes = 1 << 20;
    websocket_peers peers;
    peers.serve_as_client(
        [&](websocket& socket) -> task<> {
          const auto whole = message::from_text(text);
          const auto prepared = prepared_message::from_text(text);
          co_await socket.send(text);
          co_await socket.send(whole);
          co_await socket.send(prepared);
        },
        settings);
    peers.run_until([&] { return peers.peer.frames(wire::role::server).size() == 4; });
    EXPECT_EQ(peers.peer.frames(wire::role::server),
              (frames{seen_text(text), seen_text(text), seen_text(text), seen_close(1000)}));
    // Each frame has a key of its own.
    const std::size_t header = wire::frame_header_size(size, true);
    const std::string_view bytes = peers.peer.received;
    EXPECT_NE(bytes.substr(header - 4, 4), bytes.substr(header + size + header - 4, 4));
  }
}

TEST(Websocket, AClientAndAServerTalk) {
  for (const std::size_t cut : test::all_cuts) {
    notes seen;
    std::string of_client;
    websocket_peers peers(cut);
    peers.serve_both(test::echo, [&](websocket& socket) -> task<> {
      for (const std::size_t size : {0U, 1U, 125U, 126U, 2000U}) {
        co_await socket.send(pattern(size));
        auto answer = co_await socket.receive();
        seen.push_back(test::to_string(answer));
      }
      co_await socket.send("He", end_of_message::no);
      co_await socket.send("llo");
      auto answer = co_await socket.receive();
      seen.push_back(test::to_string(answer));
      co_await socket.close(close_code::going_away, "bye");
      of_client = test::status_of(socket);
    });
    peers.run_until_gone();
    EXPECT_EQ(seen, (notes{"text ", "text " + pattern(1), "text " + pattern(125), "text " + pattern(126),
                           "text " + pattern(2000), "text Hello"}));
    EXPECT_EQ(of_client, "1001 bye");
    EXPECT_FALSE(peers.host.failure);
    EXPECT_FALSE(peers.other_host.failure);
  }
}

TEST(Websocket, AClientRefusesMaskedFrames) {
  notes seen;
  websocket_peers peers;
  peers.serve_as_client(test::note_messages(seen));
  peers.send(client_frame(opcode::text, "masked"));
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"1002 a frame from the server is masked"}));
}

TEST(Websocket, AClientWaitsForTheServerToEndTheConnection) {
  // RFC 6455, section 7.1.1.
  notes seen;
  websocket_peers peers;
  peers.serve_as_client(test::note_messages(seen));
  peers.send(test::server_frame(opcode::close, test::closing(1000)));
  peers.run_handler();
  peers.run_idle();
  EXPECT_FALSE(peers.peer.ended);
  peers.peer_end->close();
  peers.run_until_gone();
  EXPECT_TRUE(peers.peer.ended);
  EXPECT_EQ(peers.peer.frames(wire::role::server), (frames{seen_close(1000)}));
}

TEST(Websocket, PushesBesideItsReceiveLoop) {
  websocket_peers peers;
  peers.serve([](websocket& socket) -> task<> {
    const auto push = [](websocket& to) -> task<> {
      for (int i = 0; i < 3; ++i) {
        co_await sleep_for(std::chrono::seconds(1));
        co_await to.send("tick");
      }
      to.close_output();
    };
    co_await when_all(test::echo(socket), push(socket));
  });
  peers.send_text("one");
  peers.run_until_frames(3);
  peers.send_text("two");
  peers.run_until_frames(5);
  EXPECT_EQ(peers.elapsed(), std::chrono::seconds(3));
  peers.send_close(1000);
  peers.finish();
  EXPECT_EQ(peers.peer.frames(), (frames{seen_text("one"), seen_text("tick"), seen_text("tick"), seen_text("two"),
                                         seen_text("tick"), seen_close(1000)}));
}

// ----- Use that is over

TEST(Websocket, UseAfterTheConnectionHasGoneIsRefused) {
  // Nothing but a leak makes an object outlive its connection; it is found out all the same.
  std::unique_ptr<websocket> outliving;
  gate done;
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    static_cast<void>(socket);
    outliving.reset(new websocket(peers.connection().make_websocket()));
    co_await done;
  });
  peers.on_loop([&] {
    EXPECT_EQ(outliving->state(), websocket_state::open);
    EXPECT_FALSE(outliving->sub_protocol().size() > 0);
  });
  peers.peer_end->abort();
  peers.open(done);
  peers.run_until_gone();

  const net::event_loop::scope here(peers.loop);
  std::array<std::byte, 4> buffer{};
  const auto whole = message::from_text("text");
  const auto prepared = prepared_message::from_text("text");
  EXPECT_THROW(static_cast<void>(outliving->receive()), std::logic_error);
  EXPECT_THROW(static_cast<void>(outliving->receive(buffer)), std::logic_error);
  EXPECT_THROW(static_cast<void>(outliving->receive(std::stop_token())), std::logic_error);
  EXPECT_THROW(static_cast<void>(outliving->receive(buffer, std::stop_token())), std::logic_error);
  EXPECT_THROW(static_cast<void>(outliving->send("text")), std::logic_error);
  EXPECT_THROW(static_cast<void>(outliving->send(buffer)), std::logic_error);
  EXPECT_THROW(static_cast<void>(outliving->send(whole)), std::logic_error);
  EXPECT_THROW(static_cast<void>(outliving->send(prepared)), std::logic_error);
  EXPECT_THROW(static_cast<void>(outliving->close()), std::logic_error);
  EXPECT_THROW(outliving->close_output(), std::logic_error);
  EXPECT_THROW(outliving->abort(), std::logic_error);
  EXPECT_THROW(static_cast<void>(outliving->state()), std::logic_error);
  EXPECT_THROW(static_cast<void>(outliving->close_status()), std::logic_error);
  EXPECT_THROW(static_cast<void>(outliving->close_reason()), std::logic_error);
  EXPECT_THROW(static_cast<void>(outliving->sub_protocol()), std::logic_error);
  EXPECT_THROW(static_cast<void>(outliving->handle()), std::logic_error);
  EXPECT_THROW(static_cast<void>(outliving->queued_bytes()), std::logic_error);
  outliving.reset();
}

TEST(Websocket, AnObjectThatOutlivesItsConnectionDoesNotTouchTheNextOne) {
  std::unique_ptr<websocket> outliving;
  gate done;
  test::host_record other_host;
  test::peer_record other_peer;
  websocket_peers peers;
  peers.serve([&](websocket&) -> task<> {
    outliving.reset(new websocket(peers.connection().make_websocket()));
    co_return;
  });
  peers.peer_end->abort();
  peers.run_until_gone();
  // The next connection stands in the slot that has become free.
  peers.serve_another([&](websocket&) -> task<> { co_await done; }, other_host, other_peer);
  peers.on_loop([&] {
    EXPECT_THROW(outliving->abort(), std::logic_error);
    outliving.reset();
  });
  peers.run_idle();
  EXPECT_TRUE(other_peer.frames().empty()) << "it is still open";
  peers.open(done);
  peers.run_until([&] { return !other_peer.frames().empty(); });
}

TEST(Websocket, UseOutsideOfAnyLoopIsRefused) {
  websocket* socket_of_handler = nullptr;
  gate done;
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    socket_of_handler = &socket;
    co_await done;
  });
  EXPECT_THROW(static_cast<void>(socket_of_handler->state()), std::logic_error);
  EXPECT_THROW(static_cast<void>(socket_of_handler->send("text")), std::logic_error);
  peers.on_loop([&] { EXPECT_EQ(socket_of_handler->state(), websocket_state::open); });
  peers.open(done);
}

TEST(Websocket, IsDescribedForTheLog) {
  gate done;
  websocket_peers peers;
  peers.serve([&](websocket&) -> task<> { co_await done; });
  EXPECT_NE(peers.connection().describe().find("WebSocket"), std::string::npos);
  peers.open(done);
}

}  // namespace
}  // namespace windhover
