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

std::uint64_t connections_within(std::uint64_t open_files) noexcept {
  constexpr std::uint64_t most_reserved = 1024;
  return open_files - std::min(open_files / 4, most_reserved);
}

}  // namespace windhover::hosting
