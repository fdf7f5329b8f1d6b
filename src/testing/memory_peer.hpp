// A client's end of a connection on a simulated network: what is queued goes out, what arrives is handed on.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "net/simulated_network.hpp"

namespace windhover::testing {

class memory_peer final : public net::network_actor {
 public:
  // Connects; throws std::system_error when nobody listens. The network must outlive it.
  memory_peer(net::simulated_network& network, const endpoint& to);
  // A connection that is still open is reset.
  ~memory_peer() override;

  // Called with the bytes that have arrived, from within a turn.
  std::function<void(std::string_view)> on_bytes;

  void queue(std::string_view bytes) { output_.append(bytes); }
  // Ends our half of the stream behind what is queued.
  void end() noexcept { ends_ = true; }
  void reset();
  // The server has ended its half; the connection is over, one way or the other.
  bool ended() const noexcept { return ended_ || over_; }
  bool over() const noexcept { return over_; }
  // By either side: what was under way is lost.
  bool was_reset() const noexcept { return was_reset_; }

  std::optional<net::time_point> next_action() const override;
  void act() override;

 private:
  void send_queued();
  void receive();
  void close(bool with_reset);

  net::simulated_network& network_;
  int descriptor_;
  std::string output_;
  bool ends_ = false;
  bool end_sent_ = false;
  bool ended_ = false;
  bool over_ = false;
  bool was_reset_ = false;
};

}  // namespace windhover::testing
