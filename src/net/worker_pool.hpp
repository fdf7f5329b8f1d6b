// Threads for work that blocks. The queue is bounded; the threads are started when there is first something to do.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace windhover::net {

class worker_pool {
 public:
  struct options {
    std::size_t threads = 4;
    std::size_t queue = 4096;
  };

  explicit worker_pool(options with) : options_(with) {}
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;
  // Waits for the work that has begun and for what is queued.
  ~worker_pool();

  // Any thread. False when the queue is full or the pool is ending. Throws std::system_error when no thread can be had.
  bool post(std::function<void()> work);

 private:
  void run();

  options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  std::size_t idle_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace windhover::net
