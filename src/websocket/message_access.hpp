// How this room makes messages and looks into them. The layout of a message's buffer: headroom, so that a frame header
// can be written right before the payload, then the payload.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

#include "base/buffer.hpp"
#include "websocket/prepared_frames.hpp"
#include <windhover/message.hpp>
#include <windhover/prepared_message.hpp>

namespace windhover {

struct message_access {
  static constexpr std::size_t headroom = 16;

  // `offset` counts from the beginning of the buffer.
  static message make(base::buffer_ref buffer, std::size_t offset, std::size_t size, message_type type) noexcept {
    std::byte* const data = buffer ? buffer->data() + offset : nullptr;
    return {buffer.detach(), data, size, type};
  }
  // The same, where nothing was received yet. Made in place: a message that is moved as soon as it was made has the
  // processor wait for its own writes.
  static void put(received& into, base::buffer_ref buffer, std::size_t offset, std::size_t size,
                  message_type type) noexcept {
    std::byte* const data = buffer->data() + offset;
    ::new (&into.message_) message(buffer.detach(), data, size, type);
    into.outcome_ = received::outcome::message;
  }
  static base::buffer* owner(const message& whole) noexcept { return whole.owner_; }
  static std::byte* data(const message& whole) noexcept { return whole.data_; }

  static const prepared_frames& frames(const prepared_message& prepared) noexcept { return *prepared.frames_; }
};

}  // namespace windhover
