#include "load/report.hpp"

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace windhover::load {
namespace {

constexpr std::array<std::pair<std::string_view, double>, 5> shown_percentiles = {
    {{"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99.9", 99.9}, {"p99.99", 99.99}}};

// Three digits are as many as mean something.
std::string three_digits(double value) {
  if (value == 0) return "0";
  const int decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return fmt::format("{:.{}f}", value, decimals);
}

std::string with_unit(double value, std::string_view unit) { return three_digits(value) + " " + std::string(unit); }

// 412331 as "412,331".
std::string grouped(double value) {
  std::string digits = std::to_string(std::llround(value));
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

std::string readable_bytes(double bytes) {
  constexpr std::string_view units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; std::abs(bytes) >= 1024 && unit + 1 < std::size(units); ++unit) bytes /= 1024;
  return with_unit(bytes, units[unit]);
}

std::string percent(double share) { return three_digits(100 * share) + " %"; }

double seconds(net::duration time) { return std::chrono::duration<double>(time).count(); }

// "1 byte", "2,000 bytes".
std::string counted(double count, const std::string& one) {
  const std::string number = grouped(count);
  return number + " " + one + (number == "1" ? "" : "s");
}
std::string counted(std::size_t count, const std::string& one) { return counted(static_cast<double>(count), one); }

std::string what_was_done(const load_options& options) {
  std::string text = connections_of(options);
  if (options.scenario == scenario::idle || options.scenario == scenario::storm) return text;
  text += ", ";
  if (options.most_size != options.least_size) text += grouped(static_cast<double>(options.least_size)) + " to ";
  text += counted(options.most_size, "byte");
  if (options.rate != 0) {
    text += ", " + counted(options.rate, "message") + " a second";
  } else if (options.scenario != scenario::churn) {
    text += ", " + grouped(static_cast<double>(options.in_flight)) + " in flight";
  }
  if (options.compress) text += ", compressed";
  return text;
}

// What is counted.
std::string unit_of(scenario which) {
  if (which == scenario::broadcast) return "deliveries";
  return which == scenario::echo ? "messages" : "connections";
}

std::string line(std::string_view title, const std::string& text) {
  std::string made = "  " + std::string(title);
  made.resize(13, ' ');
  return made + text + "\n";
}

}  // namespace

std::string readable(net::duration time) {
  const double nanoseconds = std::chrono::duration<double, std::nano>(time).count();
  if (nanoseconds < 1e3) return with_unit(nanoseconds, "ns");
  if (nanoseconds < 1e6) return with_unit(nanoseconds / 1e3, "us");
  if (nanoseconds < 1e9) return with_unit(nanoseconds / 1e6, "ms");
  return with_unit(nanoseconds / 1e9, "s");
}

std::string connections_of(const load_options& options) { return counted(options.connections, "connection"); }

std::string text_of(const load_result& result) {
  const load_options& options = result.options;
  const std::string unit = unit_of(options.scenario);
  std::string text = std::string(name_of(options.scenario)) + ": " + options.url + ", " + what_was_done(options) +
                     ", " + readable(result.time) + "\n";
  if (options.scenario != scenario::idle) {
    const double each_second = result.per_second(result.messages);
    std::string rate = (each_second < 10 ? three_digits(each_second) : grouped(each_second)) + " " + unit + " a second";
    if (options.scenario != scenario::storm)
      rate += ", " + readable_bytes(result.per_second(result.bytes)) + " a second";
    text += line("rate", rate);
    std::string latencies;
    for (const auto& [name, value] : shown_percentiles) {
      latencies += std::string(name) + " " + readable(result.latencies.percentile(value)) + "   ";
    }
    text += line("latency", latencies + "max " + readable(result.latencies.maximum()));
  }
  if (options.rate != 0) {
    text +=
        line("sent late", "p50 " + readable(result.delays.percentile(50)) + "   p99 " +
                              readable(result.delays.percentile(99)) + "   max " + readable(result.delays.maximum()));
  }
  if (result.server) {
    std::string server = percent(seconds(result.server->cpu) / seconds(result.time)) + " of a processor, ";
    if (result.messages > 0) {
      server += three_digits(result.server_nanoseconds_per_message() / 1000) + " us for each of the " + unit + ", ";
    }
    server += readable_bytes(static_cast<double>(result.server->resident)) + " of memory, " +
              readable_bytes(result.resident_per_connection()) + " more for each connection";
    text += line("server", server);
  }
  std::string generator =
      percent(result.own_cpu) + " of a processor on " + counted(options.threads, "thread") + ", " + result.engine;
  if (result.generator_was_the_limit()) {
    generator += "; IT WAS THE LIMIT, and the server may be faster: give it more --threads, or another machine";
  }
  return text + line("generator", generator);
}

std::string json_of(const load_result& result) {
  const load_options& options = result.options;
  const auto nanoseconds = [](net::duration time) { return std::chrono::nanoseconds(time).count(); };
  nlohmann::ordered_json latency;
  latency["count"] = result.latencies.count();
  latency["min"] = nanoseconds(result.latencies.minimum());
  latency["mean"] = nanoseconds(result.latencies.mean());
  for (const auto& [name, value] : shown_percentiles) latency[name] = nanoseconds(result.latencies.percentile(value));
  latency["max"] = nanoseconds(result.latencies.maximum());

  nlohmann::ordered_json made;
  made["windhover_bench"] = 1;
  made["scenario"] = name_of(options.scenario);
  made["url"] = options.url;
  made["connections"] = options.connections;
  made["size"] = {options.least_size, options.most_size};
  made["in_flight"] = options.in_flight;
  made["rate_wanted"] = options.rate;
  made["compress"] = options.compress;
  made["text"] = options.text;
  made["checked"] = options.check;
  made["engine"] = result.engine;
  made["threads"] = options.threads;
  made["seconds"] = seconds(result.time);
  made["messages"] = result.messages;
  made["bytes"] = result.bytes;
  made["rate"] = result.per_second(result.messages);
  made["latency_ns"] = std::move(latency);
  if (options.rate != 0) {
    made["sent_late_ns"] = {{"p50", nanoseconds(result.delays.percentile(50))},
                            {"p99", nanoseconds(result.delays.percentile(99))},
                            {"max", nanoseconds(result.delays.maximum())}};
  }
  if (result.server) {
    made["server"] = {{"pid", options.process},
                      {"cpu_seconds", seconds(result.server->cpu)},
                      {"cpu_ns_per_message", result.server_nanoseconds_per_message()},
                      {"resident_bytes", result.server->resident},
                      {"resident_bytes_before", result.server->resident_before},
                      {"resident_bytes_per_connection", result.resident_per_connection()}};
  }
  made["generator"] = {{"cpu", result.own_cpu},
                       {"busiest_thread", result.busiest_thread},
                       {"was_the_limit", result.generator_was_the_limit()}};
  return made.dump(2) + "\n";
}

}  // namespace windhover::load
