#include "net/receive_ring.hpp"

#include <cerrno>

#include <sys/mman.h>

#include "base/system_error.hpp"

namespace windhover::net {
namespace {

// Newer than the header of liburing 2.3; probed at run time.
constexpr std::uint16_t buffer_ring_incremental = 2;      // IOU_PBUF_RING_INC
constexpr std::uint32_t completion_buffer_has_more = 16;  // IORING_CQE_F_BUF_MORE

void* map(std::size_t size) {
  void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) base::throw_system_error(errno, "io_uring: memory for the receive ring");
  return memory;
}

constexpr std::uint16_t id_in(std::uint32_t flags) noexcept {
  return static_cast<std::uint16_t>(flags >> IORING_CQE_BUFFER_SHIFT);
}

}  // namespace

receive_ring::receive_ring(io_uring& ring, const geometry& shape, bool incremental)
    : shape_(shape), used_(shape.count, 0), incremental_(incremental) {
  entries_size_ = sizeof(io_uring_buf) * shape.count;
  try {
    entries_ = static_cast<io_uring_buf_ring*>(map(entries_size_));
    bytes_ = static_cast<std::byte*>(map(size()));
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uint64_t>(entries_);
    registration.ring_entries = shape.count;
    registration.bgid = group;
    registration.pad = incremental ? buffer_ring_incremental : std::uint16_t{0};  // `flags` in newer headers
    const int error = io_uring_register_buf_ring(&ring, &registration, 0);
    if (error != 0) base::throw_system_error(-error, "io_uring: registering the receive ring");
  } catch (...) {
    release();
    throw;
  }
  io_uring_buf_ring_init(entries_);
  for (unsigned id = 0; id < shape.count; ++id) give_back(static_cast<std::uint16_t>(id));
  publish();
}

receive_ring::~receive_ring() { release(); }

void receive_ring::release() noexcept {
  if (bytes_ != nullptr) ::munmap(bytes_, size());
  if (entries_ != nullptr) ::munmap(entries_, entries_size_);
}

std::span<const std::byte> receive_ring::bytes(std::uint32_t flags, std::size_t count) const noexcept {
  const std::uint16_t id = id_in(flags);
  return {bytes_ + id * shape_.size + used_[id], count};
}

void receive_ring::finish(std::uint32_t flags, std::size_t count) noexcept {
  const std::uint16_t id = id_in(flags);
  used_[id] += count;
  if (!incremental_ || (flags & completion_buffer_has_more) == 0) give_back(id);
}

void receive_ring::give_back(std::uint16_t id) noexcept {
  used_[id] = 0;
  io_uring_buf_ring_add(entries_, bytes_ + id * shape_.size, static_cast<unsigned>(shape_.size), id,
                        static_cast<int>(shape_.count - 1), returned_++);
}

void receive_ring::publish() noexcept {
  if (returned_ > 0) io_uring_buf_ring_advance(entries_, returned_);
  returned_ = 0;
}

}  // namespace windhover::net
