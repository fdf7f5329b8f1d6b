// Handles: what they do from any thread, what they refuse, and that they outlive everything.
#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/websocket_peer.hpp"
#include <windhover/websocket_handle.hpp>

namespace windhover {
namespace {

using test::gate;
using test::opcode;
using test::pattern;
using test::seen_close;
using test::seen_frame;
using test::seen_text;
using test::websocket_peers;
using frames = std::vector<seen_frame>;
using notes = std::vector<std::string>;
using outcome = websocket_handle::outcome;

class WebsocketHandle : public test::every_cut {};
INSTANTIATE_TEST_SUITE_P(All, WebsocketHandle, test::each_cut(), test::cut_name);

// A handler that gives its handle away and waits.
test::websocket_handler give_handle(websocket_handle& to, gate& until) {
  return [&to, &until](websocket& socket) -> task<> {
    to = socket.handle();
    co_await until;
  };
}

TEST_P(WebsocketHandle, SendsTextMessagesAndPreparedOnes) {
  websocket_handle handle;
  gate done;
  websocket_peers peers(GetParam());
  peers.serve(give_handle(handle, done));
  const std::array<std::byte, 2> bytes{std::byte{'h'}, std::byte{'i'}};
  EXPECT_TRUE(handle.open());
  EXPECT_EQ(handle.send("text"), outcome::queued);
  EXPECT_EQ(handle.send(message::from_bytes(bytes)), outcome::queued);
  EXPECT_EQ(handle.send(message::from_text(pattern(3000))), outcome::queued);
  EXPECT_EQ(handle.send(prepared_message::from_text("prepared")), outcome::queued);
  EXPECT_EQ(handle.queued_bytes(), 4 + 2 + 3000 + 8U);
  EXPECT_EQ(peers.host_end->queued_bytes(), 0U) << "the loop has not seen it yet";
  peers.run_until_frames(4);
  EXPECT_EQ(peers.peer.frames(),
            (frames{seen_text("text"), {opcode::binary, "hi"}, seen_text(pattern(3000)), seen_text("prepared")}));
  peers.open(done);
}

// RFC 6455, section 5.4: the fragments of one message are not mixed with another one.
TEST_P(WebsocketHandle, WaitsForTheEndOfTheHandlersFragments) {
  for (const bool compressed : {false, true}) {
    websocket_handle handle;
    gate next;
    gate done;
    websocket_peers peers(GetParam());
    if (compressed) peers.compression = wire::deflate_parameters{};
    peers.serve([&](websocket& socket) -> task<> {
      handle = socket.handle();
      co_await socket.send("Hel", end_of_message::no);
      co_await next;
      co_await socket.send("lo", end_of_message::yes);
      co_await done;
    });
    peers.run_idle();
    EXPECT_EQ(handle.send("one", disable_compression::yes), outcome::queued);
    EXPECT_EQ(handle.send(prepared_message::from_text("two")), outcome::queued);
    EXPECT_EQ(handle.close(close_code::going_away), outcome::queued);
    peers.run_idle();
    EXPECT_EQ(peers.peer.frames().size(), 1U);
    EXPECT_EQ(handle.queued_bytes(), 6U) << "what waits is charged";
    peers.open(next);
    peers.run_until_frames(5);
    const frames seen = peers.peer.frames();
    EXPECT_EQ(seen[1].code, opcode::continuation);
    EXPECT_TRUE(seen[1].fin);
    EXPECT_EQ(seen[2], seen_text("one"));
    EXPECT_EQ(seen[3], seen_text("two"));
    EXPECT_EQ(seen[4], seen_close(1001));
    peers.open(done);
  }
}

TEST_P(WebsocketHandle, WhatWaitsForFragmentsGoesWithTheSocket) {
  websocket_handle handle;
  gate done;
  {
    websocket_peers peers(GetParam());
    peers.serve([&](websocket& socket) -> task<> {
      handle = socket.handle();
      co_await socket.send("Hel", end_of_message::no);
      co_await done;
    });
    peers.run_idle();
    EXPECT_EQ(handle.send("one"), outcome::queued);
    peers.run_idle();
    EXPECT_EQ(handle.abort(), outcome::queued);
    peers.run_idle();
    EXPECT_EQ(handle.send("two"), outcome::closed);
    peers.open(done);
  }
  EXPECT_EQ(handle.queued_bytes(), 0U);
}

TEST_P(WebsocketHandle, RefusesTextThatIsNotUtf8) {
  websocket_handle handle;
  gate done;
  websocket_peers peers(GetParam());
  peers.serve(give_handle(handle, done));
  EXPECT_THROW(handle.send("\xff"), std::invalid_argument);
  EXPECT_EQ(handle.queued_bytes(), 0U);
  peers.open(done);
}

TEST_P(WebsocketHandle, OfNoSocketIsClosed) {
  const websocket_handle none;
  EXPECT_FALSE(none.open());
  EXPECT_EQ(none.send("text"), outcome::closed);
  EXPECT_EQ(none.send(message::from_text("text")), outcome::closed);
  EXPECT_EQ(none.send(prepared_message::from_text("text")), outcome::closed);
  EXPECT_EQ(none.close(), outcome::closed);
  EXPECT_EQ(none.abort(), outcome::closed);
  EXPECT_EQ(none.queued_bytes(), 0U);
  EXPECT_EQ(none, websocket_handle());
}

TEST_P(WebsocketHandle, CopiesAreHandlesOfTheSameSocket) {
  websocket_handle handle;
  std::optional<websocket_handle> again;
  gate done;
  test::host_record other_host;
  test::peer_record other_peer;
  websocket_handle other;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    handle = socket.handle();
    again = socket.handle();
    co_await done;
  });
  peers.serve_another(give_handle(other, done), other_host, other_peer);
  const websocket_handle copy = handle;
  EXPECT_EQ(copy, handle);
  EXPECT_EQ(*again, handle);
  EXPECT_NE(other, handle);
  EXPECT_EQ(copy.send("one"), outcome::queued);
  EXPECT_EQ(again->send("two"), outcome::queued);
  peers.run_until_frames(2);
  EXPECT_EQ(peers.peer.frames(), (frames{seen_text("one"), seen_text("two")}));
  peers.open(done);
}

