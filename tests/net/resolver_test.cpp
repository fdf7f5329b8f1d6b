// Names and addresses. No name here needs a server: the system answers from its files, or refuses the name itself.
#include "net/resolver.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

#include <gtest/gtest.h>

#include "net/worker_pool.hpp"
#include "support/transports.hpp"
#include <windhover/sleep_for.hpp>
#include <windhover/when_all.hpp>

namespace windhover::net {
namespace {

using namespace std::chrono_literals;

std::coroutine_handle<> note_end(void* context) noexcept {
  *static_cast<bool*>(context) = true;
  return std::noop_coroutine();
}

class Resolver : public ::testing::Test {
 protected:
  resolution run(task<resolution> running) {
    bool ended = false;
    {
      const event_loop::scope here(loop);
      running.start(&ended, note_end);
    }
    test::run_until(loop, [&ended] { return ended; });
    return running.take();
  }

  static event_loop_options with_workers(worker_pool& workers) {
    event_loop_options options;
    options.workers = &workers;
    return options;
  }
  worker_pool pool{{.threads = 1, .queue = 1}};
  event_loop loop{make_epoll_engine(), with_workers(pool)};
};

TEST_F(Resolver, ANumericAddressNeedsNoWorker) {
  worker_pool none({.threads = 1, .queue = 0});
  event_loop alone(make_epoll_engine(), with_workers(none));
  for (const auto& [host, shown] : {std::pair("127.0.0.1", "127.0.0.1:5000"), std::pair("::1", "[::1]:5000")}) {
    bool ended = false;
    auto running = resolve(alone, host, 5000, {});
    running.start(&ended, note_end);
    ASSERT_TRUE(ended);
    const resolution found = running.take();
    ASSERT_EQ(found.addresses.size(), 1U);
    EXPECT_EQ(endpoint_of(found.addresses[0]).to_string(), shown);
  }
}

TEST_F(Resolver, LocalhostIsALoopbackAddress) {
  const resolution found = run(resolve(loop, "localhost", 5000, {}));
  ASSERT_FALSE(found.addresses.empty()) << found.failure;
  for (const address& each : found.addresses) {
    const std::string shown = endpoint_of(each).to_string();
    EXPECT_TRUE(shown == "127.0.0.1:5000" || shown == "[::1]:5000") << shown;
  }
}

TEST_F(Resolver, EachAddressComesOnce) {
  const resolution found = run(resolve(loop, "localhost", 5000, {}));
  std::set<std::string> different;
  for (const address& each : found.addresses) different.insert(endpoint_of(each).to_string());
  EXPECT_EQ(different.size(), found.addresses.size());
}

TEST_F(Resolver, SaysWhyThereIsNoAddress) {
  // No label of a name is longer than 63 bytes (RFC 1035, section 2.3.4).
  std::string name(64, 'a');
  name += ".invalid";
  const resolution found = run(resolve(loop, name, 80, {}));
  EXPECT_TRUE(found.addresses.empty());
  EXPECT_FALSE(found.failure.empty());
  EXPECT_FALSE(found.stopped);
}

// Keeps a worker busy until it is let go.
class busy_worker {
 public:
  explicit busy_worker(worker_pool& pool) {
    EXPECT_TRUE(pool.post([this] {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return free_; });
    }));
  }
  busy_worker(const busy_worker&) = delete;
  busy_worker& operator=(const busy_worker&) = delete;
  ~busy_worker() { let_go(); }
  void let_go() {
    const std::lock_guard lock(mutex_);
    free_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool free_ = false;
};

TEST_F(Resolver, ANameThatNobodyLooksUpInTimeCanBeStoppedAndTheLoopGoesOn) {
  worker_pool busy({.threads = 1, .queue = 4});
  event_loop waiting(make_epoll_engine(), with_workers(busy));
  busy_worker holding(busy);
  std::stop_source source;
  const auto stop_later = [&]() -> task<> {
    // The loop turns while the name is being looked up.
    for (int i = 0; i < 3; ++i) co_await sleep_for(1ms);
    source.request_stop();
  };
  const auto work = [&]() -> task<resolution> {
    auto both = co_await when_all(resolve(waiting, "localhost", 80, source.get_token()), stop_later());
    co_return std::get<0>(std::move(both));
  };
  bool ended = false;
  task<resolution> running = work();
  {
    const event_loop::scope here(waiting);
    running.start(&ended, note_end);
  }
  test::run_until(waiting, [&ended] { return ended; });
  EXPECT_TRUE(running.take().stopped);
  holding.let_go();
}

TEST_F(Resolver, AFullQueueIsAnErrorThatSaysSo) {
  worker_pool none({.threads = 1, .queue = 0});
  event_loop full(make_epoll_engine(), with_workers(none));
  const event_loop::scope here(full);
  bool ended = false;
  auto running = resolve(full, "localhost", 80, {});
  running.start(&ended, note_end);
  ASSERT_TRUE(ended);
  EXPECT_THROW(running.take(), std::runtime_error);
}

}  // namespace
}  // namespace windhover::net
