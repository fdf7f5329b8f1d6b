// The closing handshake of a WebSocket connection (RFC 6455, section 7), and every other way in which it ends.
#include <array>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "websocket/websocket_connection.hpp"
#include "websocket/websocket_handle_state.hpp"
#include "wire/websocket/close.hpp"

namespace windhover {

using wire::opcode;

// For all but the handler, who may still answer a close that has come.
void websocket_connection::sending_is_over() noexcept {
  if (handle_) handle_->open.store(false, std::memory_order_release);
  tell_watches(&sending_watch::sending_is_over);
}

void websocket_connection::queue_close_frame(std::optional<close_code> code, std::string_view reason) noexcept {
  std::array<std::byte, wire::maximum_control_payload> payload;
  std::size_t size = 0;
  if (code) size = wire::encode_close_payload(payload, *code, reason).size;
  queue_control(opcode::close, std::span(payload).first(size));
  sending_is_over();
}

bool websocket_connection::start_close(std::optional<close_code> code, std::string_view reason) noexcept {
  if (state_ != websocket_state::open) return false;
  queue_close_frame(code, reason);
  state_ = websocket_state::close_sent;
  arm(settings_->close_timeout);
  return true;
}

bool websocket_connection::close_output(close_code code, std::string_view reason) {
  std::array<std::byte, wire::maximum_control_payload> unused;
  if (!may_be_sent(code)) {
    throw std::invalid_argument("the close code " + std::to_string(static_cast<int>(code)) +
                                " must not be sent; use 1000-1003, 1007-1014 or 3000-4999");
  }
  if (wire::encode_close_payload(unused, code, reason).error != wire::websocket_error::none) {
    throw std::invalid_argument("a close reason must be at most 123 bytes of valid UTF-8");
  }
  if (state_ == websocket_state::close_received) {
    queue_close_frame(code, reason);
    become_closed();
    return true;
  }
  return start_close(code, reason);
}

void websocket_connection::close(close_code code, std::string_view reason) {
  close_output(code, reason);
  drop_messages_ = true;
  inbound_.clear();
  resume_reading();
}

void websocket_connection::scope_ended(bool during_exception) noexcept {
  if (std::exchange(held_, false)) stream_.driver_finished();
  answer_close();
  // A handler that returns because the server stops has not said that all is done.
  const close_code without_error = loop().draining() ? close_code::going_away : close_code::normal_closure;
  start_close(during_exception ? close_code::internal_error : without_error, {});
  drop_messages_ = true;
  inbound_.clear();
  resume_reading();
}

void websocket_connection::abort() noexcept {
  sending_is_over();
  if (state_ != websocket_state::closed) state_ = websocket_state::aborted;
  stream_.abort();
}

// Nothing more is sent, not even a close frame. What was queued before still leaves: it may be all that the peer gets
// from a handler that sends too much at once, the answer to its handshake included. A peer that does not take it within
// the close timeout is aborted. Whoever waits here learns of it from the timer, as nothing is called back from a send.
void websocket_connection::break_off() noexcept {
  sending_is_over();
  state_ = websocket_state::aborted;
  stream_.close();
  breaking_off_ = true;
  arm(0);
}

void websocket_connection::tell_of_breaking_off() noexcept {
  arm(settings_->close_timeout);
  if (exchange_ != nullptr) exchange_->note_aborted();
  end_everything();
}

void websocket_connection::remember_reason(std::string_view reason) noexcept {
  try {
    if (!reason.empty()) reason_ = std::make_unique<std::string>(reason);
  } catch (const std::bad_alloc&) {
    // The code says enough.
  }
}

void websocket_connection::handle_close_frame(std::span<const std::byte> payload) {
  const wire::close_payload parsed = wire::parse_close_payload(payload);
  if (parsed.error != wire::websocket_error::none) return fail(parsed.error);
  close_code_ = parsed.code.value_or(close_code::no_status_received);
  remember_reason(parsed.reason);
  if (state_ != websocket_state::open) return become_closed();
  state_ = websocket_state::close_received;
  // Messages that came before the close may still be answered: its answer waits until the handler has seen them all, or
  // the close timeout has passed (RFC 6455, section 5.5.1, allows for the delay).
  if (!inbound_.has_message() && first_sender_ == nullptr) return answer_close();
  sending_is_over();
  arm(settings_->close_timeout);
}

// With the code and the reason of the peer's.
void websocket_connection::answer_close() noexcept {
  if (state_ != websocket_state::close_received) return;
  const bool without_code = close_code_ == close_code::no_status_received;
  queue_close_frame(without_code ? std::nullopt : std::optional(close_code_), close_reason());
  become_closed();
}

void websocket_connection::count(wire::websocket_error error) noexcept {
  switch (error) {
    case wire::websocket_error::message_too_big:
      ++counters_.messages_too_big;
      return;
    case wire::websocket_error::too_many_fragments:
      ++counters_.too_many_fragments;
      return;
    case wire::websocket_error::too_many_control_frames:
      ++counters_.too_many_control_frames;
      return;
    default:
      ++counters_.protocol_errors;
      return;
  }
}

// The peer broke a rule: it is told which one, and the connection ends (RFC 6455, section 7.1.7). Messages that were
// complete before are still received.
void websocket_connection::fail(wire::websocket_error error) noexcept {
  receiving_failed_ = true;
  close_code_ = wire::close_code_of(error);
  remember_reason(wire::describe(error));
  count(error);
  loop().log_line(log_level::debug, "websocket", [&] {
    return describe() + " is closed with " + std::to_string(static_cast<int>(close_code_)) + ": " +
           std::string(wire::describe(error));
  });
  if (state_ == websocket_state::open) queue_close_frame(close_code_, wire::describe(error));
  become_closed();
}

// Both close frames are out, or nobody wants the peer's any more. The server ends the connection first (section 7.1.1).
void websocket_connection::become_closed() noexcept {
  state_ = websocket_state::closed;
  if (role_ == wire::role::server || receiving_failed_) stream_.close();
  arm(settings_->close_timeout);
  end_everything();
}

void websocket_connection::become_aborted() noexcept {
  if (ended()) return;
  // A close frame that came before stays the reason (RFC 6455, section 7.1.5).
  if (state_ != websocket_state::close_received) close_code_ = close_code::abnormal_closure;
  state_ = websocket_state::aborted;
}

std::optional<close_code> websocket_connection::close_status() const noexcept {
  if (!receiving_is_over()) return std::nullopt;
  return close_code_ == close_code{} ? close_code::abnormal_closure : close_code_;
}

// Nobody waits on this connection any more. What waiting senders have queued still goes out before our close frame,
// unless the connection has died.
void websocket_connection::end_everything() noexcept {
  sending_is_over();
  end_receivers();
  resume_closers();
  if (state_ == websocket_state::aborted) {
    for (websocket::send_awaiter* each = first_sender_; each != nullptr; each = each->next_) each->queued_ = false;
  }
  resume_senders();
}

void websocket_connection::wait_closed(websocket::close_awaiter& awaiter) noexcept {
  awaiter.next_ = std::exchange(first_closer_, &awaiter);
}

void websocket_connection::resume_closers() noexcept {
  websocket::close_awaiter* each = std::exchange(first_closer_, nullptr);
  while (each != nullptr) {
    websocket::close_awaiter* const next = each->next_;  // the awaiter is gone once its coroutine goes on
    each->waiter_.resume();
    each = next;
  }
}

void websocket_connection::on_end() noexcept {
  // A peer that closed and then ended its stream can still be answered.
  answer_close();
  if (!ended()) {
    become_aborted();
    if (exchange_ != nullptr) exchange_->note_aborted();
  }
  stream_.close();
  end_everything();
}

void websocket_connection::on_failure(const net::failure&) noexcept {
  timer_.cancel();
  if (state_ != websocket_state::closed) {
    become_aborted();
    if (exchange_ != nullptr) exchange_->note_aborted();
  }
  end_everything();
  stream_.driver_finished();
}

}  // namespace windhover
