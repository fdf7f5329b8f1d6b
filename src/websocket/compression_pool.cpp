#include "websocket/compression_pool.hpp"

namespace windhover {

std::shared_ptr<compression_pool> compression_pool::of_this_thread() {
  static thread_local std::weak_ptr<compression_pool> existing;
  std::shared_ptr<compression_pool> pool = existing.lock();
  if (!pool) {
    pool = std::make_shared<compression_pool>();
    pool->inflaters_.reserve(kept_inflaters);
    existing = pool;
  }
  return pool;
}

wire::deflater& compression_pool::fresh_deflater(int window_bits) {
  auto& deflater = deflaters_[static_cast<std::size_t>(window_bits - smallest_window)];
  if (!deflater) deflater = std::make_unique<wire::deflater>(window_bits, false);
  // What one connection sends must not come out of another one's window.
  deflater->reset();
  return *deflater;
}

std::unique_ptr<wire::inflater> compression_pool::lend_inflater() {
  if (inflaters_.empty()) return std::make_unique<wire::inflater>(largest_window, false);
  std::unique_ptr<wire::inflater> lent = std::move(inflaters_.back());
  inflaters_.pop_back();
  return lent;
}

void compression_pool::take_back(std::unique_ptr<wire::inflater> used) noexcept {
  if (inflaters_.size() < kept_inflaters) inflaters_.push_back(std::move(used));
}

compression_pool::reservation compression_pool::reserve(const std::shared_ptr<compression_pool>& from, std::size_t size,
                                                        std::size_t limit) noexcept {
  if (size > limit || from->reserved_ > limit - size) return {};
  from->reserved_ += size;
  return {from, size};
}

}  // namespace windhover
