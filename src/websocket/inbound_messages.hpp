// The messages that have arrived and were not yet received: whole ones, and the one that is arriving.
//
// A message lies in one buffer, with headroom before it. Where its frames ended is kept only for messages of several
// frames, because only receive(span) wants to know.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/buffer.hpp"
#include <windhover/message.hpp>

namespace windhover {

class inbound_messages {
 public:
  // ----- Writing, frame by frame

  // The first frame of a message begins.
  void begin_message(message_type type) noexcept;
  void begin_frame() noexcept { frame_open_ = true; }
  // What is still to come of the frame.
  struct rest_of_frame {
    std::uint64_t expected;  // bytes, at least one
    std::size_t available;   // of these, here by now
    bool ends_message;
  };
  // Room for a part of them: at least one byte, at most so many. `chunk` is the first size of a buffer whose message
  // may be longer than what is known of it. Throws std::bad_alloc.
  std::span<std::byte> room(const rest_of_frame& rest, std::size_t chunk);
  void wrote(std::size_t count) noexcept;
  // Adds a copy of bytes to a message whose length is not known, and that has at most so many in all. `last`: nothing
  // more is expected. Throws std::bad_alloc.
  void append(std::span<const std::byte> bytes, std::uint64_t most, bool last);
  // Throws std::bad_alloc.
  void end_frame(bool final_frame);

  // ----- Reading

  bool has_message() const noexcept { return first_ready_ < ready_.size(); }
  // The oldest whole message, or what is left of it. Only when there is one.
  message take_message() noexcept;

  struct piece {
    std::size_t count = 0;
    message_type type = message_type::binary;
    bool done = false;  // the frame has ended, or the buffer is full
    bool ends_message = false;
  };
  // Copies from the oldest frame to `into`. Not done: the rest of the frame has not arrived. Empty-handed (none) when
  // no frame has begun.
  std::optional<piece> read(std::span<std::byte> into) noexcept;
  // Everything that arrived was read, and a frame is arriving: its bytes can go to the reader without detour.
  bool drained_within_frame() const noexcept;
  message_type type_of_current() const noexcept { return current_.type; }

  // What is held, with an estimate of what holding it costs.
  std::size_t held_bytes() const noexcept { return held_; }
  void clear() noexcept;

 private:
  struct incoming {
    base::buffer_ref buffer;
    std::size_t size = 0;
    std::size_t taken = 0;
    std::unique_ptr<std::vector<std::size_t>> frame_ends;  // only for several frames
    std::size_t frames_read = 0;                           // so many of frame_ends have been passed
    message_type type = message_type::binary;
    bool complete = false;
    bool begun = false;

    bool has_frame_end() const noexcept { return frame_ends && frames_read < frame_ends->size(); }
    // What it costs beside its bytes, about.
    std::size_t overhead() const noexcept {
      constexpr std::size_t itself = 128;
      return itself + (frame_ends ? frame_ends->size() * cost_of_frame_end : 0);
    }
  };
  // In a vector that doubles as it grows.
  static constexpr std::size_t cost_of_frame_end = 2 * sizeof(std::size_t);

  std::size_t growth(const rest_of_frame& rest, std::size_t chunk) const noexcept;
  std::size_t capacity() const noexcept;
  void grow(std::size_t by);
  void pop_front() noexcept;
  void drop_received();

  std::vector<incoming> ready_;
  incoming current_;
  std::size_t held_ = 0;
  std::uint32_t first_ready_ = 0;  // enough: what is held is bounded, and each message holds more than its index needs
  bool frame_open_ = false;
};

}  // namespace windhover
