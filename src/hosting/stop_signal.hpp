// What the main thread waits for: a request to stop, from another thread or from SIGINT and SIGTERM.
#pragma once

#include <atomic>

#include <semaphore.h>
#include <signal.h>

namespace windhover::hosting {

class stop_signal {
 public:
  stop_signal();
  stop_signal(const stop_signal&) = delete;
  stop_signal& operator=(const stop_signal&) = delete;
  ~stop_signal();

  // Any thread.
  void request() noexcept;
  void wait() noexcept;
  // Any thread: whether request() was called. A signal does not show.
  bool requested() const noexcept { return requested_.load(); }

  // While this lives, SIGINT and SIGTERM request a stop, and a second one ends the process at once. One at a time in a
  // process: another one throws std::logic_error. Afterwards the signals do what they did before.
  class from_signals {
   public:
    explicit from_signals(stop_signal& target);
    from_signals(const from_signals&) = delete;
    from_signals& operator=(const from_signals&) = delete;
    ~from_signals();

   private:
    struct sigaction before_interrupt_ {};
    struct sigaction before_terminate_ {};
  };

 private:
  sem_t semaphore_;
  std::atomic<bool> requested_{false};
};

}  // namespace windhover::hosting
