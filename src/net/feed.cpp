#include "net/feed.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace windhover::net {

// Gives bytes until none are left, the sink pauses or the stream dies. Returns how many were taken.
std::size_t feed::give(std::span<const std::byte> bytes) noexcept {
  std::size_t taken = 0;
  while (taken < bytes.size() && !paused_ && !stopped_ && sink_ != nullptr) {
    sink* const current = sink_;
    taken += current->on_bytes(bytes.subspan(taken));
    if (sink_ == current && taken < bytes.size()) paused_ = true;
  }
  return taken;
}

bool feed::deliver(std::span<const std::byte> bytes) noexcept {
  if (stopped_) return true;
  const std::size_t taken = give(bytes);
  if (stopped_ || taken == bytes.size()) return true;
  return keep(bytes.subspan(taken));
}

bool feed::keep(std::span<const std::byte> bytes) noexcept {
  const std::size_t needed = carry_size_ + bytes.size();
  if (!carry_ || carry_start_ + needed > carry_->capacity()) {
    base::buffer_ref larger;
    try {
      larger = base::buffer_ref::allocate(std::max(needed, 2 * carry_size_));
    } catch (const std::bad_alloc&) {
      return false;
    }
    if (carry_size_ > 0) std::memcpy(larger->data(), carry_->data() + carry_start_, carry_size_);
    carry_ = std::move(larger);
    carry_start_ = 0;
  }
  std::memcpy(carry_->data() + carry_start_ + carry_size_, bytes.data(), bytes.size());
  carry_size_ = needed;
  budget_->used += bytes.size();
  return true;
}

void feed::drop() noexcept {
  budget_->used -= carry_size_;
  carry_size_ = 0;
  carry_start_ = 0;
  carry_ = {};
}

void feed::deliver_end() noexcept {
  ended_ = true;
  tell_end_when_due();
}

// A paused sink learns of the end all the same when nothing is kept for it: a busy handler can then be told.
void feed::tell_end_when_due() noexcept {
  if (!ended_ || end_delivered_ || stopped_ || carry_size_ > 0) return;
  end_delivered_ = true;
  if (sink_ != nullptr) sink_->on_end();
}

void feed::resume() noexcept {
  if (!paused_ || stopped_) return;
  paused_ = false;
  if (carry_size_ > 0) {
    // The carry stays alive, and in place, while the sink looks at it.
    const base::buffer_ref held = carry_;
    const std::size_t taken = give({held->data() + carry_start_, carry_size_});
    if (stopped_) return;
    carry_start_ += taken;
    carry_size_ -= taken;
    budget_->used -= taken;
    if (carry_size_ == 0) drop();
  }
  tell_end_when_due();
}

void feed::stop() noexcept {
  stopped_ = true;
  drop();
}

}  // namespace windhover::net
