// The sending half of a WebSocket connection: frames, waiting for room, the closing handshake, keep-alive.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

#include "websocket/message_access.hpp"
#include "websocket/websocket_connection.hpp"
#include "websocket/websocket_handle_state.hpp"
#include "wire/utf8.hpp"
#include "wire/websocket/close.hpp"
#include "wire/websocket/encoder.hpp"

namespace windhover {

using wire::opcode;

namespace {

// Up to here a payload is copied behind its header: neighbouring small frames become one piece of memory, which costs
// the kernel less than a piece each.
constexpr std::size_t gathered_payload = 1024;

}  // namespace

std::optional<wire::masking_key> websocket_connection::mask() const noexcept {
  if (role_ == wire::role::server) return std::nullopt;
  return wire::make_masking_key(loop().random());
}

void websocket_connection::queue_frame(opcode code, bool fin, std::span<const std::byte> payload, bool compressed) {
  const wire::frame_header header{.code = code, .fin = fin, .rsv1 = compressed, .mask = mask()};
  if (payload.size() <= gathered_payload) {
    std::array<std::byte, wire::maximum_frame_header + gathered_payload> frame;
    stream_.queue_copy(std::span(frame).first(wire::encode_frame(frame.data(), header, payload)));
    return;
  }
  base::slice whole;
  whole.owner = base::buffer_ref::allocate(wire::maximum_frame_header + payload.size());
  whole.size = wire::encode_frame(whole.owner->data(), header, payload);
  whole.data = whole.owner->data();
  stream_.queue(std::move(whole));
}

void websocket_connection::queue_control(opcode code, std::span<const std::byte> payload) noexcept {
  std::array<std::byte, wire::maximum_control_frame> frame;
  const std::size_t size = wire::encode_control_frame(frame, code, payload, mask());
  stream_.queue_copy(std::span(frame).first(size));
}

// The first frame of a message names its type, the others continue it, whatever they say (as in ASP.NET Core).
opcode websocket_connection::data_opcode(message_type type, end_of_message end) noexcept {
  const bool continues = std::exchange(sending_fragments_, end == end_of_message::no);
  return continues ? opcode::continuation : static_cast<opcode>(type);
}

// When there is no memory for the copy, it is as if nothing had been sent.
void websocket_connection::queue_data(message_type type, end_of_message end, std::span<const std::byte> payload) {
  const bool before = sending_fragments_;
  try {
    queue_frame(data_opcode(type, end), end == end_of_message::yes, payload);
  } catch (const std::bad_alloc&) {
    sending_fragments_ = before;
    throw;
  }
}

// A message may have ended that others have waited for.
bool websocket_connection::sent() noexcept {
  if (handle_ != nullptr && !sending_fragments_ && !handle_->waiting.empty()) handle_->run_waiting();
  return !stream_.closing();
}

bool websocket_connection::send(opcode code, std::span<const std::byte> payload, end_of_message end,
                                disable_compression compression) {
  if (!can_send()) return false;
  const bool whole_text = code == opcode::text && end == end_of_message::yes && !sending_fragments_;
  if (whole_text && !wire::valid_utf8(payload)) throw std::invalid_argument("the text to be sent is not valid UTF-8");
  const auto type = static_cast<message_type>(code);
  if (compression_ == nullptr || !queue_compressed(type, payload, end, compression)) queue_data(type, end, payload);
  return sent();
}

bool websocket_connection::send(const message& whole, disable_compression compression) {
  if (!can_send()) return false;
  const std::span<const std::byte> payload = whole.bytes();
  if (compression_ != nullptr && queue_compressed(whole.type(), payload, end_of_message::yes, compression))
    return sent();
  if (role_ == wire::role::client || payload.size() <= gathered_payload) {
    queue_data(whole.type(), end_of_message::yes, payload);
    return sent();
  }
  const opcode code = data_opcode(whole.type(), end_of_message::yes);
  base::buffer* const owner = message_access::owner(whole);
  // The header goes into the headroom, so header and payload leave as one slice. A message that is sent more than once
  // has its header there already; a different one (a continuation) goes separately.
  std::array<std::byte, wire::maximum_frame_header> header;
  const std::size_t size =
      wire::encode_frame_header(header.data(), {.code = code, .fin = true, .rsv1 = false, .mask = {}}, payload.size());
  std::byte* const before = message_access::data(whole) - size;
  if (owner->unique()) {
    std::memcpy(before, header.data(), size);
  } else if (std::memcmp(before, header.data(), size) != 0) {
    stream_.queue_copy(std::span(header).first(size));
    owner->acquire();
    stream_.queue({base::buffer_ref(owner), payload.data(), payload.size()});
    return sent();
  }
  owner->acquire();
  stream_.queue({base::buffer_ref(owner), before, size + payload.size()});
  return sent();
}

bool websocket_connection::send(const prepared_message& shared) {
  if (!can_send()) return false;
  if (role_ == wire::role::client || sending_fragments_) {
    // The end of a message in fragments may be that of a compressed one.
    const std::span<const std::byte> payload = message_access::payload(shared);
    const bool compressed = compression_ != nullptr && sending_fragments_ &&
                            queue_compressed(shared.type(), payload, end_of_message::yes, disable_compression::no);
    if (!compressed) queue_data(shared.type(), end_of_message::yes, payload);
    return sent();
  }
  base::slice frame = message_access::frame(shared);
  if (frame.size <= gathered_payload) {
    stream_.queue_copy(frame.bytes());
  } else {
    stream_.queue(std::move(frame));
  }
  return sent();
}

void websocket_connection::wait_writable(websocket::send_awaiter& awaiter) noexcept {
  awaiter.next_ = nullptr;
  (last_sender_ == nullptr ? first_sender_ : last_sender_->next_) = &awaiter;
  last_sender_ = &awaiter;
}

void websocket_connection::on_writable() noexcept {
  if (const auto pong = std::move(pending_pong_); pong && !ended()) {
    queue_control(opcode::pong, std::span(pong->bytes).first(pong->size));
  }
  if (handle_) handle_->queued.store(stream_.queued_bytes(), std::memory_order_relaxed);
  resume_senders();
}

void websocket_connection::resume_senders() noexcept {
  websocket::send_awaiter* each = std::exchange(first_sender_, nullptr);
  last_sender_ = nullptr;
  while (each != nullptr) {
    websocket::send_awaiter* const next = each->next_;  // the awaiter is gone once its coroutine goes on
    each->waiter_.resume();
    each = next;
  }
}

// ----- Closing

void websocket_connection::queue_close_frame(std::optional<close_code> code, std::string_view reason) noexcept {
  std::array<std::byte, wire::maximum_control_payload> payload;
  std::size_t size = 0;
  if (code) size = wire::encode_close_payload(payload, *code, reason).size;
  queue_control(opcode::close, std::span(payload).first(size));
  if (handle_) handle_->open.store(false, std::memory_order_release);
}

bool websocket_connection::start_close(std::optional<close_code> code, std::string_view reason) noexcept {
  if (state_ != websocket_state::open) return false;
  queue_close_frame(code, reason);
  state_ = websocket_state::close_sent;
  arm(settings_.close_timeout);
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
  if (state_ == websocket_state::aborted) return;
  if (handle_) handle_->open.store(false, std::memory_order_release);
  if (state_ != websocket_state::closed) state_ = websocket_state::aborted;
  stream_.abort();
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
  if (handle_) handle_->open.store(false, std::memory_order_release);
  arm(settings_.close_timeout);
}

// With the code and the reason of the peer's.
void websocket_connection::answer_close() noexcept {
  if (state_ != websocket_state::close_received) return;
  const bool without_code = close_code_ == close_code::no_status_received;
  queue_close_frame(without_code ? std::nullopt : std::optional(close_code_), close_reason());
  become_closed();
}

// The peer broke a rule: it is told which one, and the connection ends (RFC 6455, section 7.1.7). Messages that were
// complete before are still received.
void websocket_connection::fail(wire::websocket_error error) noexcept {
  receiving_failed_ = true;
  close_code_ = wire::close_code_of(error);
  remember_reason(wire::describe(error));
  if (state_ == websocket_state::open) queue_close_frame(close_code_, wire::describe(error));
  become_closed();
}

// Both close frames are out, or nobody wants the peer's any more. The server ends the connection first (section 7.1.1).
void websocket_connection::become_closed() noexcept {
  state_ = websocket_state::closed;
  if (role_ == wire::role::server || receiving_failed_) stream_.close();
  arm(settings_.close_timeout);
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
  if (handle_) handle_->open.store(false, std::memory_order_release);
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

// ----- Time

void websocket_connection::arm(std::uint32_t milliseconds) noexcept {
  loop().arm(timer_, std::chrono::milliseconds(milliseconds));
}

// When keep-alive has something to do next. While reading is paused no pong can be seen: then it rests.
net::time_point websocket_connection::keep_alive_due() const noexcept {
  using std::chrono::milliseconds;
  const milliseconds interval(settings_.keep_alive_interval);
  const milliseconds timeout(settings_.keep_alive_timeout);
  if (interval == milliseconds::zero()) return net::time_point::max();
  if (timeout == milliseconds::zero()) return sign_sent_ + interval;
  if (paused_) return net::time_point::max();
  return awaiting_pong_ ? sign_sent_ + timeout : last_received_ + interval;
}

// While open, the timer is for keep-alive, and while reading is paused for the stalled handler.
void websocket_connection::arm_next() noexcept {
  if (state_ != websocket_state::open) return;
  net::time_point next = keep_alive_due();
  if (paused_ && settings_.stalled_timeout != 0) {
    next = std::min(next, paused_since_ + std::chrono::milliseconds(settings_.stalled_timeout));
  }
  if (next == net::time_point::max()) return timer_.cancel();
  loop().arm(timer_, next - loop().now());
}

void websocket_connection::on_timer() noexcept {
  if (state_ == websocket_state::close_received) return answer_close();
  if (state_ != websocket_state::open) {
    // The closing handshake, or the peer's end of the connection after it, takes too long.
    stream_.abort();
    return;
  }
  const std::chrono::milliseconds stalled_timeout(settings_.stalled_timeout);
  if (paused_ && settings_.stalled_timeout != 0 && loop().now() - paused_since_ >= stalled_timeout) {
    loop().log_line(log_level::warning, "websocket", [this] {
      return describe() + " is aborted: its handler has not received for longer than the stalled timeout";
    });
    return abort();
  }
  if (loop().now() >= keep_alive_due()) keep_alive();
  if (!stream_.closing()) arm_next();
}

void websocket_connection::keep_alive() noexcept {
  if (settings_.keep_alive_timeout == 0) {
    queue_control(opcode::pong, {});
    sign_sent_ = loop().now();
    return;
  }
  if (!std::exchange(awaiting_pong_, false)) return send_ping();
  // Any byte since the ping is a sign of life.
  if (last_received_ >= sign_sent_) return;
  loop().log_line(log_level::debug, "websocket",
                  [this] { return describe() + " is aborted: it did not answer a ping"; });
  stream_.abort();
}

// The payload counts the pings, as ASP.NET Core's does.
void websocket_connection::send_ping() noexcept {
  std::array<std::byte, 8> payload;
  ++pings_;
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<std::byte>(pings_ >> (8 * (7 - i)));
  queue_control(opcode::ping, payload);
  awaiting_pong_ = true;
  sign_sent_ = loop().now();
}

}  // namespace windhover
