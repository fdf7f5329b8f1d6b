// Per-thread free lists for the short-lived memory of the data path: coroutine frames and message buffers.
//
// A block belongs to no thread: whoever releases it keeps it in its own lists, up to a bound per size class, so memory
// may be released anywhere and nothing has to outlive anything. Under AddressSanitizer every call goes to the
// allocator, so that use after release is seen.
#pragma once

#include <cstddef>

namespace windhover::base {

// The size that a block of at least `size` bytes really has. Pass this or `size` to pool_release.
std::size_t pool_block_size(std::size_t size) noexcept;

// At least `size` bytes, aligned for any type. Throws std::bad_alloc.
void* pool_allocate(std::size_t size);

// `size` is what pool_allocate was given, or the block size of that.
void pool_release(void* block, std::size_t size) noexcept;

}  // namespace windhover::base
