// The logger that an application has unless it brings its own: one line for each message, on the standard output.
//
//   2026-01-31T12:00:00.123Z info     hosting: Now listening on: http://localhost:5000
//
// The time is UTC. Characters that would act on the line (line breaks, escape sequences; see printable_text.hpp) are
// escaped, because texts may come from the network. On a terminal the level has a colour.
#pragma once

#include <iosfwd>
#include <memory>
#include <string_view>

#include <windhover/logger.hpp>

namespace windhover::hosting {

// Thread: any. Lines of different threads never mix. Every line reaches the standard output at once, so that whoever
// waits for a line behind a pipe sees it; a stream is flushed after messages of level warning and above and when the
// logger ends.
class console_logger final : public logger {
 public:
  // Writes messages of at least this level to the standard output.
  explicit console_logger(log_level minimum);

  // The same to a stream, which outlives the logger.
  console_logger(log_level minimum, std::ostream& output);

  ~console_logger() override;

  bool enabled(log_level level) const noexcept override;
  void write(log_level level, std::string_view category, std::string_view text) noexcept override;

 private:
  class implementation;

  log_level minimum_;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace windhover::hosting
