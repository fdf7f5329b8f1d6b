// The loop itself: the mailbox, stopping, holding it for too long, choosing an engine.
#include "net/event_loop.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/transports.hpp"

namespace windhover::net {
namespace {

class EventLoop : public test::every_engine {};
INSTANTIATE_TEST_SUITE_P(All, EventLoop, test::both_engines(), test::engine_name);

TEST_P(EventLoop, RunsWhatOtherThreadsPostInTheOrderOfEachSender) {
  std::vector<int> seen[3];
  std::vector<std::thread> senders;
  std::size_t total = 0;
  for (int sender = 0; sender < 3; ++sender) {
    senders.emplace_back([&, sender, box = loop.mailbox()] {
      for (int i = 0; i < 1000; ++i) {
        box->post([&, sender, i] {
          seen[sender].push_back(i);
          if (++total == 3000) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (std::thread& each : senders) each.join();
  for (const auto& list : seen) {
    ASSERT_EQ(list.size(), 1000U);
    EXPECT_TRUE(std::is_sorted(list.begin(), list.end()));
  }
}

// What was queued behind a send that had been submitted early stayed until something else happened on the loop: with a
// silent peer, until the next ping.
TEST_P(EventLoop, OutputBehindAnEarlySubmissionNeedsNobodyElseToWakeTheLoop) {
  const auto [near, far] = test::connected_sockets(true);
  const auto [other_near, other_far] = test::connected_sockets(true);
  test::recording_driver* drivers[2] = {};
  transport* streams[2] = {};
  const int descriptors[2] = {near, other_near};
  for (int i = 0; i < 2; ++i) {
    streams[i] = &loop.add_connection(descriptors[i], [&, i](transport& on) {
      auto made = std::make_unique<test::recording_driver>(on);
      drivers[i] = made.get();
      return made;
    });
  }
  int calls = 0;
  const auto answer = [&](std::size_t) {
    streams[0]->queue_copy(test::bytes_of(calls == 0 ? "1" : "2"));
    if (calls++ > 0) return;
    // Long enough for the loop to submit early.
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
    while (std::chrono::steady_clock::now() < until) {
    }
  };
  for (test::recording_driver* const each : drivers) each->then = answer;
  // Only this wakes a loop that hangs.
  timer guard(nullptr, [](void*) noexcept {});
  test::run_idle(loop, 2);
  loop.arm(guard, std::chrono::seconds(30));
  const time_point hung = loop.now() + std::chrono::seconds(15);
  for (const int each : {far, other_far}) ASSERT_EQ(::send(each, "x", 1, MSG_NOSIGNAL), 1);
  std::string received;
  std::thread peer([&, box = loop.mailbox()] {
    char bytes[2];
    for (ssize_t count = 1; count > 0 && received.size() < 2;) {
      pollfd readable{far, POLLIN, 0};
      ::poll(&readable, 1, -1);
      count = ::recv(far, bytes, sizeof bytes, 0);
      if (count > 0) received.append(bytes, static_cast<std::size_t>(count));
    }
    box->post([this] { loop.stop(); });
  });
  loop.run();
  peer.join();
  EXPECT_LT(loop.now(), hung) << "the loop waited for its next timer";
  EXPECT_EQ(received, "12");
  guard.cancel();
  ::close(far);
  ::close(other_far);
}

TEST_P(EventLoop, AMailboxMayOutliveItsLoop) {
  std::shared_ptr<mailbox> box;
  bool ran = false;
  {
    event_loop short_lived(make_engine(GetParam()).engine);
    box = short_lived.mailbox();
    EXPECT_TRUE(box->post([&ran] { ran = true; }));
  }
  EXPECT_FALSE(box->post([&ran] { ran = true; }));
  EXPECT_FALSE(ran);
}

TEST_P(EventLoop, StopEndsRunFromAnotherThread) {
  std::thread stopper([this] { loop.stop(); });
  loop.run();
  stopper.join();
}

TEST_P(EventLoop, NamesTheHandlerThatHoldsTheLoop) {
  struct recording_logger final : logger {
    bool enabled(log_level) const noexcept override { return true; }
    void write(log_level, std::string_view, std::string_view text) noexcept override { last = text; }
    std::string last;
  } log;
  event_loop_options options;
  options.log = &log;
  options.lag_warning = duration(1);
  event_loop watched(make_engine(GetParam()).engine, options);
  auto ends = test::join(watched, GetParam() == engine_kind::io_uring ? test::kind_of_transport::tcp_io_uring
                                                                      : test::kind_of_transport::tcp_epoll);
  // Every iteration has something that takes long enough; in time it is the receiving that takes longest.
  test::run_until(watched, [&] {
    ends.first->queue_copy(test::bytes_of("x"));
    return log.last.find("a test") != std::string::npos;
  });
  EXPECT_NE(log.last.find("run_blocking"), std::string::npos);
}

TEST(Engine, ExplainsItsChoice) {
  const chosen_engine automatic = make_engine(engine_kind::automatic);
  EXPECT_FALSE(automatic.reason.empty());
  const io_uring_features features = probe_io_uring();
  EXPECT_EQ(automatic.engine->name(), features.incremental_buffers ? "io_uring" : "epoll");
  EXPECT_EQ(make_engine(engine_kind::epoll).engine->name(), "epoll");
}

}  // namespace
}  // namespace windhover::net
