// What a client's request comes to, whichever version of HTTP carries it, and the coroutine that waits for it.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "net/transport.hpp"
#include "wire/http1/limits.hpp"
#include "wire/http1/response_head.hpp"
#include <windhover/task.hpp>

namespace windhover::http {

struct client_limits {
  wire::http1::limits head;        // of all heads that one server sends
  std::size_t body_prefix = 4096;  // how much of a body is kept, and read at all
};

struct client_response {
  wire::http1::response_head head;
  std::string body;       // the beginning of it, decoded; always empty when HTTP has ended
  bool switched = false;  // HTTP has ended: what comes now belongs to the other protocol
};

// A response, or why there is none.
struct client_outcome {
  // refused: the server has not looked at the request, which may be made again on another connection.
  enum class failure : std::uint8_t { none, stopped, connection_lost, tls_failed, malformed, refused };

  failure why = failure::none;
  client_response response;
  std::string text;  // of the failure
};

// Comes once, from an upcall, to whoever waits.
class client_answer {
 public:
  // Waits for another one.
  void begin() noexcept {
    outcome_ = {};
    given_ = false;
  }
  bool given() const noexcept { return given_; }
  client_response& response() noexcept { return outcome_.response; }
  // As far as the limit goes. True when it is reached.
  bool keep_body(std::span<const std::byte> piece, std::size_t limit);

  // Resumes who waits, who may end everything.
  void give() noexcept;
  // Instead, unless it was given before.
  void fail(client_outcome::failure why, std::string_view text) noexcept;
  void fail(const net::failure& why) noexcept;

  struct awaiter {
    bool await_ready() const noexcept { return of.given_; }
    void await_suspend(std::coroutine_handle<> waiter) const noexcept { of.waiter_ = waiter; }
    void await_resume() const noexcept {}
    client_answer& of;
  };
  awaiter coming() noexcept { return {*this}; }
  client_outcome take() noexcept { return std::move(outcome_); }

 private:
  client_outcome outcome_;
  std::coroutine_handle<> waiter_;
  bool given_ = false;
};

// What asks on a transport, and gives it up to another protocol. `held`: somebody may still ask, or waits.
class client_driver : public net::driver {
 public:
  client_driver(net::transport& on, const client_limits& limits) : stream_(on), limits_(limits) {}

  // Before anything was asked, or after a response that has switched, at once, in the same step of the coroutine that
  // got it: the successor owns the transport from now on, and gets every byte behind the response. This object must not
  // be touched any more.
  void upgrade(std::unique_ptr<net::driver> successor) noexcept;
  // Instead: nobody needs it any more. Ends the stream, politely after a complete answer, so that no server notes an
  // error; the loop destroys it.
  void let_go() noexcept;

  // net::driver
  void on_writable() noexcept override {}
  bool finished() const noexcept override { return !held_; }

  // For the stop of what was asked.
  virtual void stopped() noexcept = 0;

 protected:
  // Whether what is under way has to be cut off when nobody needs it.
  virtual bool under_way() const noexcept = 0;
  // Waits for the answer to what was asked.
  task<client_outcome> answered(std::stop_token stop);

  net::transport& stream_;
  client_limits limits_;
  client_answer answer_;

 private:
  bool held_ = true;
};

// Lets go of what was not handed over.
template <class Driver>
class client_owner {
 public:
  explicit client_owner(Driver& of) noexcept : owned_(&of) {}
  client_owner(client_owner&& other) noexcept : owned_(std::exchange(other.owned_, nullptr)) {}
  client_owner& operator=(client_owner&& other) noexcept {
    std::swap(owned_, other.owned_);
    return *this;
  }
  ~client_owner() {
    if (owned_ != nullptr) owned_->let_go();
  }

  Driver& owned() const noexcept { return *owned_; }
  void upgrade(std::unique_ptr<net::driver> successor) noexcept {
    std::exchange(owned_, nullptr)->upgrade(std::move(successor));
  }

 private:
  Driver* owned_;
};

}  // namespace windhover::http
