// What Windhover has to say to the person who runs it goes through this interface, so that an application can put its
// own logger in the place of the console's. Only an interface lives here: no formatting, no output, no library.
#pragma once

#include <cstdint>
#include <string_view>

namespace windhover {

/// How much a message matters, in ASP.NET Core's steps and order. `none` is above all others: as a minimum it silences
/// a logger; no message has it.
enum class log_level : std::uint8_t { trace, debug, information, warning, error, critical, none };

/// Takes the messages of a server. Example: a logger that counts warnings.
///
///     class warning_counter final : public windhover::logger {
///      public:
///       bool enabled(windhover::log_level level) const noexcept override {
///         return level >= windhover::log_level::warning;
///       }
///       void write(windhover::log_level level, std::string_view, std::string_view) noexcept override {
///         if (enabled(level)) ++count;
///       }
///       std::atomic<int> count = 0;
///     };
///
/// Thread: both functions are called from every event loop at once and must not wait long; a loop that waits here
/// serves nobody. Lifetime: a logger outlives the application it was given to; the views are valid during the call
/// only. Errors: neither function throws. A message that cannot be written is lost.
class logger {
 public:
  logger() = default;
  logger(const logger&) = delete;
  logger& operator=(const logger&) = delete;
  virtual ~logger() = default;

  /// Whether a message of this level would be written. Callers ask only to spare themselves the making of the text.
  virtual bool enabled(log_level level) const noexcept = 0;

  /// Writes one message, or drops it when its level is not enabled. The category is the part of the server that speaks
  /// ("hosting", "websocket"). The text may hold bytes that came from the network, control characters included: whoever
  /// writes it where a person or a program reads lines escapes them.
  virtual void write(log_level level, std::string_view category, std::string_view text) noexcept = 0;
};

}  // namespace windhover
