#include "net/timer.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <limits>

namespace windhover::net {

void timer_link::unlink() noexcept {
  previous->next = next;
  next->previous = previous;
  previous = next = this;
}

void timer_link::link_before(timer_link& other) noexcept {
  previous = other.previous;
  next = &other;
  previous->next = this;
  other.previous = this;
}

timer_wheel::~timer_wheel() {
  for (level& each : levels_) {
    for (timer_link& slot : each.slot) {
      while (slot.next != &slot) slot.next->unlink();
    }
  }
}

std::uint64_t timer_wheel::tick_at(time_point when, bool round_up) const noexcept {
  if (when <= start_) return 0;
  const auto since = when - start_;
  const auto ticks = std::chrono::duration_cast<std::chrono::milliseconds>(since);
  const bool more = round_up && ticks < since;
  return static_cast<std::uint64_t>(ticks.count()) + (more ? 1 : 0);
}

void timer_wheel::arm(timer& each, time_point deadline) noexcept {
  each.unlink();
  each.tick_ = std::clamp(tick_at(deadline, true), now_ + 1, now_ + horizon / 2);
  idle_until_ = std::min(idle_until_, place(each));
}

// A timer stands at the level of the highest digit (base 64) in which its tick differs from the present one, in the
// slot of that digit. It moves down when the present reaches that slot: in the tick that is returned.
std::uint64_t timer_wheel::place(timer& each) noexcept {
  const std::uint64_t difference = each.tick_ ^ now_;
  const unsigned height = difference == 0 ? 0 : (static_cast<unsigned>(std::bit_width(difference)) - 1) / bits;
  const unsigned at = std::min(height, levels - 1);
  const unsigned index = static_cast<unsigned>(each.tick_ >> (bits * at)) & (slots - 1);
  each.link_before(levels_[at].slot[index]);
  levels_[at].occupied |= std::uint64_t{1} << index;
  return each.tick_ >> (bits * at) << (bits * at);
}

// Everything at a lower level comes before everything at a higher one, because the higher digits of the former equal
// the present's. At the top level slots may wrap around.
std::optional<std::uint64_t> timer_wheel::next_tick() noexcept {
  for (unsigned at = 0; at < levels; ++at) {
    level& here = levels_[at];
    const unsigned digit = static_cast<unsigned>(now_ >> (bits * at)) & (slots - 1);
    while (here.occupied != 0) {
      const std::uint64_t rotated = std::rotr(here.occupied, static_cast<int>(digit));
      const unsigned distance = static_cast<unsigned>(std::countr_zero(rotated));
      const unsigned index = (digit + distance) & (slots - 1);
      timer_link& slot = here.slot[index];
      if (slot.next == &slot) {
        here.occupied &= ~(std::uint64_t{1} << index);
        continue;
      }
      const std::uint64_t unit = std::uint64_t{bits} * at;
      const std::uint64_t tick = ((now_ >> unit) + distance) << unit;
      return std::max(tick, now_);
    }
  }
  return std::nullopt;
}

std::optional<time_point> timer_wheel::next_deadline() noexcept {
  const auto tick = next_tick();
  if (!tick) return std::nullopt;
  return start_ + std::chrono::milliseconds(*tick);
}

void timer_wheel::take_slot(level& from, unsigned index, timer_link& into) noexcept {
  timer_link& slot = from.slot[index];
  from.occupied &= ~(std::uint64_t{1} << index);
  if (slot.next == &slot) return;
  into.next = slot.next;
  into.previous = slot.previous;
  into.next->previous = &into;
  into.previous->next = &into;
  slot.previous = slot.next = &slot;
}

void timer_wheel::run_tick(std::uint64_t tick) noexcept {
  now_ = tick;
  for (unsigned at = levels - 1; at > 0; --at) {
    const std::uint64_t below = (std::uint64_t{1} << (bits * at)) - 1;
    if ((tick & below) != 0) continue;
    timer_link moving;
    take_slot(levels_[at], static_cast<unsigned>(tick >> (bits * at)) & (slots - 1), moving);
    while (moving.next != &moving) {
      timer& each = static_cast<timer&>(*moving.next);
      each.unlink();
      place(each);
    }
  }
  timer_link due;
  take_slot(levels_[0], static_cast<unsigned>(tick) & (slots - 1), due);
  while (due.next != &due) {
    timer& each = static_cast<timer&>(*due.next);
    each.unlink();
    each.fire_(each.owner_);
  }
}

void timer_wheel::advance(time_point now) noexcept {
  const std::uint64_t target = tick_at(now, false);
  if (target >= idle_until_) {
    std::optional<std::uint64_t> tick = next_tick();
    for (; tick && *tick <= target; tick = next_tick()) run_tick(*tick);
    idle_until_ = tick.value_or(std::numeric_limits<std::uint64_t>::max());
  }
  now_ = std::max(now_, target);
}

}  // namespace windhover::net
