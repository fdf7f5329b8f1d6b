#include <cstring>
#include <stdexcept>

#include "base/buffer.hpp"
#include "websocket/message_access.hpp"
#include "wire/utf8.hpp"
#include "wire/websocket/encoder.hpp"
#include <windhover/message.hpp>
#include <windhover/prepared_message.hpp>

namespace windhover {
namespace {

std::span<const std::byte> checked_text(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  if (!wire::valid_utf8(bytes)) throw std::invalid_argument("the text of a message must be valid UTF-8");
  return bytes;
}

message copied(std::span<const std::byte> bytes, message_type type) {
  base::buffer_ref buffer = base::buffer_ref::allocate(message_access::headroom + bytes.size());
  if (!bytes.empty()) std::memcpy(buffer->data() + message_access::headroom, bytes.data(), bytes.size());
  return message_access::make(std::move(buffer), message_access::headroom, bytes.size(), type);
}

}  // namespace

void message::release() noexcept { owner_->release(); }

message message::from_text(std::string_view text) { return copied(checked_text(text), message_type::text); }
message message::from_bytes(std::span<const std::byte> bytes) { return copied(bytes, message_type::binary); }

prepared_message prepared_message::from_text(std::string_view text) { return {message_type::text, checked_text(text)}; }
prepared_message prepared_message::from_bytes(std::span<const std::byte> bytes) {
  return {message_type::binary, bytes};
}

prepared_message::prepared_message(message_type type, std::span<const std::byte> payload)
    : frame_(base::buffer::allocate(wire::maximum_frame_header + payload.size())),
      size_(payload.size()),
      header_size_(wire::frame_header_size(payload.size(), false)),
      type_(type) {
  const wire::frame_header header{.code = static_cast<wire::opcode>(type), .fin = true, .rsv1 = false, .mask = {}};
  wire::encode_frame(frame_->data(), header, payload);
}

prepared_message::prepared_message(const prepared_message& other) noexcept
    : frame_(other.frame_), size_(other.size_), header_size_(other.header_size_), type_(other.type_) {
  if (frame_ != nullptr) frame_->acquire();
}
prepared_message::prepared_message(prepared_message&& other) noexcept
    : frame_(std::exchange(other.frame_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      header_size_(std::exchange(other.header_size_, 0)),
      type_(other.type_) {}
prepared_message& prepared_message::operator=(prepared_message other) noexcept {
  std::swap(frame_, other.frame_);
  std::swap(size_, other.size_);
  std::swap(header_size_, other.header_size_);
  std::swap(type_, other.type_);
  return *this;
}
prepared_message::~prepared_message() {
  if (frame_ != nullptr) frame_->release();
}

}  // namespace windhover