TEST_P(WebsocketHandle, APreparedMessageReachesEverybody) {
  std::array<websocket_handle, 10> handles;
  std::array<test::host_record, 10> hosts;
  std::array<test::peer_record, 10> records;
  gate done;
  websocket_peers peers(GetParam());
  for (std::size_t i = 0; i < handles.size(); ++i) {
    peers.serve_another(give_handle(handles[i], done), hosts[i], records[i]);
  }
  const auto news = prepared_message::from_text("{\"score\":3}");
  for (const websocket_handle& each : handles) EXPECT_EQ(each.send(news), outcome::queued);
  for (const test::peer_record& each : records) {
    peers.run_until([&] { return !each.frames().empty(); });
    EXPECT_EQ(each.frames(), (frames{seen_text("{\"score\":3}")}));
  }
  peers.open(done);
}

// ----- Full

TEST_P(WebsocketHandle, IsFullWhenMoreThanTheMarkWaits) {
  websocket_settings settings;
  settings.max_queued_bytes = 1024;
  websocket_handle handle;
  gate done;
  websocket_peers peers(GetParam());
  peers.serve(give_handle(handle, done), settings);
  EXPECT_EQ(handle.send(pattern(1024)), outcome::queued);
  EXPECT_EQ(handle.send("a"), outcome::queued) << "not more than the mark waits yet";
  EXPECT_EQ(handle.send("b"), outcome::full);
  EXPECT_EQ(handle.send(message::from_text("c")), outcome::full);
  EXPECT_EQ(handle.send(prepared_message::from_text("d")), outcome::full);
  EXPECT_EQ(handle.queued_bytes(), 1025U);
  EXPECT_TRUE(handle.open());
  peers.run_until_frames(2);
  peers.run_idle();
  EXPECT_EQ(handle.send("e"), outcome::queued) << "it has gone";
  peers.run_until_frames(3);
  EXPECT_EQ(peers.peer.frames(), (frames{seen_text(pattern(1024)), seen_text("a"), seen_text("e")}));
  peers.open(done);
}

