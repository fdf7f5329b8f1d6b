// Random bytes from the kernel, through getrandom.
#include "base/random.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>

#include <sys/random.h>

namespace windhover::base {
namespace {

// getrandom fails only where the kernel has no such call. To go on with bytes that somebody can guess would be worse
// than to stop.
void fill_from_kernel(std::span<std::byte> bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t count = getrandom(bytes.data(), bytes.size(), 0);
    if (count > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      std::terminate();
    }
  }
}

}  // namespace

void system_random_source::fill(std::span<std::byte> bytes) noexcept {
  if (bytes.size() > block_.size()) {
    fill_from_kernel(bytes);
    return;
  }
  if (bytes.size() > left_) {
    fill_from_kernel(block_);
    left_ = block_.size();
  }
  const auto given = std::span(block_).last(left_).first(bytes.size());
  std::copy(given.begin(), given.end(), bytes.begin());
  std::fill(given.begin(), given.end(), std::byte{0});  // what was given out is nobody else's
  left_ -= bytes.size();
}

}  // namespace windhover::base
