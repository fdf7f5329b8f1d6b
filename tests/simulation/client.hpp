// A client on the simulated network that follows a script of its own: it opens a connection, says what the numbers of
// its seed tell it to say, reads at its own pace, and goes away in one of the ways in which clients go away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "channel.hpp"
#include "journal.hpp"
#include "net/simulated_network.hpp"

namespace windhover::simulation {

class client : public net::network_actor {
 public:
  client(net::simulated_network& network, const endpoint& server, std::uint64_t seed, net::duration begins);
  ~client() override = default;

  // Before it has begun: everything goes through TLS, or over HTTP/2.
  void be_secure() { speaks_ = spoken::tls; }
  void speak_http2() { speaks_ = spoken::http2; }

  std::optional<net::time_point> next_action() const final;
  void act() final;
  virtual bool done() const noexcept { return state_ == state::gone; }

 protected:
  // ----- For the scripts

  // The connection is there: the first bytes may be queued.
  virtual void begin() = 0;
  // The next step of the script, when it is due and everything queued has gone. Returns how long to wait for the one
  // after it; none: there is no further step.
  virtual std::optional<net::duration> step() = 0;
  // Bytes arrived. What is taken is taken off the front.
  virtual void read(std::string& arrived) = 0;
  // The server has ended its stream, or the connection has failed.
  virtual void over(bool failed) = 0;

  void queue(std::string_view bytes);
  // What is queued goes out, then our end.
  void end();
  // Goes away at once: with a reset, or politely.
  void leave(bool reset);
  // Reads nothing for a while.
  void rest(net::duration time);
  // The rest of the script is not wanted any more.
  void drop_script() noexcept { next_step_.reset(); }
  net::seeded_random& random() noexcept { return random_; }
  // Since the connection was made.
  net::duration age() const noexcept { return network_.now() - connected_at_; }
  net::duration milliseconds_up_to(std::uint64_t most) noexcept;

 private:
  enum class state : std::uint8_t { waiting, connected, gone };
  enum class spoken : std::uint8_t { plain, tls, http2 };

  void connect();
  bool ends_now() const noexcept;
  void end_stream();
  void take(std::string_view arrived);
  void send_some();
  void receive_some();
  void close(bool reset);

  net::simulated_network& network_;
  endpoint server_;
  net::seeded_random random_;
  net::time_point begins_;
  net::time_point connected_at_{};
  net::time_point patience_ends_{};
  std::optional<net::time_point> next_step_;
  net::time_point reads_from_{};
  spoken speaks_ = spoken::plain;
  std::unique_ptr<channel> channel_;  // none where it speaks plainly
  std::string output_;
  std::string input_;
  int descriptor_ = -1;
  int attempts_ = 0;
  bool ends_ = false;
  bool ended_ = false;      // our end is sent
  bool was_ended_ = false;  // the server's has come
  state state_ = state::waiting;
};

}  // namespace windhover::simulation
