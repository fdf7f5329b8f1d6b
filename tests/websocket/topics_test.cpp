// Publishing to the sockets of one loop: who gets what, in which order, and what happens to those who are slow.
#include <cstddef>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/compressed_peer.hpp"
#include <windhover/topics.hpp>

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

class Topics : public test::every_cut {};
INSTANTIATE_TEST_SUITE_P(All, Topics, test::each_cut(), test::cut_name);

// A loop with several sockets. Each handler does what it is told, then waits for the end.
class audience {
 public:
  struct member {
    websocket* socket = nullptr;
    test::host_record host;
    test::peer_record peer;
  };

  explicit audience(std::size_t cut, const websocket_settings& settings = {}) : peers_(cut) {
    // The first one is that of the peers.
    peers_.serve([this](websocket& socket) { return stay(socket, first_); }, settings);
  }
  audience(const audience&) = delete;
  audience& operator=(const audience&) = delete;
  ~audience() { peers_.open(done_); }

  websocket& first() { return *first_; }
  const test::peer_record& first_peer() const { return peers_.peer; }
  member& add() {
    member& added = others_.emplace_back();
    peers_.serve_another([this, &added](websocket& socket) { return stay(socket, added.socket); }, added.host,
                         added.peer);
    return added;
  }

  websocket_peers& peers() { return peers_; }
  template <class Act>
  void on_loop(Act&& act) {
    peers_.on_loop(std::forward<Act>(act));
  }
  // Long enough for a slow peer to catch up.
  void run() { test::run_idle(peers_.loop, 200); }

 private:
  task<> stay(websocket& socket, websocket*& known) {
    known = &socket;
    co_await done_;
  }

  gate done_;
  websocket* first_ = nullptr;
  std::deque<member> others_;
  websocket_peers peers_;
};

std::vector<std::string> texts_of(const test::peer_record& peer) {
  std::vector<std::string> found;
  for (const seen_frame& each : peer.frames()) {
    if (each.code == opcode::text || each.code == opcode::continuation) found.push_back(each.payload);
  }
  return found;
}
using texts = std::vector<std::string>;

// The mark is 1024 bytes: two messages of 600 bytes wait for the kernel, more for there being room.
websocket_settings narrow() {
  websocket_settings settings;
  settings.max_queued_bytes = 1024;
  return settings;
}
std::string numbered(int number) { return std::to_string(number) + pattern(600); }

// ----- Who gets it

TEST_P(Topics, ReachWhoeverHasSubscribed) {
  topics news;
  audience sockets(GetParam());
  auto& second = sockets.add();
  auto& third = sockets.add();
  sockets.on_loop([&] {
    EXPECT_TRUE(news.subscribe(sockets.first(), "sports"));
    EXPECT_TRUE(news.subscribe(*second.socket, "sports"));
    EXPECT_TRUE(news.subscribe(*third.socket, "weather"));
    EXPECT_TRUE(news.publish("sports", "goal"));
    EXPECT_TRUE(news.publish("weather", message::from_text("rain")));
    EXPECT_TRUE(news.publish("weather", prepared_message::from_text("snow")));
    EXPECT_TRUE(news.publish("nothing", "unheard"));
  });
  sockets.run();
  EXPECT_EQ(texts_of(sockets.first_peer()), texts{"goal"});
  EXPECT_EQ(texts_of(second.peer), texts{"goal"});
  EXPECT_EQ(texts_of(third.peer), (texts{"rain", "snow"}));
}

TEST_P(Topics, WildcardsReachASocketOnce) {
  topics news;
  audience sockets(GetParam());
  sockets.on_loop([&] {
    for (const std::string_view filter : {"room/1", "room/+", "room/#", "#"}) news.subscribe(sockets.first(), filter);
    news.publish("room/1", "one");
    news.publish("room/2", "two");
    news.publish("other", "three");
    news.publish("$internal", "four");
  });
  sockets.run();
  EXPECT_EQ(texts_of(sockets.first_peer()), (texts{"one", "two", "three"}));
}

