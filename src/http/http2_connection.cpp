#include "http/http2_connection.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "http/http2_stream.hpp"

namespace windhover::http {
namespace {

using wire::http2::error_code;

// Frames that wait because the peer does not read. One that is owed so many is not read either.
constexpr std::size_t most_waiting_frames = 1000;

http2_stream& stream_of(wire::http2::session_stream& of) { return static_cast<http2_stream&>(of); }

}  // namespace

wire::http2::session_settings session_settings_of(const http2_options& options) noexcept {
  wire::http2::session_settings made;
  made.max_concurrent_streams = options.max_streams;
  made.stream_window = options.stream_window;
  made.connection_window = options.connection_window;
  made.header_table_size = options.header_table_size;
  made.max_frame_size = options.max_frame_size;
  return made;
}

class http2_connection::pump final : public net::loop_object {
 public:
  // The loop's, which destroys it when the connection has gone.
  static pump& make(http2_connection& of) {
    auto made = std::make_unique<pump>(of);
    pump& added = *made;
    added.token_ = of.below_.loop().add(std::move(made));
    return added;
  }
  explicit pump(http2_connection& of) noexcept
      : loop_object(net::flush_layer::session), loop_(of.below_.loop()), connection_(&of) {}
  pump(const pump&) = delete;
  pump& operator=(const pump&) = delete;
  ~pump() override {
    if (connection_ != nullptr) connection_->pump_ = nullptr;
  }

  void flush() noexcept override {
    if (connection_ != nullptr) connection_->guarded([this] { connection_->flush(); });
  }
  bool may_be_destroyed() const noexcept override { return connection_ == nullptr; }
  std::string describe() const override { return "the output of an HTTP/2 connection"; }

  void let_go() noexcept {
    connection_ = nullptr;
    loop_.consider_destroying(token_);
  }

