#include "net/layered_transport.hpp"

#include <algorithm>
#include <cerrno>
#include <new>

namespace windhover::net {
namespace {

// Room for so many slices is kept when they have gone.
constexpr std::size_t slices_kept = 16;

}  // namespace

layered_transport::layered_transport(event_loop& loop, flush_layer layer) noexcept
    : loop_object(layer), loop_(loop), feed_(loop.inbound()) {}

void layered_transport::set_driver(std::unique_ptr<driver> owned) noexcept {
  driver_ = std::move(owned);
  set_sink(*driver_);
}

void layered_transport::release_drivers() noexcept {
  dead_ = true;
  kept_.reset();
  next_driver_.reset();
  driver_.reset();
}

void layered_transport::set_sink(sink& next) noexcept {
  feed_.set_sink(next);
  loop_.serve_later(*this);
}

void layered_transport::set_water_marks(std::size_t high, std::size_t low) noexcept {
  high_water_ = high;
  low_water_ = std::min(low, high);
}

// ----- Output

void layered_transport::queued(std::size_t bytes) noexcept {
  queued_bytes_ += bytes;
  if (above_high_water()) was_above_ = true;
  loop_.flush_later(*this);
}

void layered_transport::queue(base::slice bytes) noexcept {
  if (closing() || bytes.size == 0) return;
  const std::size_t size = bytes.size;
  try {
    queued_.push_back(std::move(bytes));
  } catch (const std::bad_alloc&) {
    return abort();
  }
  queued(size);
}

std::byte* layered_transport::queue_room(std::size_t size) noexcept {
  if (closing()) return nullptr;
  std::byte* room = nullptr;
  try {
    room = loop_.gather(queued_, size);
  } catch (const std::bad_alloc&) {
    abort();
    return nullptr;
  }
  queued(size);
  return room;
}

void layered_transport::output_handed_down(std::size_t slices) noexcept {
  if (slices < queued_.size()) {
    queued_.erase(queued_.begin(), queued_.begin() + static_cast<std::ptrdiff_t>(slices));
  } else if (queued_.capacity() <= slices_kept) {
    queued_.clear();
  } else {
    queued_ = {};
  }
}

void layered_transport::output_taken(std::size_t bytes) noexcept {
  queued_bytes_ -= std::min(bytes, queued_bytes_);
  if (was_above_ && queued_bytes_ <= low_water_ && !full_below()) tell_writable();
}

void layered_transport::room_below() noexcept {
  was_above_ = true;
  output_taken(0);
}

void layered_transport::tell_writable() noexcept {
  if (dead_) return;
  was_above_ = false;
  writable_due_ = true;
  loop_.serve_later(*this);
}

// ----- Input

void layered_transport::resume_reading() noexcept {
  if (dead_ || !feed_.paused()) return;
  resume_wanted_ = true;
  loop_.serve_later(*this);
}

bool layered_transport::deliver(std::span<const std::byte> bytes) noexcept {
  if (!feed_.deliver(bytes)) {
    const failure no_memory{failure::cause::receive_failed, ENOMEM};
    die(&no_memory);
    return false;
  }
  return !dead_;
}

void layered_transport::deliver_end() noexcept {
  feed_.deliver_end();
  end_when_both_sides_have();
}

// ----- The end

void layered_transport::close() noexcept {
  if (closing()) return;
  closing_ = true;
  loop_.flush_later(*this);
}

void layered_transport::abort() noexcept {
  const failure aborted{failure::cause::aborted};
  die(&aborted);
}

void layered_transport::abort_holder() noexcept {
  const failure too_much{failure::cause::inbound_budget};
  die(&too_much);
}

void layered_transport::note_shut_down() noexcept {
  shut_down_ = true;
  end_when_both_sides_have();
}

void layered_transport::end_when_both_sides_have() noexcept {
  if (shut_down_ && feed_.end_delivered()) die(nullptr);
}

void layered_transport::die(const failure* why) noexcept {
  if (dead_) return;
  dead_ = true;
  feed_.stop();
  died(why);
  queued_ = {};
  if (why != nullptr) {
    failure_ = *why;
    failure_due_ = true;
    loop_.serve_later(*this);
  }
  loop_.consider_destroying(token_);
}

void layered_transport::hand_over(std::unique_ptr<driver> next) noexcept {
  next_driver_ = std::move(next);
  loop_.serve_later(*this);
}

void layered_transport::serve() noexcept {
  if (next_driver_) {
    driver_ = std::move(next_driver_);
    loop_.consider_destroying(token_);
  }
  if (failure_due_) {
    failure_due_ = false;
    if (sink* const to = feed_.current()) to->on_failure(failure_);
    return loop_.consider_destroying(token_);
  }
  if (dead_ || feed_.current() == nullptr) return;
  if (std::exchange(writable_due_, false)) feed_.current()->on_writable();
  if (!dead_ && std::exchange(resume_wanted_, false)) feed_.resume();
  if (!dead_) fetch();
  end_when_both_sides_have();
}

bool layered_transport::may_be_destroyed() const noexcept {
  return dead_ && !failure_due_ && !next_driver_ && (!driver_ || driver_->finished());
}

void layered_transport::drain() noexcept {
  if (driver_) (next_driver_ ? next_driver_ : driver_)->drain();
}

std::string layered_transport::describe() const { return driver_ ? driver_->describe() : kind(); }

}  // namespace windhover::net
