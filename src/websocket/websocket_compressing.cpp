// Compressed messages of a WebSocket connection that has negotiated permessage-deflate (RFC 7692).
#include <array>
#include <cstddef>
#include <new>

#include "websocket/websocket_connection.hpp"
#include "websocket/websocket_handle_state.hpp"

namespace windhover {

namespace {

// A few octets may stand for many, and inflating takes time: about 2 ms for this much.
constexpr std::size_t most_inflated_in_a_turn = std::size_t{1} << 20;

}  // namespace

// ----- Arriving

// A frame of data has begun; it is compressed or not. False: it breaks a limit.
bool websocket_connection::begin_frame_where_compression_is() {
  const auto frame = decoder_.frame();
  if (frame.compressed) {
    if (frame.first) compression_->inbound().begin_message(static_cast<message_type>(frame.code));
    return true;
  }
  return count_where_compression_is(frame.first, frame.payload_length);
}

// A frame that is not compressed.
bool websocket_connection::count_where_compression_is(bool first, std::uint64_t payload_length) {
  const wire::websocket_error error = compression_->inbound().count_plain(first, payload_length);
  if (error == wire::websocket_error::none) return true;
  fail(error);
  return false;
}

// As decode_payload. Octets whose contents nobody has room for yet are left, so that reading pauses; and so are those
// that would hold the loop for too long.
bool websocket_connection::decode_compressed_payload(std::span<const std::byte>& bytes) {
  while (decoder_.payload_remaining() > 0 && !bytes.empty()) {
    if (must_leave_octets()) return false;
    std::array<std::byte, 4096> unmasked;
    std::span<const std::byte> in = std::span(unmasked).first(decoder_.read_payload(bytes, unmasked));
    if (drop_messages_) continue;
    inflate(in);
    if (receiving_is_over()) return true;
    if (drop_messages_ || in.empty()) continue;
    decoder_.unread_payload(bytes, in.size());
  }
  if (decoder_.payload_remaining() == 0) end_data_frame();
  return true;
}

bool websocket_connection::must_leave_octets() {
  if (should_pause()) return true;
  if (drop_messages_ || !inflated_enough()) return false;
  // Nobody has to do anything for it to go on, but others have their turn before.
  static_cast<void>(handle());
  loop().mailbox()->post([state = handle_] {
    if (state->connection != nullptr) state->connection->resume_reading();
  });
  return true;
}

bool websocket_connection::inflated_enough() const noexcept {
  return compression_->inbound().inflated_in(loop().turn()) >= most_inflated_in_a_turn;
}

// Until all of `in` has been taken and what it stands for delivered, or some of it has to be left, or nobody wants it
// any more.
void websocket_connection::inflate(std::span<const std::byte>& in) {
  for (;;) {
    const inbound_compression::portion portion = compression_->inbound().inflate(in);
    const bool ends = decoder_.payload_remaining() == 0 && decoder_.frame().fin;
    if (!take_portion(portion, ends) || !portion.more) return;
    // When all of the input has been taken, what is left of the output is too little to wait for.
    if (!in.empty() && (should_pause() || inflated_enough())) return;
  }
}

// `ends`: what was given to the inflater is all that there is of the message. False: nothing more is wanted.
bool websocket_connection::take_portion(const inbound_compression::portion& portion, bool ends) {
  if (portion.error != wire::websocket_error::none) {
    fail(portion.error);
    return false;
  }
  compression_->inbound().count_inflated(portion.bytes.size(), loop().turn());
  inbound_.append(portion.bytes, settings_->max_message_size, ends && !portion.more);
  if (piece_receiver_ != nullptr && !portion.bytes.empty()) offer_piece();
  return !receiving_is_over() && !drop_messages_;
}

// The frame that ends a message has come. False: the message is not complete, or nobody wants it any more.
bool websocket_connection::end_compressed_message() {
  if (!decoder_.frame().compressed) return true;
  for (;;) {
    const inbound_compression::portion portion = compression_->inbound().end_message();
    if (!take_portion(portion, true)) return false;
    if (!portion.more) return true;
  }
}

// ----- Leaving

// False: the message, or what is left of it, goes as it is.
bool websocket_connection::queue_compressed(message_type type, std::span<const std::byte> payload, end_of_message end,
                                            disable_compression disabled) {
  const bool first = !sending_fragments_;
  // RSV1 marks the first frame of the message (RFC 7692, section 6).
  const auto queue = [&](std::span<const std::byte> deflated) {
    queue_frames(data_opcode(type, end), end == end_of_message::yes, deflated, first);
  };
  try {
    const bool compressed = compression_->outbound().send(payload, first, end, disabled, queue);
    count_compression_shortage();
    return compressed;
  } catch (const std::bad_alloc&) {
    // The context may refer to what the peer will never see.
    abort();
    throw;
  }
}

}  // namespace windhover
