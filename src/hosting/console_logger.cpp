#include "hosting/console_logger.hpp"

#include <iostream>
#include <string>
#include <utility>

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include "hosting/printable_text.hpp"

namespace windhover::hosting {
namespace {

spdlog::level::level_enum spdlog_level(log_level level) noexcept {
  switch (level) {
    case log_level::trace:
      return spdlog::level::trace;
    case log_level::debug:
      return spdlog::level::debug;
    case log_level::information:
      return spdlog::level::info;
    case log_level::warning:
      return spdlog::level::warn;
    case log_level::error:
      return spdlog::level::err;
    case log_level::critical:
      return spdlog::level::critical;
    case log_level::none:
      break;
  }
  return spdlog::level::off;
}

}  // namespace

class console_logger::implementation {
 public:
  explicit implementation(spdlog::sink_ptr sink) : logger_("windhover", std::move(sink)) {
    logger_.set_level(spdlog::level::trace);
    logger_.set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%-8l%$ %v", spdlog::pattern_time_type::utc);
    logger_.flush_on(spdlog::level::warn);
    // A message that cannot be written is lost; the library would report it on the standard error.
    logger_.set_error_handler([](const std::string&) {});
  }

  void write(spdlog::level::level_enum level, std::string_view line) {
    logger_.log(level, spdlog::string_view_t(line.data(), line.size()));
  }

  void flush() { logger_.flush(); }

 private:
  spdlog::logger logger_;
};

console_logger::console_logger(log_level minimum)
    : minimum_(minimum),
      implementation_(std::make_unique<implementation>(std::make_shared<spdlog::sinks::stdout_color_sink_mt>())) {}

console_logger::console_logger(log_level minimum, std::ostream& output)
    : minimum_(minimum),
      implementation_(std::make_unique<implementation>(std::make_shared<spdlog::sinks::ostream_sink_mt>(output))) {}

console_logger::~console_logger() { implementation_->flush(); }

bool console_logger::enabled(log_level level) const noexcept { return level >= minimum_ && level < log_level::none; }

void console_logger::write(log_level level, std::string_view category, std::string_view text) noexcept {
  if (!enabled(level)) return;
  try {
    std::string line;
    append_printable(line, category);
    line += ": ";
    append_printable(line, text);
    implementation_->write(spdlog_level(level), line);
  } catch (...) {
    // Only memory can have run out. The interface allows the loss of a message, not an exception.
  }
}

}  // namespace windhover::hosting
