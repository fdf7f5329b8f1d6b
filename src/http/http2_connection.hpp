// What an HTTP/2 connection does in either role (RFC 9113), on any transport: it stands between the transport below and
// the transports that its streams are.
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

#include "http/http2_options.hpp"
#include "net/event_loop.hpp"
#include "net/timer.hpp"
#include "net/transport.hpp"
#include "wire/http2/session.hpp"

namespace windhover::http {

class http2_stream;

wire::http2::session_settings session_settings_of(const http2_options& options) noexcept;

class http2_connection : public net::driver, protected wire::http2::session_events {
 public:
  ~http2_connection() override;

  // net::driver
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override;
  void on_writable() noexcept override;
  void on_end() noexcept override;
  void on_failure(const net::failure& why) noexcept override;
  bool finished() const noexcept override { return streams_ == 0; }

  // For its streams.
  net::transport& below() const noexcept { return below_; }
  wire::http2::session& session() noexcept { return session_; }
  const wire::http2::session& session() const noexcept { return session_; }
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

 protected:
  // opening: until the peer's settings. open: after them. lingering: our end is sent, the peer's awaited.
  enum class state : std::uint8_t { opening, open, lingering, dead };
  // What the timer waits for.
  enum class awaited : std::uint8_t { nothing, head, request, drained, end };

  // Throws std::bad_alloc.
  http2_connection(net::transport& below, wire::http2::session_role role, const wire::http2::session_settings& settings,
                   const http2_options& options);

  // What a role adds. At the flush, before the session writes:
  virtual void update_session() {}
  virtual awaited what_is_awaited() const noexcept { return awaited::nothing; }
  virtual net::duration time_for(awaited) const noexcept { return {}; }
  virtual void timed_out(awaited) noexcept {}
  virtual void on_stream_added() noexcept {}
  virtual void on_stream_removed() noexcept {}
  virtual void on_flood() noexcept {}
  // The end of it, however it came: no stream is usable any more.
  virtual void on_over(const net::failure&) noexcept {}

  // session_events
  void on_data(wire::http2::session_stream& of, std::span<const std::byte> bytes) override;
  void on_stream_end(wire::http2::session_stream& of) override;
  void on_stream_closed(wire::http2::session_stream& of, wire::http2::error_code why) override;
  void on_ping_answered() override {}
  bool on_event(wire::http2::event what) override;
  data next_data(wire::http2::session_stream& of, std::size_t most) override;
  bool may_write() const override { return !below_.above_high_water(); }
  void write(std::span<const std::byte> bytes) override { below_.queue_copy(bytes); }
  void write_data(wire::http2::session_stream& of, std::size_t size) override;

  std::size_t streams() const noexcept { return streams_; }
  state current_state() const noexcept { return state_; }
  bool over() const noexcept { return state_ == state::lingering || state_ == state::dead; }
  // Whether anything has come.
  bool heard() const noexcept { return heard_; }
  // A ping was sent because nothing came, and still nothing does.
  bool is_silent() const noexcept { return ping_sent_ && last_received_ < *ping_sent_; }
  void note_open() noexcept {
    if (state_ == state::opening) state_ = state::open;
  }
  void end_with(wire::http2::error_code why) noexcept;
  // Arms the timer for what is awaited, unless it is already.
  void watch() noexcept;
  // At the next watch(), if it is awaited still.
  void await_anew(awaited what) noexcept {
    if (awaited_ == what) awaited_ = awaited::nothing;
  }

 private:
  // Where the connection stands in the loop's flush: above the transport that owns it, below its streams.
  class pump;

  void flush();
  void take(std::span<const std::byte> bytes);
  void end_streams(const net::failure& why) noexcept;
  void close_politely() noexcept;
  void time_out() noexcept;
  void time_out_lingering() noexcept;
  void keep_alive() noexcept;

  net::transport& below_;
  const http2_options options_;
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
  std::size_t queued_ = 0;  // below, when the timer was armed for the end
  std::optional<wire::http2::error_code> terminating_;
  state state_ = state::opening;
  awaited awaited_ = awaited::nothing;
  bool ping_due_ = false;
  bool heard_ = false;
};

}  // namespace windhover::http
