// Threads for work that blocks. The queue is bounded; the threads are started when there is first something to do.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace windhover::net {

class worker_pool {
 public:
  struct options {
    std::size_t threads = 4;
    std::size_t queue = 4096;
  };

  explicit worker_pool(options with);
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;
  // Waits for the work that has begun and for what is queued.
  ~worker_pool();

  // Any thread. False when the queue is full or the pool is ending. Throws std::system_error when no thread can be had.
  bool post(std::function<void()> work);
  // Instead of waiting in the destructor: takes no more, drops what is queued, and leaves the threads to what they are
  // doing, which must refer to nothing that goes away. For when nobody waits for it any more.
  void let_go() noexcept;

 private:
  struct shared;  // the threads', too, so that they may outlive the pool

  options options_;
  std::shared_ptr<shared> shared_;
  std::vector<std::thread> threads_;  // under the mutex of `shared`
};

}  // namespace windhover::net
