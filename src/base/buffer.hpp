// Reference-counted bytes, and slices of them: what travels between a handler, the protocol layers and the kernel.
//
// A buffer is written by whoever allocated it while nobody else refers to it; from the first shared slice on it is
// read-only. Counts are atomic: the last reference may be dropped on any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <utility>

#include "base/memory_pool.hpp"

namespace windhover::base {

// The head of one pool block; the bytes follow it.
class buffer {
 public:
  buffer(const buffer&) = delete;
  buffer& operator=(const buffer&) = delete;

  // A buffer of at least `capacity` bytes, with one reference that the caller owns. Throws std::bad_alloc.
  static buffer* allocate(std::size_t capacity) {
    const pool_block block = pool_allocate_block(sizeof(buffer) + capacity);
    return ::new (block.memory) buffer(block.size - sizeof(buffer));
  }

  std::byte* data() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
  const std::byte* data() const noexcept { return reinterpret_cast<const std::byte*>(this + 1); }
  std::size_t capacity() const noexcept { return capacity_; }
  bool unique() const noexcept { return references_.load(std::memory_order_acquire) == 1; }

  void acquire() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    // The only holder needs no atomic write: nobody else can reach the buffer.
    if (unique() || references_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
  }

 private:
  explicit buffer(std::size_t capacity) noexcept : capacity_(capacity) {}
  ~buffer() = default;
  void destroy() noexcept {
    const std::size_t size = sizeof(buffer) + capacity_;
    this->~buffer();
    pool_release(this, size);
  }

  std::atomic<std::uint32_t> references_{1};
  std::size_t capacity_;
};

// One counted reference.
class buffer_ref {
 public:
  buffer_ref() noexcept = default;
  // Takes over a reference that the caller owns.
  explicit buffer_ref(buffer* owned) noexcept : buffer_(owned) {}
  buffer_ref(const buffer_ref& other) noexcept : buffer_(other.buffer_) {
    if (buffer_ != nullptr) buffer_->acquire();
  }
  buffer_ref(buffer_ref&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  buffer_ref& operator=(buffer_ref other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  ~buffer_ref() {
    if (buffer_ != nullptr) buffer_->release();
  }

  static buffer_ref allocate(std::size_t capacity) { return buffer_ref(buffer::allocate(capacity)); }

  explicit operator bool() const noexcept { return buffer_ != nullptr; }
  buffer* operator->() const noexcept { return buffer_; }
  buffer* get() const noexcept { return buffer_; }
  // Gives the reference away.
  buffer* detach() noexcept { return std::exchange(buffer_, nullptr); }

 private:
  buffer* buffer_ = nullptr;
};

// Some bytes and what keeps them. Without an owner the bytes are static.
struct slice {
  buffer_ref owner;
  const std::byte* data = nullptr;
  std::size_t size = 0;

  std::span<const std::byte> bytes() const noexcept { return {data, size}; }
};

// A slice that owns a copy of `bytes`.
slice copy_of(std::span<const std::byte> bytes);

}  // namespace windhover::base
