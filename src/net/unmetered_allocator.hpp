// Memory of the simulation itself. It comes from malloc and not from operator new, so that a test which counts the
// allocations of the code under test, or lets one of them fail, does not meet those of the world around it.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

namespace windhover::net {

template <class T>
struct unmetered_allocator {
  using value_type = T;

  unmetered_allocator() noexcept = default;
  template <class Other>
  unmetered_allocator(const unmetered_allocator<Other>&) noexcept {}  // NOLINT(google-explicit-constructor): as it must

  T* allocate(std::size_t count) {
    // NOLINTNEXTLINE(bugprone-sizeof-expression): of pointers as well
    if (void* const block = std::malloc(count * sizeof(T))) return static_cast<T*>(block);
    throw std::bad_alloc();
  }
  void deallocate(T* block, std::size_t) noexcept { std::free(block); }

  friend bool operator==(const unmetered_allocator&, const unmetered_allocator&) noexcept { return true; }
};

}  // namespace windhover::net