TEST_P(Topics, BinaryMessagesStayBinary) {
  topics news;
  audience sockets(GetParam());
  sockets.on_loop([&] {
    news.subscribe(sockets.first(), "a");
    news.publish("a", message::from_bytes(test::bytes_of("bytes")));
    news.publish("a", prepared_message::from_bytes(test::bytes_of("more")));
  });
  sockets.run();
  EXPECT_EQ(sockets.first_peer().frames(), (frames{{opcode::binary, "bytes"}, {opcode::binary, "more"}}));
}

TEST_P(Topics, TheSenderCanBeLeftOut) {
  topics news;
  audience sockets(GetParam());
  auto& second = sockets.add();
  sockets.on_loop([&] {
    news.subscribe(sockets.first(), "a");
    news.subscribe(*second.socket, "a");
    EXPECT_TRUE(news.publish_to_others(sockets.first(), "a", "from the first"));
    EXPECT_TRUE(news.publish_to_others(*second.socket, "a", message::from_text("from the second")));
  });
  sockets.run();
  EXPECT_EQ(texts_of(sockets.first_peer()), texts{"from the second"});
  EXPECT_EQ(texts_of(second.peer), texts{"from the first"});
}

TEST_P(Topics, ASubscriptionEndsWhenItIsTold) {
  topics news;
  audience sockets(GetParam());
  sockets.on_loop([&] {
    EXPECT_FALSE(news.unsubscribe(sockets.first(), "a"));
    EXPECT_TRUE(news.subscribe(sockets.first(), "a"));
    EXPECT_FALSE(news.subscribe(sockets.first(), "a"));
    EXPECT_TRUE(news.subscribe(sockets.first(), "b"));
    EXPECT_TRUE(news.subscribe(sockets.first(), "c"));
    EXPECT_TRUE(news.unsubscribe(sockets.first(), "a"));
    EXPECT_FALSE(news.unsubscribe(sockets.first(), "a"));
    news.publish("a", "not any more");
    news.publish("b", "still");
    news.unsubscribe(sockets.first());
    news.publish("b", "nor this");
    news.publish("c", "nor that");
    EXPECT_TRUE(news.subscribe(sockets.first(), "a"));
    news.publish("a", "again");
  });
  sockets.run();
  EXPECT_EQ(texts_of(sockets.first_peer()), (texts{"still", "again"}));
}

TEST_P(Topics, SeveralObjectsHaveSubscribersOfTheirOwn) {
  topics one;
  topics two;
  audience sockets(GetParam());
  sockets.on_loop([&] {
    one.subscribe(sockets.first(), "a");
    two.subscribe(sockets.first(), "b");
    one.publish("b", "no");
    two.publish("a", "no");
    one.publish("a", "one");
    two.publish("b", "two");
  });
  sockets.run();
  EXPECT_EQ(texts_of(sockets.first_peer()), (texts{"one", "two"}));
}

TEST_P(Topics, ASubscriptionEndsWithItsSocket) {
  topics news;
  audience sockets(GetParam());
  auto& second = sockets.add();
  auto& third = sockets.add();
  sockets.on_loop([&] {
    for (websocket* each : {&sockets.first(), second.socket, third.socket}) {
      news.subscribe(*each, "a");
      news.subscribe(*each, "+");
    }
    EXPECT_EQ(news.subscribers("a"), 3U);
    sockets.first().abort();
    EXPECT_TRUE(second.socket->close_output());
    EXPECT_EQ(news.subscribers("a"), 1U) << "at once";
    EXPECT_EQ(news.subscribers("+"), 1U);
    EXPECT_FALSE(news.subscribe(*second.socket, "b")) << "it can send nothing any more";
    news.publish("a", "late");
  });
  sockets.run();
  EXPECT_EQ(second.peer.frames(), frames{seen_close(1000)});
  EXPECT_EQ(texts_of(third.peer), texts{"late"});
  EXPECT_EQ(news.counters().subscribers, 1U);
  EXPECT_EQ(news.counters().subscriptions, 2U);
}

