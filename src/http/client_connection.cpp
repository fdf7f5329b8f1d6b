#include "http/client_connection.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <stdexcept>
#include <utility>

#include "net/event_loop.hpp"
#include "net/tls_transport.hpp"

namespace windhover::http {

using wire::http1::body_framing;
using wire::http1::response_parser;

namespace {

// For the server's end of the connection after ours.
constexpr net::duration linger_timeout = std::chrono::seconds(1);

}  // namespace

client_connection::client_connection(net::transport& on, const client_limits& limits) noexcept
    : client_driver(on, limits),
      parser_(limits.head),
      timer_(this, [](void* self) noexcept { static_cast<client_connection*>(self)->stream_.abort(); }) {
  // Of a body only the beginning is looked at, however long it says it is.
  limits_.head.body = wire::http1::unlimited_body;
}

task<client_outcome> client_connection::secured(std::stop_token stop) {
  answer_.begin();
  if (state_ == state::dead) {
    answer_.fail(lost_how_, lost_);
  } else if (stream_.tls() != nullptr) {
    answer_.give();
  } else {
    state_ = state::securing;
  }
  co_return co_await answered(std::move(stop));
}

task<client_outcome> client_connection::ask(std::string request, expected what, std::stop_token stop) {
  if (state_ != state::idle && state_ != state::dead)
    throw std::logic_error("a request is being answered already, or the connection has ended with its answer");
  answer_.begin();
  expected_ = what;
  if (state_ == state::dead) {
    answer_.fail(lost_how_, lost_);
  } else {
    state_ = state::head;
    stream_.queue_copy(std::as_bytes(std::span(request)));
    stream_.resume_reading();
  }
  co_return co_await answered(std::move(stop));
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
    answer_.fail(client_outcome::failure::connection_lost, "there was no memory for the answer");
  }
  // What is left waits for the other protocol; after a failure nobody wants it.
  const bool for_later = state_ == state::idle || state_ == state::securing;
  return for_later ? bytes.size() - rest.size() : bytes.size();
}

void client_connection::read_head(std::span<const std::byte>& bytes) {
  switch (parser_.read_head(bytes)) {
    case response_parser::step::needs_more:
      return;
    case response_parser::step::error:
      state_ = state::dead;
      lost_ = "the answer was malformed";
      stream_.abort();
      return answer_.fail(client_outcome::failure::malformed, wire::http1::describe(parser_.error()));
    case response_parser::step::head:
      break;
  }
  client_response& response = answer_.response();
  response.head = parser_.take_head();
  const int status = response.head.status;
  response.switched = expected_ == expected::upgrade ? status == 101 : status >= 200 && status <= 299;
  if (response.switched) {
    state_ = state::idle;
    return answer_.give();
  }
  // An interim response; 101 is none for a tunnel either, but it is final in no case.
  if (status < 200) return;
  begin_body();
}

void client_connection::begin_body() {
  wire::http1::response_head& head = answer_.response().head;
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
    if (answer_.keep_body(std::exchange(bytes, {}), limits_.body_prefix)) respond(false);
    return;
  }
  const wire::http1::body_step step = body_.read(bytes, limits_.head);
  const bool enough = answer_.keep_body(step.data, limits_.body_prefix);
  if (step.finished || step.error || enough) respond(step.finished);
}

// ----- Ends

void client_connection::on_writable() noexcept {
  if (state_ != state::securing) return;
  state_ = state::idle;
  answer_.give();
}

void client_connection::on_end() noexcept {
  if (state_ == state::body) return respond(true);
  const bool nothing = parser_.nothing_read();
  if (state_ == state::head) {
    state_ = state::dead;
    stream_.abort();
    answer_.fail(client_outcome::failure::connection_lost, nothing
                                                               ? "the server ended the connection without an answer"
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
  if (before == state::body) answer_.give();
  if (why.why == net::failure::cause::tls) lost_how_ = client_outcome::failure::tls_failed;
  if (before == state::head || before == state::securing) answer_.fail(lost_how_, lost_);
  stream_.driver_finished();
}

void client_connection::stopped() noexcept {
  if (answer_.given()) return;
  if (state_ == state::body) return respond(false);
  answer_.fail(client_outcome::failure::stopped, "stopped");
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
  answer_.give();
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
