// Threads for work that blocks: their bounds and their end.
#include "net/worker_pool.hpp"

#include <atomic>
#include <future>
#include <memory>

#include <gtest/gtest.h>

namespace windhover::net {
namespace {

TEST(WorkerPool, ItsEndWaitsForWhatIsQueued) {
  std::atomic<int> done = 0;
  {
    worker_pool pool({.threads = 2, .queue = 100});
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(pool.post([&done] { ++done; }));
  }
  EXPECT_EQ(done, 50);
}

TEST(WorkerPool, TakesNoMoreThanItsQueueHolds) {
  std::promise<void> free;
  std::promise<void> begun;
  worker_pool pool({.threads = 1, .queue = 1});
  EXPECT_TRUE(pool.post([&] {
    begun.set_value();
    free.get_future().wait();
  }));
  begun.get_future().wait();
  EXPECT_TRUE(pool.post([] {}));
  EXPECT_FALSE(pool.post([] {}));
  free.set_value();
}

TEST(WorkerPool, LetGoItWaitsForNobodyAndItsThreadEndsByItself) {
  const auto free = std::make_shared<std::promise<void>>();
  const auto begun = std::make_shared<std::promise<void>>();
  const auto ended = std::make_shared<std::promise<void>>();
  std::atomic<bool> queued_has_run = false;
  {
    worker_pool pool({.threads = 1, .queue = 10});
    EXPECT_TRUE(pool.post([free, begun, ended] {
      begun->set_value();
      free->get_future().wait();
      ended->set_value();
    }));
    begun->get_future().wait();
    EXPECT_TRUE(pool.post([&queued_has_run] { queued_has_run = true; }));
    pool.let_go();
    EXPECT_FALSE(pool.post([] {}));
  }
  free->set_value();
  ended->get_future().wait();
  EXPECT_FALSE(queued_has_run);
}

}  // namespace
}  // namespace windhover::net