TEST_P(Topics, APeerThatClosesGetsNothingMore) {
  topics news;
  audience sockets(GetParam());
  sockets.on_loop([&] { news.subscribe(sockets.first(), "a"); });
  sockets.peers().send_close(1000);
  sockets.run();
  EXPECT_EQ(news.subscribers("a"), 0U);
  sockets.on_loop([&] { news.publish("a", "late"); });
  sockets.run();
  EXPECT_EQ(sockets.first_peer().frames(), frames{seen_close(1000)});
}

TEST_P(Topics, MayGoBeforeTheirSubscribers) {
  audience sockets(GetParam());
  {
    topics news;
    sockets.on_loop([&] {
      news.subscribe(sockets.first(), "a");
      news.publish("a", "first and last");
    });
  }
  sockets.run();
  EXPECT_EQ(texts_of(sockets.first_peer()), texts{"first and last"});
}

TEST_P(Topics, SocketsOfClientsSubscribeToo) {
  topics news;
  gate done;
  websocket_peers peers(GetParam());
  peers.serve_as_client([&](websocket& socket) -> task<> {
    news.subscribe(socket, "a");
    news.publish("a", "masked");
    co_await done;
  });
  peers.run_idle();
  EXPECT_EQ(peers.peer.frames(wire::role::server), frames{seen_text("masked")});
  peers.open(done);
}

// ----- What is refused

TEST_P(Topics, RefuseWhatIsNoTopicAndWhatIsNoFilter) {
  topics news({.max_topic_size = 10});
  audience sockets(GetParam());
  sockets.on_loop([&] {
    for (const std::string_view filter : {"", "a/#/b", "a+", "\xff", "12345678901"}) {
      EXPECT_THROW(news.subscribe(sockets.first(), filter), std::invalid_argument) << filter;
    }
    for (const std::string_view topic : {"", "a/#", "+", "\xff", "12345678901"}) {
      EXPECT_THROW(news.publish(topic, "text"), std::invalid_argument) << topic;
      EXPECT_THROW(news.publish_to_others(sockets.first(), topic, "text"), std::invalid_argument) << topic;
    }
    EXPECT_TRUE(news.subscribe(sockets.first(), "1234567890"));
    EXPECT_THROW(news.publish("a", "\xff"), std::invalid_argument);
  });
  EXPECT_TRUE(topics::is_topic("a/b"));
  EXPECT_FALSE(topics::is_topic("a/+"));
  EXPECT_TRUE(topics::is_filter("a/+"));
  EXPECT_FALSE(topics::is_filter("a+"));
}

TEST_P(Topics, HaveSoManyLevelsAtMost) {
  topics news({.max_levels = 3});
  audience sockets(GetParam());
  sockets.on_loop([&] {
    EXPECT_TRUE(news.subscribe(sockets.first(), "+/b/#"));
    EXPECT_TRUE(news.publish("a/b/c", "text"));
    EXPECT_THROW(news.subscribe(sockets.first(), "a/b/c/#"), std::invalid_argument);
    EXPECT_THROW(news.publish("///", "text"), std::invalid_argument);
  });
  sockets.run();
  EXPECT_EQ(texts_of(sockets.first_peer()), texts{"text"});
}

// Rooms and games come and go while a socket stays.
TEST_P(Topics, ManyObjectsMayPassASocketBy) {
  audience sockets(GetParam());
  for (int i = 0; i < 1000; ++i) {
    topics game;
    sockets.on_loop([&] {
      game.subscribe(sockets.first(), "moves");
      game.publish("moves", std::to_string(i));
      if (i % 2 == 0) game.unsubscribe(sockets.first());
    });
  }
  sockets.run();
  EXPECT_EQ(texts_of(sockets.first_peer()).size(), 1000U);
}

