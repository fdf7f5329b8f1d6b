#include "http/folder_files.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <string_view>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/system_error.hpp"

namespace windhover::http {
namespace {

// A name pipe would wait for its other end without O_NONBLOCK; regular files know no difference.
constexpr int to_read = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
constexpr int to_pass = O_PATH | O_DIRECTORY | O_CLOEXEC;

file_descriptor open_folder(const std::string& path) { return file_descriptor(::open(path.c_str(), to_pass)); }

// glibc has no function for it.
int open_beneath(int folder, const char* path, int flags) {
  struct open_how how = {};
  how.flags = static_cast<__u64>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: something was renamed meanwhile, and the kernel cannot tell whether the path led outside for a moment.
  constexpr int attempts = 8;
  for (int attempt = 1;; ++attempt) {
    const long opened = ::syscall(SYS_openat2, folder, path, &how, sizeof how);
    if (opened >= 0 || attempt == attempts || (errno != EAGAIN && errno != EINTR)) return static_cast<int>(opened);
  }
}

// Opens each segment by itself; a link is no folder and cannot be opened either, so none is followed. Nothing climbs.
int open_step_by_step(int root, std::string_view path, int flags) {
  file_descriptor folder;
  for (;;) {
    const std::size_t slash = path.find('/');
    const int within = folder ? folder.get() : root;
    const std::string segment(path.substr(0, slash));
    if (segment == "..") {
      errno = EXDEV;
      return -1;
    }
    if (slash == std::string_view::npos) return ::openat(within, segment.c_str(), flags | O_NOFOLLOW);
    folder = file_descriptor(::openat(within, segment.c_str(), to_pass | O_NOFOLLOW));
    if (!folder) return -1;
    path.remove_prefix(slash + 1);
  }
}

folder_files::resolution best_resolution(const std::string& root) {
  const file_descriptor folder = open_folder(root);
  const file_descriptor tried(open_beneath(folder.get(), ".", to_pass));
  return tried ? folder_files::resolution::beneath : folder_files::resolution::step_by_step;
}

// Out of something that has nothing to do with the path.
bool is_trouble(int error) { return error == EMFILE || error == ENFILE || error == ENOMEM || error == EIO; }

// Of the time at which it was written, in nanoseconds, and its size: strong as far as file systems' clocks tell writes
// apart.
std::string entity_tag_of(const struct stat& file) {
  constexpr std::uint64_t second = 1'000'000'000;
  const auto written =
      static_cast<std::uint64_t>(file.st_mtim.tv_sec) * second + static_cast<std::uint64_t>(file.st_mtim.tv_nsec);
  const auto hexadecimal = [](std::uint64_t number) {
    std::array<char, 16> digits;
    return std::string(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr);
  };
  return '"' + hexadecimal(written) + '-' + hexadecimal(static_cast<std::uint64_t>(file.st_size)) + '"';
}

}  // namespace

folder_files::folder_files(const std::string& root) : folder_files(root, best_resolution(root)) {}

folder_files::folder_files(const std::string& root, resolution how)
    : root_(std::filesystem::absolute(root).string()), how_(how) {
  if (!open_folder(root_)) base::throw_system_error(errno, "the folder '" + root_ + "' of static files");
}

file_descriptor folder_files::resolve(const std::string& path, int flags) const {
  file_descriptor root = open_folder(root_);
  if (root && path.empty()) return root;
  if (root) {
    file_descriptor opened(how_ == resolution::beneath ? open_beneath(root.get(), path.c_str(), flags)
                                                       : open_step_by_step(root.get(), path, flags));
    if (opened) return opened;
  }
  if (is_trouble(errno)) base::throw_system_error(errno, "the static file '" + path + "'");
  return {};
}

std::optional<stored_file> folder_files::open(const std::string& path) const {
  if (path.empty()) return std::nullopt;
  file_descriptor opened = resolve(path, to_read);
  struct stat file = {};
  if (!opened || ::fstat(opened.get(), &file) != 0 || !S_ISREG(file.st_mode)) return std::nullopt;
  validators state{entity_tag_of(file), std::chrono::sys_seconds(std::chrono::seconds(file.st_mtim.tv_sec))};
  return stored_file(std::move(opened), static_cast<std::uint64_t>(file.st_size), std::move(state));
}

bool folder_files::has_folder(const std::string& path) const { return static_cast<bool>(resolve(path, to_pass)); }

}  // namespace windhover::http
