#include "net/memory_pipe.hpp"

#include <algorithm>
#include <new>

namespace windhover::net {

std::pair<pipe_end*, pipe_end*> memory_pipe::make(event_loop& loop, std::size_t cut) {
  auto first = std::make_unique<pipe_end>(loop, cut);
  auto second = std::make_unique<pipe_end>(loop, cut);
  pipe_end* const a = first.get();
  pipe_end* const b = second.get();
  a->peer_ = b;
  b->peer_ = a;
  a->token_ = loop.add(std::move(first));
  b->token_ = loop.add(std::move(second));
  return {a, b};
}

void memory_pipe::set_driver(pipe_end& end, std::unique_ptr<driver> owned) {
  end.driver_ = std::move(owned);
  end.set_sink(*end.driver_);
}

pipe_end::pipe_end(event_loop& loop, std::size_t cut) noexcept
    : loop_(loop), cut_(std::max<std::size_t>(cut, 1)), feed_(loop.inbound()) {}

void pipe_end::set_sink(sink& next) noexcept {
  feed_.set_sink(next);
  loop_.serve_later(*this);
}

void pipe_end::set_water_marks(std::size_t high, std::size_t low) noexcept {
  high_water_ = high;
  low_water_ = std::min(low, high);
}

void pipe_end::queue(base::slice bytes) noexcept {
  if (closing() || bytes.size == 0) return;
  const std::size_t size = bytes.size;
  try {
    queued_.push_back(std::move(bytes));
  } catch (const std::bad_alloc&) {
    return abort();
  }
  queued_bytes_ += size;
  if (above_high_water()) was_above_ = true;
  loop_.flush_later(*this);
}

void pipe_end::queue_copy(std::span<const std::byte> bytes) noexcept {
  if (closing() || bytes.empty()) return;
  try {
    queue(base::copy_of(bytes));
  } catch (const std::bad_alloc&) {
    abort();
  }
}

void pipe_end::resume_reading() noexcept {
  if (dead_ || !feed_.paused()) return;
  resume_wanted_ = true;
  loop_.serve_later(*this);
}

void pipe_end::close() noexcept {
  if (closing()) return;
  closing_ = true;
  loop_.flush_later(*this);
}

void pipe_end::abort() noexcept {
  const failure aborted{};
  if (peer_ != nullptr) peer_->peer_gone(true);
  die(&aborted);
}

void pipe_end::drain() noexcept {
  if (driver_) (next_driver_ ? next_driver_ : driver_)->drain();
}

void pipe_end::hand_over(std::unique_ptr<driver> next) noexcept {
  next_driver_ = std::move(next);
  loop_.serve_later(*this);
}

void pipe_end::flush() noexcept {
  if (dead_) return;
  // Without memory the peer aborts both of us.
  for (std::size_t i = 0; i < queued_.size() && peer_ != nullptr; ++i) peer_->take(std::move(queued_[i]));
  if (dead_) return;
  queued_.clear();
  if (closing_ && !shut_down_) {
    shut_down_ = true;
    if (peer_ != nullptr) {
      peer_->arrived_end_ = true;
      loop_.serve_later(*peer_);
    }
    end_when_both_sides_have();
  }
}

void pipe_end::take(base::slice bytes) noexcept {
  try {
    arrived_.push_back(std::move(bytes));
  } catch (const std::bad_alloc&) {
    return abort();
  }
  loop_.serve_later(*this);
}

void pipe_end::serve() noexcept {
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
  deliver_arrived();
  if (!dead_ && arrived_end_ && arrived_.empty()) feed_.deliver_end();
  end_when_both_sides_have();
}

void pipe_end::deliver_arrived() noexcept {
  while (!dead_ && !feed_.paused() && !arrived_.empty()) {
    base::slice& first = arrived_.front();
    const std::size_t count = std::min(cut_, first.size);
    // The slice moves out of the vector's way: an upcall may add to it.
    const base::slice piece{first.owner, first.data, count};
    first.data += count;
    first.size -= count;
    if (first.size == 0) arrived_.erase(arrived_.begin());
    if (!feed_.deliver(piece.bytes())) return abort();
    if (peer_ != nullptr) peer_->taken_by_peer(count);
  }
}

void pipe_end::taken_by_peer(std::size_t bytes) noexcept {
  queued_bytes_ -= std::min(bytes, queued_bytes_);
  if (!was_above_ || queued_bytes_ > low_water_ || dead_) return;
  was_above_ = false;
  writable_due_ = true;
  loop_.serve_later(*this);
}

void pipe_end::peer_gone(bool reset) noexcept {
  peer_ = nullptr;
  if (!reset || dead_) return;
  const failure why{failure::cause::reset, 0};
  die(&why);
}

void pipe_end::die(const failure* why) noexcept {
  if (dead_) return;
  dead_ = true;
  feed_.stop();
  if (peer_ != nullptr) peer_->peer_gone(false);
  peer_ = nullptr;
  queued_.clear();
  if (why != nullptr) {
    failure_ = *why;
    failure_due_ = true;
    loop_.serve_later(*this);
  }
  loop_.consider_destroying(token_);
}

void pipe_end::end_when_both_sides_have() noexcept {
  if (shut_down_ && feed_.end_delivered()) die(nullptr);
}

bool pipe_end::may_be_destroyed() const noexcept {
  return dead_ && !failure_due_ && !next_driver_ && (!driver_ || driver_->finished());
}

}  // namespace windhover::net
