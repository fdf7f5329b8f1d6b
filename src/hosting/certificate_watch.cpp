#include "hosting/certificate_watch.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <exception>
#include <set>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/system_error.hpp"

namespace windhover::hosting {
namespace {

using std::chrono::milliseconds;

// A certificate and its key are exchanged one after the other: they are looked at when nothing more happens. In a
// folder in which something happens all the time they are looked at now and then.
constexpr milliseconds quiet{200};
constexpr int most_waits_for_quiet = 10;
constexpr milliseconds unseen_changes{60'000};
constexpr int most_links = 40;  // as many as the kernel follows

// Signals belong to the process: so does the one who is told.
std::atomic<int> told{-1};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler reads it");

void wake(int descriptor) noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(::write(descriptor, &one, sizeof one));
}

extern "C" void windhover_on_reload_signal(int) {
  const int error = errno;
  if (const int descriptor = told.load(std::memory_order_acquire); descriptor >= 0) wake(descriptor);
  errno = error;
}

// A process whose terminal was closed has none any more, and cannot open it.
bool has_controlling_terminal() noexcept {
  const int descriptor = ::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
  if (descriptor < 0) return false;
  ::close(descriptor);
  return true;
}

// The folders in which a file, or a link on the way to it, may be exchanged.
std::set<std::filesystem::path> folders_of(const std::vector<std::filesystem::path>& files) {
  std::set<std::filesystem::path> folders;
  for (std::filesystem::path each : files) {
    for (int links = 0; links < most_links; ++links) {
      const std::filesystem::path folder = each.has_parent_path() ? each.parent_path() : ".";
      folders.insert(folder);
      std::error_code error;
      const std::filesystem::path target = std::filesystem::read_symlink(each, error);
      if (error) break;
      each = folder / target;
    }
  }
  return folders;
}

class folder_watch {
 public:
  explicit folder_watch(const std::vector<std::filesystem::path>& files) noexcept
      : descriptor_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    constexpr std::uint32_t changes = IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB |
                                      IN_DELETE_SELF | IN_MOVE_SELF;
    try {
      for (const std::filesystem::path& each : folders_of(files))
        static_cast<void>(::inotify_add_watch(descriptor_, each.c_str(), changes));
    } catch (const std::exception&) {
      // No memory, or a path that cannot be: what is not watched is looked at now and then.
    }
  }
  folder_watch(const folder_watch&) = delete;
  folder_watch& operator=(const folder_watch&) = delete;
  ~folder_watch() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  // Negative, which poll passes over, when the kernel gives none.
  int descriptor() const noexcept { return descriptor_; }
  void forget_events() const noexcept {
    std::array<char, 4096> events;
    while (::read(descriptor_, events.data(), events.size()) > 0) {
    }
  }

 private:
  int descriptor_;
};

enum class event { files, woken, nothing };

event wait_for(const folder_watch& watch, int wake_descriptor, milliseconds time) noexcept {
  std::array<pollfd, 2> waiting{{{.fd = wake_descriptor, .events = POLLIN, .revents = 0},
                                 {.fd = watch.descriptor(), .events = POLLIN, .revents = 0}}};
  if (::poll(waiting.data(), waiting.size(), static_cast<int>(time.count())) <= 0) return event::nothing;
  if (waiting[0].revents != 0) return event::woken;
  watch.forget_events();
  return event::files;
}

}  // namespace

certificate_watch::certificate_watch(std::vector<std::filesystem::path> files, callbacks tell)
    : files_(std::move(files)), tell_(std::move(tell)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (wake_ < 0) base::throw_system_error(errno, "watching certificates");
  try {
    thread_ = std::thread([this] { run(); });
  } catch (...) {
    ::close(wake_);
    throw;
  }
}

certificate_watch::~certificate_watch() {
  ending_.store(true);
  wake(wake_);
  thread_.join();
  ::close(wake_);
}

void certificate_watch::run() noexcept {
  while (!ending_.load()) {
    // The watch first, then the look: what changes in between is an event.
    const folder_watch watch(files_);
    tell_.files_may_have_changed();
    event seen = wait_for(watch, wake_, unseen_changes);
    for (int i = 0; i < most_waits_for_quiet && seen == event::files; ++i) seen = wait_for(watch, wake_, quiet);
    if (seen == event::woken) take_signal();
  }
}

void certificate_watch::take_signal() {
  std::uint64_t count = 0;
  static_cast<void>(::read(wake_, &count, sizeof count));
  if (ending_.load()) return;
  if (has_terminal_.load() && !has_controlling_terminal()) {
    tell_.terminal_has_gone();
  } else {
    tell_.told_by_signal();
  }
}

certificate_watch::from_signal::from_signal(certificate_watch& target) noexcept {
  int nobody = -1;
  if (!told.compare_exchange_strong(nobody, target.wake_)) return;
  active_ = true;
  struct sigaction action {};
  action.sa_handler = windhover_on_reload_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGHUP, &action, &before_);
  // Who starts a program with nohup does not want it to go with its terminal.
  target.has_terminal_.store(before_.sa_handler != SIG_IGN && has_controlling_terminal());
}

certificate_watch::from_signal::~from_signal() {
  if (!active_) return;
  ::sigaction(SIGHUP, &before_, nullptr);
  told.store(-1, std::memory_order_release);
}

}  // namespace windhover::hosting
