#include "net/io_uring_queues.hpp"

#include <cerrno>

#include <sys/syscall.h>
#include <unistd.h>

#include "base/system_error.hpp"
#include "net/busy_polling.hpp"

namespace windhover::net {
namespace {

constexpr unsigned submission_entries = 4096;
constexpr unsigned completion_entries = 32768;

io_uring_params ring_parameters(bool tells_of_work) noexcept {
  io_uring_params parameters{};
  // Created disabled, so that the thread that first turns the loop becomes the single issuer.
  parameters.flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_SINGLE_ISSUER |
                     IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED;
  // Completions are made by a thread that enters the kernel for them. This says in shared memory that there are some to
  // be made, so that one can look without a system call.
  if (tells_of_work) parameters.flags |= IORING_SETUP_TASKRUN_FLAG;
  parameters.cq_entries = completion_entries;
  return parameters;
}

}  // namespace

io_uring_queues::io_uring_queues(bool tells_of_work) {
  io_uring_params parameters = ring_parameters(tells_of_work);
  const int error = io_uring_queue_init_params(submission_entries, &ring_, &parameters);
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

// The kernel takes no more while completions overflow, so those are taken out in between.
void io_uring_queues::submit() noexcept {
  do {
    io_uring_submit_and_get_events(&ring_);
    collect();
  } while (io_uring_sq_ready(&ring_) > 0);
}

void io_uring_queues::submit_and_wait() noexcept {
  io_uring_submit_and_wait(&ring_, 1);
  collect();
  if (io_uring_sq_ready(&ring_) > 0) submit();
}

bool io_uring_queues::look() noexcept {
  if (io_uring_sq_ready(&ring_) > 0) {
    submit();
  } else if (io_uring_cq_ready(&ring_) > 0 ||
             (IO_URING_READ_ONCE(*ring_.sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0) {
    io_uring_get_events(&ring_);
    collect();
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
