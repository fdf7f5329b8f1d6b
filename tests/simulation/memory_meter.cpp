#include "memory_meter.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace windhover::simulation {
namespace {

std::atomic<std::int64_t> live{0};
thread_local bool is_metered = false;
thread_local std::uint64_t made = 0;
thread_local std::uint64_t fails_at = 0;

// In front of every block: whether it counts.
struct alignas(std::max_align_t) block_head {
  bool counts;
};

}  // namespace

std::int64_t memory_meter::live_blocks() noexcept { return live.load(); }
std::uint64_t memory_meter::allocations() noexcept { return made; }
void memory_meter::fail_allocation(std::uint64_t n) noexcept { fails_at = n == 0 ? 0 : made + n; }
bool memory_meter::has_failed() noexcept { return fails_at != 0 && made >= fails_at; }

memory_meter::metered::metered() noexcept { is_metered = true; }
memory_meter::metered::~metered() { is_metered = false; }
memory_meter::unmetered::unmetered() noexcept : before_(std::exchange(is_metered, false)) {}
memory_meter::unmetered::~unmetered() { is_metered = before_; }

namespace {

void* allocate(std::size_t size) {
  const bool counts = is_metered;
  if (counts && ++made == fails_at) throw std::bad_alloc();
  void* const block = std::malloc(sizeof(block_head) + size);
  if (block == nullptr) throw std::bad_alloc();
  if (counts) live.fetch_add(1, std::memory_order_relaxed);
  return ::new (block) block_head{counts} + 1;
}
void release(void* bytes) noexcept {
  if (bytes == nullptr) return;
  block_head* const block = static_cast<block_head*>(bytes) - 1;
  if (block->counts) live.fetch_sub(1, std::memory_order_relaxed);
  std::free(block);
}

}  // namespace
}  // namespace windhover::simulation

void* operator new(std::size_t size) { return windhover::simulation::allocate(size); }
void operator delete(void* block) noexcept { windhover::simulation::release(block); }
void operator delete(void* block, std::size_t) noexcept { windhover::simulation::release(block); }
