// What waits when memory runs out: work on another thread is waited for or was never begun, and a stop from another
// thread always arrives. This program has operator new replaced.
#include <atomic>
#include <coroutine>
#include <cstdint>
#include <latch>
#include <memory>
#include <new>
#include <stop_token>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "net/event_loop.hpp"
#include "net/worker_pool.hpp"
#include "simulation/failing_allocations.hpp"
#include <windhover/event_loop_thread.hpp>
#include <windhover/run_blocking.hpp>
#include <windhover/wait_readable.hpp>

namespace windhover {
namespace {

using simulation::failing_allocation;

// What a coroutine of a test has come to.
struct course {
  std::atomic<bool> begun = false;  // its work on another thread
  bool ended = false;
  bool refused = false;
  std::string outcome;
};

std::coroutine_handle<> note_end(void* to) noexcept {
  static_cast<course*>(to)->ended = true;
  return std::noop_coroutine();
}

// The work refers to what belongs to this coroutine, and reads it once the test says so.
task<> work_elsewhere(std::latch& may_read, course& notes) {
  try {
    const std::string own = "a text that is not kept in place";
    const auto work = [&own, &may_read, &notes] {
      notes.begun = true;
      may_read.wait();
      return own;
    };
    std::string read = co_await run_blocking(work);
    notes.outcome = std::move(read);
  } catch (const std::bad_alloc&) {
    notes.refused = true;
  }
}

// Whether an allocation has failed in it.
bool run_work(std::uint64_t failing) {
  course notes;
  notes.outcome.reserve(100);
  std::latch may_read(1);
  auto pool = std::make_unique<net::worker_pool>(net::worker_pool::options{.threads = 1});
  net::event_loop_options options;
  options.workers = pool.get();
  net::event_loop loop(net::make_engine(net::engine_kind::automatic).engine, options);
  task<> working;
  bool failed = false;
  {
    const net::event_loop::scope here(loop);
    const failing_allocation failure(failing);
    try {
      working = work_elsewhere(may_read, notes);
      working.start(&notes, note_end);
    } catch (const std::bad_alloc&) {
      notes.ended = notes.refused = true;
    }
    failed = failure.has_come();
  }
  may_read.count_down();
  while (!notes.ended) loop.run_once(true);
  pool.reset();  // has done whatever it was given
  EXPECT_NE(notes.refused, notes.begun.load());
  EXPECT_TRUE(notes.refused ? failed : notes.outcome == "a text that is not kept in place");
  return failed;
}

TEST(AwaitingMemory, WorkThatHasBegunIsWaitedFor) { simulation::fail_each_allocation(3, run_work); }

TEST(AwaitingMemory, AStopOfAnotherThreadNeedsNone) {
  net::event_loop loop(net::make_engine(net::engine_kind::automatic).engine);
  std::stop_source stop;
  course notes;
  const int silent = ::eventfd(0, EFD_CLOEXEC);
  const auto wait = [](int descriptor, std::stop_token stopped, course& to) -> task<> {
    const bool came = co_await wait_readable(descriptor, std::move(stopped));
    to.outcome = came ? "readable" : "stopped";
  };
  task<> waiting;
  {
    const net::event_loop::scope here(loop);
    waiting = wait(silent, stop.get_token(), notes);
    waiting.start(&notes, note_end);
  }
  std::thread other([&stop] {
    const failing_allocation failure(1);
    stop.request_stop();
    EXPECT_FALSE(failure.has_come());
  });
  while (!notes.ended) loop.run_once(true);
  other.join();
  ::close(silent);
  EXPECT_EQ(notes.outcome, "stopped");
}

TEST(AwaitingMemory, AThreadOfItsOwnEndsWithout) {
  auto thread = std::make_unique<event_loop_thread>();
  const failing_allocation failure(1);
  thread.reset();
  EXPECT_FALSE(failure.has_come());
}

}  // namespace
}  // namespace windhover
