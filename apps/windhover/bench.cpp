#include "bench.hpp"

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "client_command.hpp"
#include "load/load_run.hpp"
#include "load/report.hpp"
#include "printable.hpp"

namespace windhover::tool {
namespace {

struct bench_options {
  load::load_options load;
  std::string size = "20";
  double warm_up = 1;  // seconds, likewise the others
  double duration = 10;
  double patience = 10;
  bool binary = false;  // says what is so anyway
  std::string json_file;
  std::string plot_file;
  bool quiet = false;
};

std::size_t size_in(std::string_view text, std::string_view whole) {
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error == std::errc() && end == text.data() + text.size()) return size;
  throw std::invalid_argument("--size is '" + std::string(whole) + "'; write it as 125, or as 20..2000");
}

// "20", or "20..2000".
void read_size(std::string_view text, load::load_options& into) {
  const std::size_t dots = text.find("..");
  into.least_size = size_in(text.substr(0, dots), text);
  into.most_size = dots == std::string_view::npos ? into.least_size : size_in(text.substr(dots + 2), text);
}

std::chrono::milliseconds milliseconds_of(double seconds) {
  return std::chrono::milliseconds(std::llround(std::min(seconds, 1e9) * 1000));
}

void write_file(const std::string& name, const std::string& text) {
  if (name == "-") {
    std::fputs(text.c_str(), stdout);
    return;
  }
  std::ofstream out(name, std::ios::binary);
  out << text;
  out.close();
  if (!out) throw std::runtime_error("'" + name + "' could not be written");
}

// One line that is written over, where somebody looks at it.
void show_progress(const load::load_progress& now) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.elapsed).count();
  std::fprintf(stderr, "\r  %s %3lld s   %10llu a second ", now.warming_up ? "warming up" : "measuring ",
               static_cast<long long>(seconds), static_cast<unsigned long long>(now.messages));
}

int bench(bench_options options) {
  const bool shows_progress = !options.quiet && ::isatty(STDERR_FILENO) != 0;
  try {
    read_size(options.size, options.load);
    options.load.warm_up = milliseconds_of(options.warm_up);
    options.load.duration = milliseconds_of(options.duration);
    options.load.patience = milliseconds_of(options.patience);
    if (!options.plot_file.empty() && options.load.scenario == load::scenario::idle)
      throw std::invalid_argument("--plot shows latencies, and the scenario idle has none; leave it out");
    const auto tell = [shows_progress](const load::load_progress& now) {
      if (shows_progress) show_progress(now);
    };
    const load::load_result result = load::run_load(options.load, tell);
    if (shows_progress) std::fputs("\r\033[K", stderr);
    if (options.json_file != "-") std::fputs(load::text_of(result).c_str(), stdout);
    if (!options.json_file.empty()) write_file(options.json_file, load::json_of(result));
    if (!options.plot_file.empty()) write_file(options.plot_file, load::latency_plot_of(result));
    return 0;
  } catch (const std::exception& error) {
    if (shows_progress) std::fputs("\r\033[K", stderr);
    say("windhover: " + printable(error.what()));
    return 1;
  }
}

}  // namespace

std::function<int()> add_bench(CLI::App& app) {
  const std::map<std::string, load::scenario> scenarios{{"echo", load::scenario::echo},
                                                        {"broadcast", load::scenario::broadcast},
                                                        {"idle", load::scenario::idle},
                                                        {"churn", load::scenario::churn},
                                                        {"storm", load::scenario::storm}};
  const std::map<std::string, io_engine> engines{{"io_uring", io_engine::io_uring}, {"epoll", io_engine::epoll}};
  const auto options = std::make_shared<bench_options>();
  load::load_options& load = options->load;
  CLI::App* const command = app.add_subcommand("bench", "Put a load on a WebSocket server");
  command->add_option("url", load.url, "ws://host:port/path, wss://host:port/path, or ws://unix:/run/app.sock:/path")
      ->required();
  command
      ->add_option("--scenario", load.scenario,
                   "echo: the server sends every message back; broadcast: to all connections; idle: nothing is sent; "
                   "churn: connect, one echo, close, over and over; storm: all connect at once, then go at once")
      ->transform(CLI::CheckedTransformer(scenarios))
      ->default_str("echo");
  command->add_option("--connections", load.connections, "How many, of all threads")->capture_default_str();
  command->add_option("--size", options->size, "Bytes of a message, or a range such as 20..2000")
      ->capture_default_str();
  command->add_option("--in-flight", load.in_flight, "Messages of a connection that are under way")
      ->capture_default_str();
  command->add_option("--rate", load.rate,
                      "Messages a second in all, sent when they are due, whether others have come back or not; as many "
                      "as come back when left out");
  command->add_option("--warm-up", options->warm_up, "Seconds before it is measured")->capture_default_str();
  command->add_option("--duration", options->duration, "Seconds")->capture_default_str();
  command
      ->add_option("--patience", options->patience, "Seconds for connecting, and for what is still to come at the end")
      ->capture_default_str();
  command->add_option("--threads", load.threads, "Event loops that put the load on")->capture_default_str();
  command->add_option("--engine", load.engine, "The I/O engine; the best one when left out")
      ->transform(CLI::CheckedTransformer(engines));
  auto* const text = command->add_flag("--text", load.text, "Send text messages");
  command->add_flag("--binary", options->binary, "Send binary messages, as when left out")->excludes(text);
  command->add_option("--authorities", load.authorities,
                      "For wss: a PEM file with the authorities to trust instead of the system's");
  command->add_flag("--insecure", load.insecure, "For wss: do not look at the server's certificate");
  command->add_flag("--http2", load.http2, "WebSockets over HTTP/2; with ws: the server must be known to speak it");
  command
      ->add_option("--per-connection", load.per_connection,
                   "Over HTTP/2: how many WebSockets share a connection, if the server allows")
      ->capture_default_str();
  command->add_flag("--compress", load.compress,
                    "Offer permessage-deflate, and send JSON, compressed where it is agreed");
  command->add_flag("--check", load.check, "Look at every byte that comes back");
  command->add_option("--pid", load.process, "The server's process: its time and memory are shown as well");
  command->add_option("--json", options->json_file, "A file for the result, for programs; - for the standard output");
  command->add_option("--plot", options->plot_file, "A file for a picture of the latencies, as SVG");
  command->add_flag("--quiet", options->quiet, "No progress line");
  return [options] { return bench(*options); };
}

}  // namespace windhover::tool