// A page that shows the log, say.
TEST_P(Topics, ALoggerMayPublishToo) {
  topics news;
  class publishing_log final : public logger {
   public:
    explicit publishing_log(topics& to) : to_(to) {}
    bool enabled(log_level) const noexcept override { return true; }
    void write(log_level, std::string_view, std::string_view text) noexcept override {
      lines += std::string(text) + "\n";
      to_.publish("log", text);
    }
    std::string lines;

   private:
    topics& to_;
  } log(news);
  net::event_loop_options options;
  options.log = &log;
  net::event_loop loop(std::make_unique<test::virtual_engine>(), options);
  websocket* slow = nullptr;
  gate done;
  const auto [near, far] = net::memory_pipe::make(loop);
  test::host_record host;
  test::peer_record peer;
  auto made = std::make_unique<test::websocket_host>(*near, wire::role::server, narrow(), "", host);
  test::websocket_host& added = *made;
  net::memory_pipe::set_driver(*near, std::move(made));
  net::memory_pipe::set_driver(*far, std::make_unique<test::raw_peer>(peer));
  {
    const net::event_loop::scope here(loop);
    added.start([&](websocket& socket) -> task<> {
      slow = &socket;
      co_await done;
    });
    news.subscribe(*slow, "a", {.max_waiting_messages = 1});
    for (int i = 0; i < 5; ++i) news.publish("a", numbered(i));
    EXPECT_NE(log.lines.find("1013"), std::string::npos);
    EXPECT_NE(log.lines.find("'a'"), std::string::npos);
    EXPECT_EQ(news.counters().closed, 1U);
    done.open();
    loop.abort_all();
  }
  test::run_idle(loop);
}

TEST_P(Topics, ASocketHasSoManySubscriptionsAtMost) {
  topics news({.max_subscriptions = 2});
  audience sockets(GetParam());
  sockets.on_loop([&] {
    news.subscribe(sockets.first(), "a");
    news.subscribe(sockets.first(), "b");
    EXPECT_THROW(news.subscribe(sockets.first(), "c"), std::length_error);
    EXPECT_FALSE(news.subscribe(sockets.first(), "b"));
    news.unsubscribe(sockets.first(), "a");
    EXPECT_TRUE(news.subscribe(sockets.first(), "c"));
  });
}

TEST_P(Topics, AnotherThreadDoesNotSubscribe) {
  topics news;
  audience sockets(GetParam());
  std::thread([&] {
    EXPECT_THROW(news.subscribe(sockets.first(), "a"), std::logic_error);
    EXPECT_THROW(news.unsubscribe(sockets.first(), "a"), std::logic_error);
    EXPECT_THROW(news.unsubscribe(sockets.first()), std::logic_error);
    EXPECT_THROW(news.publish_to_others(sockets.first(), "a", "text"), std::logic_error);
  }).join();
}

// ----- Who is slow

// The numbers of the messages that come to a peer that takes nothing while they are published.
std::vector<int> numbers_after_a_pause(std::size_t cut, topics& news, const subscribe_options& options, int published,
                                       std::vector<seen_frame>* all = nullptr) {
  audience sockets(cut, narrow());
  sockets.peers().peer.takes = false;
  sockets.on_loop([&] {
    news.subscribe(sockets.first(), "a", options);
    for (int i = 0; i < published; ++i) news.publish("a", numbered(i));
  });
  sockets.peers().take();
  sockets.run();
  std::vector<int> numbers;
  for (const std::string& each : texts_of(sockets.first_peer())) {
    numbers.push_back(std::stoi(each.substr(0, each.size() - 600)));
  }
  if (all != nullptr) *all = sockets.first_peer().frames();
  return numbers;
}

