// The loop itself: the mailbox, stopping, holding it for too long, choosing an engine.
#include "net/event_loop.hpp"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

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
