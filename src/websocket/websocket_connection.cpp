#include "websocket/websocket_connection.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>
#include <utility>

#include "websocket/message_access.hpp"
#include "websocket/websocket_handle_state.hpp"
#include "wire/websocket/close.hpp"
#include "wire/websocket/encoder.hpp"

namespace windhover {

using wire::opcode;

namespace {

wire::frame_decoder::limits decoder_limits(const websocket_settings& settings, bool compression) noexcept {
  return {.message_size = compression
                              ? websocket_compression::wire_limit(settings.max_message_size, settings.max_fragments)
                              : settings.max_message_size,
          .fragments = settings.max_fragments};
}

shared_websocket_settings or_defaults(shared_websocket_settings settings) {
  // As long as the process, like the slots: a loop that was left behind may still run.
  static const auto& defaults = *new shared_websocket_settings(std::make_shared<const websocket_settings>());
  if (!settings) return defaults;
  return settings;
}

}  // namespace

websocket_connection::websocket_connection(net::transport& on, http::exchange* exchange, wire::role role,
                                           shared_websocket_settings settings, std::string_view sub_protocol,
                                           std::unique_ptr<websocket_compression> compression)
    : stream_(on),
      exchange_(exchange),
      counters_(*on.loop().local<websocket_counters>()),
      settings_(or_defaults(std::move(settings))),
      decoder_(role, decoder_limits(*settings_, compression != nullptr), compression != nullptr),
      compression_(std::move(compression)),
      sub_protocol_(sub_protocol.empty() ? nullptr : std::make_unique<std::string>(sub_protocol)),
      slot_(websocket_slot::acquire(on.loop(), *this)),
      own_object_(slot_, slot_.generation.load(std::memory_order_relaxed)),
      timer_(this, [](void* self) noexcept { static_cast<websocket_connection*>(self)->on_timer(); }),
      last_received_(on.loop().now()),
      sign_sent_(last_received_),
      role_(role) {
  stream_.set_water_marks(settings_->max_queued_bytes, settings_->max_queued_bytes / 2);
  if (exchange_ != nullptr) exchange_->watch_end(&exchange_);
  ++counters_.open;
  ++counters_.opened;
  count_compression_shortage();
  arm_next();
}

websocket_connection::~websocket_connection() {
  --counters_.open;
  if (exchange_ != nullptr) exchange_->watch_end(nullptr);
  sending_is_over();
  while (watches_ != nullptr) watches_ = std::move(watches_->next);
  if (handle_) handle_->detach();
  websocket_slot::release(slot_);
}

std::string websocket_connection::describe() const {
  std::string text = "a WebSocket";
  if (exchange_ != nullptr) {
    text = "the WebSocket " + std::string(exchange_->request().path());
  } else if (name_ != nullptr) {
    text = "a WebSocket of " + *name_;
  }
  // Not known any more once the connection is dead.
  const endpoint from = stream_.remote_endpoint();
  if (from.type != endpoint::kind::none) text += (role_ == wire::role::server ? " from " : " to ") + from.to_string();
  return text;
}

// ----- A handler of our own

void websocket_connection::run(const std::function<task<>(websocket&)>& handler, const std::string& name) noexcept {
  name_ = &name;
  try {
    handler_ = handler(own_object_);
    handler_.require_coroutine();
  } catch (...) {
    return handler_has_ended(std::current_exception());
  }
  handler_running_ = true;
  handler_.start(this, &websocket_connection::handler_ended);
}

std::coroutine_handle<> websocket_connection::handler_ended(void* self) noexcept {
  websocket_connection& here = *static_cast<websocket_connection*>(self);
  here.handler_running_ = false;
  std::exception_ptr failure;
  try {
    here.handler_.take();
  } catch (...) {
    failure = std::current_exception();
  }
  here.handler_has_ended(failure);
  return std::noop_coroutine();
}

void websocket_connection::handler_has_ended(const std::exception_ptr& failure) noexcept {
  if (failure) {
    loop().log_line(log_level::error, "websocket", [&] {
      std::string what = "an exception that is no std::exception";
      try {
        std::rethrow_exception(failure);
      } catch (const std::exception& error) {
        what = error.what();
      } catch (...) {
      }
      return "the WebSocket handler of " + *name_ + " failed: " + what;
    });
  }
  scope_ended(failure != nullptr);
  stream_.driver_finished();
}

// ----- From bytes to frames

std::size_t websocket_connection::on_bytes(std::span<const std::byte> bytes) noexcept {
  last_received_ = loop().now();
  std::span<const std::byte> rest = bytes;
  try {
    while (!rest.empty()) {
      if (receiving_is_over()) return bytes.size();
      if (!decode(rest)) {
        note_pause();
        return bytes.size() - rest.size();
      }
    }
  } catch (const std::bad_alloc&) {
    stream_.abort();
  }
  return bytes.size();
}

// One header, or one step through a payload. False: the handler has to receive first.
bool websocket_connection::decode(std::span<const std::byte>& bytes) {
  if (!in_frame_) {
    if (receiver_ != nullptr && !drop_messages_ && hand_over_whole_message(bytes)) return true;
    if (should_pause()) return false;
    switch (decoder_.read_header(bytes)) {
      case wire::frame_decoder::step::needs_more:
        return true;
      case wire::frame_decoder::step::error:
        fail(decoder_.error());
        return true;
      case wire::frame_decoder::step::frame:
        break;
    }
    in_frame_ = true;
    if (!is_control(decoder_.frame().code)) {
      if (compression_ != nullptr && !begin_frame_where_compression_is()) return true;
      begin_data_frame();
    }
  }
  if (is_control(decoder_.frame().code)) {
    decode_control(bytes);
    return true;
  }
  if (compression_ != nullptr && decoder_.frame().compressed) return decode_compressed_payload(bytes);
  return decode_payload(bytes);
}

// Most messages are one frame that comes at once, to a handler that waits: they need not go through the queue. False:
// there is none.
bool websocket_connection::hand_over_whole_message(std::span<const std::byte>& bytes) {
  const auto found = decoder_.find_whole_message(bytes);
  if (!found) return false;
  const std::size_t size = found->payload.size();
  if (compression_ != nullptr && !count_where_compression_is(true, size)) return true;
  base::buffer_ref buffer = base::buffer_ref::allocate(message_access::headroom + size);
  if (!decoder_.take_message(bytes, *found, buffer->data() + message_access::headroom)) {
    fail(decoder_.error());
    return true;
  }
  ++counters_.messages_received;
  websocket::receive_awaiter& awaiter = *std::exchange(receiver_, nullptr);
  message_access::put(awaiter.result_, std::move(buffer), message_access::headroom, size,
                      static_cast<message_type>(found->code));
  awaiter.waiter_.resume();
  return true;
}

void websocket_connection::begin_data_frame() {
  if (drop_messages_) return;
  const auto frame = decoder_.frame();
  if (frame.first) inbound_.begin_message(static_cast<message_type>(frame.code));
  inbound_.begin_frame();
  // Somebody who waits for a frame to begin; an empty last one is reported by its end.
  if (piece_receiver_ != nullptr && piece_receiver_->into_.empty() && frame.payload_length > 0) offer_piece();
}

bool websocket_connection::decode_payload(std::span<const std::byte>& bytes) {
  while (decoder_.payload_remaining() > 0 && !bytes.empty()) {
    std::array<std::byte, 1024> dropped;
    std::span<std::byte> into;
    const bool direct = piece_receiver_ != nullptr && !drop_messages_ && inbound_.drained_within_frame();
    if (drop_messages_) {
      into = dropped;
    } else if (direct) {
      into = piece_receiver_->into_.subspan(piece_receiver_->result_.count);
    } else {
      if (should_pause()) return false;
      into =
          inbound_.room({decoder_.payload_remaining(), bytes.size(), decoder_.frame().fin}, settings_->receive_chunk);
    }
    const std::size_t count = decoder_.read_payload(bytes, into);
    if (decoder_.error() != wire::websocket_error::none) {
      fail(decoder_.error());
      return true;
    }
    if (direct) {
      piece_receiver_->result_.count += count;
      piece_receiver_->result_.type = inbound_.type_of_current();
      if (piece_receiver_->result_.count == piece_receiver_->into_.size() && decoder_.payload_remaining() > 0) {
        finish_piece(end_of_message::no);
        if (receiving_is_over()) return true;
      }
    } else if (!drop_messages_) {
      inbound_.wrote(count);
    }
  }
  if (decoder_.payload_remaining() == 0) end_data_frame();
  return true;
}

void websocket_connection::end_data_frame() {
  in_frame_ = false;
  const bool final_frame = decoder_.frame().fin;
  if (!decoder_.end_frame()) return fail(decoder_.error());
  if (drop_messages_) return;
  if (compression_ != nullptr && final_frame && !end_compressed_message()) return;
  inbound_.end_frame(final_frame);
  if (final_frame) ++counters_.messages_received;
  if (piece_receiver_ != nullptr) return offer_piece();
  if (final_frame) offer_message();
}

void websocket_connection::decode_control(std::span<const std::byte>& bytes) {
  const auto frame = decoder_.frame();
  if (!control_) {
    std::array<std::byte, wire::maximum_control_payload> whole;
    if (bytes.size() >= frame.payload_length) {
      // The usual case: all of it is here.
      const std::size_t count = decoder_.read_payload(bytes, whole);
      in_frame_ = false;
      if (!decoder_.end_frame()) return fail(decoder_.error());
      return handle_control_frame(frame.code, std::span(whole).first(count));
    }
    control_ = std::make_unique<control_payload>();
  }
  const std::size_t count = decoder_.read_payload(bytes, std::span(control_->bytes).subspan(control_->size));
  control_->size = static_cast<std::uint8_t>(control_->size + count);
  if (decoder_.payload_remaining() > 0) return;
  in_frame_ = false;
  if (!decoder_.end_frame()) return fail(decoder_.error());
  const std::unique_ptr<control_payload> payload = std::move(control_);
  handle_control_frame(frame.code, std::span(payload->bytes).first(payload->size));
}

// Each of them costs an answer, or at least a look, and holds no handler back who could be slower.
bool websocket_connection::too_many_control_frames() noexcept {
  const auto second = std::chrono::duration_cast<std::chrono::seconds>(loop().now().time_since_epoch());
  const auto number = static_cast<std::uint32_t>(second.count());
  if (std::exchange(control_second_, number) != number) control_frames_ = 0;
  return ++control_frames_ > settings_->max_control_frames && settings_->max_control_frames != 0;
}

void websocket_connection::handle_control_frame(opcode code, std::span<const std::byte> payload) {
  if (code == opcode::close) return handle_close_frame(payload);
  if (too_many_control_frames()) return fail(wire::websocket_error::too_many_control_frames);
  // A pong is life, and noted as such with every byte. Pings are answered until the peer has closed (section 5.5.2).
  if (code != opcode::ping) return;
  if (stream_.above_high_water()) {
    // Nobody reads what we send: only the latest ping needs an answer (RFC 6455, section 5.5.3).
    if (!pending_pong_) pending_pong_ = std::make_unique<control_payload>();
    std::copy(payload.begin(), payload.end(), pending_pong_->bytes.begin());
    pending_pong_->size = static_cast<std::uint8_t>(payload.size());
    return;
  }
  pending_pong_.reset();
  queue_control(opcode::pong, payload);
}

// ----- Pausing

bool websocket_connection::should_pause() const noexcept {
  const bool wanted = receiver_ != nullptr || piece_receiver_ != nullptr || drop_messages_;
  return !wanted && inbound_.held_bytes() >= settings_->max_inbound_bytes / 2;
}

void websocket_connection::note_pause() noexcept {
  if (paused_) return;
  paused_ = true;
  ++counters_.paused_readings;
  paused_since_ = loop().now();
  arm_next();
}

void websocket_connection::resume_reading() noexcept {
  if (!paused_ || should_pause()) return;
  paused_ = false;
  // The peer was not heard while nobody listened.
  last_received_ = loop().now();
  awaiting_pong_ = false;
  arm_next();
  stream_.resume_reading();
}

// ----- Handing over to the handler

void websocket_connection::require_no_receiver() const {
  if (receiver_ != nullptr || piece_receiver_ != nullptr) {
    throw std::logic_error("a receive is already waiting on this WebSocket: there can be one at a time");
  }
}

bool websocket_connection::take_received(websocket::receive_awaiter& awaiter) {
  require_no_receiver();
  if (inbound_.has_message()) {
    awaiter.result_ = received(inbound_.take_message());
    resume_reading();
    return true;
  }
  answer_close();
  return receiving_is_over();
}

void websocket_connection::wait_received(websocket::receive_awaiter& awaiter) noexcept {
  receiver_ = &awaiter;
  resume_reading();
}

void websocket_connection::offer_message() noexcept {
  if (receiver_ == nullptr || !inbound_.has_message()) return;
  websocket::receive_awaiter& awaiter = *std::exchange(receiver_, nullptr);
  awaiter.result_ = received(inbound_.take_message());
  awaiter.waiter_.resume();
}

bool websocket_connection::take_piece(websocket::receive_into_awaiter& awaiter) {
  require_no_receiver();
  receive_result& result = awaiter.result_;
  result = {};
  // A frame whose rest will not come any more is given as far as it came.
  const bool over = receiving_is_over();
  if (over && inbound_.drained_within_frame()) inbound_.clear();
  if (const auto piece = inbound_.read(awaiter.into_)) {
    result.count = piece->count;
    result.type = piece->type;
    result.end = piece->ends_message ? end_of_message::yes : end_of_message::no;
    resume_reading();
    return piece->done || over;
  }
  answer_close();
  if (over) result.outcome = received::outcome::closed;
  return over;
}

void websocket_connection::wait_piece(websocket::receive_into_awaiter& awaiter) noexcept {
  piece_receiver_ = &awaiter;
  resume_reading();
}

// A frame has ended, or begun for somebody who waits for that: what is there goes into the waiting buffer.
void websocket_connection::offer_piece() noexcept {
  websocket::receive_into_awaiter& awaiter = *piece_receiver_;
  const auto piece = inbound_.read(awaiter.into_.subspan(awaiter.result_.count));
  if (!piece) return;
  awaiter.result_.count += piece->count;
  awaiter.result_.type = piece->type;
  if (piece->done) finish_piece(piece->ends_message ? end_of_message::yes : end_of_message::no);
}

void websocket_connection::finish_piece(end_of_message end) noexcept {
  websocket::receive_into_awaiter& awaiter = *std::exchange(piece_receiver_, nullptr);
  awaiter.result_.end = end;
  awaiter.waiter_.resume();
}

void websocket_connection::end_receivers() noexcept {
  if (receiver_ != nullptr) {
    websocket::receive_awaiter& awaiter = *std::exchange(receiver_, nullptr);
    awaiter.waiter_.resume();
  }
  if (piece_receiver_ != nullptr) {
    if (piece_receiver_->result_.count == 0) piece_receiver_->result_.outcome = received::outcome::closed;
    finish_piece(end_of_message::no);
  }
}

}  // namespace windhover