// Messages of nothing cost memory while they wait, too.
TEST_P(WebsocketHandle, IsFullWhenMoreMessagesThanMayWaitDo) {
  websocket_settings settings;
  settings.max_queued_messages = 3;
  websocket_handle handle;
  gate done;
  websocket_peers peers(GetParam());
  peers.serve(give_handle(handle, done), settings);
  for (int round = 1; round <= 2; ++round) {
    EXPECT_EQ(handle.send(""), outcome::queued);
    EXPECT_EQ(handle.send(message::from_text("")), outcome::queued);
    EXPECT_EQ(handle.send(prepared_message::from_text("")), outcome::queued);
    EXPECT_EQ(handle.send(""), outcome::full);
    EXPECT_EQ(handle.send("more"), outcome::full);
    peers.run_until_frames(3U * static_cast<unsigned>(round));
  }
  peers.open(done);
}

TEST_P(WebsocketHandle, IsFullWhileThePeerDoesNotRead) {
  websocket_settings settings;
  settings.max_queued_bytes = 1024;
  websocket_handle handle;
  gate done;
  websocket_peers peers(GetParam());
  peers.serve(give_handle(handle, done), settings);
  peers.peer.takes = false;
  EXPECT_EQ(handle.send("first"), outcome::queued);
  peers.run_idle();
  int sent = 0;
  while (handle.send(pattern(300)) == outcome::queued) {
    ++sent;
    peers.run_idle();
  }
  EXPECT_EQ(sent, 4);
  const std::size_t left_of_first = 7 - std::min<std::size_t>(7, GetParam());
  EXPECT_EQ(handle.queued_bytes(), left_of_first + 4 * 304U) << "with their headers";
  EXPECT_EQ(handle.close(), outcome::queued) << "closing is never full";
  peers.take();
  peers.run_until_frames(6);
  EXPECT_EQ(peers.peer.frames().back(), seen_close(1000));
  peers.open(done);
}

TEST_P(WebsocketHandle, OneLargeMessageThatHasGoneDoesNotMakeItFull) {
  websocket_settings settings;
  settings.max_queued_bytes = 1024;
  websocket_handle handle;
  gate done;
  websocket_peers peers(GetParam());
  peers.serve(give_handle(handle, done), settings);
  EXPECT_EQ(handle.send(pattern(100'000)), outcome::queued);
  peers.run_until_frames(1);
  peers.run_idle();
  EXPECT_EQ(handle.send("next"), outcome::queued);
  peers.run_until_frames(2);
  peers.open(done);
}

TEST_P(WebsocketHandle, WhatTheHandlerSendsCountsToo) {
  websocket_settings settings;
  settings.max_queued_bytes = 1024;
  websocket_handle handle;
  gate done;
  websocket_peers peers(GetParam());
  peers.serve(
      [&](websocket& socket) -> task<> {
        handle = socket.handle();
        static_cast<void>(socket.send("first"));
        static_cast<void>(socket.send(pattern(2000)));
        co_await done;
      },
      settings);
  peers.peer.takes = false;
  EXPECT_EQ(handle.send("a"), outcome::queued) << "it has not looked yet";
  peers.run_idle();
  EXPECT_EQ(handle.send("b"), outcome::full);
  peers.take();
  peers.run_until_frames(3);
  peers.run_idle();
  EXPECT_EQ(handle.send("c"), outcome::queued);
  peers.run_until_frames(4);
  peers.open(done);
}

// ----- Closing

TEST_P(WebsocketHandle, Closes) {
  websocket_handle handle;
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    handle = socket.handle();
    auto none = co_await socket.receive();
    EXPECT_TRUE(none.closed());
    seen.push_back(test::status_of(socket));
  });
  EXPECT_EQ(handle.send("last"), outcome::queued);
  EXPECT_EQ(handle.close(close_code::going_away, "bye"), outcome::queued);
  EXPECT_EQ(handle.send("too late"), outcome::queued) << "the loop does not know yet; it is dropped";
  peers.run_until_frames(2);
  EXPECT_FALSE(handle.open());
  EXPECT_EQ(handle.send("much too late"), outcome::closed);
  EXPECT_EQ(handle.close(), outcome::closed);
  peers.send_close(1001, "bye");
  peers.finish();
  EXPECT_EQ(seen, (notes{"1001 bye"}));
  EXPECT_EQ(peers.peer.frames(), (frames{seen_text("last"), seen_close(1001, "bye")}));
}

TEST_P(WebsocketHandle, RefusesCodesAndReasonsThatMustNotBeSent) {
  websocket_handle handle;
  gate done;
  websocket_peers peers(GetParam());
  peers.serve(give_handle(handle, done));
  EXPECT_THROW(handle.close(close_code::no_status_received), std::invalid_argument);
  EXPECT_THROW(handle.close(static_cast<close_code>(2000)), std::invalid_argument);
  EXPECT_THROW(handle.close(close_code::normal_closure, std::string(124, 'r')), std::invalid_argument);
  EXPECT_THROW(handle.close(close_code::normal_closure, "\xff"), std::invalid_argument);
  EXPECT_TRUE(handle.open());
  peers.open(done);
}

TEST_P(WebsocketHandle, Aborts) {
  websocket_handle handle;
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    handle = socket.handle();
    auto none = co_await socket.receive();
    EXPECT_TRUE(none.closed());
    seen.push_back(test::status_of(socket));
  });
  EXPECT_EQ(handle.abort(), outcome::queued);
  peers.run_until_gone();
  EXPECT_EQ(seen, (notes{"1006"}));
  EXPECT_FALSE(handle.open());
  EXPECT_EQ(handle.abort(), outcome::closed);
}

