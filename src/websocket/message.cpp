#include <cstring>

#include "base/buffer.hpp"
#include "websocket/checked_text.hpp"
#include "websocket/message_access.hpp"
#include <windhover/message.hpp>

namespace windhover {
namespace {

message copied(std::span<const std::byte> bytes, message_type type) {
  base::buffer_ref buffer = base::buffer_ref::allocate(message_access::headroom + bytes.size());
  if (!bytes.empty()) std::memcpy(buffer->data() + message_access::headroom, bytes.data(), bytes.size());
  return message_access::make(std::move(buffer), message_access::headroom, bytes.size(), type);
}

}  // namespace

void message::release() noexcept { owner_->release(); }

message message::from_text(std::string_view text) { return copied(checked_text(text), message_type::text); }
message message::from_bytes(std::span<const std::byte> bytes) { return copied(bytes, message_type::binary); }

}  // namespace windhover
