#include "websocket/checked_text.hpp"
#include "websocket/prepared_frames.hpp"
#include "wire/websocket/encoder.hpp"
#include <windhover/prepared_message.hpp>

namespace windhover {

// ----- What copies share

prepared_frames::prepared_frames(message_type type, std::span<const std::byte> payload, disable_compression compression)
    : type_(type), compression_(compression), plain_(encode(type, payload, false)) {}

prepared_frames::~prepared_frames() {
  for (const std::atomic<const frame*>& place : compressed_) {
    const frame* const made = place.load(std::memory_order_acquire);
    if (made != &plain_) delete made;
  }
}

prepared_frames::frame prepared_frames::encode(message_type type, std::span<const std::byte> payload, bool compressed) {
  frame made;
  made.header_size = wire::frame_header_size(payload.size(), false);
  made.payload_size = payload.size();
  made.owner = base::buffer_ref::allocate(wire::maximum_frame_header + payload.size());
  const wire::frame_header header{.code = static_cast<wire::opcode>(type), .fin = true, .rsv1 = compressed, .mask = {}};
  wire::encode_frame(made.owner->data(), header, payload);
  return made;
}

const prepared_frames::frame& prepared_frames::keep(std::atomic<const frame*>& place,
                                                    std::span<const std::byte> deflated) const {
  std::unique_ptr<const frame> own;
  if (deflated.size() < plain_.payload_size) own = std::make_unique<const frame>(encode(type_, deflated, true));
  const frame* const made = own ? own.get() : &plain_;
  const frame* earlier = nullptr;
  if (!place.compare_exchange_strong(earlier, made, std::memory_order_acq_rel, std::memory_order_acquire)) {
    return *earlier;
  }
  static_cast<void>(own.release());
  return *made;
}

// ----- prepared_message

prepared_message::prepared_message(std::shared_ptr<const prepared_frames> frames) noexcept
    : frames_(std::move(frames)) {}

prepared_message prepared_message::from_text(std::string_view text, disable_compression compression) {
  return prepared_message(std::make_shared<const prepared_frames>(message_type::text, checked_text(text), compression));
}

prepared_message prepared_message::from_bytes(std::span<const std::byte> bytes, disable_compression compression) {
  return prepared_message(std::make_shared<const prepared_frames>(message_type::binary, bytes, compression));
}

prepared_message prepared_message::from_message(const message& whole, disable_compression compression) {
  return prepared_message(std::make_shared<const prepared_frames>(whole.type(), whole.bytes(), compression));
}

message_type prepared_message::type() const noexcept { return frames_->type(); }
std::size_t prepared_message::size() const noexcept { return frames_->plain().payload_size; }

}  // namespace windhover
