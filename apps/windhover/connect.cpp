#include "connect.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "client_command.hpp"
#include "printable.hpp"

namespace windhover::tool {
namespace {

constexpr int clean_end = 0;
constexpr int other_end = 2;

// Lines of the standard input, as they come.
class line_source {
 public:
  explicit line_source(std::size_t longest) noexcept : longest_(longest) {}

  // The next line without its end; the last one may have none. Nothing at the end of the input, or when it is stopped.
  task<std::optional<std::string>> next(std::stop_token stop) {
    while (!take_line()) {
      if (ended_) co_return take_rest();
      const bool ready = co_await wait_readable(STDIN_FILENO, stop);
      if (!ready) co_return std::nullopt;
      read_more();
    }
    co_return std::move(line_);
  }

 private:
  bool take_line() {
    const std::size_t end = text_.find('\n', searched_);
    if (end == std::string::npos) {
      text_.erase(0, std::exchange(begin_, 0));
      searched_ = text_.size();
      if (longest_ != 0 && text_.size() > longest_)
        throw std::runtime_error("a line of the input is longer than a message may be; see --max-message-size");
      return false;
    }
    line_ = text_.substr(begin_, end - begin_);
    begin_ = searched_ = end + 1;
    return true;
  }
  std::optional<std::string> take_rest() {
    if (text_.empty()) return std::nullopt;
    return std::exchange(text_, {});
  }
  void read_more() {
    std::array<char, 65536> piece;
    const ssize_t count = ::read(STDIN_FILENO, piece.data(), piece.size());
    if (count > 0) {
      text_.append(piece.data(), static_cast<std::size_t>(count));
    } else if (count == 0) {
      ended_ = true;
    } else if (errno != EINTR && errno != EAGAIN) {
      throw std::system_error(errno, std::generic_category(), "reading the standard input");
    }
  }

  std::size_t longest_;
  std::string text_;
  std::string line_;
  std::size_t begin_ = 0;     // of the next line
  std::size_t searched_ = 0;  // no line ends between the two
  bool ended_ = false;
};

// Sends the input line by line; at its end it says that nothing more will come. What the server still sends is
// received.
task<> send_lines(websocket& socket, std::size_t longest, std::stop_token stop) {
  line_source lines(longest);
  for (int number = 1;; ++number) {
    std::optional<std::string> line = co_await lines.next(stop);
    if (!line) break;
    bool sent = false;
    try {
      sent = co_await socket.send(*line);
    } catch (const std::invalid_argument&) {
      throw std::runtime_error("line " + std::to_string(number) + " of the input is not valid UTF-8");
    }
    if (!sent) co_return;
  }
  if (!stop.stop_requested()) socket.close_output();
}

// A text is a line as it is, for the next program of a pipe; a person at a terminal sees it without control characters.
// Binary messages are lines of hexadecimal digits.
std::string line_of(const message& seen, bool terminal) {
  if (seen.is_text()) return terminal ? printable(seen.text()) : std::string(seen.text());
  constexpr std::string_view digits = "0123456789abcdef";
  std::string line;
  line.reserve(2 * seen.size());
  for (const std::byte each : seen.bytes()) {
    line += digits[std::to_integer<std::size_t>(each) >> 4];
    line += digits[std::to_integer<std::size_t>(each) & 15];
  }
  return line;
}

void print(std::string line) {
  line += '\n';
  if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size() || std::fflush(stdout) != 0)
    throw std::system_error(errno, std::generic_category(), "writing to the standard output");
}

task<int> talk(websocket& socket, std::size_t longest) {
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  std::string agreed;
  if (!socket.sub_protocol().empty()) agreed += ", sub-protocol " + printable(socket.sub_protocol());
  if (!socket.extensions().empty()) agreed += ", " + printable(socket.extensions());
  say("connected" + agreed);
  const auto body = [&](task_group& group) -> task<> {
    group.spawn(send_lines(socket, longest, group.stop_token()));
    // A line that cannot be sent ends the conversation as well as the server's close does.
    while (auto message = co_await socket.receive(group.stop_token())) print(line_of(*message, terminal));
  };
  co_await task_group::run(body);
  say("closed: " + close_text(socket));
  const close_code status = socket.close_status().value_or(close_code::abnormal_closure);
  const bool clean = status == close_code::normal_closure || status == close_code::going_away ||
                     status == close_code::no_status_received;
  co_return clean ? clean_end : other_end;
}

}  // namespace

std::function<int()> add_connect(CLI::App& app) {
  const auto options = std::make_shared<client_command_options>();
  CLI::App* const command =
      app.add_subcommand("connect", "Connect to a WebSocket server: sends the lines of the input, prints its messages");
  add_client_options(*command, *options);
  command->footer(
      "Each line of the input is sent as a text message; at its end (Ctrl+D) the WebSocket is closed with 1000. "
      "Messages\n"
      "are printed to the output, binary ones in hexadecimal; everything else is said on the standard error.\n"
      "Exit code: 0 after a close with 1000, 1001 or no code, 2 after another end, 1 when there was no WebSocket\n"
      "or the input could not be sent.");
  return [options] {
    return run_client(*options, [&](websocket& socket) { return talk(socket, options->max_message_size); });
  };
}

}  // namespace windhover::tool
