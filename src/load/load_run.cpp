#include "load/load_run.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <stop_token>
#include <utility>
#include <vector>

#include "load/process_watch.hpp"
#include "load/worker.hpp"
#include <windhover/event_loop_thread.hpp>
#include <windhover/sleep_for.hpp>

namespace windhover::load {
namespace {

using std::chrono::milliseconds;

constexpr double a_busy_thread = 0.95;

// The event loops of a load, and its workers on them.
class crew {
 public:
  explicit crew(const load_options& options) {
    for (std::size_t i = 0; i < options.threads; ++i) {
      loops_.push_back(std::make_unique<event_loop_thread>(
          event_loop_thread_options{.engine = options.engine, .worker_threads = 1}));
    }
    const auto prepare_plan = [this, options]() -> task<> {
      net::event_loop& loop = net::event_loop::required("a load");
      engine_ = loop.engine_name();
      load_target target = co_await find_target(loop, options, {});
      message_pool messages(options, loop.random());
      plan_ = std::make_unique<load_plan>(load_plan{options, std::move(target), std::move(messages)});
    };
    loops_.front()->run(prepare_plan);
    workers_ = make_workers(*plan_);
  }
  crew(const crew&) = delete;
  crew& operator=(const crew&) = delete;
  ~crew() { stop_.request_stop(); }

  const std::string& engine() const noexcept { return engine_; }
  std::vector<std::unique_ptr<worker>>& workers() noexcept { return workers_; }

  void prepare() {
    for_all([](worker& each) { return each.prepare(); });
  }
  void start() {
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      worker& each = *workers_[i];
      traffic_.push_back(loops_[i]->start([&each, stop = stop_.get_token()] { return each.run(stop); }));
    }
  }
  void begin_measuring() {
    for_all([](worker& each) -> task<> {
      each.begin_measuring();
      co_return;
    });
  }
  void end_measuring() {
    for_all([](worker& each) -> task<> {
      each.end_measuring();
      co_return;
    });
  }
  // Waits, unless the traffic ends before. Throws what it has ended with.
  void wait(milliseconds time) {
    auto waited = loops_.front()->start([time]() -> task<> { co_await sleep_for(time); });
    waited.get();
    for (std::future<void>& each : traffic_) {
      if (each.wait_for(milliseconds(0)) == std::future_status::ready) each.get();
    }
  }
  void stop() {
    stop_.request_stop();
    for (std::future<void>& each : traffic_) each.get();
  }
  std::uint64_t messages() const noexcept {
    std::uint64_t count = 0;
    for (const auto& each : workers_) count += each->messages();
    return count;
  }

 private:
  // All at once, and waits for all.
  template <class Work>
  void for_all(const Work& work) {
    std::vector<std::future<void>> all;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      worker& each = *workers_[i];
      all.push_back(loops_[i]->start([&each, &work] { return work(each); }));
    }
    for (std::future<void>& each : all) each.wait();
    for (std::future<void>& each : all) each.get();
  }

  std::string engine_;
  std::unique_ptr<load_plan> plan_;
  std::vector<std::unique_ptr<worker>> workers_;
  // These own the connections, and end before the workers, who are told of their ends.
  std::vector<std::unique_ptr<event_loop_thread>> loops_;
  std::vector<std::future<void>> traffic_;
  std::stop_source stop_;
};

// In steps of a second, each of which is told.
void pass(crew& of, milliseconds time, bool warming_up, const std::function<void(const load_progress&)>& tell) {
  constexpr milliseconds step(1000);
  milliseconds passed(0);
  std::uint64_t before = of.messages();
  while (passed < time) {
    const milliseconds next = std::min(step, time - passed);
    of.wait(next);
    passed += next;
    const std::uint64_t now = of.messages();
    if (tell && next == step) tell({warming_up, passed, now - before});
    before = now;
  }
}

double share(net::duration part, net::duration whole) noexcept {
  if (whole <= net::duration::zero()) return 0;
  return static_cast<double>(part.count()) / static_cast<double>(whole.count());
}

}  // namespace

double load_result::per_second(std::uint64_t count) const noexcept {
  const std::chrono::duration<double> seconds = time;
  return seconds.count() <= 0 ? 0 : static_cast<double>(count) / seconds.count();
}

double load_result::server_nanoseconds_per_message() const noexcept {
  if (!server || messages == 0) return 0;
  const std::chrono::duration<double, std::nano> spent = server->cpu;
  return spent.count() / static_cast<double>(messages);
}

double load_result::resident_per_connection() const noexcept {
  if (!server) return 0;
  const double grown = static_cast<double>(server->resident) - static_cast<double>(server->resident_before);
  return grown / static_cast<double>(options.connections);
}

bool load_result::generator_was_the_limit() const noexcept { return busiest_thread >= a_busy_thread; }

load_result run_load(load_options options, const std::function<void(const load_progress&)>& tell) {
  check(options);
  // A thread without a connection would have nothing to do.
  options.threads = std::min(options.threads, options.connections);
  load_result result;
  result.options = options;
  const bool watches = options.process != 0;
  const auto look_at_server = [&options] {
    const auto usage = usage_of(options.process);
    if (usage) return *usage;
    throw load_failure("there is no process " + std::to_string(options.process) + ", or it may not be looked at");
  };
  if (watches) result.server.emplace().resident_before = look_at_server().resident;

  crew all(options);
  result.engine = all.engine();
  all.prepare();
  all.start();
  pass(all, options.warm_up, true, tell);
  process_usage before{};
  if (watches) before = look_at_server();
  all.begin_measuring();
  pass(all, options.duration, false, tell);
  all.end_measuring();
  if (watches) {
    const process_usage after = look_at_server();
    result.server->cpu = after.cpu - before.cpu;
    result.server->resident = after.resident;
  }
  all.stop();
  for (const auto& each : all.workers()) {
    const measurement& one = each->measured();
    result.time = std::max(result.time, one.time);
    result.messages += one.messages;
    result.bytes += one.bytes;
    result.latencies.add(one.latencies);
    result.delays.add(one.delays);
    result.busiest_thread = std::max(result.busiest_thread, share(one.own_cpu, one.time));
    result.own_cpu += share(one.own_cpu, one.time);
  }
  return result;
}

}  // namespace windhover::load
