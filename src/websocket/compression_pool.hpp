// What the WebSockets of one event loop share for permessage-deflate: compressors for those that keep no context, and
// the account of the memory that the others keep.
//
// It belongs to a thread, as the loop does, and goes with the last socket that has negotiated compression.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "wire/websocket/deflate.hpp"

namespace windhover {

// Thread: that of the loop.
class compression_pool {
 public:
  // The thread's. Throws std::bad_alloc.
  static std::shared_ptr<compression_pool> of_this_thread();

  // A compressor that knows nothing, until the next call of anybody.
  wire::deflater& fresh_deflater(int window_bits);

  // An inflater for one message, with the largest window, which serves every smaller one. Throws std::bad_alloc.
  std::unique_ptr<wire::inflater> lend_inflater();
  // When the message has ended.
  void take_back(std::unique_ptr<wire::inflater> used) noexcept;

  // Room for what inflating gives, and for what deflating gives: until the next call of anybody.
  std::span<std::byte> room_for_inflated() noexcept { return inflated_; }
  std::vector<std::byte>& room_for_deflated() noexcept { return deflated_; }
  // What the latter begins with and keeps. A large message needs more while it is compressed.
  static constexpr std::size_t kept_room = std::size_t{16} << 10;
  void trim_room() noexcept {
    if (deflated_.size() > kept_room) std::vector<std::byte>().swap(deflated_);
  }

  // Memory that one socket keeps between messages, counted as long as this object lives.
  class reservation {
   public:
    reservation() noexcept = default;
    reservation(reservation&& other) noexcept
        : from_(std::move(other.from_)), size_(std::exchange(other.size_, std::size_t{0})) {}
    reservation& operator=(reservation&& other) noexcept {
      std::swap(from_, other.from_);
      std::swap(size_, other.size_);
      return *this;
    }
    ~reservation() {
      if (from_) from_->reserved_ -= size_;
    }
    explicit operator bool() const noexcept { return from_ != nullptr; }

   private:
    friend class compression_pool;
    reservation(std::shared_ptr<compression_pool> from, std::size_t size) noexcept
        : from_(std::move(from)), size_(size) {}
    std::shared_ptr<compression_pool> from_;
    std::size_t size_ = 0;
  };
  // None when all that is reserved on this thread would be more than `limit` bytes with it.
  static reservation reserve(const std::shared_ptr<compression_pool>& from, std::size_t size,
                             std::size_t limit) noexcept;
  std::size_t reserved() const noexcept { return reserved_; }

 private:
  static constexpr int smallest_window = 9;
  static constexpr int largest_window = 15;
  // So many inflaters wait for the next message; more only live while messages are arriving.
  static constexpr std::size_t kept_inflaters = 4;

  std::array<std::unique_ptr<wire::deflater>, largest_window - smallest_window + 1> deflaters_;
  std::vector<std::unique_ptr<wire::inflater>> inflaters_;
  std::array<std::byte, kept_room> inflated_;
  std::vector<std::byte> deflated_;
  std::size_t reserved_ = 0;
};

}  // namespace windhover
