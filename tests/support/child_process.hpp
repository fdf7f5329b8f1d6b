// A program of ours, run as a process of its own: for what concerns the process as a whole, as signals and exit codes
// do.
#pragma once

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
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
    if (error != 0) throw std::system_error(error, std::generic_category(), "starting " + program);
  }
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;
  ~child_process() {
    if (id_ > 0) {
      ::kill(id_, SIGKILL);
      ::waitpid(id_, nullptr, 0);
    }
    ::close(output_);
  }

  void signal(int number) const { ::kill(id_, number); }

  // The line of its output that holds the text; lines before it are passed over.
  std::string wait_for_line(std::string_view text) {
    for (std::size_t from = 0;;) {
      const std::size_t line_end = text_.find('\n', from);
      if (line_end == std::string::npos) {
        if (!read_more()) throw std::runtime_error("the program has ended; it wrote:\n" + text_);
        continue;
      }
      const std::string line = text_.substr(from, line_end - from);
      if (line.find(text) != std::string::npos) return line;
      from = line_end + 1;
    }
  }
  // How it ended, after all that it wrote.
  end wait_for_end() {
    while (read_more()) {
    }
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
    id_ = -1;
    if (WIFSIGNALED(status)) return {.signal = WTERMSIG(status)};
    return {.exit_code = WEXITSTATUS(status)};
  }
  const std::string& text() const noexcept { return text_; }

 private:
  static std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& each : texts) pointers.push_back(each.data());
    pointers.push_back(nullptr);
    return pointers;
  }

  bool read_more() {
    constexpr int patience = 60'000;
    pollfd waiting{.fd = output_, .events = POLLIN, .revents = 0};
    int ready = 0;
    do {
      ready = ::poll(&waiting, 1, patience);
    } while (ready < 0 && errno == EINTR);
    if (ready == 0) throw std::runtime_error("the program is silent; it wrote:\n" + text_);
    std::array<char, 4096> piece;
    const ssize_t count = ::read(output_, piece.data(), piece.size());
    if (count <= 0) return false;
    text_.append(piece.data(), static_cast<std::size_t>(count));
    return true;
  }

  pid_t id_ = -1;
  int output_ = -1;
  std::string text_;
};

}  // namespace windhover::test
