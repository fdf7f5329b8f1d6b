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
    // Prepared: a stop must not fail.
    mailbox::prepared letter = mailbox::prepare([alive = alive_, &owner] {
      if (*alive) owner.stopped();
    });
    callback_.emplace(std::move(stop), on_stop{&loop, loop.mailbox(), std::move(letter), &owner});
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
    mailbox::prepared letter;
    Owner* owner;
    void operator()() noexcept {
      if (event_loop::current() == loop) {
        owner->stopped();
      } else {
        box->post_prepared(std::move(letter));
      }
    }
  };
  std::shared_ptr<bool> alive_;  // read and written on the loop's thread only
  std::optional<std::stop_callback<on_stop>> callback_;
};

}  // namespace windhover::net
