#include "load/process_watch.hpp"

#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include <sys/resource.h>

namespace windhover::load {
namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::optional<std::uint64_t> first_number(std::string_view text) {
  const std::size_t start = text.find_first_of("0123456789");
  if (start == std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  std::from_chars(text.data() + start, text.data() + text.size(), number);
  return number;
}

}  // namespace

std::optional<process_usage> usage_of(int process) {
  const std::filesystem::path folder = "/proc/" + std::to_string(process);
  process_usage found;
  std::error_code error;
  // Nanoseconds, of each thread; /proc/<pid>/stat counts in hundredths of a second.
  std::filesystem::directory_iterator thread(folder / "task", error);
  for (; !error && thread != std::filesystem::directory_iterator(); thread.increment(error)) {
    if (const auto nanoseconds = first_number(text_of(thread->path() / "schedstat"))) {
      found.cpu += std::chrono::nanoseconds(*nanoseconds);
    }
  }
  // /proc/<pid>/statm is read faster, but lags behind by some pages for each thread.
  const std::string memory = text_of(folder / "smaps_rollup");
  const std::size_t line = memory.find("Rss:");
  if (error || line == std::string::npos) return std::nullopt;
  const auto kibibytes = first_number(std::string_view(memory).substr(line));
  if (!kibibytes) return std::nullopt;
  found.resident = *kibibytes * 1024;
  return found;
}

net::duration cpu_of_this_thread() noexcept {
  rusage used{};
  ::getrusage(RUSAGE_THREAD, &used);
  const auto time = [](const timeval& of) {
    return std::chrono::seconds(of.tv_sec) + std::chrono::microseconds(of.tv_usec);
  };
  return time(used.ru_utime) + time(used.ru_stime);
}

}  // namespace windhover::load
