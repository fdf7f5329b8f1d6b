#include "websocket/publisher_hold.hpp"

#include <utility>

#include "net/event_loop.hpp"

namespace windhover {

publisher_wait::publisher_wait()
    : home_(net::event_loop::required("waiting for subscribers").mailbox()),
      wake_(net::mailbox::prepare([this] { waiter_.resume(); })) {}

bool publisher_wait::awaiter::await_suspend(std::coroutine_handle<> waiter) const noexcept {
  const std::lock_guard lock(on_.mutex_);
  if (on_.ended_) return false;
  on_.waiter_ = waiter;
  return true;
}

void publisher_wait::end() noexcept {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    if (!waiter_) return;
  }
  home_->post_prepared(std::move(wake_));
}

publisher_hold hold_back(std::shared_ptr<publisher_wait> publisher) {
  struct holding {
    explicit holding(std::shared_ptr<publisher_wait> whom) noexcept : publisher(std::move(whom)) {}
    holding(const holding&) = delete;
    holding& operator=(const holding&) = delete;
    ~holding() { publisher->end(); }
    std::shared_ptr<publisher_wait> publisher;
  };
  return std::make_shared<const holding>(std::move(publisher));
}

}  // namespace windhover
