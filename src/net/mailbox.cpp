#include "net/mailbox.hpp"

namespace windhover::net {

mailbox::~mailbox() { destroy(std::move(first_)); }

// One by one: a chain of owning pointers would be destroyed recursively.
void mailbox::destroy(std::unique_ptr<letter> first) noexcept {
  while (first) first = std::move(first->next);
}

bool mailbox::append(std::unique_ptr<letter> added) noexcept {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  letter* const raw = added.get();
  if (last_ == nullptr) {
    first_ = std::move(added);
    has_letters_.store(true, std::memory_order_release);
    // Under the lock: once close() has returned nobody calls wake, whose context is the loop.
    wake_(context_);
  } else {
    last_->next = std::move(added);
  }
  last_ = raw;
  return true;
}

void mailbox::run_all() noexcept {
  if (empty()) return;
  std::unique_ptr<letter> letters;
  {
    const std::lock_guard lock(mutex_);
    letters = std::move(first_);
    last_ = nullptr;
    has_letters_.store(false, std::memory_order_relaxed);
  }
  while (letters) {
    letters->run();
    letters = std::move(letters->next);
  }
}

void mailbox::close() noexcept {
  std::unique_ptr<letter> left;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    left = std::move(first_);
    last_ = nullptr;
    has_letters_.store(false, std::memory_order_relaxed);
  }
  destroy(std::move(left));
}

}  // namespace windhover::net
