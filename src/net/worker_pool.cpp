#include "net/worker_pool.hpp"

#include <condition_variable>
#include <list>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "net/event_loop.hpp"
#include <windhover/run_blocking.hpp>

namespace windhover::net {

struct worker_pool::shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::list<std::function<void()>> queue;
  std::size_t idle = 0;
  bool ending = false;

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      ++idle;
      changed.wait(lock, [this] { return ending || !queue.empty(); });
      --idle;
      if (queue.empty()) return;
      std::function<void()> work = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      work();
      work = nullptr;
      lock.lock();
    }
  }
};

worker_pool::worker_pool(options with) : options_(with), shared_(std::make_shared<shared>()) {}

worker_pool::~worker_pool() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->ending = true;
  }
  shared_->changed.notify_all();
  for (std::thread& each : threads_) each.join();
}

void worker_pool::let_go() noexcept {
  std::list<std::function<void()>> dropped;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->ending = true;
    dropped.swap(shared_->queue);
    for (std::thread& each : threads_) each.detach();
    threads_.clear();
  }
  shared_->changed.notify_all();
}

bool worker_pool::post(std::function<void()> work) {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->ending || shared_->queue.size() >= options_.queue) return false;
  if (shared_->idle <= shared_->queue.size() && threads_.size() < options_.threads) {
    threads_.emplace_back([held = shared_] { held->run(); });
  }
  shared_->queue.push_back(std::move(work));
  shared_->changed.notify_one();
  return true;
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
