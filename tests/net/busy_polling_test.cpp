// Looking for events before a wait sleeps: when it begins and ends, and that whatever may come is served by a loop that
// looks.
#include "net/busy_polling.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/transports.hpp"

namespace windhover::net {
namespace {

using namespace std::chrono_literals;

// Looks on a clock that goes on by 1 us with every look, and counts them.
struct watcher {
  bool find(std::optional<time_point> deadline = std::nullopt, int found_at = -1) {
    looks = 0;
    return polling.find(
        deadline, [this] { return now; },
        [&] {
          now += 1us;
          return ++looks == found_at;
        });
  }

  busy_polling polling{50us};
  time_point now{1h};
  int looks = 0;
};

TEST(BusyPolling, WithoutATimeItIsNotWanted) {
  EXPECT_FALSE(busy_polling(duration::zero()).wanted());
  EXPECT_TRUE(busy_polling(1us).wanted());
}

TEST(BusyPolling, NobodyLooksWhereNothingHasHappened) {
  watcher idle;
  EXPECT_FALSE(idle.find());
  EXPECT_EQ(idle.looks, 0);
}

TEST(BusyPolling, AfterAnEventItLooksForItsTimeAndNotAgainBeforeTheNext) {
  watcher one;
  for (int i = 0; i < 2; ++i) {
    one.polling.event_came();
    EXPECT_FALSE(one.find());
    EXPECT_EQ(one.looks, 50);
    EXPECT_FALSE(one.find());
    EXPECT_EQ(one.looks, 0);
  }
}

TEST(BusyPolling, WhatIsFoundEndsIt) {
  watcher one;
  one.polling.event_came();
  EXPECT_TRUE(one.find(std::nullopt, 7));
  EXPECT_EQ(one.looks, 7);
}

TEST(BusyPolling, ADeadlineEndsItAndTheNextWaitHasTheRestOfTheTime) {
  watcher one;
  one.polling.event_came();
  EXPECT_TRUE(one.find(one.now + 20us));
  EXPECT_EQ(one.looks, 20);
  EXPECT_FALSE(one.find(one.now + 1h));
  EXPECT_EQ(one.looks, 30);
}

// A loop with work to do does not wait, and must not overlook what has come meanwhile.
TEST(BusyPolling, ADeadlineThatHasPassedLeavesOneLook) {
  watcher one;
  one.polling.event_came();
  EXPECT_TRUE(one.find(one.now - 1us));
  EXPECT_EQ(one.looks, 1);
}

// With an hour nobody ever sleeps once there was an event, so that what does not end the looking hangs; with 1 us
// everybody sleeps soon.
class BusilyPollingLoop : public ::testing::TestWithParam<std::tuple<engine_kind, duration>> {
 protected:
  // Something that arrives from outside, so that the loop begins to look.
  void let_something_happen() {
    bool happened = false;
    std::thread other([&, box = loop.mailbox()] { box->post([&happened] { happened = true; }); });
    test::run_until(loop, [&] { return happened; });
    other.join();
    test::run_idle(loop);
  }
  // Waits for a timer. True when the thread has slept meanwhile.
  bool sleeps_until_a_timer() {
    const auto sleeps = [] {
      rusage usage{};
      ::getrusage(RUSAGE_THREAD, &usage);
      return usage.ru_nvcsw;
    };
    timer soon(nullptr, [](void*) noexcept {});
    loop.arm(soon, 10ms);
    const long before = sleeps();
    test::run_until(loop, [&] { return !soon.armed(); });
    return sleeps() > before;
  }

