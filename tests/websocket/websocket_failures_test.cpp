// A conversation that breaks off after the n-th byte, for every n, in every way, against every kind of handler: nothing
// hangs, nothing is left behind, every await has an outcome.
#include <array>
#include <cstddef>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/websocket_peer.hpp"
#include <windhover/sleep_for.hpp>
#include <windhover/task_group.hpp>
#include <windhover/topics.hpp>
#include <windhover/websocket_handle.hpp>
#include <windhover/when_all.hpp>
#include <windhover/when_any.hpp>

namespace windhover {
namespace {

using test::client_close;
using test::client_frame;
using test::opcode;
using test::pattern;
using test::websocket_handler;
using test::websocket_peers;

// Everything a client may send, ending with the close.
std::string conversation() {
  return client_frame(opcode::text, "Hello") + client_frame(opcode::ping, "p") +
         client_frame(opcode::binary, "ab", false) + client_frame(opcode::pong, "") +
         client_frame(opcode::continuation, "") + client_frame(opcode::text, pattern(130)) + client_close(1000, "bye");
}

websocket_settings narrow() {
  websocket_settings settings;
  settings.max_queued_bytes = 1024;
  settings.max_inbound_bytes = 1024;
  return settings;
}

websocket_settings pinging() {
  websocket_settings settings = narrow();
  settings.keep_alive_interval = 1;
  return settings;
}

struct named_handler {
  const char* name;
  websocket_handler handler;
  websocket_settings settings = narrow();
};

task<> echo_pieces(websocket& socket) {
  std::array<std::byte, 3> buffer{};
  while (auto piece = co_await socket.receive(buffer)) {
    const bool sent = co_await socket.send(std::span(buffer).first(piece.count), piece.end);
    if (!sent) co_return;
  }
}

// Waits with an empty buffer before each piece.
task<> echo_pieces_without_idle_buffer(websocket& socket) {
  while (auto begun = co_await socket.receive(std::span<std::byte>())) {
    std::array<std::byte, 8> buffer{};
    auto piece = co_await socket.receive(buffer);
    if (!piece) co_return;
    co_await socket.send(std::span(buffer).first(piece.count));
  }
}

task<> echo_with_a_ticker(websocket& socket) {
  while (true) {
    const auto listen = [&](std::stop_token stop) { return socket.receive(std::move(stop)); };
    const auto tick = [](std::stop_token stop) { return sleep_for(std::chrono::milliseconds(1), std::move(stop)); };
    auto first = co_await when_any(listen, tick);
    if (first.index() == 1) {
      const bool sent = co_await socket.send("tick");
      if (!sent) co_return;
      continue;
    }
    received message = std::get<0>(std::move(first));
    if (!message) co_return;
    co_await socket.send(*message);
  }
}

// More than the high-water mark for each message.
task<> answer_at_length(websocket& socket) {
  while (auto message = co_await socket.receive()) {
    for (int i = 0; i < 5; ++i) {
      const bool sent = co_await socket.send(pattern(700));
      if (!sent) break;
    }
  }
}

task<> close_at_once(websocket& socket) { co_await socket.close(close_code::going_away, "not today"); }

task<> receive_after_close_output(websocket& socket) {
  socket.close_output();
  co_await test::echo(socket);
}

task<> receive_beside_close(websocket& socket) {
  const auto receive_one_then_close = [](websocket& of) -> task<> {
    static_cast<void>(co_await of.receive());
    co_await of.close();
  };
  const auto close = [](websocket& of) -> task<> { co_await of.close(); };
  co_await when_all(receive_one_then_close(socket), close(socket));
}

task<> push_in_a_group(websocket& socket) {
  const auto push = [](websocket& to, std::stop_token stop) -> task<> {
    while (!stop.stop_requested()) {
      const bool sent = co_await to.send("push");
      if (!sent) co_return;
      co_await sleep_for(std::chrono::milliseconds(1), stop);
    }
  };
  const auto body = [&](task_group& group) -> task<> {
    group.spawn(push(socket, group.stop_token()));
    co_await test::echo(socket);
  };
  co_await task_group::run(body);
}

task<> throw_at_a_message(websocket& socket) {
  auto message = co_await socket.receive();
  if (message) throw std::runtime_error("trouble");
}

// Each of the three waits for room.
task<> send_from_several(websocket& socket) {
  const auto sender = [](websocket& to) -> task<> {
    for (int i = 0; i < 3; ++i) {
      const bool sent = co_await to.send(pattern(700));
      if (!sent) co_return;
    }
  };
  co_await when_all(sender(socket), sender(socket), sender(socket), test::echo(socket));
}

// Never waits, and is stopped for it.
task<> send_without_waiting(websocket& socket) {
  while (auto message = co_await socket.receive()) {
    for (int i = 0; i < 5; ++i) static_cast<void>(socket.send(pattern(700)));
  }
}
websocket_settings little_unsent() {
  websocket_settings settings = narrow();
  settings.max_unsent_bytes = 2000;
  return settings;
}

task<> answer_through_a_handle(websocket& socket) {
  const websocket_handle handle = socket.handle();
  while (auto message = co_await socket.receive()) {
    static_cast<void>(handle.send(std::move(*message)));
    static_cast<void>(handle.send(prepared_message::from_text("prepared")));
  }
  static_cast<void>(handle.send("late"));
}

task<> close_through_a_handle(websocket& socket) {
  const websocket_handle handle = socket.handle();
  auto first = co_await socket.receive();
  static_cast<void>(handle.send("that is all"));
  static_cast<void>(handle.close(close_code::going_away, "not today"));
  while (first) first = co_await socket.receive();
}

// The handle's messages wait for the end of the handler's.
task<> send_fragments_beside_a_handle(websocket& socket) {
  const websocket_handle handle = socket.handle();
  while (auto message = co_await socket.receive()) {
    co_await socket.send("Hel", end_of_message::no);
    static_cast<void>(handle.send("between"));
    co_await sleep_for(std::chrono::milliseconds(1));
    co_await socket.send("lo");
  }
}

// The next message is published when there is room for the one before.
task<> publish_to_itself(websocket& socket) {
  topics news;
  news.subscribe(socket, "a/+", {.full = when_full::wait, .max_waiting_messages = 1});
  while (auto message = co_await socket.receive()) {
    for (int i = 0; i < 4; ++i) co_await news.publish_and_wait("a/b", prepared_message::from_text(pattern(700)));
  }
}

task<> publish_to_a_slow_subscriber(websocket& socket) {
  topics news;
  news.subscribe(socket, "a", {.max_waiting_messages = 1});
  while (auto message = co_await socket.receive()) {
    for (int i = 0; i < 4; ++i) news.publish("a", pattern(700));
  }
}

// Pings go out meanwhile, and a close that has come waits for its answer.
task<> receive_late(websocket& socket) {
  for (int i = 0; i < 5; ++i) co_await sleep_for(std::chrono::milliseconds(1));
  co_await test::echo(socket);
}

std::vector<named_handler> handlers() {
  return {{"echo", test::echo},
          {"echo_pieces", echo_pieces},
          {"echo_pieces_without_idle_buffer", echo_pieces_without_idle_buffer},
          {"echo_with_a_ticker", echo_with_a_ticker},
          {"answer_at_length", answer_at_length},
          {"close_at_once", close_at_once},
          {"receive_after_close_output", receive_after_close_output},
          {"receive_beside_close", receive_beside_close},
          {"push_in_a_group", push_in_a_group},
          {"throw_at_a_message", throw_at_a_message},
          {"send_from_several", send_from_several},
          {"send_without_waiting", send_without_waiting, little_unsent()},
          {"answer_through_a_handle", answer_through_a_handle},
          {"close_through_a_handle", close_through_a_handle},
          {"send_fragments_beside_a_handle", send_fragments_beside_a_handle},
          {"publish_to_itself", publish_to_itself},
          {"publish_to_a_slow_subscriber", publish_to_a_slow_subscriber},
          {"receive_late", receive_late, pinging()}};
}

TEST(WebsocketFailures, ThePeerBreaksOffAfterEveryByteOfWhatItSends) {
  const std::string stream = conversation();
  for (const named_handler& each : handlers()) {
    for (const bool reset : {true, false}) {
      for (const std::size_t cut : {std::size_t{1}, test::uncut}) {
        for (std::size_t bytes = 0; bytes <= stream.size(); ++bytes) {
          SCOPED_TRACE(std::string(each.name) + ", " + (reset ? "reset" : "end") + " after " + std::to_string(bytes) +
                       " bytes, cut to " + std::to_string(cut));
          websocket_peers peers(cut);
          peers.serve(each.handler, each.settings);
          peers.send(std::string_view(stream).substr(0, bytes));
          // A reset on the pipe loses what has not arrived; the end follows it.
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

TEST(WebsocketFailures, ThePeerBreaksOffAfterEveryByteOfWhatItGets) {
  const std::string stream = conversation();
  for (const named_handler& each : handlers()) {
    for (std::size_t bytes = 1; bytes < 220; ++bytes) {
      SCOPED_TRACE(std::string(each.name) + ", after " + std::to_string(bytes) + " bytes");
      websocket_peers peers(1);
      peers.serve(each.handler, each.settings);
      peers.peer.on_bytes = [&](std::span<const std::byte>) {
        if (peers.peer.received.size() == bytes) peers.peer_end->abort();
      };
      peers.send(stream);
      peers.run_until([&] { return peers.gone() || peers.peer.ended; });
      if (!peers.peer.gone) peers.peer_end->close();
      peers.run_until_gone();
      EXPECT_TRUE(peers.host.handler_ended);
    }
  }
}

TEST(WebsocketFailures, TheOwnEndIsAbortedAfterEveryByte) {
  const std::string stream = conversation();
  for (const named_handler& each : handlers()) {
    for (std::size_t bytes = 0; bytes <= stream.size(); ++bytes) {
      SCOPED_TRACE(std::string(each.name) + ", after " + std::to_string(bytes) + " bytes");
      websocket_peers peers;
      peers.serve(each.handler, each.settings);
      peers.send(std::string_view(stream).substr(0, bytes));
      peers.run_idle();
      if (!peers.host.gone) peers.on_loop([&] { peers.connection().abort(); });
      peers.run_until_gone();
      EXPECT_TRUE(peers.host.handler_ended);
    }
  }
}

TEST(WebsocketFailures, TheServerStopsAfterEveryByte) {
  const std::string stream = conversation();
  for (const named_handler& each : handlers()) {
    for (std::size_t bytes = 0; bytes <= stream.size(); ++bytes) {
      SCOPED_TRACE(std::string(each.name) + ", after " + std::to_string(bytes) + " bytes");
      websocket_peers peers;
      peers.serve(each.handler, each.settings);
      peers.send(std::string_view(stream).substr(0, bytes));
      peers.run_idle();
      peers.on_loop([&] { peers.loop.drain_all(); });
      // The peer neither answers nor ends: the close timeout does.
      peers.run_until_gone();
      EXPECT_TRUE(peers.host.handler_ended);
    }
  }
}

TEST(WebsocketFailures, AnyByteMayBeWrong) {
  // Whatever one changed byte makes of the conversation, it ends with a close frame that may be sent, or with the peer.
  const std::string stream = conversation();
  for (std::size_t at = 0; at < stream.size(); ++at) {
    for (const int bits : {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff}) {
      SCOPED_TRACE(std::to_string(at) + " ^ " + std::to_string(bits));
      std::string changed = stream;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ static_cast<unsigned>(bits));
      websocket_peers peers(7);
      peers.serve(test::echo, narrow());
      peers.send(changed);
      peers.peer_end->close();
      peers.run_until_gone();
      EXPECT_TRUE(peers.host.handler_ended);
      for (const auto& frame : peers.peer.frames()) {
        if (frame.code != opcode::close || frame.payload.empty()) continue;
        EXPECT_EQ(wire::parse_close_payload(test::bytes_of(frame.payload)).error, wire::websocket_error::none);
      }
    }
  }
}

// ----- On sockets

class WebsocketFailuresOn : public ::testing::TestWithParam<test::kind_of_transport> {};
INSTANTIATE_TEST_SUITE_P(All, WebsocketFailuresOn, test::every_kind(), test::kind_name);

TEST_P(WebsocketFailuresOn, ThePeerBreaksOffAfterSomeBytes) {
  const std::string stream = conversation();
  for (const named_handler& each : handlers()) {
    for (const bool reset : {true, false}) {
      for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{8}, std::size_t{40}, stream.size()}) {
        SCOPED_TRACE(std::string(each.name) + ", " + (reset ? "reset" : "end") + " after " + std::to_string(bytes));
        websocket_peers peers(GetParam());
        peers.serve(each.handler, each.settings);
        peers.send(std::string_view(stream).substr(0, bytes));
        peers.run_idle();
        if (!peers.peer.gone) reset ? peers.peer_end->abort() : peers.peer_end->close();
        peers.run_until_gone();
        EXPECT_TRUE(peers.host.handler_ended);
      }
    }
  }
}

}  // namespace
}  // namespace windhover
