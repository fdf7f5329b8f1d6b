// What holds a publisher back that waits for its subscribers: as long as somebody has a hold, it does not go on.
#pragma once

#include <coroutine>
#include <memory>
#include <mutex>

#include "net/mailbox.hpp"

namespace windhover {

// On any thread; the waiting itself is on the loop where it was made. Waking needs no memory, so that it cannot fail.
class publisher_wait {
 public:
  // Made on an event loop's thread. Throws std::logic_error elsewhere, and std::bad_alloc.
  publisher_wait();

  class awaiter {
   public:
    explicit awaiter(publisher_wait& on) noexcept : on_(on) {}
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> waiter) const;
    void await_resume() const noexcept {}

   private:
    publisher_wait& on_;
  };

  void end() noexcept;

 private:
  std::mutex mutex_;
  bool ended_ = false;
  std::shared_ptr<net::mailbox> home_;
  net::mailbox::prepared wake_;
};

// The last copy ends the wait. Null where nobody waits.
using publisher_hold = std::shared_ptr<const void>;

// Throws std::bad_alloc.
publisher_hold hold_back(std::shared_ptr<publisher_wait> publisher);

}  // namespace windhover
