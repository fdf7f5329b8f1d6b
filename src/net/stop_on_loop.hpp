// Brings the stop of a std::stop_token, from whichever thread, to an owner that lives on a loop.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "net/event_loop.hpp"

namespace windhover::net {

// Calls `owner.stopped()` when the token is stopped: on the loop's own thread at once, inside request_stop; from
// another thread through the mailbox. Not at all once this object has been destroyed, on the loop's thread.
template <class Owner>
class stop_on_loop {
 public:
  stop_on_loop(event_loop& loop, std::stop_token stop, Owner& owner) {
    if (!stop.stop_possible()) return;
    alive_ = std::make_shared<bool>(true);
    callback_.emplace(std::move(stop), on_stop{&loop, loop.mailbox(), alive_, &owner});
  }
  stop_on_loop(const stop_on_loop&) = delete;
  stop_on_loop& operator=(const stop_on_loop&) = delete;
  ~stop_on_loop() {
    callback_.reset();
    if (alive_) *alive_ = false;
  }

 private:
  struct on_stop {
    event_loop* loop;
    std::shared_ptr<mailbox> box;
    std::shared_ptr<bool> alive;  // read and written on the loop's thread only
    Owner* owner;
    void operator()() noexcept {
      if (event_loop::current() == loop) {
        owner->stopped();
        return;
      }
      box->post([alive = alive, owner = owner] {
        if (*alive) owner->stopped();
      });
    }
  };
  std::shared_ptr<bool> alive_;
  std::optional<std::stop_callback<on_stop>> callback_;
};

}  // namespace windhover::net
