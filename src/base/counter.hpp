// A number that one thread counts and any thread may read, at the price of a plain addition.
#pragma once

#include <atomic>
#include <cstdint>

namespace windhover::base {

class counter {
 public:
  // Always the same thread.
  void add(std::uint64_t more) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t less) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) - less, std::memory_order_relaxed);
  }
  counter& operator++() noexcept {
    add(1);
    return *this;
  }
  counter& operator--() noexcept {
    subtract(1);
    return *this;
  }
  // Any thread: what it was a moment ago.
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace windhover::base
