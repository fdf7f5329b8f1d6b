#include "load/load_options.hpp"

#include <stdexcept>

#include "wire/websocket/url.hpp"

namespace windhover::load {
namespace {

void require(bool good, const std::string& option, const std::string& value, const std::string& range) {
  if (!good) throw std::invalid_argument("--" + option + " is " + value + "; it must be " + range);
}

void require_between(const std::string& option, std::size_t value, std::size_t least, std::size_t most) {
  require(value >= least && value <= most, option, std::to_string(value),
          "from " + std::to_string(least) + " to " + std::to_string(most));
}

void require_time(const std::string& option, std::chrono::milliseconds value, std::chrono::milliseconds least) {
  constexpr std::chrono::milliseconds most = std::chrono::hours(24);
  require(value >= least && value <= most, option, std::to_string(value.count()) + " ms",
          "from " + std::to_string(least.count()) + " ms to 24 hours");
}

}  // namespace

void check(const load_options& options) {
  constexpr std::size_t mebibyte = std::size_t{1} << 20;
  static_cast<void>(wire::parse_websocket_url(options.url));
  require_between("connections", options.connections, 1, 1'000'000);
  require_between("per-connection", options.per_connection, 1, 1'000'000);
  require_between("threads", options.threads, 1, 256);
  require_between("in-flight", options.in_flight, 1, 100'000);
  // The number of a broadcast message is a part of it.
  require_between("size", options.least_size, options.scenario == scenario::broadcast ? 16 : 0, 64 * mebibyte);
  require_between("size, at its end,", options.most_size, options.least_size, 64 * mebibyte);
  require(options.rate >= 0 && options.rate <= 1e9, "rate", std::to_string(options.rate), "from 0 to 1000000000");
  require_time("warm-up", options.warm_up, std::chrono::milliseconds(0));
  require_time("duration", options.duration, std::chrono::milliseconds(1));
  require_time("patience", options.patience, std::chrono::milliseconds(1));
  require(options.process >= 0, "pid", std::to_string(options.process), "the number of a process, or 0");
  const bool has_messages = options.scenario == scenario::echo || options.scenario == scenario::broadcast;
  require(options.rate == 0 || has_messages, "rate", std::to_string(options.rate),
          "0 (left out) in the scenario " + std::string(name_of(options.scenario)) + ", which has none");
}

const char* name_of(scenario which) noexcept {
  switch (which) {
    case scenario::echo:
      return "echo";
    case scenario::broadcast:
      return "broadcast";
    case scenario::idle:
      return "idle";
    case scenario::churn:
      return "churn";
    case scenario::storm:
      return "storm";
  }
  return "";
}

}  // namespace windhover::load
