#include "load/echo_worker.hpp"

#include <algorithm>
#include <utility>

#include "load/pacer.hpp"
#include <windhover/task_group.hpp>

namespace windhover::load {
namespace {

// Of those that are sent at a rate: memory has an end.
constexpr std::size_t unanswered_at_most = 1'000'000;

}  // namespace

task<> echo_worker::run(std::stop_token stop) {
  goes_on_ = true;
  if (rate() == 0) {
    for (load_connection* const each : connections()) each->send(options().in_flight, loop().now());
    co_await wait_for_the_end(stop);
  } else {
    auto body = [this](task_group& group) -> task<> {
      const auto send = [this](net::time_point due) { send_one(due); };
      group.spawn(keep_pace(loop(), rate(), send, group.stop_token()));
      co_await wait_for_the_end(group.stop_token());
    };
    co_await task_group::run(body, stop);
  }
  goes_on_ = false;
  const auto all_came = [this] {
    return std::ranges::all_of(connections(), [](const auto* each) { return each->unanswered() == 0; });
  };
  co_await finish(all_came);
}

void echo_worker::send_one(net::time_point due) {
  if (given_up()) return;
  note_delay(loop().now() - due);
  connections()[turn_++ % connections().size()]->send(1, due);
  if (++backlog_ > unanswered_at_most) {
    give_up("the server does not keep up with the rate: a million messages are not answered");
  }
}

void echo_worker::on_message(load_connection& to, const load_connection::arrival& message) noexcept {
  if (to.unanswered() == 0) return give_up("more messages came back than were sent");
  note(loop().now() - to.answered(), message.size);
  ++answered_;
}

void echo_worker::on_pause(load_connection& of) noexcept {
  const std::size_t count = std::exchange(answered_, 0);
  if (rate() != 0) {
    backlog_ -= count;
  } else if (goes_on_ && count > 0) {
    of.send(count, loop().now());
  }
}

}  // namespace windhover::load
