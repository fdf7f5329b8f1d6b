// Says when certificates should be read again: when one of their files has changed, or on SIGHUP.
//
// Nobody writes such a file in place. Editors and certbot put another one there, or point a symbolic link elsewhere; so
// it is the folders that are watched, those of each link on the way too. What a watch cannot see, as on a network's
// file system, a look once a minute finds.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

#include <signal.h>

namespace windhover::hosting {

class certificate_watch {
 public:
  // Called on the watch's own thread, which may wait for a slow disk. They throw nothing.
  struct callbacks {
    std::function<void()> files_may_have_changed;  // also for other files of the same folders
    std::function<void()> told_by_signal;
    std::function<void()> terminal_has_gone;  // SIGHUP in its first sense
  };

  // Throws std::system_error.
  certificate_watch(std::vector<std::filesystem::path> files, callbacks tell);
  certificate_watch(const certificate_watch&) = delete;
  certificate_watch& operator=(const certificate_watch&) = delete;
  // Waits for a call that is running.
  ~certificate_watch();

  // While this lives, SIGHUP is for the watch. One at a time in a process; a second one does nothing.
  class from_signal {
   public:
    explicit from_signal(certificate_watch& target) noexcept;
    from_signal(const from_signal&) = delete;
    from_signal& operator=(const from_signal&) = delete;
    ~from_signal();

   private:
    bool active_ = false;
    struct sigaction before_ {};
  };

 private:
  void run() noexcept;
  void take_signal();

  std::vector<std::filesystem::path> files_;
  callbacks tell_;
  int wake_;  // an eventfd
  std::atomic<bool> ending_{false};
  std::atomic<bool> has_terminal_{false};
  std::thread thread_;
};

}  // namespace windhover::hosting