TEST_P(Topics, ASlowSubscriberGetsEverythingThatMayWait) {
  topics news;
  EXPECT_EQ(numbers_after_a_pause(GetParam(), news, {.full = when_full::close, .max_waiting_messages = 4}, 6),
            (std::vector<int>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(news.counters().delivered, 6U);
  EXPECT_EQ(news.counters().dropped, 0U);
}

TEST_P(Topics, ATooSlowSubscriberIsClosedUnlessItSaysOtherwise) {
  topics news;
  frames all;
  EXPECT_EQ(numbers_after_a_pause(GetParam(), news, {.max_waiting_messages = 4}, 20, &all), (std::vector<int>{0, 1}));
  EXPECT_EQ(all.back(), seen_close(1013, "too slow for what it has subscribed to"));
  EXPECT_EQ(news.counters().closed, 1U);
  EXPECT_EQ(news.counters().dropped, 4U) << "what has waited for it";
  EXPECT_EQ(news.subscribers("a"), 0U);
}

TEST_P(Topics, TheNewestCanBeDropped) {
  topics news;
  EXPECT_EQ(numbers_after_a_pause(GetParam(), news, {.full = when_full::drop_newest, .max_waiting_messages = 3}, 20),
            (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(news.counters().dropped, 15U);
}

TEST_P(Topics, TheOldestCanBeDropped) {
  topics news;
  EXPECT_EQ(numbers_after_a_pause(GetParam(), news, {.full = when_full::drop_oldest, .max_waiting_messages = 3}, 20),
            (std::vector<int>{0, 1, 17, 18, 19}));
  EXPECT_EQ(news.counters().dropped, 15U);
}

TEST_P(Topics, BytesThatWaitAreBoundedToo) {
  topics news;
  EXPECT_EQ(numbers_after_a_pause(GetParam(), news, {.full = when_full::drop_newest, .max_waiting_bytes = 1300}, 20),
            (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(numbers_after_a_pause(GetParam(), news, {.full = when_full::drop_oldest, .max_waiting_bytes = 1300}, 20),
            (std::vector<int>{0, 1, 18, 19}));
  // One may wait whatever its size.
  EXPECT_EQ(numbers_after_a_pause(GetParam(), news, {.full = when_full::drop_oldest, .max_waiting_bytes = 1}, 20),
            (std::vector<int>{0, 1, 19}));
}

TEST_P(Topics, WhoWaitsGetsEverythingUpToABound) {
  topics news({.max_unsent_bytes = 30'000});
  std::vector<int> all;
  for (int i = 0; i < 30; ++i) all.push_back(i);
  EXPECT_EQ(numbers_after_a_pause(GetParam(), news, {.full = when_full::wait, .max_waiting_messages = 2}, 30), all);
  EXPECT_EQ(news.counters().closed, 0U);
  numbers_after_a_pause(GetParam(), news, {.full = when_full::wait, .max_waiting_messages = 2}, 50);
  EXPECT_EQ(news.counters().closed, 1U);
}

TEST_P(Topics, OthersAreServedMeanwhile) {
  topics news;
  audience sockets(GetParam(), narrow());
  auto& quick = sockets.add();
  sockets.peers().peer.takes = false;
  texts all;
  sockets.on_loop([&] {
    news.subscribe(sockets.first(), "a", {.full = when_full::drop_newest, .max_waiting_messages = 1});
    news.subscribe(*quick.socket, "a");
    for (int i = 0; i < 20; ++i) {
      news.publish("a", numbered(i));
      all.push_back(numbered(i));
    }
  });
  sockets.run();
  EXPECT_EQ(texts_of(quick.peer), all);
}

TEST_P(Topics, WhatWaitsStaysBehindItAfterUnsubscribing) {
  topics news;
  audience sockets(GetParam(), narrow());
  sockets.peers().peer.takes = false;
  sockets.on_loop([&] {
    news.subscribe(sockets.first(), "a");
    for (int i = 0; i < 4; ++i) news.publish("a", numbered(i));
    news.unsubscribe(sockets.first());
    news.publish("a", "not any more");
  });
  sockets.peers().take();
  sockets.run();
  EXPECT_EQ(texts_of(sockets.first_peer()), (texts{numbered(0), numbered(1), numbered(2), numbered(3)}));
}

// ----- Within a message in fragments

TEST_P(Topics, WaitForTheEndOfTheHandlersMessage) {
  topics news;
  gate next;
  gate done;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    news.subscribe(socket, "a");
    co_await socket.send("be", end_of_message::no);
    news.publish("a", "one");
    news.publish("a", "two");
    co_await next;
    co_await socket.send("gin");
    news.publish("a", "three");
    co_await done;
  });
  peers.run_idle();
  EXPECT_EQ(peers.peer.frames(), (frames{{opcode::text, "be", false}}));
  peers.open(next);
  peers.run_idle();
  EXPECT_EQ(peers.peer.frames(), (frames{{opcode::text, "be", false},
                                         {opcode::continuation, "gin"},
                                         seen_text("one"),
                                         seen_text("two"),
                                         seen_text("three")}));
  peers.open(done);
}

// ----- Publishers that wait

task<> note_when_published(topics& news, std::string text, int& count) {
  co_await news.publish_and_wait("a", prepared_message::from_text(text));
  ++count;
}

TEST_P(Topics, APublisherDoesNotWaitWhereThereIsRoom) {
  topics news;
  int published = 0;
  gate done;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    co_await note_when_published(news, "unheard", published);
    news.subscribe(socket, "a", {.full = when_full::wait});
    co_await note_when_published(news, "heard", published);
    co_await done;
  });
  peers.run_idle();
  EXPECT_EQ(published, 2);
  EXPECT_EQ(texts_of(peers.peer), texts{"heard"});
  peers.open(done);
}

// A handler that publishes ten messages to itself, each when there is room for the one before, and whose peer takes
// nothing.
struct slow_subscriber {
  explicit slow_subscriber(std::size_t cut) : peers(cut) {
    const auto publish_ten = [this](websocket& socket) -> task<> {
      news.subscribe(socket, "a", {.full = when_full::wait, .max_waiting_messages = 1});
      for (int i = 0; i < 10; ++i) co_await note_when_published(news, numbered(i), published);
      co_await done;
    };
    peers.serve(publish_ten, narrow());
    peers.peer.takes = false;
    peers.run_idle();
  }
  slow_subscriber(const slow_subscriber&) = delete;
  slow_subscriber& operator=(const slow_subscriber&) = delete;
  ~slow_subscriber() { peers.open(done); }

  topics news;
  int published = 0;
  gate done;
  websocket_peers peers;
};

TEST_P(Topics, APublisherWaitsForASlowSubscriber) {
  slow_subscriber slow(GetParam());
  EXPECT_LT(slow.published, 6);
  slow.peers.take();
  slow.peers.run_until_frames(10);
  EXPECT_EQ(slow.published, 10);
}

TEST_P(Topics, APublisherGoesOnWhenTheSlowSubscriberDies) {
  slow_subscriber slow(GetParam());
  EXPECT_LT(slow.published, 10);
  slow.peers.peer_end->abort();
  slow.peers.run_until([&] { return slow.published == 10; });
}

TEST_P(Topics, APublisherThatWaitsHearsWhatIsWrong) {
  topics news;
  bool refused = false;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket&) -> task<> {
    try {
      co_await news.publish_and_wait("a/#", prepared_message::from_text("text"));
    } catch (const std::invalid_argument&) {
      refused = true;
    }
  });
  EXPECT_TRUE(refused);
  peers.run_idle();
}

// ----- Compression

TEST_P(Topics, AMessageIsCompressedForThoseWhoHaveNegotiatedIt) {
  topics news;
  gate done;
  websocket_peers peers(GetParam());
  peers.compression.emplace();
  peers.compressing.threshold = 0;
  const std::string text = pattern(2000);
  peers.serve([&](websocket& socket) -> task<> {
    news.subscribe(socket, "a");
    news.publish("a", text);
    co_await socket.send(text);
    news.publish("a", prepared_message::from_text(text, disable_compression::yes));
    co_await done;
  });
  test::host_record plain_host;
  test::peer_record plain_peer;
  peers.serve_another(
      [&](websocket& socket) -> task<> {
        news.subscribe(socket, "a");
        news.publish("a", text);
        co_await done;
      },
      plain_host, plain_peer);
  peers.run_idle();
  EXPECT_EQ(test::peer_inflater().messages(peers.peer.frames()),
            (texts{"text " + text + "*", "text " + text + "*", "text " + text, "text " + text + "*"}));
  EXPECT_EQ(plain_peer.frames(), frames{seen_text(text)});
  peers.open(done);
}

}  // namespace
}  // namespace windhover
