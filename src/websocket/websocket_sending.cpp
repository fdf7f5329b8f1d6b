// The sending half of a WebSocket connection: messages become frames, and whoever sends too much waits.
#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "websocket/message_access.hpp"
#include "websocket/websocket_connection.hpp"
#include "websocket/websocket_handle_state.hpp"
#include "wire/utf8.hpp"
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

// What has no mask is worth code of its own, which has nothing to ask.
void websocket_connection::queue_small_frame(opcode code, bool fin, std::span<const std::byte> payload,
                                             bool compressed) noexcept {
  const auto queue = [&](const wire::frame_header& header) {
    const std::size_t size = wire::frame_header_size(payload.size(), header.mask.has_value()) + payload.size();
    if (std::byte* const room = stream_.queue_room(size)) wire::encode_frame(room, header, payload);
  };
  if (role_ == wire::role::server) {
    queue({.code = code, .fin = fin, .rsv1 = compressed, .mask = std::nullopt});
  } else {
    queue({.code = code, .fin = fin, .rsv1 = compressed, .mask = mask()});
  }
}

void websocket_connection::queue_frame(opcode code, bool fin, std::span<const std::byte> payload, bool compressed) {
  if (payload.size() <= gathered_payload) return queue_small_frame(code, fin, payload, compressed);
  const wire::frame_header header{.code = code, .fin = fin, .rsv1 = compressed, .mask = mask()};
  base::slice whole;
  whole.owner = base::buffer_ref::allocate(wire::maximum_frame_header + payload.size());
  whole.size = wire::encode_frame(whole.owner->data(), header, payload);
  whole.data = whole.owner->data();
  stream_.queue(std::move(whole));
}

// In several frames where one would be longer than a frame may be (section 5.4). A message that has begun must end:
// memory that is missing for the rest of it ends the connection.
void websocket_connection::queue_frames(opcode code, bool fin, std::span<const std::byte> payload, bool compressed) {
  bool begun = false;
  try {
    while (must_be_cut(payload)) {
      queue_frame(code, false, payload.first(settings_->max_frame_size), compressed);
      begun = true;
      payload = payload.subspan(settings_->max_frame_size);
      code = opcode::continuation;
      compressed = false;
    }
    queue_frame(code, fin, payload, compressed);
  } catch (const std::bad_alloc&) {
    if (!begun) throw;
    stream_.abort();
  }
}

// A frame whose payload is kept by reference, behind a header of its own.
void websocket_connection::queue_shared(opcode code, bool fin, base::buffer& owner,
                                        std::span<const std::byte> payload) {
  if (payload.size() <= gathered_payload) return queue_frame(code, fin, payload);
  std::array<std::byte, wire::maximum_frame_header> header;
  const wire::frame_header parts{.code = code, .fin = fin, .rsv1 = false, .mask = {}};
  stream_.queue_copy(std::span(header).first(wire::encode_frame_header(header.data(), parts, payload.size())));
  owner.acquire();
  stream_.queue({base::buffer_ref(&owner), payload.data(), payload.size()});
}

void websocket_connection::queue_shared_in_frames(opcode code, base::buffer& owner,
                                                  std::span<const std::byte> payload) {
  for (; must_be_cut(payload); payload = payload.subspan(settings_->max_frame_size), code = opcode::continuation) {
    queue_shared(code, false, owner, payload.first(settings_->max_frame_size));
  }
  queue_shared(code, true, owner, payload);
}

void websocket_connection::queue_control(opcode code, std::span<const std::byte> payload) noexcept {
  std::array<std::byte, wire::maximum_control_frame> frame;
  const std::size_t size = wire::encode_control_frame(frame, code, payload, mask());
  stream_.queue_copy(std::span(frame).first(size));
}

// The first frame of a message names its type, the others continue it, whatever they say (as in ASP.NET Core).
opcode websocket_connection::data_opcode(message_type type, end_of_message end) noexcept {
  const bool continues = std::exchange(sending_fragments_, end == end_of_message::no);
  if (!continues) sending_type_ = type;
  return continues ? opcode::continuation : static_cast<opcode>(type);
}

// When there is no memory for the copy, it is as if nothing had been sent.
void websocket_connection::queue_data(message_type type, end_of_message end, std::span<const std::byte> payload) {
  // Most messages: nothing is allocated here, so nothing need be taken back.
  if (payload.size() <= gathered_payload && !must_be_cut(payload)) {
    return queue_small_frame(data_opcode(type, end), end == end_of_message::yes, payload, false);
  }
  const bool before = sending_fragments_;
  try {
    queue_frames(data_opcode(type, end), end == end_of_message::yes, payload);
  } catch (const std::bad_alloc&) {
    sending_fragments_ = before;
    throw;
  }
}

// False: there was no memory for it, and the connection has died of that.
bool websocket_connection::sent() noexcept {
  if (!sending_fragments_) {
    ++counters_.messages_sent;
    if (handle_ != nullptr || watches_ != nullptr) tell_of_ended_message();
  }
  return !stream_.closing();
}

// Others may have waited for it.
void websocket_connection::tell_of_ended_message() noexcept {
  if (handle_ != nullptr && !handle_->waiting.empty()) handle_->run_waiting();
  if (watches_ != nullptr) tell_watches(&sending_watch::can_send_again);
}

// Whoever does not wait for his sends is stopped where no peer will catch up any more.
bool websocket_connection::refuse_to_queue() noexcept {
  ++counters_.unsent_overflows;
  loop().log_line(log_level::warning, "websocket", [this] {
    return describe() + " is ended: " + std::to_string(stream_.queued_bytes()) +
           " bytes wait to be sent, which is more than max_unsent_bytes; await send(), or send less to a slow peer";
  });
  break_off();
  return false;
}