TEST_P(WebsocketHandle, IsClosedAtOnceByWhateverEndsTheSocket) {
  enum class end { own_close, own_abort, scope, peer_close, peer_end, peer_reset, mistake };
  for (const end how :
       {end::own_close, end::own_abort, end::scope, end::peer_close, end::peer_end, end::peer_reset, end::mistake}) {
    SCOPED_TRACE(static_cast<int>(how));
    websocket_handle handle;
    gate go_on;
    gate done;
    websocket_peers peers(GetParam());
    peers.serve([&](websocket& socket) -> task<> {
      handle = socket.handle();
      co_await go_on;
      if (how == end::own_close) socket.close_output();
      if (how == end::own_abort) socket.abort();
      if (how == end::scope) co_return;
      co_await done;
    });
    EXPECT_TRUE(handle.open());
    if (how == end::peer_close) peers.send_close(1000);
    if (how == end::peer_end) peers.peer_end->close();
    if (how == end::peer_reset) peers.peer_end->abort();
    if (how == end::mistake) peers.send("nonsense");
    peers.open(go_on);
    peers.run_idle();
    EXPECT_FALSE(handle.open());
    EXPECT_EQ(handle.send("late"), outcome::closed);
    peers.open(done);
  }
}

TEST_P(WebsocketHandle, ThatIsAskedForAfterTheEndIsClosed) {
  websocket_peers peers(GetParam());
  peers.serve([](websocket& socket) -> task<> {
    auto none = co_await socket.receive();
    EXPECT_TRUE(none.closed());
    const websocket_handle late = socket.handle();
    EXPECT_FALSE(late.open());
    EXPECT_EQ(late.send("late"), outcome::closed);
  });
  peers.send_close(1000);
  peers.run_handler();
}

TEST_P(WebsocketHandle, OutlivesTheSocketAndTheLoop) {
  websocket_handle handle;
  gate done;
  {
    websocket_peers peers(GetParam());
    peers.serve(give_handle(handle, done));
    // Posted, but the loop never runs again with an open socket.
    EXPECT_EQ(handle.send("never sent"), outcome::queued);
    peers.open(done);
    peers.peer_end->abort();
    peers.run_until_gone();
    EXPECT_FALSE(handle.open());
    EXPECT_EQ(handle.send("late"), outcome::closed);
    EXPECT_EQ(handle.queued_bytes(), 0U);
  }
  EXPECT_FALSE(handle.open());
  EXPECT_EQ(handle.send("much too late"), outcome::closed);
  EXPECT_EQ(handle.close(), outcome::closed);
  EXPECT_EQ(handle.abort(), outcome::closed);
  EXPECT_EQ(handle.queued_bytes(), 0U);
}

// ----- Threads, on a loop that runs

class WebsocketHandleOn : public ::testing::TestWithParam<test::kind_of_transport> {};
INSTANTIATE_TEST_SUITE_P(All, WebsocketHandleOn,
                         ::testing::Values(test::kind_of_transport::tcp_io_uring, test::kind_of_transport::tcp_epoll),
                         test::kind_name);

