// The public object: every call finds its connection through the slot, which knows whether it may.
#include <exception>
#include <stdexcept>
#include <utility>

#include "net/stop_on_loop.hpp"
#include "websocket/websocket_connection.hpp"
#include <windhover/websocket.hpp>

namespace windhover {

namespace {

// Of a slot that is taken: none that is free, whose loop is none, belongs to a thread without a loop.
bool belongs_here(const websocket_slot& slot) noexcept {
  const net::event_loop* const here = net::event_loop::current();
  return here != nullptr && slot.loop.load(std::memory_order_acquire) == here;
}

}  // namespace

websocket::~websocket() {
  if (slot_->generation.load(std::memory_order_acquire) != generation_ || !belongs_here(*slot_)) return;
  slot_->connection->scope_ended(std::uncaught_exceptions() > 0);
}

websocket_connection& websocket::connection() const {
  if (slot_->generation.load(std::memory_order_acquire) != generation_) {
    throw std::logic_error("this WebSocket has gone: its handler has returned");
  }
  if (!belongs_here(*slot_)) {
    throw std::logic_error(
        "a WebSocket belongs to the thread of its event loop: use websocket::handle() on other threads");
  }
  return *slot_->connection;
}

// ----- Receiving

websocket::receive_awaiter websocket::receive() { return receive_awaiter(connection()); }
bool websocket::receive_awaiter::await_ready() { return from_.take_received(*this); }
void websocket::receive_awaiter::await_suspend(std::coroutine_handle<> waiter) noexcept {
  waiter_ = waiter;
  from_.wait_received(*this);
}
received websocket::receive_awaiter::await_resume() noexcept { return std::move(result_); }

websocket::receive_into_awaiter websocket::receive(std::span<std::byte> into) { return {connection(), into}; }
bool websocket::receive_into_awaiter::await_ready() { return from_.take_piece(*this); }
void websocket::receive_into_awaiter::await_suspend(std::coroutine_handle<> waiter) noexcept {
  waiter_ = waiter;
  from_.wait_piece(*this);
}
receive_result websocket::receive_into_awaiter::await_resume() noexcept { return result_; }

task<received> websocket::receive(std::stop_token stop) { return connection().receive_stoppable(std::move(stop)); }
task<receive_result> websocket::receive(std::span<std::byte> into, std::stop_token stop) {
  return connection().receive_stoppable(into, std::move(stop));
}

// Stopping withdraws the waiting awaiter, and only that one.
task<received> websocket_connection::receive_stoppable(std::stop_token stop) {
  websocket::receive_awaiter awaiter(*this);
  struct canceller {
    websocket_connection& connection;
    websocket::receive_awaiter& awaiter;
    bool requested = false;
    void stopped() noexcept {
      requested = true;
      if (connection.receiver_ != &awaiter) return;
      connection.receiver_ = nullptr;
      awaiter.result_ = received(connection.outcome_of_stopping());
      awaiter.waiter_.resume();
    }
  } cancel{*this, awaiter};
  const net::stop_on_loop<canceller> stopping(loop(), std::move(stop), cancel);
  if (cancel.requested) {
    // It was stopped before: what is there is given, waiting is not begun.
    if (!awaiter.await_ready()) awaiter.result_ = received(received::outcome::cancelled);
    co_return awaiter.await_resume();
  }
  co_return co_await awaiter;
}

task<receive_result> websocket_connection::receive_stoppable(std::span<std::byte> into, std::stop_token stop) {
  websocket::receive_into_awaiter awaiter(*this, into);
  struct canceller {
    websocket_connection& connection;
    websocket::receive_into_awaiter& awaiter;
    bool requested = false;
    void stopped() noexcept {
      requested = true;
      if (connection.piece_receiver_ != &awaiter) return;
      connection.piece_receiver_ = nullptr;
      if (awaiter.result_.count == 0) awaiter.result_.outcome = connection.outcome_of_stopping();
      awaiter.waiter_.resume();
    }
  } cancel{*this, awaiter};
  const net::stop_on_loop<canceller> stopping(loop(), std::move(stop), cancel);
  if (cancel.requested) {
    if (!awaiter.await_ready() && awaiter.result_.count == 0) awaiter.result_.outcome = received::outcome::cancelled;
    co_return awaiter.result_;
  }
  co_return co_await awaiter;
}

// ----- Sending

websocket::send_awaiter websocket::send(std::string_view text, end_of_message end, disable_compression compression) {
  websocket_connection& to = connection();
  return {to, to.send(wire::opcode::text, std::as_bytes(std::span(text)), end, compression)};
}
websocket::send_awaiter websocket::send_bytes(std::span<const std::byte> bytes, end_of_message end,
                                              disable_compression compression) {
  websocket_connection& to = connection();
  return {to, to.send(wire::opcode::binary, bytes, end, compression)};
}
websocket::send_awaiter websocket::send(const message& whole, disable_compression compression) {
  websocket_connection& to = connection();
  return {to, to.send(whole, compression)};
}
websocket::send_awaiter websocket::send(const prepared_message& shared) {
  websocket_connection& to = connection();
  return {to, to.send(shared)};
}
bool websocket::send_awaiter::await_ready() const noexcept { return !queued_ || to_->may_send_now(); }
void websocket::send_awaiter::await_suspend(std::coroutine_handle<> waiter) noexcept {
  waiter_ = waiter;
  to_->wait_writable(*this);
}

// ----- Closing

websocket::close_awaiter websocket::close(close_code code, std::string_view reason) {
  websocket_connection& of = connection();
  of.close(code, reason);
  return close_awaiter(of);
}
bool websocket::close_awaiter::await_ready() const noexcept { return of_.ended(); }
void websocket::close_awaiter::await_suspend(std::coroutine_handle<> waiter) noexcept {
  waiter_ = waiter;
  of_.wait_closed(*this);
}

bool websocket::close_output(close_code code, std::string_view reason) {
  return connection().close_output(code, reason);
}
void websocket::abort() { connection().abort(); }

// ----- What it is

websocket_state websocket::state() const { return connection().state(); }
std::optional<close_code> websocket::close_status() const { return connection().close_status(); }
std::string_view websocket::close_reason() const { return connection().close_reason(); }
std::string_view websocket::sub_protocol() const { return connection().sub_protocol(); }
std::string_view websocket::extensions() const { return connection().extensions(); }
websocket_handle websocket::handle() const { return connection().handle(); }
std::size_t websocket::queued_bytes() const { return connection().queued_bytes(); }

}  // namespace windhover
