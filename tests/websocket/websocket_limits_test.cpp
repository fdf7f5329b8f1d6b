// What a peer, or a careless handler, may do at most (RFC 6455, section 10.4).
#include <chrono>
#include <string>
#include <vector>

#include "support/websocket_peer.hpp"
#include <windhover/sleep_for.hpp>
#include <windhover/task_group.hpp>

namespace windhover {
namespace {

using namespace std::chrono_literals;
using test::client_frame;
using test::note_messages;
using test::opcode;
using test::pattern;
using test::seen_close;
using test::seen_frame;
using test::server_frame;
using test::websocket_peers;
using frames = std::vector<seen_frame>;
using notes = std::vector<std::string>;

std::string repeated(std::string_view what, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += what;
  return all;
}

// ----- Fragments

TEST(WebsocketLimits, AMessageMayHaveSoManyFragments) {
  websocket_settings settings;
  settings.max_fragments = 3;
  for (const std::size_t cut : test::all_cuts) {
    notes seen;
    websocket_peers peers(cut);
    peers.serve(note_messages(seen), settings);
    const std::string three = client_frame(opcode::text, "a", false) + client_frame(opcode::continuation, "b", false) +
                              client_frame(opcode::continuation, "c");
    peers.send(three + three + client_frame(opcode::text, "a", false) +
               repeated(client_frame(opcode::continuation, "", false), 3));
    peers.run_handler();
    EXPECT_EQ(seen, (notes{"text abc", "text abc", "1008 the message has too many fragments"}));
    peers.finish();
  }
}

// ----- Control frames

websocket_settings ten_control_frames() {
  websocket_settings settings;
  settings.max_control_frames = 10;
  return settings;
}

TEST(WebsocketLimits, MoreControlFramesThanASecondMayHaveAreRefused) {
  for (const opcode code : {opcode::ping, opcode::pong}) {
    for (const std::size_t cut : test::all_cuts) {
      notes seen;
      websocket_peers peers(cut);
      peers.serve(note_messages(seen), ten_control_frames());
      peers.send(repeated(client_frame(code, "x"), 11) + client_frame(opcode::text, "too late"));
      peers.run_handler();
      EXPECT_EQ(seen, (notes{"1008 too many control frames within a second"}));
      peers.run_until([&] { return peers.peer.ended; });
      const frames answers = peers.peer.frames();
      EXPECT_EQ(answers.back(), seen_close(1008, "too many control frames within a second"));
      EXPECT_EQ(answers.size(), code == opcode::ping ? 11U : 1U);
      peers.finish();
    }
  }
}

TEST(WebsocketLimits, AsManyControlFramesAsASecondMayHaveAreAnsweredEverySecond) {
  websocket_peers peers;
  const std::string ten = repeated(client_frame(opcode::ping, "x"), 10);
  peers.serve(
      [&](websocket&) -> task<> {
        for (int second = 0; second < 5; ++second) {
          peers.send(ten);
          co_await sleep_for(1s);
        }
      },
      ten_control_frames());
  peers.run_until_frames(51);
  EXPECT_EQ(peers.peer.frames().back(), seen_close(1000));
}

TEST(WebsocketLimits, ACloseIsNoFlood) {
  notes seen;
  websocket_peers peers;
  peers.serve(note_messages(seen), ten_control_frames());
  peers.send(repeated(client_frame(opcode::ping, ""), 10) + test::client_close(1000, "bye"));
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"1000 bye"}));
  peers.finish();
}

TEST(WebsocketLimits, WithoutALimitAnyNumberOfControlFramesIsAnswered) {
  websocket_settings settings;
  settings.max_control_frames = 0;
  websocket_peers peers;
  peers.serve(test::echo, settings);
  peers.send(repeated(client_frame(opcode::ping, ""), 3000) + client_frame(opcode::text, "behind"));
  peers.run_until_frames(3001);
  EXPECT_EQ(peers.peer.frames().back(), test::seen_text("behind"));
}

