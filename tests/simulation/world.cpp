#include "world.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "endpoints.hpp"
#include "http_client.hpp"
#include "journal.hpp"
#include "memory_meter.hpp"
#include "secure_channel.hpp"
#include "socket_client.hpp"
#include "testing/application_run.hpp"

namespace windhover::simulation {
namespace {

using namespace std::chrono_literals;

// Nothing takes longer: patience of the clients, time-outs of the server.
constexpr net::duration longest = 2h;
constexpr std::uint64_t most_turns = 20'000'000;

class silent_log final : public logger {
 public:
  bool enabled(log_level) const noexcept override { return true; }
  void write(log_level, std::string_view, std::string_view) noexcept override {}
};

configuration_sources no_sources() {
  configuration_sources sources;
  sources.read_files = false;
  return sources;
}

websocket_options any_options(net::seeded_random& random) {
  constexpr std::size_t sizes[] = {1024, 2000, 5000, 65'536};
  websocket_options made;
  made.max_queued_bytes = sizes[random.below(4)];
  made.max_inbound_bytes = sizes[random.below(4)];
  made.receive_buffer_size = random.chance(500) ? 64 : 4096;
  made.max_message_size = random.chance(200) ? 60'000 : std::size_t{1} << 20;
  made.keep_alive_interval = random.chance(500) ? 1s : 120s;
  if (random.chance(200)) made.keep_alive_interval = 0s;
  made.keep_alive_timeout = random.chance(200) ? 0s : 20s;
  made.close_timeout = random.chance(500) ? 1s : 5s;
  made.stalled_timeout = random.chance(500) ? 10s : 300s;
  made.retain_request_headers = random.chance(500);
  if (random.chance(200)) made.max_frame_size = random.between(1, 3000);
  if (random.chance(600)) {
    made.dangerous_enable_compression = true;
    made.disable_server_context_takeover = random.chance(300);
    made.disable_client_context_takeover = random.chance(300);
    made.server_max_window_bits = static_cast<int>(random.between(9, 15));
    made.client_max_window_bits = static_cast<int>(random.between(8, 15));
    made.compression_threshold = random.chance(500) ? 0 : 256;
    // Enough for none, some, or all.
    constexpr std::size_t memory[] = {0, 100'000, std::size_t{64} << 20};
    made.max_compression_memory = memory[random.below(3)];
  }
  return made;
}

// What a seed makes of the world.
class world {
 public:
  explicit world(const world_options& options)
      : random_(options.seed),
        conduct_(net::network_conduct::any(random_)),
        openssl_(options.seed),
        application_(no_sources()) {
    application_.use_logger(log_);
    application_.use_websockets(any_options(random_));
    map_endpoints(application_, journal_);
    {
      const memory_meter::unmetered own;
      if (random_.chance(300)) stops_at_ = std::chrono::milliseconds(random_.below(3000));
    }
    run_.emplace(application_, random_.next(), conduct_, make_server());
    const memory_meter::unmetered own;
    journal_.faults = conduct_.failures + conduct_.broken + options.failing_operation + options.failing_allocation > 0;
    run_->network().set_trace(options.trace);
    run_->network().fail_operation(options.failing_operation);
    make_clients();
  }
  ~world() {
    const memory_meter::unmetered own;
    for (const auto& each : clients_) run_->network().remove(*each);
  }

  // Everything that happens, until nothing is left but the application's end.
  void live() {
    std::uint64_t turns = 0;
    while (!over() && ++turns < most_turns && elapsed() < longest) {
      run_->network().set_horizon(stops_at_ ? net::time_point() + *stops_at_ : net::time_point::max());
      run_->turn(true);
      if ((stops_at_ && elapsed() >= *stops_at_) || all_clients_are_done()) stop();
    }
  }

  std::string verdict() const {
    if (!all_clients_are_done()) return "a client is still there after " + hours(elapsed());
    if (!run_->ended() || !run_->clean()) return "the application does not end: " + what_is_left();
    if (run_->loop().inbound().used != 0) return "bytes are kept for connections that have gone";
    if (run_->network().open_descriptors() != 0) return "descriptors are still open";
    return journal_.verdict().value_or("");
  }

  void describe(world_outcome& to) const {
    to.digest = run_->network().digest();
    to.events = run_->network().events();
    to.operations = run_->network().operations();
    for (const auto& [number, each] : journal_.clients) {
      to.messages += each.received.size();
      if (each.path == "HTTP") continue;
      each.saw_close&& each.own_code != 0 ? ++to.clean_closes : ++to.dropped;
    }
    for (const auto& [number, each] : journal_.handlers) to.messages += each.received.size();
  }

 private:
  void make_clients() {
    const std::uint64_t count = random_.between(1, 12);
    for (int i = 1; i <= static_cast<int>(count); ++i) {
      client_notes& notes = journal_.clients[i];
      const net::duration begins = std::chrono::milliseconds(random_.below(random_.chance(500) ? 1 : 1000));
      const std::uint64_t seed = random_.next();
      const bool secure = random_.chance(125);
      const endpoint to = secure ? run_->secure_address() : run_->address();
      bool http2 = false;
      if (random_.chance(250)) {
        clients_.push_back(std::make_unique<http_client>(run_->network(), to, seed, begins, notes));
      } else {
        const std::string_view path = socket_paths()[random_.below(socket_paths().size())];
        clients_.push_back(std::make_unique<socket_client>(run_->network(), to, seed, begins, i, path, notes));
        http2 = !secure && random_.chance(250);
      }
      if (secure) clients_.back()->be_secure();
      if (http2) clients_.back()->speak_http2();
      run_->network().add(*clients_.back());
    }
  }

  void stop() {
    if (run_->stopping()) return;
    stops_at_.reset();
    journal_.stopping = !all_clients_are_done();
    run_->stop();
  }
  std::string what_is_left() const {
    std::string all;
    for (const std::string& each : run_->loop().describe_connections(10)) all += each + "; ";
    return all;
  }
  bool all_clients_are_done() const {
    return std::all_of(clients_.begin(), clients_.end(), [](const auto& each) { return each->done(); });
  }
  bool over() const { return run_->stopping() && run_->ended() && all_clients_are_done(); }
  net::duration elapsed() const { return run_->network().now() - net::time_point(); }
  static std::string hours(net::duration time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::minutes>(time).count()) + " minutes";
  }

  net::seeded_random random_;
  net::network_conduct conduct_;
  seeded_openssl openssl_;
  silent_log log_;
  journal journal_;
  web_application application_;
  std::optional<net::duration> stops_at_;
  std::optional<testing::application_run> run_;
  std::vector<std::unique_ptr<client>> clients_;
};

void live_through(const world_options& options, world_outcome& outcome) {
  outcome = {};
  try {
    const memory_meter::metered from_here;
    const std::uint64_t before = memory_meter::allocations();
    std::optional<world> built;
    try {
      built.emplace(options);
    } catch (const std::system_error&) {
      return;  // it could not listen, and says so: nothing has begun
    }
    world& one = *built;
    memory_meter::fail_allocation(options.failing_allocation);
    one.live();
    outcome.allocation_failed = memory_meter::has_failed();
    memory_meter::fail_allocation(0);
    outcome.allocations = memory_meter::allocations() - before;
    const memory_meter::unmetered own;
    one.describe(outcome);
    outcome.failure = one.verdict();
  } catch (const std::exception& error) {
    outcome.failure = std::string("an exception escaped: ") + error.what();
  }
}

}  // namespace

world_outcome simulate(const world_options& options) {
  world_outcome outcome;
  const auto lose = [&] {
    const std::int64_t before = memory_meter::live_blocks();
    std::thread([&] { live_through(options, outcome); }).join();
    return memory_meter::live_blocks() - before;
  };
  // What is made at its first use, and kept as long as the process, is not lost: it is not made again.
  std::int64_t lost = lose();
  if (lost != 0) lost = lose();
  if (outcome.failure.empty() && lost != 0) outcome.failure = std::to_string(lost) + " blocks of memory are lost";
  return outcome;
}

}  // namespace windhover::simulation
