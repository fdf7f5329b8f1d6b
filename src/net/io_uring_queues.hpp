// The two queues of an io_uring: what one thread asks the kernel for, and what the kernel says has happened.
#pragma once

#include <cstdint>
#include <vector>

#include <liburing.h>

namespace windhover::net {

// What the kernel says about one operation.
struct completion {
  std::uint64_t data;  // that the operation was given
  int result;
  std::uint32_t flags;
};

class io_uring_queues {
 public:
  // In entries; the kernel rounds up to a power of two.
  struct sizes {
    unsigned operations = 4096;
    unsigned completions = 32768;
  };

  // `tells_of_work`: look() finds out without a system call that there is nothing. Throws std::system_error.
  explicit io_uring_queues(bool tells_of_work = false) : io_uring_queues(tells_of_work, sizes()) {}
  io_uring_queues(bool tells_of_work, const sizes& room);
  io_uring_queues(const io_uring_queues&) = delete;
  io_uring_queues& operator=(const io_uring_queues&) = delete;
  ~io_uring_queues() { io_uring_queue_exit(&ring_); }

  io_uring& ring() noexcept { return ring_; }

  // Before the first use: from now on the queues belong to the thread that calls this. Throws std::system_error.
  void enable();

  // The next operation, to be prepared. It is handed over by the next call of one of the functions below.
  io_uring_sqe* operation() noexcept;

  // Hands over what has been prepared, and takes out what has happened. An operation that ends while it is handed over,
  // such as a send that does not wait, has told so when this returns.
  void submit() noexcept;
  // The same, but waits until something has happened.
  void submit_and_wait() noexcept;
  // The same as submit(), but asks the kernel only where there is something to hand over or to take out. True when
  // something has happened.
  bool look() noexcept;

  // What has happened and was not taken yet. Every call above may add to it.
  std::vector<completion>& completions() noexcept { return completions_; }

 private:
  void collect() noexcept;
  bool is_behind() const noexcept;

  io_uring ring_{};
  std::vector<completion> completions_;
};

}  // namespace windhover::net