TEST_P(WebsocketHandleOn, ManyThreadsSendAndEachOnesOrderIsKept) {
  constexpr std::size_t senders = 4;
  constexpr std::size_t messages = 500;
  websocket_handle handle;
  gate done;
  websocket_peers peers(GetParam());
  peers.serve(give_handle(handle, done));
  std::atomic<std::size_t> dropped{0};
  std::vector<std::thread> threads;
  for (std::size_t who = 0; who < senders; ++who) {
    threads.emplace_back([&, who, mine = handle] {
      for (std::size_t i = 0; i < messages;) {
        const std::string text = std::to_string(who) + ":" + std::to_string(i) + ":" + pattern(i % 2000);
        const outcome result = i % 3 == 0 ? mine.send(prepared_message::from_text(text)) : mine.send(text);
        if (result == outcome::queued) {
          ++i;
        } else {
          EXPECT_EQ(result, outcome::full);
          ++dropped;
          std::this_thread::yield();
        }
      }
    });
  }
  std::size_t expected = 0;
  for (std::size_t i = 0; i < messages; ++i) {
    const std::size_t size = 1 + 1 + std::to_string(i).size() + 1 + i % 2000;
    expected += senders * (size + wire::frame_header_size(size, false));
  }
  peers.run_until([&] { return peers.peer.received.size() >= expected; });
  for (std::thread& each : threads) each.join();
  std::array<std::size_t, senders> next{};
  for (const seen_frame& frame : peers.peer.frames()) {
    const std::size_t who = static_cast<std::size_t>(frame.payload.at(0) - '0');
    ASSERT_LT(who, senders);
    const std::size_t i = next.at(who)++;
    EXPECT_EQ(frame.payload, std::to_string(who) + ":" + std::to_string(i) + ":" + pattern(i % 2000));
  }
  for (const std::size_t each : next) EXPECT_EQ(each, messages);
  peers.open(done);
}

TEST_P(WebsocketHandleOn, ThreadsWakeALoopThatWaits) {
  websocket_handle handle;
  notes seen;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    handle = socket.handle();
    auto none = co_await socket.receive();
    EXPECT_TRUE(none.closed());
    seen.push_back(test::status_of(socket));
  });
  std::thread sender([mine = handle] {
    EXPECT_EQ(mine.send("from afar"), outcome::queued);
    EXPECT_EQ(mine.close(close_code::going_away), outcome::queued);
  });
  peers.run_until_frames(2);
  sender.join();
  peers.send_close(1001);
  peers.finish();
  EXPECT_EQ(seen, (notes{"1001"}));
}

TEST_P(WebsocketHandleOn, ThreadsSendWhileTheSocketAndTheLoopGo) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    {
      websocket_handle handle;
      gate done;
      websocket_peers peers(GetParam());
      peers.serve(give_handle(handle, done));
      std::atomic<int> started{0};
      for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&stop, &started, mine = handle] {
          bool first = true;
          const auto news = prepared_message::from_text("news");
          while (!stop.load()) {
            static_cast<void>(mine.send("text"));
            static_cast<void>(mine.send(news));
            static_cast<void>(mine.open());
            static_cast<void>(mine.queued_bytes());
            if (std::exchange(first, false)) ++started;
          }
          EXPECT_EQ(mine.send("late"), outcome::closed);
        });
      }
      peers.run_until([&] { return started.load() == 3 && !peers.peer.received.empty(); });
      peers.peer_end->abort();
      peers.open(done);
      peers.run_until_gone();
    }
    stop = true;
    for (std::thread& each : threads) each.join();
  }
}

TEST_P(WebsocketHandleOn, TheLastHandleMayGoOnAnyThread) {
  websocket_handle handle;
  gate done;
  websocket_peers peers(GetParam());
  peers.serve(give_handle(handle, done));
  std::thread other([mine = std::exchange(handle, {})]() mutable {
    EXPECT_EQ(mine.send("one"), outcome::queued);
    mine = {};
  });
  peers.run_until_frames(1);
  other.join();
  peers.open(done);
}

}  // namespace
}  // namespace windhover
