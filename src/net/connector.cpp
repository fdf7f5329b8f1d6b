#include "net/connector.hpp"

#include <cerrno>
#include <chrono>
#include <optional>
#include <system_error>
#include <utility>

#include <sys/socket.h>

#include "net/stop_on_loop.hpp"
#include "net/timer.hpp"
#include <windhover/with_timeout.hpp>

namespace windhover::net {
namespace {

// A Unix socket with a full queue cannot be waited for.
constexpr duration retry_after = std::chrono::milliseconds(10);

// Lives in the loop's table until the engine has let go of the descriptor; who waits for it may be gone by then.
class connect_attempt final : public loop_object {
 public:
  struct listener {
    virtual void ended(int error, connected_socket socket) noexcept = 0;

   protected:
    ~listener() = default;
  };

  connect_attempt(event_loop& loop, const address& to, connected_socket socket, listener& told) noexcept
      : loop_(loop), to_(to), socket_(std::move(socket)), told_(&told), retry_(this, [](void* self) noexcept {
          static_cast<connect_attempt*>(self)->connect();
        }) {}

  static token add_to(event_loop& loop, const address& to, connected_socket socket, listener& told) {
    auto made = std::make_unique<connect_attempt>(loop, to, std::move(socket), told);
    connect_attempt& added = *made;
    added.token_ = loop.add(std::move(made));
    try {
      added.connect();
    } catch (...) {
      // The engine does not know it: nothing has to complete before it may go.
      added.on_closed();
      throw;
    }
    return added.token_;
  }
  void forget() noexcept {
    told_ = nullptr;
    release();
  }

  void on_connected(int error) noexcept override {
    if (told_ == nullptr) return;
    if (error == EAGAIN && to_.value.any.sa_family == AF_UNIX) return loop_.arm(retry_, retry_after);
    release();
    if (error != 0) return std::exchange(told_, nullptr)->ended(error, {});
    std::exchange(told_, nullptr)->ended(0, std::move(socket_));
  }
  void on_closed() noexcept override {
    closed_ = true;
    loop_.consider_destroying(token_);
  }
  bool may_be_destroyed() const noexcept override { return closed_; }
  std::string describe() const override { return "connecting to " + endpoint_of(to_).to_string(); }

 private:
  void connect() { loop_.kernel().connect(token_, socket_.descriptor(), to_); }
  void release() noexcept {
    retry_.cancel();
    loop_.kernel().close(token_, false);
    loop_.hurry();
  }

  event_loop& loop_;
  token token_{};
  address to_;
  connected_socket socket_;
  listener* told_;
  timer retry_;
  bool closed_ = false;
};

class connecting final : private connect_attempt::listener {
 public:
  connecting(event_loop& loop, const address& to) noexcept : loop_(loop), to_(to) {}

  bool await_ready() const noexcept { return outcome_.has_value(); }
  bool await_suspend(std::coroutine_handle<> waiter) {
    const int made = loop_.kernel().make_socket(to_.value.any.sa_family);
    if (made < 0) {
      end(-made, {});
      return false;
    }
    waiter_ = waiter;
    attempt_ = connect_attempt::add_to(loop_, to_, connected_socket(loop_.kernel(), made), *this);
    return true;
  }
  connect_outcome await_resume() {
    const int error = outcome_->error;
    if (error != 0) outcome_->failures = endpoint_of(to_).to_string() + ": " + std::generic_category().message(error);
    return std::move(*outcome_);
  }
  void stopped() noexcept {
    if (outcome_) return;
    if (waiter_) {
      if (auto* attempt = static_cast<connect_attempt*>(loop_.find(attempt_))) attempt->forget();
    }
    end(ECANCELED, {});
  }

 private:
  void ended(int error, connected_socket socket) noexcept override { end(error, std::move(socket)); }
  void end(int error, connected_socket socket) noexcept {
    if (outcome_) return;
    outcome_.emplace();
    outcome_->error = error;
    outcome_->socket = std::move(socket);
    if (waiter_) waiter_.resume();
  }

  event_loop& loop_;
  address to_;
  token attempt_{};
  std::optional<connect_outcome> outcome_;
  std::coroutine_handle<> waiter_;
};

}  // namespace

task<connect_outcome> connect_to(event_loop& loop, address to, std::stop_token stop) {
  connecting attempt(loop, to);
  const stop_on_loop<connecting> stopping(loop, std::move(stop), attempt);
  co_return co_await attempt;
}

task<connect_outcome> connect_to_any(event_loop& loop, std::vector<address> addresses, duration each,
                                     std::stop_token stop) {
  connect_outcome outcome;
  outcome.error = EADDRNOTAVAIL;
  std::string failures;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const bool limited = each != duration::zero() && i + 1 < addresses.size();
    if (limited) {
      const auto attempt = [&](std::stop_token token) { return connect_to(loop, addresses[i], std::move(token)); };
      outcome = co_await with_timeout(each, attempt, stop);
    } else {
      outcome = co_await connect_to(loop, addresses[i], stop);
    }
    if (outcome.socket) co_return outcome;
    if (stop.stop_requested()) break;
    if (outcome.error == ECANCELED) {
      outcome.error = ETIMEDOUT;
      outcome.failures = endpoint_of(addresses[i]).to_string() + ": " + std::generic_category().message(ETIMEDOUT);
    }
    if (!failures.empty()) failures += "; ";
    failures += outcome.failures;
  }
  if (!failures.empty()) outcome.failures = std::move(failures);
  co_return outcome;
}

}  // namespace windhover::net
