#include "client.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <system_error>
#include <utility>

#include "http2_channel.hpp"
#include "secure_channel.hpp"

namespace windhover::simulation {
namespace {

using namespace std::chrono_literals;
using outcome = net::simulated_network::outcome;

// Every wait of the server is shorter than this: what is not over by then hangs.
constexpr net::duration patience = 15min;
constexpr int attempts = 3;
constexpr std::size_t largest_read = 20'000;

}  // namespace

client::client(net::simulated_network& network, const endpoint& server, std::uint64_t seed, net::duration begins)
    : network_(network), server_(server), random_(seed), begins_(network.now() + begins) {}

net::duration client::milliseconds_up_to(std::uint64_t most) noexcept {
  return std::chrono::milliseconds(random_.below(most + 1));
}

std::optional<net::time_point> client::next_action() const {
  switch (state_) {
    case state::gone:
      return std::nullopt;
    case state::waiting:
      return begins_;
    case state::connected:
      break;
  }
  if (!output_.empty() && network_.writable(descriptor_)) return network_.now();
  if (ends_now()) return network_.now();
  net::time_point next = patience_ends_;
  if (next_step_ && output_.empty()) next = std::min(next, *next_step_);
  if (network_.hung_up(descriptor_)) return network_.now();
  if (const auto hang_up = network_.next_hang_up(descriptor_)) next = std::min(next, *hang_up);
  if (const auto arrival = network_.next_arrival(descriptor_)) next = std::min(next, std::max(*arrival, reads_from_));
  return next;
}

void client::act() {
  const memory_meter::unmetered own;
  if (state_ == state::waiting) return connect();
  if (state_ == state::gone) return;
  if (network_.now() >= patience_ends_) {
    over(true);
    return close(true);
  }
  if (!output_.empty()) send_some();
  if (state_ == state::connected && ends_now()) end_stream();
  if (state_ == state::connected && (network_.now() >= reads_from_ || network_.hung_up(descriptor_))) receive_some();
  if (state_ == state::connected && next_step_ && output_.empty() && *next_step_ <= network_.now()) {
    next_step_.reset();
    if (const auto wait = step()) next_step_ = network_.now() + *wait;
  }
  if (state_ == state::connected && was_ended_ && ended_) close(false);
}

void client::connect() {
  try {
    descriptor_ = network_.connect(server_);
  } catch (const std::system_error&) {
    // Nobody listens any more.
    begins_ += 100ms;
    if (++attempts_ == attempts) {
      over(true);
      state_ = state::gone;
    }
    return;
  }
  state_ = state::connected;
  connected_at_ = network_.now();
  patience_ends_ = connected_at_ + patience;
  if (speaks_ == spoken::tls) channel_ = std::make_unique<secure_channel>();
  if (speaks_ == spoken::http2) channel_ = std::make_unique<http2_channel>(random_);
  begin();
  next_step_ = network_.now();
}

void client::queue(std::string_view bytes) {
  if (!channel_) {
    output_.append(bytes);
    return;
  }
  channel_->say(bytes);
  output_ += channel_->take_output();
}

void client::end() {
  if (std::exchange(ends_, true) || !channel_) return;
  channel_->finish();
  output_ += channel_->take_output();
}

// Everything that was queued has gone, and there is an end to be said.
bool client::ends_now() const noexcept {
  return ends_ && !ended_ && output_.empty() && !(channel_ && channel_->waits());
}

void client::end_stream() {
  // Some say so in TLS, or HTTP/2, as well.
  if (channel_ && random_.chance(500)) {
    channel_->end();
    output_ += channel_->take_output();
    send_some();
  }
  ended_ = true;
  network_.shut_down(descriptor_);
}

void client::take(std::string_view arrived) {
  if (!channel_) {
    input_.append(arrived);
    return read(input_);
  }
  const channel::heard heard = channel_->hear(arrived, input_);
  output_ += channel_->take_output();
  if (heard == channel::heard::broken) {
    over(true);
    return close(true);
  }
  if (!input_.empty()) read(input_);
  if (heard != channel::heard::ended || state_ != state::connected) return;
  over(false);
  end();
}

void client::send_some() {
  const std::size_t most = random_.chance(300) ? random_.between(1, output_.size()) : output_.size();
  const auto sent = network_.send(descriptor_, std::as_bytes(std::span(output_)).first(most));
  // The reset that stands behind a failure is received as well.
  if (sent < 0) return output_.clear();
  output_.erase(0, static_cast<std::size_t>(sent));
}

void client::receive_some() {
  std::array<std::byte, largest_read> buffer;
  const std::size_t most = random_.chance(300) ? random_.between(1, 100) : buffer.size();
  const auto arrived = network_.receive(descriptor_, std::span(buffer).first(most));
  switch (arrived.what) {
    case outcome::nothing:
      return;
    case outcome::bytes:
      return take({reinterpret_cast<const char*>(buffer.data()), arrived.size});
    case outcome::end:
      was_ended_ = true;
      over(false);
      if (state_ == state::connected) end();
      return;
    case outcome::reset:
      over(true);
      return close(true);
  }
}

void client::leave(bool reset) { close(reset); }
void client::rest(net::duration time) { reads_from_ = network_.now() + time; }

void client::close(bool reset) {
  if (state_ != state::connected) return;
  network_.close(descriptor_, reset);
  state_ = state::gone;
}

}  // namespace windhover::simulation
