#include "load/worker.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "load/process_watch.hpp"
#include <windhover/sleep_for.hpp>
#include <windhover/task_group.hpp>
#include <windhover/with_timeout.hpp>

namespace windhover::load {
namespace {

using std::chrono::milliseconds;

// Handshakes at a time: more would wait in the server's queue and not in ours.
constexpr std::size_t opening_at_a_time = 64;

}  // namespace

worker::worker(const load_plan& plan, std::size_t connections, double share)
    : plan_(plan), wanted_(connections), share_(share) {}

load_connection::settings worker::settings() const noexcept {
  return {.messages = plan_.messages,
          .check = options().check && options().scenario != scenario::broadcast,
          .text = options().text,
          .beginnings = options().scenario == scenario::broadcast};
}

// ----- Opening and closing

task<> worker::prepare() {
  loop_ = &net::event_loop::required("a load");
  const bool opens_later = options().scenario == scenario::churn || options().scenario == scenario::storm;
  if (opens_later) co_return;
  connections_.reserve(wanted_);
  std::size_t begun = 0;
  const auto body = [this, &begun](task_group& group) -> task<> {
    for (std::size_t i = 0; i < std::min(wanted_, opening_at_a_time); ++i) {
      group.spawn(open_some(begun, group.stop_token()));
    }
    co_await group.join();
  };
  co_await task_group::run(body);
}

task<> worker::open_some(std::size_t& begun, std::stop_token stop) {
  while (begun < wanted_ && !stop.stop_requested()) {
    ++begun;
    co_await open(*this, stop);
  }
}

task<> worker::open(load_connection::listener& tells, std::stop_token stop) {
  const auto attempt = [this, &tells](std::stop_token late) {
    return open_connection(loop(), plan_.target, options(), settings(), tells, std::move(late));
  };
  co_await with_timeout(options().patience, attempt, std::move(stop));
}

void worker::on_open(load_connection& opened) noexcept {
  opened.place = connections_.size();
  connections_.push_back(&opened);
}

void worker::forget(load_connection& ended) noexcept {
  connections_.back()->place = ended.place;
  connections_[ended.place] = connections_.back();
  connections_.pop_back();
}

void worker::on_ended(load_connection& which, const std::string& why) noexcept {
  forget(which);
  if (!ending_) give_up("a connection has ended: " + why);
}

task<> worker::finish(std::function<bool()> all_came) {
  const auto quiet = [&] { return given_up() || all_came(); };
  co_await settle(quiet);
  if (given_up()) throw load_failure(failure_);
  if (!all_came()) {
    throw load_failure("messages were sent that did not come back within the --patience of " +
                       std::to_string(options().patience.count()) + " ms");
  }
  co_await close_all();
}

task<> worker::close_all() {
  const auto all_ended = [this] { return connections_.empty(); };
  ending_ = true;
  for (load_connection* const each : connections_) each->close();
  co_await settle(all_ended);
  for (load_connection* const each : connections_) each->abort();
  co_await settle(all_ended);
}

// ----- Measuring

void worker::begin_measuring() {
  measured_ = {};
  measuring_ = true;
  began_ = loop().now();
  cpu_began_ = cpu_of_this_thread();
}

void worker::end_measuring() {
  measuring_ = false;
  measured_.time = loop().now() - began_;
  measured_.own_cpu = cpu_of_this_thread() - cpu_began_;
}

void worker::note(net::duration latency, std::size_t bytes) noexcept {
  ++seen_;
  if (!measuring_) return;
  ++measured_.messages;
  measured_.bytes += bytes;
  measured_.latencies.add(latency);
}

void worker::note_delay(net::duration late) noexcept {
  if (measuring_) measured_.delays.add(late);
}

// ----- Ends

void worker::give_up(std::string why) noexcept {
  if (!failure_.empty()) return;
  failure_ = std::move(why);
  end_.request_stop();
}

task<> worker::wait_for_the_end(std::stop_token stop) {
  constexpr std::chrono::hours longer_than_any(48);
  const std::stop_callback forward(std::move(stop), [this]() noexcept { end_.request_stop(); });
  co_await sleep_for(longer_than_any, end_.get_token());
  if (given_up()) throw load_failure(failure_);
}

task<> worker::settle(std::function<bool()> quiet) {
  constexpr milliseconds between_looks(1);
  const net::time_point ends = loop().now() + options().patience;
  while (!quiet() && loop().now() < ends) co_await sleep_for(between_looks);
}

}  // namespace windhover::load
