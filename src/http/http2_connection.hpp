// The server's side of an HTTP/2 connection (RFC 9113), on any transport: it stands between the transport below and the
// transports that its streams are.
//
// Its session is entered from below (on_bytes) and from the loop's flush, nowhere else. Streams and whatever stands on
// them mark what they want; at the flush they tell the session, and then the session writes, in turns for all streams
// and as long as the transport below has room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <string>

#include "http/server_options.hpp"
#include "net/event_loop.hpp"
#include "net/timer.hpp"
#include "net/transport.hpp"
#include "wire/http2/session.hpp"

namespace windhover::http {

class http2_stream;

class http2_connection final : public net::driver, private wire::http2::session_events {
 public:
  enum class preface : std::uint8_t { expected, read };  // read: by somebody who then knew what this is

  // Throws std::bad_alloc.
  http2_connection(net::transport& below, server_context& shared, preface from_client);
  ~http2_connection() override;

  // net::driver
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override;
  void on_writable() noexcept override;
  void on_end() noexcept override;
  void on_failure(const net::failure& why) noexcept override;
  bool finished() const noexcept override { return streams_ == 0; }
  void drain() noexcept override;
  std::string describe() const override;

  // For its streams.
  net::transport& below() noexcept { return below_; }
  wire::http2::session& session() noexcept { return session_; }
  server_context& shared() noexcept { return shared_; }
  bool draining() const noexcept { return draining_ != drain_step::none; }
  void add(http2_stream& stream) noexcept;
  void remove(http2_stream& stream) noexcept;
  void flush_later() noexcept;
  // Nothing is called from the outside that may throw. What lacks memory ends.
  template <class Act>
  void guarded(Act&& act) noexcept {
    try {
      act();
    } catch (const std::bad_alloc&) {
      below_.abort();
    }
  }

 private:
  // opening: until the client's settings. open: after them. lingering: our end is sent, the client's awaited.
  enum class state : std::uint8_t { opening, open, lingering, dead };
  // wanted: the end is to be announced. announced: requests may still arrive that were under way. final: none any more.
  enum class drain_step : std::uint8_t { none, wanted, announced, final_wanted, final };
  // What the timer waits for.
  enum class awaited : std::uint8_t { nothing, head, request, drained, end };

  // Where the connection stands in the loop's flush: above the transport that owns it, below its streams.
  class pump;

  // session_events
  bool on_headers_begin(wire::http2::stream_id id) override;
  void on_header(wire::http2::session_stream& of, std::string_view name, std::string_view value) override;
  void on_headers_end(wire::http2::session_stream& of, bool ends) override;
  void on_data(wire::http2::session_stream& of, std::span<const std::byte> bytes) override;
  void on_stream_end(wire::http2::session_stream& of) override;
  void on_stream_closed(wire::http2::session_stream& of, wire::http2::error_code why) override;
  void on_ping_answered() override;
  bool on_event(wire::http2::event what) override;
  data next_data(wire::http2::session_stream& of, std::size_t most) override;
  bool may_write() const override { return !below_.above_high_water(); }
  void write(std::span<const std::byte> bytes) override { below_.queue_copy(bytes); }
  void write_data(wire::http2::session_stream& of, std::size_t size) override;

  void flush();
  void take(std::span<const std::byte> bytes);
  void take_drain_steps();
  void end_streams(const net::failure& why) noexcept;
  void close_politely() noexcept;
  void watch() noexcept;
  awaited what_is_awaited() const noexcept;
  void time_out() noexcept;
  void time_out_lingering() noexcept;
  void keep_alive() noexcept;

  net::transport& below_;
  server_context& shared_;
  pump* pump_ = nullptr;
  wire::http2::session session_;
  http2_stream* first_ = nullptr;
  std::size_t streams_ = 0;
  net::timer timer_;
  net::timer ping_timer_;
  net::time_point last_received_;
  std::optional<net::time_point> ping_sent_;  // and nothing has been heard yet that is known of
  net::time_point second_{};                  // that is counted
  std::uint32_t resets_ = 0;                  // within it
  std::uint32_t control_frames_ = 0;
  std::size_t queued_ = 0;                      // below, when the timer was armed for the end
  std::optional<wire::http2::stream_id> head_;  // of the stream whose head arrives
  std::optional<wire::http2::error_code> terminating_;
  state state_ = state::opening;
  drain_step draining_ = drain_step::none;
  awaited awaited_ = awaited::nothing;
  bool ping_due_ = false;
};

}  // namespace windhover::http