TEST(WebsocketLimits, AClientIsProtectedFromItsServerAsWell) {
  notes seen;
  websocket_peers peers;
  peers.serve_as_client(note_messages(seen), ten_control_frames());
  peers.send(repeated(server_frame(opcode::ping, ""), 11));
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"1008 too many control frames within a second"}));
}

// ----- Time

TEST(WebsocketLimits, ACloseThatIsNotAnsweredIsCounted) {
  websocket_peers peers;
  const auto& counters = *peers.loop.local<websocket_counters>();
  peers.serve([](websocket& socket) -> task<> { co_await socket.close(); });
  peers.run_handler();
  peers.run_until_gone();
  EXPECT_TRUE(peers.peer.failed);
  EXPECT_EQ(counters.unanswered_closes.value(), 1U);
  EXPECT_EQ(counters.opened.value(), 1U);
  EXPECT_EQ(counters.open.value(), 0U);
}

// ----- Output that nobody waits for

websocket_settings unsent(std::uint64_t most) {
  websocket_settings settings;
  settings.max_queued_bytes = 1024;
  settings.max_unsent_bytes = most;
  return settings;
}

TEST(WebsocketLimits, AHandlerThatDoesNotAwaitItsSendsLosesItsConnection) {
  std::vector<bool> queued;
  std::string status;
  websocket_peers peers;
  peers.serve(
      [&](websocket& socket) -> task<> {
        for (int i = 0; i < 12; ++i) {
          auto sending = socket.send(pattern(1000));
          queued.push_back(sending.await_resume());
        }
        static_cast<void>(co_await socket.receive());
        status = test::status_of(socket);
      },
      unsent(10'000));
  peers.run_handler();
  // The tenth finds 9 x 1,004 bytes, the eleventh more than 10,000.
  EXPECT_EQ(queued, (std::vector<bool>{true, true, true, true, true, true, true, true, true, true, false, false}));
  EXPECT_EQ(status, "1006");
  EXPECT_NE(peers.log.lines.find("10040 bytes wait to be sent, which is more than max_unsent_bytes"), std::string::npos)
      << peers.log.lines;
  peers.run_until([&] { return peers.peer.ended; });
  EXPECT_EQ(peers.peer.frames().size(), 10U) << "what was queued has left, and no close";
  peers.peer_end->close();
  peers.run_until_gone();
  EXPECT_FALSE(peers.peer.failed);
  EXPECT_EQ(peers.elapsed(), 0ms);
}

TEST(WebsocketLimits, APeerThatDoesNotTakeWhatWasQueuedIsAborted) {
  std::string received = "nothing";
  websocket_peers peers;
  const auto& counters = *peers.loop.local<websocket_counters>();
  peers.serve(
      [&](websocket& socket) -> task<> {
        const auto listen = [&]() -> task<> {
          const auto outcome = co_await socket.receive();
          received = test::to_string(outcome);
        };
        co_await task_group::run([&](task_group& group) -> task<> {
          group.spawn(listen());
          for (int i = 0; i < 12; ++i) static_cast<void>(socket.send(pattern(1000)));
          EXPECT_EQ(received, "nothing") << "not within the call";
          co_await group.join();
        });
      },
      unsent(10'000));
  peers.peer.takes = false;
  peers.run_handler();
  EXPECT_EQ(received, "closed") << "who waits for something else is told";
  peers.run_until_gone();
  EXPECT_TRUE(peers.peer.failed);
  EXPECT_EQ(peers.elapsed(), 5001ms) << "the close timeout, behind the timer that told of it";
  EXPECT_EQ(counters.unsent_overflows.value(), 1U);
  EXPECT_EQ(counters.unanswered_closes.value(), 0U);
}

TEST(WebsocketLimits, OneMessageMayBeLargerThanWhatMayBeUnsent) {
  websocket_peers peers;
  peers.serve(
      [](websocket& socket) -> task<> {
        const bool first = co_await socket.send(pattern(100'000));
        EXPECT_TRUE(first);
        const bool second = co_await socket.send(pattern(100'000));
        EXPECT_TRUE(second) << "it was waited for";
      },
      unsent(10'000));
  peers.run_until_frames(3);
}

}  // namespace
}  // namespace windhover
