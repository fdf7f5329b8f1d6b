// What a WebSocket connection does by the clock: pings and their deadlines, and the deadlines of closing and of a
// handler that does not receive.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <utility>

#include "websocket/websocket_connection.hpp"

namespace windhover {

using wire::opcode;

void websocket_connection::arm(std::uint32_t milliseconds) noexcept {
  loop().arm(timer_, std::chrono::milliseconds(milliseconds));
}

// When keep-alive has something to do next. While reading is paused no pong can be seen: then it rests.
net::time_point websocket_connection::keep_alive_due() const noexcept {
  using std::chrono::milliseconds;
  const milliseconds interval(settings_->keep_alive_interval);
  const milliseconds timeout(settings_->keep_alive_timeout);
  if (interval == milliseconds::zero()) return net::time_point::max();
  if (timeout == milliseconds::zero()) return sign_sent_ + interval;
  if (paused_) return net::time_point::max();
  return awaiting_pong_ ? sign_sent_ + timeout : last_received_ + interval;
}

// While open, the timer is for keep-alive, and while reading is paused for the stalled handler.
void websocket_connection::arm_next() noexcept {
  if (state_ != websocket_state::open) return;
  net::time_point next = keep_alive_due();
  if (paused_ && settings_->stalled_timeout != 0) {
    next = std::min(next, paused_since_ + std::chrono::milliseconds(settings_->stalled_timeout));
  }
  if (next == net::time_point::max()) return timer_.cancel();
  loop().arm(timer_, next - loop().now());
}

void websocket_connection::on_timer() noexcept {
  if (state_ == websocket_state::close_received) return answer_close();
  if (std::exchange(breaking_off_, false)) return tell_of_breaking_off();
  if (state_ != websocket_state::open) {
    // The closing handshake, or the peer's end of the connection after it, takes too long.
    if (state_ != websocket_state::aborted) ++counters_.unanswered_closes;
    stream_.abort();
    return;
  }
  const std::chrono::milliseconds stalled_timeout(settings_->stalled_timeout);
  if (paused_ && settings_->stalled_timeout != 0 && loop().now() - paused_since_ >= stalled_timeout) {
    ++counters_.stalled_handlers;
    loop().log_line(log_level::warning, "websocket", [this] {
      return describe() + " is aborted: its handler has not received for longer than the stalled timeout";
    });
    return abort();
  }
  if (loop().now() >= keep_alive_due()) keep_alive();
  if (!stream_.closing()) arm_next();
}

void websocket_connection::keep_alive() noexcept {
  if (settings_->keep_alive_timeout == 0) {
    queue_control(opcode::pong, {});
    sign_sent_ = loop().now();
    return;
  }
  if (!std::exchange(awaiting_pong_, false)) return send_ping();
  // Any byte since the ping is a sign of life.
  if (last_received_ >= sign_sent_) return;
  ++counters_.unanswered_pings;
  loop().log_line(log_level::debug, "websocket",
                  [this] { return describe() + " is aborted: it did not answer a ping"; });
  stream_.abort();
}

// The payload counts the pings, as ASP.NET Core's does.
void websocket_connection::send_ping() noexcept {
  std::array<std::byte, 8> payload;
  ++pings_;
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<std::byte>(pings_ >> (8 * (7 - i)));
  queue_control(opcode::ping, payload);
  awaiting_pong_ = true;
  sign_sent_ = loop().now();
}

}  // namespace windhover
