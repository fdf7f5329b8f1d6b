// The awaitable functions of this room: sleep_for, wait_readable, wait_writable, and the way back to a loop.
#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>

#include <poll.h>

#include "base/system_error.hpp"
#include "net/event_loop.hpp"
#include "net/stop_on_loop.hpp"
#include <windhover/completion.hpp>
#include <windhover/sleep_for.hpp>
#include <windhover/wait_readable.hpp>

namespace windhover {
namespace {

class sleeper {
 public:
  sleeper(net::event_loop& loop, net::duration time)
      : loop_(loop), time_(time), timer_(this, [](void* self) noexcept { static_cast<sleeper*>(self)->end(true); }) {}

  bool await_ready() const noexcept { return outcome_.has_value(); }
  void await_suspend(std::coroutine_handle<> waiter) noexcept {
    waiter_ = waiter;
    loop_.arm(timer_, time_);
  }
  bool await_resume() const noexcept { return *outcome_; }
  void stopped() noexcept { end(false); }

 private:
  void end(bool elapsed) noexcept {
    if (outcome_) return;
    outcome_ = elapsed;
    timer_.cancel();
    if (waiter_) waiter_.resume();
  }

  net::event_loop& loop_;
  net::duration time_;
  net::timer timer_;
  std::optional<bool> outcome_;
  std::coroutine_handle<> waiter_;
};

// Lives in the loop's table until the engine has let go of the descriptor; the waiting coroutine may be gone by then.
class readiness_wait final : public net::loop_object {
 public:
  struct listener {
    virtual void ready(int events_or_error) noexcept = 0;

   protected:
    ~listener() = default;
  };

  readiness_wait(net::event_loop& loop, listener& told) noexcept : loop_(loop), told_(&told) {}

  static net::token add_to(net::event_loop& loop, int descriptor, short events, listener& told) {
    auto made = std::make_unique<readiness_wait>(loop, told);
    readiness_wait& added = *made;
    added.token_ = loop.add(std::move(made));
    try {
      loop.kernel().poll(added.token_, descriptor, events);
    } catch (...) {
      // The engine does not know it: nothing has to complete before it may go.
      added.told_ = nullptr;
      added.on_closed();
      throw;
    }
    return added.token_;
  }
  void forget() noexcept {
    told_ = nullptr;
    loop_.kernel().close(token_, false);
    loop_.hurry();
  }

  void on_ready(int events_or_error) noexcept override {
    if (listener* const told = std::exchange(told_, nullptr)) {
      loop_.kernel().close(token_, false);
      loop_.hurry();
      told->ready(events_or_error);
    }
  }
  void on_closed() noexcept override {
    closed_ = true;
    loop_.consider_destroying(token_);
  }
  bool may_be_destroyed() const noexcept override { return closed_; }
  std::string describe() const override { return "a wait for a file descriptor"; }

 private:
  net::event_loop& loop_;
  net::token token_{};
  listener* told_;
  bool closed_ = false;
};

class readiness_awaiter final : private readiness_wait::listener {
 public:
  readiness_awaiter(net::event_loop& loop, int descriptor, short events) noexcept
      : loop_(loop), descriptor_(descriptor), events_(events) {}

  bool await_ready() const noexcept { return outcome_.has_value(); }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    wait_ = readiness_wait::add_to(loop_, descriptor_, events_, *this);
  }
  bool await_resume() const {
    if (*outcome_ < 0) base::throw_system_error(-*outcome_, "waiting for a file descriptor");
    return *outcome_ > 0;
  }
  void stopped() noexcept {
    if (outcome_) return;
    if (waiter_) {
      if (auto* wait = static_cast<readiness_wait*>(loop_.find(wait_))) wait->forget();
    }
    end(0);
  }

 private:
  void ready(int events_or_error) noexcept override { end(events_or_error); }
  void end(int outcome) noexcept {
    if (outcome_) return;
    outcome_ = outcome;
    if (waiter_) waiter_.resume();
  }

  net::event_loop& loop_;
  int descriptor_;
  short events_;
  net::token wait_{};
  std::optional<int> outcome_;
  std::coroutine_handle<> waiter_;
};

struct prepared_resumption {
  std::coroutine_handle<> waiting;
  net::mailbox::prepared letter;
};

task<bool> wait_for(const char* who, int descriptor, short events, std::stop_token stop) {
  net::event_loop& loop = net::event_loop::required(who);
  readiness_awaiter waiting(loop, descriptor, events);
  const net::stop_on_loop<readiness_awaiter> stopping(loop, std::move(stop), waiting);
  co_return co_await waiting;
}

}  // namespace

task<bool> sleep_for(std::chrono::nanoseconds time, std::stop_token stop) {
  net::event_loop& loop = net::event_loop::required("sleep_for");
  if (stop.stop_requested()) co_return false;
  if (time <= std::chrono::nanoseconds::zero()) co_return true;
  sleeper sleeping(loop, std::chrono::duration_cast<net::duration>(time));
  const net::stop_on_loop<sleeper> stopping(loop, std::move(stop), sleeping);
  co_return co_await sleeping;
}

task<bool> wait_readable(int descriptor, std::stop_token stop) {
  return wait_for("wait_readable", descriptor, POLLIN, std::move(stop));
}

task<bool> wait_writable(int descriptor, std::stop_token stop) {
  return wait_for("wait_writable", descriptor, POLLOUT, std::move(stop));
}

loop_resumer::loop_resumer() : mailbox_(net::event_loop::required("a completion").mailbox()) {
  auto made = std::make_shared<prepared_resumption>();
  // Who waits keeps what it waits for, and this with it.
  made->letter = net::mailbox::prepare([to = made.get()] { to->waiting.resume(); });
  prepared_ = std::move(made);
}

void loop_resumer::prepare(std::coroutine_handle<> waiting) noexcept {
  static_cast<prepared_resumption*>(prepared_.get())->waiting = waiting;
}

void loop_resumer::resume() noexcept {
  net::mailbox::prepared& letter = static_cast<prepared_resumption*>(prepared_.get())->letter;
  static_cast<net::mailbox*>(mailbox_.get())->post_prepared(std::move(letter));
}

}  // namespace windhover
