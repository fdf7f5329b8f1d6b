#include "http/file_store.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <unistd.h>

#include "base/system_error.hpp"

namespace windhover::http {

file_descriptor::~file_descriptor() {
  if (value_ >= 0) ::close(value_);
}

std::size_t stored_file::read(std::uint64_t offset, std::span<std::byte> into) const {
  if (!descriptor_) {
    const std::string_view rest = content_.substr(std::min<std::uint64_t>(offset, content_.size()));
    const std::size_t count = std::min(rest.size(), into.size());
    std::memcpy(into.data(), rest.data(), count);
    return count;
  }
  for (;;) {
    const ssize_t count = ::pread(descriptor_.get(), into.data(), into.size(), static_cast<off_t>(offset));
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) base::throw_system_error(errno, "a static file could not be read");
  }
}

}  // namespace windhover::http
