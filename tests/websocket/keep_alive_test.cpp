// Keep-alive in virtual time: pings, what counts as life, aborts, the unsolicited pong, and the handler that stalls.
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "support/websocket_peer.hpp"
#include <windhover/sleep_for.hpp>

namespace windhover {
namespace {

using namespace std::chrono_literals;
using test::client_frame;
using test::from_hex;
using test::gate;
using test::note_messages;
using test::opcode;
using test::pattern;
using test::seen_frame;
using test::websocket_peers;
using frames = std::vector<seen_frame>;
using notes = std::vector<std::string>;

websocket_settings keep_alive(std::uint32_t interval, std::uint32_t timeout) {
  websocket_settings settings;
  settings.keep_alive_interval = interval;
  settings.keep_alive_timeout = timeout;
  return settings;
}

// Lets time pass on the peers' loop, without anything else to wait for.
void pass(websocket_peers& peers, std::chrono::milliseconds time) {
  bool passed = false;
  const auto wait = [&]() -> task<> { co_await sleep_for(time); };
  task<> waiting = wait();
  peers.on_loop([&] {
    waiting.start(&passed, [](void* context) noexcept -> std::coroutine_handle<> {
      *static_cast<bool*>(context) = true;
      return std::noop_coroutine();
    });
  });
  peers.run_until([&] { return passed; });
  peers.run_idle();
}

class KeepAlive : public test::every_cut {};
INSTANTIATE_TEST_SUITE_P(All, KeepAlive, test::each_cut(), test::cut_name);

TEST_P(KeepAlive, APingGoesOutAfterAnIntervalOfSilence) {
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve(note_messages(seen));
  peers.run_until_frames(1);
  EXPECT_EQ(peers.elapsed(), 2min);
  EXPECT_EQ(test::to_hex(peers.peer.received), "89080000000000000001");
}

TEST_P(KeepAlive, ThePayloadCountsThePings) {
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve(note_messages(seen), keep_alive(60'000, 20'000));
  for (int i = 1; i <= 300; ++i) {
    peers.run_until([&] { return peers.peer.received.size() == 10; });
    std::string expected = from_hex("8908000000000000") + test::closing(i);
    EXPECT_EQ(test::to_hex(peers.peer.received), test::to_hex(expected));
    peers.peer.received.clear();
    peers.send(client_frame(opcode::pong, std::string_view(expected).substr(2)));
    peers.run_idle();
  }
  EXPECT_EQ(peers.elapsed(), 300 * 60s) << "an answer that comes at once starts the next interval";
}

TEST_P(KeepAlive, PingTimeout) {
  // A client that never answers.
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve(note_messages(seen), keep_alive(1, 1));
  peers.run_handler();
  EXPECT_EQ(peers.elapsed(), 2ms);
  EXPECT_EQ(seen, (notes{"1006"}));
  peers.run_until_gone();
  EXPECT_EQ(peers.peer.failed, net::failure::cause::reset);
  EXPECT_NE(peers.log.lines.find("did not answer a ping"), std::string::npos) << peers.log.lines;
}

TEST_P(KeepAlive, ASilentPeerIsAbortedAfterIntervalAndTimeout) {
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve(note_messages(seen));
  peers.run_handler();
  EXPECT_EQ(peers.elapsed(), 2min + 20s);
  EXPECT_EQ(peers.peer.frames().size(), 1U);
  EXPECT_EQ(seen, (notes{"1006"}));
}

TEST_P(KeepAlive, AnyByteAfterThePingIsLife) {
  const std::string header = client_frame(opcode::text, "Hello");
  for (const std::string& sign : {client_frame(opcode::pong, "another payload"), client_frame(opcode::text, "message"),
                                  client_frame(opcode::ping, ""), header.substr(0, 1)}) {
    notes seen;
    websocket_peers peers(GetParam());
    peers.serve(note_messages(seen));
    peers.run_until_frames(1);
    pass(peers, 19s);
    peers.send(sign);
    peers.run_until([&] {
      return peers.peer.received.find(from_hex("89080000000000000002")) != std::string::npos ||
             peers.host.handler_ended;
    });
    EXPECT_FALSE(peers.host.handler_ended);
    EXPECT_EQ(peers.elapsed(), 2min + 19s + 2min) << "the next ping, an interval after the sign";
  }
}

TEST_P(KeepAlive, APeerThatTalksIsNotPinged) {
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve(note_messages(seen));
  for (int i = 0; i < 10; ++i) {
    pass(peers, 119s);
    peers.send_text("I am here");
  }
  peers.run_idle();
  EXPECT_EQ(peers.peer.received, "");
  pass(peers, 119s);
  EXPECT_EQ(peers.peer.received, "");
  pass(peers, 1s);
  EXPECT_EQ(peers.peer.frames().size(), 1U);
}

TEST_P(KeepAlive, ABusyHandlerDoesNotMakeAHealthyPeerLookDead) {
  gate done;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket&) -> task<> { co_await done; });
  for (int i = 0; i < 5; ++i) {
    peers.run_until_frames(1);
    peers.peer.received.clear();
    peers.send(client_frame(opcode::pong, ""));
    peers.run_idle();
  }
  EXPECT_EQ(peers.elapsed(), 10min);
  EXPECT_FALSE(peers.gone());
  peers.open(done);
}

