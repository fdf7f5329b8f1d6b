#include "net/worker_pool.hpp"

#include <stdexcept>
#include <utility>

#include "net/event_loop.hpp"
#include <windhover/run_blocking.hpp>

namespace windhover::net {

worker_pool::~worker_pool() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  for (std::thread& each : threads_) each.join();
}

bool worker_pool::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (ending_ || queue_.size() >= options_.queue) return false;
  if (idle_ <= queue_.size() && threads_.size() < options_.threads) threads_.emplace_back([this] { run(); });
  queue_.push_back(std::move(work));
  changed_.notify_one();
  return true;
}

void worker_pool::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) return;
    std::function<void()> work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
  }
}

}  // namespace windhover::net

namespace windhover {

void post_to_worker_pool(std::function<void()> work) {
  net::worker_pool* const pool = net::event_loop::required("run_blocking").workers();
  if (pool == nullptr) return work();
  if (!pool->post(std::move(work))) {
    throw std::runtime_error("run_blocking: the queue of the worker pool is full; too much blocking work is under way");
  }
}

}  // namespace windhover