 private:
  net::event_loop& loop_;
  net::token token_{};
  http2_connection* connection_;
};

http2_connection::http2_connection(net::transport& below, wire::http2::session_role role,
                                   const wire::http2::session_settings& settings, const http2_options& options)
    : below_(below),
      options_(options),
      session_(*this, role, settings),
      timer_(this, [](void* self) noexcept { static_cast<http2_connection*>(self)->time_out(); }),
      ping_timer_(this, [](void* self) noexcept { static_cast<http2_connection*>(self)->keep_alive(); }),
      last_received_(below.loop().now()) {
  pump_ = &pump::make(*this);
  if (options.ping_delay > net::duration::zero()) below_.loop().arm(ping_timer_, options.ping_delay);
  flush_later();  // the settings
}

http2_connection::~http2_connection() {
  for (http2_stream* each = first_; each != nullptr; each = each->next_) each->orphan();
  if (pump_ != nullptr) pump_->let_go();
}

void http2_connection::flush_later() noexcept {
  if (pump_ != nullptr) below_.loop().flush_later(*pump_);
}

void http2_connection::add(http2_stream& stream) noexcept {
  stream.next_ = first_;
  if (first_ != nullptr) first_->previous_ = &stream;
  first_ = &stream;
  ++streams_;
  on_stream_added();
}

void http2_connection::remove(http2_stream& stream) noexcept {
  if (stream.id_ != 0) session_.set_stream(stream.id_, nullptr);
  (stream.previous_ == nullptr ? first_ : stream.previous_->next_) = stream.next_;
  if (stream.next_ != nullptr) stream.next_->previous_ = stream.previous_;
  --streams_;
  on_stream_removed();
  if (streams_ > 0) return;
  watch();
  flush_later();
  if (finished()) below_.driver_finished();
}

// ----- From below

std::size_t http2_connection::on_bytes(std::span<const std::byte> bytes) noexcept {
  if (over()) return bytes.size();
  if (below_.above_high_water() && session_.waiting_frames() > most_waiting_frames) return 0;
  guarded([&] { take(bytes); });
  return bytes.size();
}

void http2_connection::take(std::span<const std::byte> bytes) {
  last_received_ = below_.loop().now();
  heard_ = true;
  static_cast<void>(session_.receive(bytes));
  watch();
  flush_later();
}

void http2_connection::on_writable() noexcept {
  below_.resume_reading();
  flush_later();
}

// Half a connection is of no use to HTTP/2: a peer that ends it has gone.
void http2_connection::on_end() noexcept { close_politely(); }

void http2_connection::on_failure(const net::failure& why) noexcept {
  state_ = state::dead;
  timer_.cancel();
  ping_timer_.cancel();
  end_streams(why);
  on_over(why);
  below_.driver_finished();
}

void http2_connection::end_streams(const net::failure& why) noexcept {
  for (http2_stream* each = first_; each != nullptr; each = each->next_) each->connection_failed(why);
}

// ----- From the loop

void http2_connection::flush() {
  if (over()) return;
  update_session();
  if (const auto why = std::exchange(terminating_, std::nullopt)) session_.terminate(*why);
  if (std::exchange(ping_due_, false)) session_.ping();
  session_.send();
  if (session_.finished()) close_politely();
}

void http2_connection::end_with(error_code why) noexcept {
  terminating_ = why;
  flush_later();
}

void http2_connection::close_politely() noexcept {
  if (over()) return;
  state_ = state::lingering;
  const net::failure ended{net::failure::cause::reset};
  end_streams(ended);
  on_over(ended);
  ping_timer_.cancel();
  below_.close();
  below_.resume_reading();
  watch();
  below_.driver_finished();
}

// ----- Time

void http2_connection::watch() noexcept {
  awaited next = awaited::nothing;
  if (state_ == state::lingering) {
    next = awaited::end;
  } else if (state_ != state::dead) {
    next = what_is_awaited();
  }
  if (next == awaited_) return;
  awaited_ = next;
  timer_.cancel();
  if (next == awaited::nothing) return;
  if (next == awaited::end) queued_ = below_.queued_bytes();
  below_.loop().arm(timer_, next == awaited::end ? options_.linger_timeout : time_for(next));
}

void http2_connection::time_out() noexcept {
  const awaited missed = std::exchange(awaited_, awaited::nothing);
  if (missed == awaited::end) {
    time_out_lingering();
  } else if (missed != awaited::nothing) {
    timed_out(missed);
  }
}

// A peer that takes what was sent, however slowly, may have it all, and then the time for its own end.
void http2_connection::time_out_lingering() noexcept {
  const std::size_t before = std::exchange(queued_, below_.queued_bytes());
  if (queued_ == 0 ? before == 0 : queued_ >= before) return below_.abort();
  awaited_ = awaited::end;
  below_.loop().arm(timer_, queued_ > 0 ? options_.write_timeout : options_.linger_timeout);
}

void http2_connection::keep_alive() noexcept {
  net::event_loop& loop = below_.loop();
  const net::duration silent = loop.now() - last_received_;
  if (is_silent()) return below_.abort();
  if (silent >= options_.ping_delay) {
    ping_sent_ = loop.now();
    ping_due_ = true;
    flush_later();
    return loop.arm(ping_timer_, options_.ping_timeout);
  }
  ping_sent_.reset();
  loop.arm(ping_timer_, options_.ping_delay - silent);
}

// ----- From the session

void http2_connection::on_data(wire::http2::session_stream& of, std::span<const std::byte> bytes) {
  stream_of(of).take(bytes);
}

void http2_connection::on_stream_end(wire::http2::session_stream& of) { stream_of(of).take_end(); }

void http2_connection::on_stream_closed(wire::http2::session_stream& of, error_code why) {
  stream_of(of).closed_by_session(why);
}

bool http2_connection::on_event(wire::http2::event what) {
  note_open();
  const net::time_point now = below_.loop().now();
  if (now - second_ >= std::chrono::seconds(1)) {
    second_ = now;
    resets_ = 0;
    control_frames_ = 0;
  }
  ++(what == wire::http2::event::control_frame ? control_frames_ : resets_);
  const bool in_bounds =
      control_frames_ <= options_.max_control_frames_per_second && resets_ <= options_.max_resets_per_second;
  if (!in_bounds) on_flood();
  return in_bounds;
}

wire::http2::session_events::data http2_connection::next_data(wire::http2::session_stream& of, std::size_t most) {
  return stream_of(of).next_data(most);
}

void http2_connection::write_data(wire::http2::session_stream& of, std::size_t size) { stream_of(of).write_data(size); }

}  // namespace windhover::http
