// The receive ring of the io_uring engine: buffers that the kernel fills in order, shared by all connections of a loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <liburing.h>

namespace windhover::net {

// Thread: that of the ring's loop.
class receive_ring {
 public:
  struct geometry {
    unsigned count;    // a power of two
    std::size_t size;  // bytes of each
  };

  // `incremental`: the kernel fills a buffer piece by piece. Throws std::system_error, std::bad_alloc.
  receive_ring(io_uring& ring, const geometry& shape, bool incremental);
  receive_ring(const receive_ring&) = delete;
  receive_ring& operator=(const receive_ring&) = delete;
  ~receive_ring();

  static constexpr std::uint16_t group = 1;  // of buffers, for the operations that use it

  // The bytes of a completion. They stay until finish() is called with the same arguments.
  std::span<const std::byte> bytes(std::uint32_t flags, std::size_t count) const noexcept;
  void finish(std::uint32_t flags, std::size_t count) noexcept;

  // Gives the buffers that are finished back to the kernel.
  void publish() noexcept;

  std::size_t size() const noexcept { return shape_.count * shape_.size; }

 private:
  void give_back(std::uint16_t id) noexcept;
  void release() noexcept;

  geometry shape_;
  std::size_t entries_size_ = 0;
  io_uring_buf_ring* entries_ = nullptr;
  std::byte* bytes_ = nullptr;
  std::vector<std::size_t> used_;  // of each buffer, by what was received so far
  int returned_ = 0;
  bool incremental_;
};

}  // namespace windhover::net
