#include "testing/memory_peer.hpp"

#include <array>
#include <utility>

namespace windhover::testing {
namespace {

using outcome = net::simulated_network::outcome;

constexpr std::size_t bytes_at_once = std::size_t{16} << 10;

}  // namespace

memory_peer::memory_peer(net::simulated_network& network, const endpoint& to)
    : network_(network), descriptor_(network.connect(to)) {
  network_.add(*this);
}

memory_peer::~memory_peer() {
  network_.remove(*this);
  close(true);
}

std::optional<net::time_point> memory_peer::next_action() const {
  if (over_) return std::nullopt;
  if (!output_.empty() && network_.writable(descriptor_)) return network_.now();
  if (output_.empty() && ends_ && !end_sent_) return network_.now();
  return network_.next_arrival(descriptor_);
}

void memory_peer::act() {
  if (over_) return;
  if (!output_.empty()) send_queued();
  if (output_.empty() && ends_ && !end_sent_) {
    end_sent_ = true;
    network_.shut_down(descriptor_);
  }
  while (!over_ && network_.readable(descriptor_)) receive();
  if (ended_ && end_sent_) close(false);
}

void memory_peer::send_queued() {
  const auto sent = network_.send(descriptor_, std::as_bytes(std::span(output_)));
  // Why it fails is received as well.
  output_.erase(0, sent < 0 ? output_.size() : static_cast<std::size_t>(sent));
}

void memory_peer::receive() {
  std::array<std::byte, bytes_at_once> buffer;
  const auto arrived = network_.receive(descriptor_, buffer);
  switch (arrived.what) {
    case outcome::nothing:
      return;
    case outcome::bytes:
      if (on_bytes) on_bytes({reinterpret_cast<const char*>(buffer.data()), arrived.size});
      return;
    case outcome::end:
      ended_ = true;
      return end();
    case outcome::reset:
      return close(true);
  }
}

void memory_peer::reset() { close(true); }

void memory_peer::close(bool with_reset) {
  if (std::exchange(over_, true)) return;
  was_reset_ = with_reset;
  network_.close(descriptor_, with_reset);
}

}  // namespace windhover::testing
