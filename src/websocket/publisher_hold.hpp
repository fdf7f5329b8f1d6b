// What holds a publisher back that waits for its subscribers: as long as somebody has a hold, it does not go on.
#pragma once

#include <coroutine>
#include <memory>
#include <mutex>

#include "net/mailbox.hpp"

namespace windhover {

// Ended on any thread; awaited once, on the loop where it was made. Must live until the waiter goes on. Neither waiting
// nor waking needs memory, so that neither can fail.
class publisher_wait {
 public:
  // Throws std::logic_error elsewhere than on an event loop's thread, and std::bad_alloc.
  publisher_wait();
  publisher_wait(const publisher_wait&) = delete;
  publisher_wait& operator=(const publisher_wait&) = delete;

  class awaiter {
   public:
    explicit awaiter(publisher_wait& on) noexcept : on_(on) {}
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> waiter) const noexcept;
    void await_resume() const noexcept {}

   private:
    publisher_wait& on_;
  };

  void end() noexcept;

 private:
  std::mutex mutex_;
  bool ended_ = false;
  std::coroutine_handle<> waiter_;
  std::shared_ptr<net::mailbox> home_;
  net::mailbox::prepared wake_;
};

// The last copy ends the wait. Null where nobody waits.
using publisher_hold = std::shared_ptr<const void>;

// Throws std::bad_alloc.
publisher_hold hold_back(std::shared_ptr<publisher_wait> publisher);

}  // namespace windhover