  event_loop loop{make_engine(std::get<0>(GetParam()), std::get<1>(GetParam())).engine};
};
INSTANTIATE_TEST_SUITE_P(All, BusilyPollingLoop,
                         ::testing::Combine(test::both_engines(), ::testing::Values(duration(1us), duration(1h))),
                         [](const auto& each) {
                           const bool io_uring = std::get<0>(each.param) == engine_kind::io_uring;
                           const bool long_time = std::get<1>(each.param) == duration(1h);
                           return std::string(io_uring ? "IoUring" : "Epoll") + (long_time ? "ForEver" : "Shortly");
                         });

TEST_P(BusilyPollingLoop, RunsWhatOtherThreadsPost) {
  let_something_happen();
  std::vector<std::thread> senders;
  std::size_t total = 0;
  for (int sender = 0; sender < 3; ++sender) {
    senders.emplace_back([&, box = loop.mailbox()] {
      for (int i = 0; i < 1000; ++i)
        box->post([&] {
          if (++total == 3000) loop.stop();
        });
    });
  }
  loop.run();
  for (std::thread& each : senders) each.join();
  EXPECT_EQ(total, 3000U);
}

TEST_P(BusilyPollingLoop, StopsWhenAnotherThreadSaysSo) {
  let_something_happen();
  std::thread stopper([this] { loop.stop(); });
  loop.run();
  stopper.join();
}

TEST_P(BusilyPollingLoop, AnswersAPeer) {
  const auto [near, far] = test::connected_sockets(true);
  test::recording_driver* driver = nullptr;
  loop.add_connection(near, [&](transport& on) {
    auto made = std::make_unique<test::recording_driver>(on);
    driver = made.get();
    return made;
  });
  driver->then = [&](std::size_t) { driver->stream.queue_copy(test::bytes_of("answer")); };
  std::string answers;
  std::thread peer([&] {
    for (int i = 0; i < 100; ++i) {
      ::send(far, "question", 8, MSG_NOSIGNAL);
      for (std::size_t wanted = answers.size() + 6; answers.size() < wanted;) {
        char bytes[6];
        pollfd readable{far, POLLIN, 0};
        ::poll(&readable, 1, -1);
        const ssize_t count = ::recv(far, bytes, sizeof bytes, 0);
        if (count <= 0) return loop.stop();
        answers.append(bytes, static_cast<std::size_t>(count));
      }
    }
    ::shutdown(far, SHUT_WR);
  });
  test::run_until(loop, [&] { return driver->ended; });
  peer.join();
  EXPECT_EQ(driver->received_bytes, 800U);
  EXPECT_EQ(answers.size(), 600U);
  ::close(far);
}

// More than the socket takes at once: what is left goes when the peer has made room, which is an event too.
TEST_P(BusilyPollingLoop, SendsWhatASlowPeerTakesLater) {
  const auto [near, far] = test::connected_sockets(false);
  transport& stream =
      loop.add_connection(near, [](transport& on) { return std::make_unique<test::recording_driver>(on); });
  const std::string large(std::size_t{4} << 20, 'x');
  let_something_happen();
  stream.queue(base::copy_of(test::bytes_of(large)));
  stream.close();
  std::size_t taken = 0;
  std::thread peer([&] {
    std::vector<char> bytes(4096);
    for (ssize_t count = 1; count > 0;) {
      pollfd readable{far, POLLIN, 0};
      ::poll(&readable, 1, -1);
      count = ::recv(far, bytes.data(), bytes.size(), 0);
      if (count > 0) taken += static_cast<std::size_t>(count);
    }
    loop.stop();
  });
  loop.run();
  peer.join();
  EXPECT_EQ(taken, large.size());
  ::close(far);
}

TEST_P(BusilyPollingLoop, AnIdleOneSleepsFromTimerToTimer) {
  test::run_idle(loop);
  int slept = 0;
  for (int i = 0; i < 10; ++i) slept += sleeps_until_a_timer() ? 1 : 0;
  EXPECT_GT(slept, 5);
}

TEST_P(BusilyPollingLoop, OneWithTrafficSleepsOnlyWhenItsTimeIsOver) {
  int slept = 0;
  for (int i = 0; i < 10; ++i) {
    let_something_happen();
    slept += sleeps_until_a_timer() ? 1 : 0;
  }
  if (std::get<1>(GetParam()) == duration(1us)) {
    EXPECT_GT(slept, 5);
  } else {
    EXPECT_LT(slept, 5);
  }
}

}  // namespace
}  // namespace windhover::net
