// The loop of a program that has no server: its thread, what runs on it, and its end.
#include <algorithm>
#include <condition_variable>
#include <list>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "net/busy_polling.hpp"
#include "net/event_loop.hpp"
#include "net/mailbox.hpp"
#include "net/remaining_connections.hpp"
#include "net/worker_pool.hpp"
#include <windhover/event_loop_thread.hpp>

namespace windhover {
namespace {

// For what was started to notice that its connections have been aborted.
constexpr std::chrono::milliseconds second_deadline = std::chrono::seconds(5);
constexpr std::chrono::milliseconds soon = std::chrono::seconds(1);

net::engine_kind kind_of(io_engine engine) noexcept {
  switch (engine) {
    case io_engine::io_uring:
      return net::engine_kind::io_uring;
    case io_engine::epoll:
      return net::engine_kind::epoll;
    case io_engine::automatic:
      return net::engine_kind::automatic;
  }
  return net::engine_kind::automatic;
}

const event_loop_thread_options& checked(const event_loop_thread_options& options) {
  if (options.worker_threads == 0) throw std::invalid_argument("the option worker_threads is 0; it must be at least 1");
  if (options.busy_poll < std::chrono::microseconds::zero() || options.busy_poll > net::longest_busy_poll)
    throw std::invalid_argument("the option busy_poll is " + std::to_string(options.busy_poll.count()) +
                                " us; it must be between 0, for none, and 1000000");
  if (options.shutdown_timeout < std::chrono::milliseconds::zero())
    throw std::invalid_argument("the option shutdown_timeout is negative; it must be at least 0 ms");
  return options;
}

net::event_loop_options loop_options(const event_loop_thread_options& options, net::worker_pool& workers) {
  net::event_loop_options made;
  made.log = options.log;
  made.workers = &workers;
  return made;
}

}  // namespace

struct event_loop_thread::state {
  // One thing that was started: the function and its coroutine.
  struct root {
    std::unique_ptr<work> what;
    task<> frame;
  };

  explicit state(const event_loop_thread_options& with)
      : options(with),
        workers(std::make_unique<net::worker_pool>(net::worker_pool::options{.threads = with.worker_threads})),
        loop(net::make_engine(kind_of(with.engine), with.busy_poll).engine, loop_options(with, *workers)) {}

  event_loop_thread_options options;
  std::unique_ptr<net::worker_pool> workers;
  net::event_loop loop;
  std::stop_source stop;
  std::list<root> roots;  // the loop's thread
  bool ending = false;    // the loop's thread
  bool given_up = false;  // the loop's thread
  std::mutex mutex;
  std::condition_variable changed;
  bool ended = false;
  std::thread thread;

  // What it is told at its end. Prepared, so that it can be ended without memory.
  net::mailbox::prepared to_end = net::mailbox::prepare([this] {
    ending = true;
    loop.announce_drain();
    stop.request_stop();
    loop.drain_all();
  });
  net::mailbox::prepared to_abort = net::mailbox::prepare([this] { loop.abort_all(); });
  net::mailbox::prepared to_give_up = net::mailbox::prepare([this] {
    name_those_that_stay();
    given_up = true;
  });

  bool has_nothing_left() const noexcept { return roots.empty() && loop.objects() == 0; }

  void run() {
    do {
      loop.run_once(true);
      const net::event_loop::scope here(loop);
      roots.remove_if([](const root& each) { return !each.frame || each.frame.ended(); });
    } while (!given_up && !(ending && has_nothing_left()));
    // Nobody waits for what is posted from now on.
    const net::event_loop::scope here(loop);
    loop.mailbox()->close();
    const std::lock_guard lock(mutex);
    ended = true;
    changed.notify_all();
  }
  void start(std::unique_ptr<work> added) noexcept {
    try {
      roots.emplace_back();
      roots.back().frame = added->run(stop.get_token());
    } catch (...) {
      return added->fail(std::current_exception());
    }
    root& made = roots.back();
    made.what = std::move(added);
    made.frame.start(nullptr, [](void*) noexcept -> std::coroutine_handle<> { return std::noop_coroutine(); });
    // The one that has ended is taken away after this iteration.
    loop.hurry();
  }
  bool wait_until_ended(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, time, [this] { return ended; });
  }
  void name_those_that_stay() const noexcept {
    constexpr std::string_view prefix = "still running at the end of an event_loop_thread: ";
    if (!roots.empty()) {
      loop.log_line(log_level::error, "net",
                    [&] { return std::string(prefix) + std::to_string(roots.size()) + " started tasks"; });
    }
    net::log_remaining_connections(loop, "net", prefix);
  }
};

event_loop_thread::event_loop_thread(const event_loop_thread_options& options)
    : state_(std::make_unique<state>(checked(options))) {
  state_->thread = std::thread([self = state_.get()] { self->run(); });
}

event_loop_thread::~event_loop_thread() {
  state& self = *state_;
  self.loop.mailbox()->post_prepared(std::move(self.to_end));
  bool clean = self.wait_until_ended(self.options.shutdown_timeout);
  if (!clean) {
    self.loop.mailbox()->post_prepared(std::move(self.to_abort));
    clean = self.wait_until_ended(second_deadline);
  }
  if (!clean) {
    self.loop.mailbox()->post_prepared(std::move(self.to_give_up));
    self.wait_until_ended(soon);
    // A suspended coroutine must not be destroyed from outside: it stays, and so does its loop.
    self.thread.detach();
    static_cast<void>(state_.release());
    return;
  }
  self.thread.join();
  // A name that nobody waits for any more may still be looked up.
  self.workers->let_go();
}

void event_loop_thread::require_no_event_loop() {
  if (net::event_loop::current() == nullptr) return;
  throw std::logic_error("waiting here would hold an event loop: co_await the task instead, which runs on this loop");
}

void event_loop_thread::post(std::unique_ptr<work> added) {
  state& self = *state_;
  self.loop.mailbox()->post([&self, added = std::move(added)]() mutable { self.start(std::move(added)); });
}

std::stop_token event_loop_thread::stopping() const noexcept { return state_->stop.get_token(); }

}  // namespace windhover
