#include "http/client_connection.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <stdexcept>
#include <utility>

#include "net/event_loop.hpp"
#include "net/stop_on_loop.hpp"
#include "net/tls_transport.hpp"

namespace windhover::http {

using wire::http1::body_framing;
using wire::http1::response_parser;

namespace {

// For the server's end of the connection after ours.
constexpr net::duration linger_timeout = std::chrono::seconds(1);

}  // namespace

struct client_connection::answer_awaiter {
  bool await_ready() const noexcept { return of.answered_; }
  void await_suspend(std::coroutine_handle<> waiter) const noexcept { of.waiter_ = waiter; }
  void await_resume() const noexcept {}
  client_connection& of;
};

client_connection::client_connection(net::transport& on, const client_limits& limits) noexcept
    : stream_(on),
      limits_(limits),
      parser_(limits.head),
      timer_(this, [](void* self) noexcept { static_cast<client_connection*>(self)->stream_.abort(); }) {
  // Of a body only the beginning is looked at, however long it says it is.
  limits_.head.body = wire::http1::unlimited_body;
}

task<client_outcome> client_connection::ask(std::string request, expected what, std::stop_token stop) {
  if (state_ != state::idle && state_ != state::dead)
    throw std::logic_error("a request is being answered already, or the connection has ended with its answer");
  outcome_ = {};
  answered_ = false;
  expected_ = what;
  if (state_ == state::dead) {
    fail(lost_how_, lost_);
  } else {
    state_ = state::head;
    stream_.queue_copy(std::as_bytes(std::span(request)));
    stream_.resume_reading();
  }
  const net::stop_on_loop<client_connection> stopping(stream_.loop(), std::move(stop), *this);
  answer_awaiter answer{*this};
  co_await answer;
  co_return std::move(outcome_);
}

void client_connection::upgrade(std::unique_ptr<net::driver> successor) noexcept {
  held_ = false;
  stream_.set_sink(*successor);
  stream_.hand_over(std::move(successor));
  stream_.resume_reading();
}

void client_connection::let_go() noexcept {
  held_ = false;
  if (state_ != state::dead && state_ != state::lingering) stream_.abort();
  stream_.driver_finished();
}

std::string client_connection::describe() const {
  const endpoint to = stream_.remote_endpoint();
  return "an opening handshake" + (to.type == endpoint::kind::none ? std::string() : " with " + to.to_string());
}

// ----- From bytes to a response

std::size_t client_connection::on_bytes(std::span<const std::byte> bytes) noexcept {
  std::span<const std::byte> rest = bytes;
  try {
    while (!rest.empty()) {
      if (state_ == state::head) {
        read_head(rest);
      } else if (state_ == state::body) {
        read_body(rest);
      } else {
        break;
      }
    }
  } catch (const std::bad_alloc&) {
    fail(client_outcome::failure::connection_lost, "there was no memory for the answer");
  }
  // What is left waits for the other protocol; after a failure nobody wants it.
  return state_ == state::idle ? bytes.size() - rest.size() : bytes.size();
}

void client_connection::read_head(std::span<const std::byte>& bytes) {
  switch (parser_.read_head(bytes)) {
    case response_parser::step::needs_more:
      return;
    case response_parser::step::error:
      state_ = state::dead;
      lost_ = "the answer was malformed";
      stream_.abort();
      return fail(client_outcome::failure::malformed, wire::http1::describe(parser_.error()));
    case response_parser::step::head:
      break;
  }
  client_response& response = outcome_.response;
  response.head = parser_.take_head();
  const int status = response.head.status;
  response.switched = expected_ == expected::upgrade ? status == 101 : status >= 200 && status <= 299;
  if (response.switched) {
    state_ = state::idle;
    return resume();
  }
  // An interim response; 101 is none for a tunnel either, but it is final in no case.
  if (status < 200) return;
  begin_body();
}

void client_connection::begin_body() {
  wire::http1::response_head& head = outcome_.response.head;
  const bool has_none = head.status == 204 || head.status == 304;
  state_ = state::body;
  // A body in doubt is not looked at: what matters has been said by the head.
  if (has_none || wire::http1::read_framing(head)) return respond(true);
  until_end_ = head.framing == body_framing::none;
  body_.start(head.framing, head.content_length);
  const bool empty = head.framing == body_framing::content_length && head.content_length == 0;
  if (empty || limits_.body_prefix == 0) respond(empty);
}

void client_connection::read_body(std::span<const std::byte>& bytes) {
  if (until_end_) {
    keep(std::exchange(bytes, {}));
    if (outcome_.response.body.size() == limits_.body_prefix) respond(false);
    return;
  }
  const wire::http1::body_step step = body_.read(bytes, limits_.head);
  keep(step.data);
  if (step.finished || step.error || outcome_.response.body.size() == limits_.body_prefix) respond(step.finished);
}

void client_connection::keep(std::span<const std::byte> piece) {
  std::string& body = outcome_.response.body;
  const std::size_t count = std::min(piece.size(), limits_.body_prefix - body.size());
  body.append(reinterpret_cast<const char*>(piece.data()), count);
}

// ----- Ends

void client_connection::on_end() noexcept {
  if (state_ == state::body) return respond(true);
  const bool nothing = parser_.nothing_read();
  if (state_ == state::head) {
    state_ = state::dead;
    stream_.abort();
    fail(client_outcome::failure::connection_lost, nothing ? "the server ended the connection without an answer"
                                                           : "the server ended the connection within its answer");
  }
}

void client_connection::on_failure(const net::failure& why) noexcept {
  timer_.cancel();
  const state before = std::exchange(state_, state::dead);
  try {
    lost_ = net::describe(why);
  } catch (const std::bad_alloc&) {
    // Without words.
  }
  if (before == state::body) resume();
  if (why.why == net::failure::cause::tls) lost_how_ = client_outcome::failure::tls_failed;
  if (before == state::head) fail(lost_how_, lost_);
  stream_.driver_finished();
}

void client_connection::stopped() noexcept {
  if (answered_) return;
  if (state_ == state::body) return respond(false);
  fail(client_outcome::failure::stopped, "stopped");
}

// A response that is no switch is the last thing that is read.
void client_connection::respond(bool body_is_complete) noexcept {
  if (body_is_complete) {
    state_ = state::lingering;
    stream_.close();
    stream_.loop().arm(timer_, linger_timeout);
  } else {
    state_ = state::dead;
    stream_.abort();
  }
  resume();
}

void client_connection::fail(client_outcome::failure why, std::string_view text) noexcept {
  if (answered_) return;
  outcome_.why = why;
  try {
    outcome_.text = text;
  } catch (const std::bad_alloc&) {
    // The failure itself says enough.
  }
  resume();
}

void client_connection::resume() noexcept {
  answered_ = true;
  if (waiter_) std::exchange(waiter_, nullptr).resume();
}

secured_client secure(client_connection_owner plain, net::transport& below, const net::client_tls& with,
                      const std::string& host, const client_limits& limits) {
  client_connection* above = nullptr;
  net::transport* stream = nullptr;
  const auto make_driver = [&](net::transport& on) {
    auto made = std::make_unique<client_connection>(on, limits);
    above = made.get();
    stream = &on;
    return made;
  };
  plain.upgrade(net::connect_tls(below, with, host, make_driver));
  return {client_connection_owner(*above), stream};
}

}  // namespace windhover::http
