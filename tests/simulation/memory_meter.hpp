// Counts what operator new gives and operator delete takes back, and lets one allocation fail. Programs that link
// memory_meter.cpp have these operators replaced.
#pragma once

#include <cstdint>

namespace windhover::simulation {

class memory_meter {
 public:
  // Blocks that were allocated while metered and not released, on all threads.
  static std::int64_t live_blocks() noexcept;
  // Allocations of this thread so far, while metered.
  static std::uint64_t allocations() noexcept;
  // The n-th allocation of this thread from now on throws std::bad_alloc, 1 being the next one; 0: none does.
  static void fail_allocation(std::uint64_t n) noexcept;
  // Whether it has come to that.
  static bool has_failed() noexcept;

  // Metered is only what happens on a thread while one of these lives there, and none of the next.
  class metered {
   public:
    metered() noexcept;
    metered(const metered&) = delete;
    metered& operator=(const metered&) = delete;
    ~metered();
  };
  // The bookkeeping of the test: neither counted nor failing.
  class unmetered {
   public:
    unmetered() noexcept;
    unmetered(const unmetered&) = delete;
    unmetered& operator=(const unmetered&) = delete;
    ~unmetered();

   private:
    bool before_;
  };
};

}  // namespace windhover::simulation
