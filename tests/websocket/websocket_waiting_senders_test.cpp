// Room for output: who waits above the high-water mark, who goes on and when, and what is told when it can no longer
// leave.
#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "support/websocket_peer.hpp"
#include <windhover/when_all.hpp>

namespace windhover {
namespace {

using test::client_frame;
using test::gate;
using test::opcode;
using test::pattern;
using test::seen_close;
using test::seen_frame;
using test::seen_text;
using test::websocket_peers;
using frames = std::vector<seen_frame>;

class WebsocketWaitingSenders : public test::every_cut {
 protected:
  // What the pipe takes of a first frame for a peer that does not read.
  static std::size_t taken_of(std::size_t frame) { return std::min(frame, GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(All, WebsocketWaitingSenders, test::each_cut(), test::cut_name);

// ----- Room

// The mark in these tests is 1024 bytes, low water 512.
websocket_settings narrow() {
  websocket_settings settings;
  settings.max_queued_bytes = 1024;
  return settings;
}

TEST_P(WebsocketWaitingSenders, BelowTheMarkASendIsReadyAtOnce) {
  int sent = 0;
  websocket_peers peers(GetParam());
  peers.serve(
      [&](websocket& socket) -> task<> {
        for (; sent < 10; ++sent) co_await socket.send(pattern(98));
        EXPECT_EQ(socket.queued_bytes(), 1000U);
      },
      narrow());
  EXPECT_EQ(sent, 10) << "nothing has left yet";
}

TEST_P(WebsocketWaitingSenders, AboveTheMarkASendWaitsUntilHalfHasGone) {
  int sent = 0;
  websocket_peers peers(GetParam());
  peers.serve(
      [&](websocket& socket) -> task<> {
        for (; sent < 100; ++sent) {
          const bool queued = co_await socket.send(pattern(500));
          EXPECT_TRUE(queued);
        }
      },
      narrow());
  EXPECT_EQ(sent, 2) << "the third is queued, and waits";
  EXPECT_EQ(peers.host_end->queued_bytes(), 3 * 504U);
  peers.peer.takes = false;
  peers.run_idle();
  EXPECT_EQ(sent, 2);
  EXPECT_EQ(peers.host_end->queued_bytes(), 3 * 504U - taken_of(504)) << "the rest is above low water";
  peers.take();
  peers.run_until_frames(101);
  EXPECT_EQ(sent, 100);
}

TEST_P(WebsocketWaitingSenders, MessagesOfAnySizePassTheMark) {
  const std::string large = pattern(300'000);
  int sent = 0;
  websocket_peers peers(GetParam());
  peers.serve(
      [&](websocket& socket) -> task<> {
        for (; sent < 5; ++sent) co_await socket.send(large);
      },
      narrow());
  EXPECT_EQ(sent, 0);
  peers.run_until([&] { return sent == 5; });
  peers.run_until_frames(6);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(peers.peer.frames()[static_cast<std::size_t>(i)] == seen_text(large));
}

TEST_P(WebsocketWaitingSenders, SeveralSendersWaitAndAllGoOn) {
  int ended = 0;
  websocket_peers peers(GetParam());
  peers.serve(
      [&](websocket& socket) -> task<> {
        const auto sender = [](websocket& to, const char* name, int& count) -> task<> {
          for (int i = 0; i < 20; ++i) {
            const bool queued = co_await to.send(name + std::to_string(i) + pattern(600));
            EXPECT_TRUE(queued);
          }
          ++count;
        };
        co_await when_all(sender(socket, "a", ended), sender(socket, "b", ended), sender(socket, "c", ended));
      },
      narrow());
  peers.run_until_frames(61);
  EXPECT_EQ(ended, 3);
  // Each one's messages are in its order.
  std::array<int, 3> next{};
  for (const seen_frame& frame : peers.peer.frames()) {
    if (frame.code != opcode::text) continue;
    const auto who = static_cast<std::size_t>(frame.payload[0] - 'a');
    EXPECT_EQ(frame.payload.substr(1, frame.payload.size() - 601), std::to_string(next.at(who)++));
  }
}

TEST_P(WebsocketWaitingSenders, ASenderThatWaitsIsToldWhenTheConnectionDies) {
  std::vector<bool> outcomes;
  websocket_peers peers(GetParam());
  peers.serve(
      [&](websocket& socket) -> task<> {
        const auto sender = [](websocket& to, std::vector<bool>& told) -> task<> {
          told.push_back(co_await to.send(pattern(2000)));
        };
        co_await when_all(sender(socket, outcomes), sender(socket, outcomes));
        EXPECT_EQ(socket.state(), websocket_state::aborted);
        outcomes.push_back(co_await socket.send("later"));
      },
      narrow());
  peers.peer.takes = false;
  peers.run_idle();
  EXPECT_TRUE(outcomes.empty());
  peers.peer_end->abort();
  peers.run_handler();
  EXPECT_EQ(outcomes, (std::vector<bool>{false, false, false}));
}

TEST_P(WebsocketWaitingSenders, ASenderThatWaitsFinishesBeforeACloseIsAnswered) {
  std::vector<bool> outcomes;
  websocket_peers peers(GetParam());
  peers.serve(
      [&](websocket& socket) -> task<> {
        static_cast<void>(socket.send("first"));
        outcomes.push_back(co_await socket.send(pattern(2000)));
        outcomes.push_back(co_await socket.send("last"));
        auto none = co_await socket.receive();
        EXPECT_TRUE(none.closed());
        outcomes.push_back(co_await socket.send("late"));
      },
      narrow());
  peers.peer.takes = false;
  peers.run_idle();
  EXPECT_TRUE(outcomes.empty());
  peers.send_close(1000);
  peers.run_idle();
  peers.take();
  peers.finish();
  EXPECT_EQ(outcomes, (std::vector<bool>{true, true, false}));
  EXPECT_EQ(peers.peer.frames(),
            (frames{seen_text("first"), seen_text(pattern(2000)), seen_text("last"), seen_close(1000)}));
}

TEST_P(WebsocketWaitingSenders, WhatASenderHasQueuedStillGoesOutWhenTheCloseTimeoutEndsItsWait) {
  std::vector<bool> outcomes;
  websocket_peers peers(GetParam());
  peers.serve(
      [&](websocket& socket) -> task<> {
        static_cast<void>(socket.send("first"));
        outcomes.push_back(co_await socket.send(pattern(2000)));
        outcomes.push_back(co_await socket.send("late"));
      },
      narrow());
  peers.peer.takes = false;
  peers.run_idle();
  peers.send_close(1000);
  peers.run_handler();
  EXPECT_EQ(outcomes, (std::vector<bool>{true, false}));
  peers.take();
  peers.finish();
  EXPECT_EQ(peers.peer.frames(), (frames{seen_text("first"), seen_text(pattern(2000)), seen_close(1000)}));
}

TEST_P(WebsocketWaitingSenders, NothingIsSentAfterTheOwnClose) {
  std::vector<bool> outcomes;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    const auto whole = message::from_text("message");
    const auto prepared = prepared_message::from_text("prepared");
    const std::array<std::byte, 1> byte{};
    EXPECT_TRUE(socket.close_output());
    outcomes.push_back(co_await socket.send("text"));
    outcomes.push_back(co_await socket.send(byte));
    outcomes.push_back(co_await socket.send(whole));
    outcomes.push_back(co_await socket.send(prepared));
  });
  peers.run_handler();
  EXPECT_EQ(outcomes, (std::vector<bool>{false, false, false, false}));
  peers.send_close(1000);
  peers.finish();
  EXPECT_EQ(peers.peer.frames(), (frames{seen_close(1000)}));
}

// ----- Pongs above the mark

TEST_P(WebsocketWaitingSenders, OfPingsThatFindTheQueueFullTheLatestIsAnswered) {
  gate done;
  websocket_peers peers(GetParam());
  peers.serve(
      [&](websocket& socket) -> task<> {
        static_cast<void>(socket.send("first"));
        static_cast<void>(socket.send(pattern(2000)));
        co_await done;
      },
      narrow());
  peers.peer.takes = false;
  peers.run_idle();
  peers.send(client_frame(opcode::ping, "1") + client_frame(opcode::ping, "22") + client_frame(opcode::ping, ""));
  peers.send(client_frame(opcode::ping, std::string(125, '4')) + client_frame(opcode::ping, "5"));
  peers.run_idle();
  EXPECT_EQ(peers.host_end->queued_bytes(), 2004U + 7 - taken_of(7)) << "control frames have their own bound";
  peers.take();
  peers.run_until_frames(3);
  peers.run_idle();
  EXPECT_EQ(peers.peer.frames(), (frames{seen_text("first"), seen_text(pattern(2000)), {opcode::pong, "5"}}));
  // And later ones at once.
  peers.send(client_frame(opcode::ping, "6"));
  peers.run_until_frames(4);
  EXPECT_EQ(peers.peer.frames()[3], (seen_frame{opcode::pong, "6"}));
  peers.open(done);
}

}  // namespace
}  // namespace windhover
