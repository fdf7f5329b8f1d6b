// Timers as members of what they time, and the hierarchical wheel that keeps them.
//
// Arming and cancelling is linking and unlinking: no allocation, no search. A wheel of six levels with 64 slots each
// and a tick of one millisecond spans two years; a timer moves down a level at most five times in its life, so a
// million keep-alive timers cost nothing between their deadlines. Deadlines are rounded up to the next tick.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "net/time.hpp"

namespace windhover::net {

class timer_wheel;

// What is linked into a slot of the wheel.
struct timer_link {
  timer_link* previous = this;
  timer_link* next = this;

  void unlink() noexcept;
  void link_before(timer_link& other) noexcept;
};

class timer : private timer_link {
 public:
  // Runs on the loop, between upcalls. It may arm the timer again or destroy its owner's other timers, but the owner
  // itself lives on until the end of the iteration.
  using fire_function = void (*)(void* owner) noexcept;

  timer(void* owner, fire_function fire) noexcept : owner_(owner), fire_(fire) {}
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;
  ~timer() { cancel(); }

  bool armed() const noexcept { return next != this; }
  void cancel() noexcept { unlink(); }

 private:
  friend class timer_wheel;
  std::uint64_t tick_ = 0;
  void* owner_;
  fire_function fire_;
};

class timer_wheel {
 public:
  // `start` is the time of tick 0.
  explicit timer_wheel(time_point start) noexcept : start_(start) {}
  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;
  ~timer_wheel();

  // Arms or moves. A deadline that has passed fires at the next tick.
  void arm(timer& each, time_point deadline) noexcept;

  // Fires what is due at `now`, in the order of the ticks.
  void advance(time_point now) noexcept;

  // The time at which advance has something to do, at the latest; none when no timer is armed.
  std::optional<time_point> next_deadline() noexcept;

 private:
  static constexpr unsigned bits = 6;
  static constexpr unsigned slots = 1U << bits;
  static constexpr unsigned levels = 6;
  static constexpr std::uint64_t horizon = (std::uint64_t{1} << (bits * levels)) - 1;

  struct level {
    std::array<timer_link, slots> slot;
    std::uint64_t occupied = 0;  // a set bit may belong to a slot that cancelling has emptied
  };

  std::uint64_t tick_at(time_point when, bool round_up) const noexcept;
  std::uint64_t place(timer& each) noexcept;
  std::optional<std::uint64_t> next_tick() noexcept;
  void run_tick(std::uint64_t tick) noexcept;
  void take_slot(level& from, unsigned index, timer_link& into) noexcept;

  time_point start_;
  std::uint64_t now_ = 0;
  std::uint64_t idle_until_ = 0;  // nothing is to be done before this tick
  std::array<level, levels> levels_;
};

}  // namespace windhover::net
