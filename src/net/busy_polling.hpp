// Looking for events for a while before a wait sleeps. Going to sleep and being woken cost more than the message of a
// lone client, and a processor that looks pays for it with all of its time.
//
// The time begins with an event, not with a wait: an alarm neither begins it anew nor ends it, and a loop to which
// nothing happens sleeps from alarm to alarm. What is posted to the loop is an event, whoever posts it.
#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include "net/time.hpp"

namespace windhover::net {

inline constexpr duration longest_busy_poll = std::chrono::seconds(1);

class busy_polling {
 public:
  // None: waits sleep at once.
  explicit busy_polling(duration time) noexcept : time_(time) {}

  bool wanted() const noexcept { return time_ > duration::zero(); }

  // An event came from outside, so that another may follow.
  void event_came() noexcept { begins_ = true; }

  // Calls look() until it returns true. False when the time is over and the wait has to sleep; true when there is
  // something or the deadline has come.
  template <class Clock, class Look>
  bool find(std::optional<time_point> deadline, Clock&& now, Look&& look) {
    time_point present = now();
    if (std::exchange(begins_, false)) ends_at_ = present + time_;
    while (present < ends_at_) {
      if (look()) return true;
      present = now();
      if (deadline && *deadline <= present) return true;
    }
    return false;
  }

  // Between two looks that cost little: leaves the core to the thread that it may be shared with.
  static void relax() noexcept {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

 private:
  duration time_;
  time_point ends_at_{};
  bool begins_ = false;
};

}  // namespace windhover::net
