// A WebSocket over HTTP/2 (RFC 8441) for a script that speaks HTTP/1.1: its opening handshake becomes an extended
// CONNECT, the answer one of HTTP/1.1 again, and what follows is DATA. Beside it the connection has streams that come
// to nothing, and pings.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "channel.hpp"
#include "net/seeded_random.hpp"
#include "wire/http2/session.hpp"

namespace windhover::simulation {

class http2_channel final : public channel, private wire::http2::session_events, private wire::http2::session_stream {
 public:
  explicit http2_channel(net::seeded_random& random);

  void say(std::string_view plain) override;
  void finish() override;
  void end() override;
  heard hear(std::string_view arrived, std::string& plain) override;
  std::string take_output() override;
  // Whoever ends the connection under HTTP/2 ends its streams.
  bool waits() const noexcept override { return (asked_ || !queued_.empty()) && !closed_; }

 private:
  using stream_id = wire::http2::stream_id;

  // session_events
  bool on_headers_begin(stream_id) override { return false; }
  void on_header(wire::http2::session_stream& of, std::string_view name, std::string_view value) override;
  void on_headers_end(wire::http2::session_stream& of, bool ends) override;
  void on_data(wire::http2::session_stream& of, std::span<const std::byte> bytes) override;
  void on_stream_end(wire::http2::session_stream&) override { ended_ = true; }
  void on_stream_closed(wire::http2::session_stream& of, wire::http2::error_code why) override;
  void on_ping_answered() override {}
  void on_settings() override { may_ask_ = true; }
  bool on_event(wire::http2::event) override { return true; }
  data next_data(wire::http2::session_stream& of, std::size_t most) override;
  bool may_write() const override { return true; }
  void write(std::span<const std::byte> bytes) override;
  void write_data(wire::http2::session_stream& of, std::size_t size) override;

  void ask();
  void disturb();

  net::seeded_random& random_;
  wire::http2::session session_;
  stream_id stream_ = 0;
  std::string key_;
  std::string queued_;  // the handshake, then frames
  std::string output_;
  std::string answer_;  // the head that comes
  std::string status_;
  std::string heard_;
  std::size_t unreturned_ = 0;  // of the stream's window
  bool may_ask_ = false;
  bool asked_ = false;
  bool answered_ = false;
  bool finished_ = false;
  bool end_said_ = false;
  bool ended_ = false;
  bool closed_ = false;
  bool failed_ = false;
};

}  // namespace windhover::simulation
