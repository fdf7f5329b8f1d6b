// What the copies of a prepared_message share: its frame, and the same compressed, once for each size of window.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "base/buffer.hpp"
#include <windhover/message.hpp>

namespace windhover {

class prepared_frames {
 public:
  struct frame {
    base::buffer_ref owner;
    std::size_t header_size = 0;
    std::size_t payload_size = 0;

    base::slice whole() const noexcept { return {owner, owner->data(), header_size + payload_size}; }
    std::span<const std::byte> payload() const noexcept { return {owner->data() + header_size, payload_size}; }
  };

  // Throws std::bad_alloc.
  prepared_frames(message_type type, std::span<const std::byte> payload, disable_compression compression);
  prepared_frames(const prepared_frames&) = delete;
  prepared_frames& operator=(const prepared_frames&) = delete;
  ~prepared_frames();

  message_type type() const noexcept { return type_; }
  disable_compression compression() const noexcept { return compression_; }
  const frame& plain() const noexcept { return plain_; }

  // Any thread. The frame whose payload was compressed with that window; the plain one when it does not get smaller.
  // The first call makes it: deflate() gives the compressed payload. When two threads do so at once, one frame stays.
  // Throws what deflate() throws, and std::bad_alloc.
  template <class Deflate>
  const frame& compressed(int window_bits, Deflate&& deflate) const {
    std::atomic<const frame*>& place = compressed_[static_cast<std::size_t>(window_bits - smallest_window)];
    const frame* made = place.load(std::memory_order_acquire);
    return made != nullptr ? *made : keep(place, deflate());
  }

 private:
  static constexpr int smallest_window = 9;  // of zlib's compressor
  static constexpr int largest_window = 15;

  static frame encode(message_type type, std::span<const std::byte> payload, bool compressed);
  const frame& keep(std::atomic<const frame*>& place, std::span<const std::byte> deflated) const;

  message_type type_;
  disable_compression compression_;
  frame plain_;
  mutable std::array<std::atomic<const frame*>, largest_window - smallest_window + 1> compressed_{};
};

}  // namespace windhover