TEST_P(KeepAlive, AnIntervalOfZeroSwitchesItOff) {
  for (const std::uint32_t timeout : {0U, 20'000U}) {
    notes seen;
    websocket_peers peers(GetParam());
    peers.serve(note_messages(seen), keep_alive(0, timeout));
    pass(peers, 24h);
    EXPECT_EQ(peers.peer.received, "");
    EXPECT_FALSE(peers.gone());
  }
}

TEST_P(KeepAlive, WithoutATimeoutAnUnsolicitedPongGoesOutAtEveryInterval) {
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve(note_messages(seen), keep_alive(30'000, 0));
  for (int i = 1; i <= 10; ++i) {
    peers.run_until([&] { return !peers.peer.received.empty(); });
    EXPECT_EQ(peers.elapsed(), i * 30s);
    EXPECT_EQ(test::to_hex(peers.peer.received), "8a00");
    peers.peer.received.clear();
  }
  EXPECT_TRUE(seen.empty()) << "nobody is found dead";
}

TEST_P(KeepAlive, TrafficDoesNotPutTheUnsolicitedPongOff) {
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve(note_messages(seen), keep_alive(30'000, 0));
  for (int i = 0; i < 29; ++i) {
    pass(peers, 1s);
    peers.send_text("I am here");
  }
  peers.run_until([&] { return !peers.peer.received.empty(); });
  EXPECT_EQ(peers.elapsed(), 30s);
}

TEST_P(KeepAlive, EndsWithTheClose) {
  websocket_settings settings = keep_alive(1000, 1000);
  settings.close_timeout = 60'000;
  websocket_peers peers(GetParam());
  peers.serve([](websocket& socket) -> task<> { co_await socket.close(); }, settings);
  peers.run_handler();
  EXPECT_EQ(peers.elapsed(), 60s);
  EXPECT_EQ(peers.peer.frames().size(), 1U) << "the close frame, no pings";
}

TEST_P(KeepAlive, AClientPingsToo) {
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve_as_client(note_messages(seen), keep_alive(1000, 1000));
  peers.run_until([&] { return !peers.peer.received.empty(); });
  const auto seen_frames = peers.peer.frames(wire::role::server);
  EXPECT_EQ(seen_frames, (frames{{opcode::ping, from_hex("0000000000000001")}}));
}

// ----- While reading is paused

// Reading pauses when 512 bytes are held: with the second message of fill(), whatever pieces they come in.
websocket_settings bounded(websocket_settings settings) {
  settings.max_inbound_bytes = 1024;
  return settings;
}

void fill(websocket_peers& peers) {
  for (int i = 0; i < 10; ++i) peers.send_text(pattern(300));
  peers.run_until([&] { return peers.host_end->reading_paused(); });
}

TEST_P(KeepAlive, ThePongDeadlineRestsWhileReadingIsPaused) {
  gate go_on;
  std::size_t count = 0;
  websocket_peers peers(GetParam());
  peers.serve(
      [&](websocket& socket) -> task<> {
        co_await go_on;
        while (auto message = co_await socket.receive()) ++count;
      },
      bounded(keep_alive(10'000, 5'000)));
  peers.run_until_frames(1);  // a ping is out
  fill(peers);
  pass(peers, 60s);
  EXPECT_FALSE(peers.gone());
  EXPECT_EQ(peers.peer.frames().size(), 1U) << "no pings, as no answer could be seen";
  peers.open(go_on);
  peers.run_idle();
  EXPECT_EQ(count, 10U);
  const auto resumed_at = peers.elapsed();
  peers.run_until_frames(2);
  EXPECT_EQ(peers.elapsed(), resumed_at + 10s) << "a whole interval of silence, then the next ping";
  peers.run_until_gone();
  EXPECT_EQ(peers.elapsed(), resumed_at + 15s);
}

TEST_P(KeepAlive, UnsolicitedPongsGoOnWhileReadingIsPaused) {
  gate done;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket&) -> task<> { co_await done; }, bounded(keep_alive(30'000, 0)));
  pass(peers, 20s);
  fill(peers);
  for (int i = 1; i <= 5; ++i) {
    peers.run_until([&] { return !peers.peer.received.empty(); });
    EXPECT_EQ(peers.elapsed(), i * 30s);
    peers.peer.received.clear();
  }
  peers.open(done);
}

// ----- The handler that never receives

TEST_P(KeepAlive, AStalledHandlerLosesItsConnection) {
  notes seen;
  gate go_on;
  const auto receive_all = note_messages(seen);
  websocket_peers peers(GetParam());
  peers.serve(
      [&](websocket& socket) -> task<> {
        co_await go_on;
        EXPECT_EQ(socket.state(), websocket_state::aborted);
        co_await receive_all(socket);
      },
      bounded({}));
  pass(peers, 30s);
  fill(peers);
  peers.run_until([&] { return peers.peer.failed.has_value(); });
  EXPECT_EQ(peers.elapsed(), 30s + 5min);
  EXPECT_NE(peers.log.lines.find("stalled"), std::string::npos) << peers.log.lines;
  peers.open(go_on);
  peers.run_handler();
  EXPECT_EQ(seen.back(), "1006");
  EXPECT_GE(seen.size(), 2U) << "what was held is received all the same";
}

TEST_P(KeepAlive, AHandlerThatIsSlowButReceivesIsNotStalled) {
  websocket_settings settings = bounded({});
  settings.stalled_timeout = 1000;
  std::size_t count = 0;
  websocket_peers peers(GetParam());
  peers.serve(
      [&](websocket& socket) -> task<> {
        while (auto message = co_await socket.receive()) {
          ++count;
          co_await sleep_for(900ms);
        }
      },
      settings);
  for (int i = 0; i < 50; ++i) peers.send_text(pattern(400));
  peers.run_until([&] { return count == 50; });
  EXPECT_FALSE(peers.gone());
  peers.peer_end->close();
  peers.run_handler();
}

TEST_P(KeepAlive, AStalledTimeoutOfZeroWaitsForEver) {
  websocket_settings settings = bounded({});
  settings.stalled_timeout = 0;
  gate done;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket&) -> task<> { co_await done; }, settings);
  fill(peers);
  pass(peers, 24h);
  EXPECT_FALSE(peers.gone());
  peers.open(done);
}

TEST_P(KeepAlive, KeepAliveGoesOnAfterAPauseWithoutTimers) {
  // While paused nothing was armed; resuming must arm the ping again.
  websocket_settings settings = bounded(keep_alive(10'000, 5'000));
  settings.stalled_timeout = 0;
  gate go_on;
  websocket_peers peers(GetParam());
  peers.serve(
      [&](websocket& socket) -> task<> {
        co_await go_on;
        while (auto message = co_await socket.receive()) {
        }
      },
      settings);
  fill(peers);
  pass(peers, 1h);
  EXPECT_TRUE(peers.peer.received.empty());
  peers.open(go_on);
  peers.run_until_frames(1);
  EXPECT_EQ(peers.elapsed(), 1h + 10s);
}

}  // namespace
}  // namespace windhover