// A text is UTF-8, and so is one in fragments, whose characters may be cut (section 5.6). What is left of the check is
// for the next fragment.
wire::utf8_validator websocket_connection::check_text(message_type type, std::span<const std::byte> payload,
                                                      end_of_message end) const {
  wire::utf8_validator check = sending_fragments_ ? sending_text_ : wire::utf8_validator();
  const message_type of_message = sending_fragments_ ? sending_type_ : type;
  if (of_message == message_type::text && (!check.feed(payload) || (end == end_of_message::yes && !check.complete())))
    throw std::invalid_argument("the text to be sent is not valid UTF-8");
  return check;
}

bool websocket_connection::send(opcode code, std::span<const std::byte> payload, end_of_message end,
                                disable_compression compression) {
  if (!may_queue()) return false;
  const auto type = static_cast<message_type>(code);
  const wire::utf8_validator checked = check_text(type, payload, end);
  if (compression_ == nullptr || !queue_compressed(type, payload, end, compression)) queue_data(type, end, payload);
  sending_text_ = checked;
  return sent();
}

bool websocket_connection::send(const message& whole, disable_compression compression) {
  if (!may_queue()) return false;
  const std::span<const std::byte> payload = whole.bytes();
  if (sending_fragments_) check_text(whole.type(), payload, end_of_message::yes);
  if (compression_ != nullptr && queue_compressed(whole.type(), payload, end_of_message::yes, compression))
    return sent();
  if (role_ == wire::role::client || payload.size() <= gathered_payload) {
    queue_data(whole.type(), end_of_message::yes, payload);
    return sent();
  }
  const opcode code = data_opcode(whole.type(), end_of_message::yes);
  base::buffer& owner = *message_access::owner(whole);
  if (must_be_cut(payload)) {
    queue_shared_in_frames(code, owner, payload);
    return sent();
  }
  // The header goes into the headroom, so header and payload leave as one slice. A message that is sent more than once
  // has its header there already; a different one (a continuation) goes separately.
  std::array<std::byte, wire::maximum_frame_header> header;
  const std::size_t size =
      wire::encode_frame_header(header.data(), {.code = code, .fin = true, .rsv1 = false, .mask = {}}, payload.size());
  std::byte* const before = message_access::data(whole) - size;
  if (owner.unique()) {
    std::memcpy(before, header.data(), size);
  } else if (std::memcmp(before, header.data(), size) != 0) {
    queue_shared(code, true, owner, payload);
    return sent();
  }
  owner.acquire();
  stream_.queue({base::buffer_ref(&owner), before, size + payload.size()});
  return sent();
}

bool websocket_connection::send(const prepared_message& shared) {
  if (!may_queue()) return false;
  const prepared_frames& frames = message_access::frames(shared);
  const std::span<const std::byte> payload = frames.plain().payload();
  if (sending_fragments_) check_text(frames.type(), payload, end_of_message::yes);
  if (role_ == wire::role::client || sending_fragments_) {
    // Masked with a key of its own, or the end of another message: it has to be encoded for itself.
    const bool compressed =
        compression_ != nullptr && queue_compressed(frames.type(), payload, end_of_message::yes, frames.compression());
    if (!compressed) queue_data(frames.type(), end_of_message::yes, payload);
    return sent();
  }
  const bool as_it_is = compression_ == nullptr;
  const prepared_frames::frame& frame = as_it_is ? frames.plain() : compression_->outbound().frame_of(frames);
  const auto code = static_cast<opcode>(frames.type());
  if (!must_be_cut(frame.payload())) {
    if (frame.payload_size <= gathered_payload) {
      stream_.queue_copy(frame.whole().bytes());
    } else {
      stream_.queue(frame.whole());
    }
  } else if (&frame == &frames.plain()) {
    queue_shared_in_frames(code, *frame.owner.get(), payload);
  } else {
    queue_frames(code, true, frame.payload(), true);
  }
  return sent();
}

void websocket_connection::wait_writable(websocket::send_awaiter& awaiter) noexcept {
  ++counters_.waiting_sends;
  awaiter.next_ = nullptr;
  (last_sender_ == nullptr ? first_sender_ : last_sender_->next_) = &awaiter;
  last_sender_ = &awaiter;
}

void websocket_connection::on_writable() noexcept {
  if (const auto pong = std::move(pending_pong_); pong && !ended()) {
    queue_control(opcode::pong, std::span(pong->bytes).first(pong->size));
  }
  if (handle_) handle_->queued.store(stream_.queued_bytes(), std::memory_order_relaxed);
  tell_watches(&sending_watch::can_send_again);
  resume_senders();
}

// ----- Those who send besides the handler

// In the place of those that are not needed any more.
void websocket_connection::add_watch(std::unique_ptr<sending_watch> added) noexcept {
  for (std::unique_ptr<sending_watch>* each = &watches_; *each != nullptr;) {
    if ((*each)->needed()) {
      each = &(*each)->next;
    } else {
      *each = std::move((*each)->next);
    }
  }
  added->next = std::move(watches_);
  watches_ = std::move(added);
}

sending_watch* websocket_connection::find_watch(const void* owner) const noexcept {
  sending_watch* each = watches_.get();
  while (each != nullptr && each->owner != owner) each = each->next.get();
  return each;
}

void websocket_connection::tell_watches(void (sending_watch::*what)() noexcept) noexcept {
  for (sending_watch* each = watches_.get(); each != nullptr; each = each->next.get()) (each->*what)();
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

}  // namespace windhover
