#include "hosting/open_file_limit.hpp"

#include <algorithm>

#include <sys/resource.h>

namespace windhover::hosting {

std::uint64_t raise_open_file_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  if (limit.rlim_cur != limit.rlim_max && ::setrlimit(RLIMIT_NOFILE, &raised) == 0) return raised.rlim_cur;
  return limit.rlim_cur;
}

std::uint64_t open_file_limit() noexcept {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

namespace {

std::uint64_t reserved_of(std::uint64_t open_files) noexcept {
  return std::min(open_files / 4, std::max<std::uint64_t>(1024, open_files / 16));
}

}  // namespace

std::uint64_t connections_within(std::uint64_t open_files) noexcept { return open_files - reserved_of(open_files); }

std::uint64_t static_files_within(std::uint64_t open_files) noexcept { return reserved_of(open_files) / 2; }

}  // namespace windhover::hosting
