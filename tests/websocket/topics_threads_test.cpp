// Publishing across event loops, each of which has its thread, and from threads without one.
#include <array>
#include <atomic>
#include <cstddef>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/websocket_peer.hpp"
#include <windhover/topics.hpp>

namespace windhover {
namespace {

using test::gate;
using test::pattern;
using test::seen_frame;
using test::websocket_peers;

class TopicsThreads : public ::testing::TestWithParam<test::kind_of_transport> {};
INSTANTIATE_TEST_SUITE_P(All, TopicsThreads,
                         ::testing::Values(test::kind_of_transport::tcp_io_uring, test::kind_of_transport::tcp_epoll),
                         test::kind_name);

// "WHO:NUMBER:..." of each publisher come in the order of their numbers, from 0 on, and all of them.
void expect_all_in_order(const std::vector<seen_frame>& frames, std::size_t publishers, std::size_t messages) {
  std::vector<std::size_t> next(publishers, 0);
  for (const seen_frame& each : frames) {
    const std::size_t who = static_cast<std::size_t>(each.payload.at(0) - '0');
    ASSERT_LT(who, publishers);
    const std::size_t number = next[who]++;
    EXPECT_EQ(each.payload, std::to_string(who) + ":" + std::to_string(number) + ":" + pattern(number % 700));
  }
  for (const std::size_t each : next) EXPECT_EQ(each, messages);
}

TEST_P(TopicsThreads, EachPublishersOrderIsKeptOnEveryLoop) {
  constexpr std::size_t publishers = 3;
  constexpr std::size_t messages = 300;
  topics news;
  std::latch ready(2);
  const auto subscriber = [&] {
    gate done;
    websocket_peers peers(GetParam());
    peers.serve([&](websocket& socket) -> task<> {
      news.subscribe(socket, "a/#", {.full = when_full::wait});
      ready.count_down();
      co_await done;
    });
    peers.run_until_frames(publishers * messages);
    expect_all_in_order(peers.peer.frames(), publishers, messages);
    peers.open(done);
  };
  std::vector<std::thread> threads;
  threads.emplace_back(subscriber);
  threads.emplace_back(subscriber);
  ready.wait();
  for (std::size_t who = 0; who < publishers; ++who) {
    threads.emplace_back([&, who] {
      for (std::size_t i = 0; i < messages; ++i) {
        const std::string text = std::to_string(who) + ":" + std::to_string(i) + ":" + pattern(i % 700);
        EXPECT_TRUE(news.publish("a/b", text));
      }
    });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(news.counters().published, publishers * messages);
  EXPECT_EQ(news.counters().delivered, 2 * publishers * messages);
  EXPECT_EQ(news.counters().subscribers, 0U);
}

// A handler publishes, and waits for the slow subscriber of another loop.
TEST_P(TopicsThreads, APublisherWaitsForASubscriberOfAnotherLoop) {
  constexpr int messages = 200;
  // Whoever did not wait would have the socket closed.
  topics news({.max_unsent_bytes = 12'000});
  std::latch ready(1);
  std::thread other([&] {
    gate done;
    websocket_settings settings;
    settings.max_queued_bytes = 1024;
    websocket_peers peers(GetParam());
    peers.serve(
        [&](websocket& socket) -> task<> {
          news.subscribe(socket, "a", {.full = when_full::wait, .max_waiting_messages = 1});
          ready.count_down();
          co_await done;
        },
        settings);
    peers.run_until_frames(messages);
    peers.open(done);
  });
  ready.wait();
  websocket_peers peers(GetParam());
  peers.serve([&](websocket&) -> task<> {
    for (int i = 0; i < messages; ++i) {
      co_await news.publish_and_wait("a", prepared_message::from_text(pattern(5000)));
    }
  });
  peers.run_handler();
  other.join();
  EXPECT_EQ(news.counters().delivered, static_cast<std::uint64_t>(messages));
  EXPECT_EQ(news.counters().closed, 0U);
}

TEST_P(TopicsThreads, ALoopThatIsBehindIsNotBuried) {
  topics news({.max_undelivered_bytes = 10'000});
  // Each costs 256 bytes more, and the topic.
  constexpr std::size_t fit = 8;
  gate done;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    news.subscribe(socket, "a");
    co_await done;
  });
  std::size_t accepted = 0;
  std::thread([&] {
    while (news.publish("a", pattern(1000))) ++accepted;
  }).join();
  EXPECT_EQ(accepted, fit);
  EXPECT_EQ(news.counters().refused, 1U);
  peers.run_until_frames(accepted);
  std::thread([&] { EXPECT_TRUE(news.publish("a", "again")); }).join();
  peers.run_until_frames(accepted + 1);
  peers.open(done);
}

TEST_P(TopicsThreads, MessagesWithoutABytePileUpNoMoreThanOthers) {
  topics news({.max_undelivered_bytes = 10'000});
  gate done;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    news.subscribe(socket, "a");
    co_await done;
  });
  std::size_t accepted = 0;
  std::thread([&] {
    while (accepted < 1000 && news.publish("a", "")) ++accepted;
  }).join();
  EXPECT_LT(accepted, 100U);
  peers.run_until_frames(accepted);
  peers.open(done);
}

TEST_P(TopicsThreads, TheNumbersOutliveTheLoops) {
  topics news;
  for (std::uint64_t round = 1; round <= 5; ++round) {
    gate done;
    websocket_peers peers(GetParam());
    peers.serve([&](websocket& socket) -> task<> {
      news.subscribe(socket, "a");
      co_await done;
    });
    peers.on_loop([&] { news.publish("a", "text"); });
    EXPECT_EQ(news.counters().delivered, round);
    EXPECT_EQ(news.counters().subscribers, 1U);
    peers.open(done);
  }
  EXPECT_EQ(news.counters().delivered, 5U);
  EXPECT_EQ(news.counters().subscribers, 0U);
}

TEST_P(TopicsThreads, LoopsMayGoWhileOthersPublish) {
  for (int round = 0; round < 10; ++round) {
    auto news = std::make_unique<topics>();
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    std::latch started(2);
    {
      gate done;
      websocket_peers peers(GetParam());
      peers.serve([&](websocket& socket) -> task<> {
        news->subscribe(socket, "a", {.full = when_full::drop_oldest});
        co_await done;
      });
      for (int i = 0; i < 2; ++i) {
        threads.emplace_back([&, first = true]() mutable {
          while (!stop.load()) {
            static_cast<void>(news->publish("a", "text"));
            static_cast<void>(news->counters());
            static_cast<void>(news->subscribers("a"));
            if (std::exchange(first, false)) started.count_down();
          }
        });
      }
      started.wait();
      peers.run_until([&] { return !peers.peer.received.empty(); });
      if (round % 2 == 0) peers.peer_end->abort();
      peers.open(done);
      if (round % 2 == 0) peers.run_until_gone();
    }
    EXPECT_EQ(news->subscribers("a"), 0U);
    stop = true;
    for (std::thread& each : threads) each.join();
    EXPECT_EQ(news->counters().subscribers, 0U);
  }
}

}  // namespace
}  // namespace windhover
