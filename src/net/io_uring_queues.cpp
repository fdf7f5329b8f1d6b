#include "net/io_uring_queues.hpp"

#include <bit>
#include <cerrno>

#include <sys/syscall.h>
#include <unistd.h>

#include "base/system_error.hpp"
#include "net/busy_polling.hpp"

namespace windhover::net {
namespace {

io_uring_params ring_parameters(bool tells_of_work, unsigned completions) noexcept {
  io_uring_params parameters{};
  // Created disabled, so that the thread that first turns the loop becomes the single issuer.
  parameters.flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_SINGLE_ISSUER |
                     IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED;
  // Completions are made by a thread that enters the kernel for them. This says in shared memory that there are some to
  // be made, so that one can look without a system call.
  if (tells_of_work) parameters.flags |= IORING_SETUP_TASKRUN_FLAG;
  parameters.cq_entries = completions;
  return parameters;
}

}  // namespace

io_uring_queues::io_uring_queues(bool tells_of_work, const sizes& room) {
  // As many as the kernel has room for. Taking them out needs memory only where a turn has more than that, and lacks it
  // only where there is none: a completion that is lost would be a send that is taken for sent.
  completions_.reserve(std::bit_ceil(room.completions));
  io_uring_params parameters = ring_parameters(tells_of_work, room.completions);
  const int error = io_uring_queue_init_params(room.operations, &ring_, &parameters);
  if (error != 0) base::throw_system_error(-error, "io_uring: setting up the ring");
}

void io_uring_queues::enable() {
  // liburing 2.3 declares io_uring_enable_rings, but Debian's library does not export it.
  if (::syscall(__NR_io_uring_register, ring_.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0) != 0) {
    base::throw_system_error(errno, "io_uring: enabling the ring");
  }
  io_uring_register_ring_fd(&ring_);
}

io_uring_sqe* io_uring_queues::operation() noexcept {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  while (entry == nullptr) {
    submit();
    entry = io_uring_get_sqe(&ring_);
  }
  return entry;
}

// Operations that were not handed over, because completions overflow, or completions that the kernel still keeps: the
// ones that matter may be the last of them.
bool io_uring_queues::is_behind() const noexcept {
  return io_uring_sq_ready(&ring_) > 0 || (IO_URING_READ_ONCE(*ring_.sq.kflags) & IORING_SQ_CQ_OVERFLOW) != 0;
}

void io_uring_queues::submit() noexcept {
  do {
    io_uring_submit_and_get_events(&ring_);
    collect();
  } while (is_behind());
}

void io_uring_queues::submit_and_wait() noexcept {
  io_uring_submit_and_wait(&ring_, 1);
  collect();
  if (is_behind()) submit();
}

bool io_uring_queues::look() noexcept {
  const bool has_work = (IO_URING_READ_ONCE(*ring_.sq.kflags) & IORING_SQ_TASKRUN) != 0;
  if (has_work || is_behind() || io_uring_cq_ready(&ring_) > 0) {
    submit();
  } else {
    busy_polling::relax();
  }
  return !completions_.empty();
}

void io_uring_queues::collect() noexcept {
  unsigned head = 0;
  unsigned count = 0;
  io_uring_cqe* each = nullptr;
  io_uring_for_each_cqe(&ring_, head, each) {
    completions_.push_back({each->user_data, each->res, each->flags});
    ++count;
  }
  io_uring_cq_advance(&ring_, count);
}

}  // namespace windhover::net
