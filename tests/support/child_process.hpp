// A program of ours, run as a process of its own: for what concerns the process as a whole, as signals and exit codes
// do.
#pragma once

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace windhover::test {

class child_process {
 public:
  struct end {
    int exit_code = -1;
    int signal = 0;  // the one that ended it
    friend bool operator==(const end&, const end&) = default;
  };

  // `variables` go before those of this process.
  child_process(const std::string& program, std::vector<std::string> arguments,
                std::vector<std::string> variables = {}) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    arguments.insert(arguments.begin(), program);
    for (char** each = environ; *each != nullptr; ++each) variables.emplace_back(*each);
    std::vector<char*> argv = pointers_to(arguments);
    std::vector<char*> environment = pointers_to(variables);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    const int error = ::posix_spawn(&id_, program.c_str(), &actions, nullptr, argv.data(), environment.data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    output_ = ends[0];
    if (error != 0) {
      ::close(output_);
      throw std::system_error(error, std::generic_category(), "starting " + program);
    }
    reader_ = std::thread([this] { read_all(); });
  }
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;
  ~child_process() {
    if (id_ > 0) {
      ::kill(id_, SIGKILL);
      ::waitpid(id_, nullptr, 0);
    }
    reader_.join();
    ::close(output_);
  }

  void signal(int number) const { ::kill(id_, number); }

  // The line of its output that holds the text; lines before it are passed over.
  std::string wait_for_line(std::string_view text) {
    std::unique_lock lock(mutex_);
    for (std::size_t from = 0;;) {
      const std::size_t line_end = text_.find('\n', from);
      if (line_end == std::string::npos) {
        if (ended_) throw std::runtime_error("the program has ended; it wrote:\n" + text_);
        wait_for_more(lock);
        continue;
      }
      const std::string line = text_.substr(from, line_end - from);
      if (line.find(text) != std::string::npos) return line;
      from = line_end + 1;
    }
  }
  // How it ended, after all that it wrote.
  end wait_for_end() {
    {
      std::unique_lock lock(mutex_);
      while (!ended_) wait_for_more(lock);
    }
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
    id_ = -1;
    if (WIFSIGNALED(status)) return {.signal = WTERMSIG(status)};
    return {.exit_code = WEXITSTATUS(status)};
  }
  // The most memory that it has had at a time, in bytes.
  std::size_t peak_memory() const {
    std::ifstream status("/proc/" + std::to_string(id_) + "/status");
    for (std::string line; std::getline(status, line);) {
      constexpr std::string_view name = "VmHWM:";
      if (line.starts_with(name)) return std::stoul(line.substr(name.size())) * 1024;  // it says kB
    }
    throw std::runtime_error("the system does not say how much memory the program has");
  }
  // What it has written so far.
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  static std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& each : texts) pointers.push_back(each.data());
    pointers.push_back(nullptr);
    return pointers;
  }

  void wait_for_more(std::unique_lock<std::mutex>& lock) {
    const std::size_t before = text_.size();
    const bool came = changed_.wait_for(lock, std::chrono::seconds(patience_in_seconds),
                                        [&] { return ended_ || text_.size() != before; });
    if (!came) throw std::runtime_error("the program is silent; it wrote:\n" + text_);
  }
  // Whether somebody waits for it or not, so that the program never waits for us.
  void read_all() {
    std::array<char, 4096> piece;
    for (;;) {
      const ssize_t count = ::read(output_, piece.data(), piece.size());
      if (count < 0 && errno == EINTR) continue;
      const std::lock_guard lock(mutex_);
      if (count > 0) text_.append(piece.data(), static_cast<std::size_t>(count));
      ended_ = count <= 0;
      changed_.notify_all();
      if (ended_) return;
    }
  }

  static constexpr int patience_in_seconds = 60;

  pid_t id_ = -1;
  int output_ = -1;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
  bool ended_ = false;
  std::thread reader_;
};

}  // namespace windhover::test
