#include "load/connecting_workers.hpp"

#include <string>
#include <utility>
#include <vector>

#include <windhover/completion.hpp>
#include <windhover/task_group.hpp>
#include <windhover/with_timeout.hpp>

namespace windhover::load {
namespace {

// One connection of a churn, from its opening to its end: as soon as it is open it sends a message, and when that has
// come back it closes.
class visit final : public load_connection::listener {
 public:
  explicit visit(net::time_point began) noexcept : began_(began) {}

  task<> end() { co_await gone_; }
  // It has taken too long.
  void give_up() noexcept {
    if (connection_ == nullptr) return;
    gave_up_ = true;
    connection_->abort();
  }
  std::size_t size() const noexcept { return size_; }
  // Empty when everything went as it should.
  std::string failure() const { return gave_up_ ? "it took longer than the --patience" : failure_; }

 private:
  void on_open(load_connection& opened) noexcept override {
    connection_ = &opened;
    opened.send(1, began_);
  }
  void on_message(load_connection& to, const load_connection::arrival& message) noexcept override {
    size_ = message.size;
    to.close();
  }
  void on_pause(load_connection&) noexcept override {}
  void on_ended(load_connection&, const std::string& why) noexcept override {
    connection_ = nullptr;
    failure_ = why;
    gone_.set_value();
  }

  net::time_point began_;
  load_connection* connection_ = nullptr;  // while it is open
  completion<> gone_;
  std::size_t size_ = 0;
  std::string failure_;
  bool gave_up_ = false;
};

}  // namespace

task<> idle_worker::run(std::stop_token stop) {
  co_await wait_for_the_end(std::move(stop));
  const auto nothing_is_awaited = [] { return true; };
  co_await finish(nothing_is_awaited);
}

// ----- Churn

task<> churn_worker::run(std::stop_token stop) {
  auto body = [this](task_group& group) -> task<> {
    for (std::size_t i = 0; i < wanted(); ++i) group.spawn(come_and_go(group.stop_token()));
    co_await wait_for_the_end(group.stop_token());
  };
  co_await task_group::run(body, stop);
}

task<> churn_worker::come_and_go(std::stop_token stop) {
  // What has begun comes to its end: only the patience stops it.
  const auto once = [this](std::stop_token late) { return come_and_go_once(std::move(late)); };
  while (!stop.stop_requested()) co_await with_timeout(options().patience, once);
}

task<> churn_worker::come_and_go_once(std::stop_token late) {
  const net::time_point began = loop().now();
  visit here(began);
  co_await open_connection(loop(), plan().target, options(), settings(), here, late);
  const std::stop_callback leave(late, [&here]() noexcept { here.give_up(); });
  co_await here.end();
  if (!here.failure().empty()) throw load_failure("a connection has ended: " + here.failure());
  note(loop().now() - began, here.size());
}

// ----- Storm

task<> storm_worker::run(std::stop_token stop) {
  auto body = [this](task_group& group) -> task<> {
    group.spawn(come_and_go(group.stop_token()));
    co_await wait_for_the_end(group.stop_token());
  };
  co_await task_group::run(body, stop);
}

task<> storm_worker::come_and_go(std::stop_token stop) {
  const auto all = [this](task_group& group) -> task<> {
    for (std::size_t i = 0; i < wanted(); ++i) group.spawn(open_one(group.stop_token()));
    co_await group.join();
  };
  const auto all_gone = [this] { return connections().empty(); };
  while (!stop.stop_requested()) {
    co_await task_group::run(all);
    going_ = true;
    for (load_connection* const each : connections()) each->abort();
    co_await settle(all_gone);
    going_ = false;
  }
}

task<> storm_worker::open_one(std::stop_token stop) {
  const net::time_point began = loop().now();
  co_await open(*this, std::move(stop));
  note(loop().now() - began, 0);
}

void storm_worker::on_ended(load_connection& which, const std::string& why) noexcept {
  if (!going_) return worker::on_ended(which, why);
  forget(which);
}

}  // namespace windhover::load
