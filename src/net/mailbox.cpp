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
    // Under the lock: once close() has returned nobody calls wake, whose context is the loop.
    wake_(context_);
  } else {
    last_->next = std::move(added);
  }
  last_ = raw;
  return true;
}

void mailbox::run_all() noexcept {
  std::unique_ptr<letter> letters;
  {
    const std::lock_guard lock(mutex_);
    letters = std::move(first_);
    last_ = nullptr;
  }
  while (letters) {
    letters->run();
    letters = std::move(letters->next);
  }
}

bool mailbox::empty() const noexcept {
  const std::lock_guard lock(mutex_);
  return last_ == nullptr;
}

void mailbox::close() noexcept {
  std::unique_ptr<letter> left;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    left = std::move(first_);
    last_ = nullptr;
  }
  destroy(std::move(left));
}

}  // namespace windhover::net
