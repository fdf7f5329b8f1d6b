#include "http/http2_connection.hpp"

#include <chrono>
#include <memory>
#include <utility>

#include "http/http2_request.hpp"
#include "http/http2_stream.hpp"

namespace windhover::http {
namespace {

using wire::http2::error_code;

// Frames that wait because the client does not read. A client that is owed so many is not read either.
constexpr std::size_t most_waiting_frames = 1000;

http2_stream& stream_of(wire::http2::session_stream& of) { return static_cast<http2_stream&>(of); }

wire::http2::session_settings settings_of(const server_options& options, http2_connection::preface from_client) {
  wire::http2::session_settings made;
  made.expects_preface = from_client == http2_connection::preface::expected;
  made.max_concurrent_streams = options.http2.max_streams;
  made.stream_window = options.http2.stream_window;
  made.connection_window = options.http2.connection_window;
  made.max_header_list_size = static_cast<std::uint32_t>(options.limits.header_bytes);
  made.header_table_size = options.http2.header_table_size;
  made.max_frame_size = options.http2.max_frame_size;
  return made;
}

}  // namespace

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

http2_connection::http2_connection(net::transport& below, server_context& shared, preface from_client)
    : below_(below),
      shared_(shared),
      session_(*this, settings_of(shared.options, from_client)),
      timer_(this, [](void* self) noexcept { static_cast<http2_connection*>(self)->time_out(); }),
      ping_timer_(this, [](void* self) noexcept { static_cast<http2_connection*>(self)->keep_alive(); }),
      last_received_(below.loop().now()) {
  pump_ = &pump::make(*this);
  ++shared_.counters->http2_connections;
  below_.set_water_marks(shared.options.high_water, shared.options.high_water / 2);
  if (shared.options.http2.ping_delay > net::duration::zero()) {
    below_.loop().arm(ping_timer_, shared.options.http2.ping_delay);
  }
  watch();
  flush_later();  // the settings
}

http2_connection::~http2_connection() {
  for (http2_stream* each = first_; each != nullptr; each = each->next_) each->orphan();
  if (pump_ != nullptr) pump_->let_go();
}

std::string http2_connection::describe() const {
  return "an HTTP/2 connection from " + below_.remote_endpoint().to_string();
}

void http2_connection::flush_later() noexcept {
  if (pump_ != nullptr) below_.loop().flush_later(*pump_);
}

void http2_connection::add(http2_stream& stream) noexcept {
  stream.next_ = first_;
  if (first_ != nullptr) first_->previous_ = &stream;
  first_ = &stream;
  ++streams_;
  ++shared_.counters->http2_streams;
}

void http2_connection::remove(http2_stream& stream) noexcept {
  session_.set_stream(stream.id_, nullptr);
  (stream.previous_ == nullptr ? first_ : stream.previous_->next_) = stream.next_;
  if (stream.next_ != nullptr) stream.next_->previous_ = stream.previous_;
  --streams_;
  --shared_.counters->http2_streams;
  if (streams_ > 0) return;
  watch();
  flush_later();
  below_.driver_finished();
}

// ----- From below

std::size_t http2_connection::on_bytes(std::span<const std::byte> bytes) noexcept {
  if (state_ == state::lingering || state_ == state::dead) return bytes.size();
  if (below_.above_high_water() && session_.waiting_frames() > most_waiting_frames) return 0;
  guarded([&] { take(bytes); });
  return bytes.size();
}

void http2_connection::take(std::span<const std::byte> bytes) {
  last_received_ = below_.loop().now();
  static_cast<void>(session_.receive(bytes));
  watch();
  flush_later();
}

void http2_connection::on_writable() noexcept {
  below_.resume_reading();
  flush_later();
}

// Half a connection is of no use to HTTP/2: a client that ends it has gone.
void http2_connection::on_end() noexcept {
  const net::failure gone{net::failure::cause::reset};
  end_streams(gone);
  close_politely();
}

void http2_connection::on_failure(const net::failure& why) noexcept {
  state_ = state::dead;
  timer_.cancel();
  ping_timer_.cancel();
  end_streams(why);
  below_.driver_finished();
}

void http2_connection::end_streams(const net::failure& why) noexcept {
  for (http2_stream* each = first_; each != nullptr; each = each->next_) each->connection_failed(why);
}

// ----- From the loop

void http2_connection::flush() {
  if (state_ == state::lingering || state_ == state::dead) return;
  take_drain_steps();
  if (const auto why = std::exchange(terminating_, std::nullopt)) session_.terminate(*why);
  if (std::exchange(ping_due_, false)) session_.ping();
  session_.send();
  if (session_.finished()) close_politely();
}

void http2_connection::drain() noexcept {
  if (draining_ != drain_step::none) return;
  draining_ = drain_step::wanted;
  flush_later();
}

// A client that has just sent a request does not know yet that it should not have: the first GOAWAY names no last
// stream, and the second one follows when everything that was under way must have arrived (RFC 9113, section 6.8).
void http2_connection::take_drain_steps() {
  if (draining_ == drain_step::wanted) {
    draining_ = drain_step::announced;
    session_.announce_shutdown();
    session_.ping();
    watch();
  } else if (draining_ == drain_step::final_wanted) {
    draining_ = drain_step::final;
    session_.shut_down();
    watch();
  }
}

void http2_connection::close_politely() noexcept {
  if (state_ == state::lingering || state_ == state::dead) return;
  state_ = state::lingering;
  const net::failure over{net::failure::cause::reset};
  end_streams(over);
  ping_timer_.cancel();
  below_.close();
  below_.resume_reading();
  watch();
  below_.driver_finished();
}

// ----- Time

http2_connection::awaited http2_connection::what_is_awaited() const noexcept {
  if (state_ == state::dead) return awaited::nothing;
  if (state_ == state::lingering) return awaited::end;
  if (draining_ == drain_step::announced) return awaited::drained;
  if (state_ == state::opening || head_) return awaited::head;
  return streams_ == 0 ? awaited::request : awaited::nothing;
}

void http2_connection::watch() noexcept {
  const awaited next = what_is_awaited();
  if (next == awaited_) return;
  awaited_ = next;
  timer_.cancel();
  net::event_loop& loop = below_.loop();
  const server_options& options = shared_.options;
  switch (next) {
    case awaited::nothing:
      return;
    case awaited::head:
      return loop.arm(timer_, options.headers_timeout);
    case awaited::request:
      return loop.arm(timer_, options.keep_alive_timeout);
    case awaited::drained:
      return loop.arm(timer_, options.http2.drain_timeout);
    case awaited::end:
      queued_ = below_.queued_bytes();
      return loop.arm(timer_, options.linger_timeout);
  }
}

void http2_connection::time_out() noexcept {
  switch (std::exchange(awaited_, awaited::nothing)) {
    case awaited::nothing:
      return;
    case awaited::head:
      ++shared_.counters->requests_timed_out;
      terminating_ = error_code::protocol_error;
      return flush_later();
    case awaited::request:
      terminating_ = error_code::no_error;
      return flush_later();
    case awaited::drained:
      draining_ = drain_step::final_wanted;
      return flush_later();
    case awaited::end:
      return time_out_lingering();
  }
}

// A client that takes what was sent, however slowly, may have it all, and then the time for its own end.
void http2_connection::time_out_lingering() noexcept {
  const std::size_t before = std::exchange(queued_, below_.queued_bytes());
  if (queued_ == 0 ? before == 0 : queued_ >= before) return below_.abort();
  awaited_ = awaited::end;
  below_.loop().arm(timer_, queued_ > 0 ? shared_.options.write_timeout : shared_.options.linger_timeout);
}

void http2_connection::keep_alive() noexcept {
  net::event_loop& loop = below_.loop();
  const http2_options& options = shared_.options.http2;
  const net::duration silent = loop.now() - last_received_;
  if (ping_sent_ && last_received_ < *ping_sent_) return below_.abort();
  if (silent >= options.ping_delay) {
    ping_sent_ = loop.now();
    ping_due_ = true;
    flush_later();
    return loop.arm(ping_timer_, options.ping_timeout);
  }
  ping_sent_.reset();
  loop.arm(ping_timer_, options.ping_delay - silent);
}

// ----- From the session

bool http2_connection::on_headers_begin(wire::http2::stream_id id) {
  state_ = state::open;
  // What still runs for a stream that the client has reset counts as well: resetting must not buy more than its limit.
  if (streams_ >= shared_.options.http2.max_streams) {
    ++shared_.counters->streams_refused;
    return false;
  }
  auto made = std::make_unique<http2_stream>(*this, id, shared_.options.limits);
  http2_stream& stream = *made;
  stream.set_token(below_.loop().add(std::move(made)));
  session_.set_stream(id, &stream);
  head_ = id;
  if (awaited_ == awaited::head) awaited_ = awaited::nothing;  // each head has its own time
  return true;
}

void http2_connection::on_header(wire::http2::session_stream& of, std::string_view name, std::string_view value) {
  stream_of(of).add_field(name, value);
}

void http2_connection::on_headers_end(wire::http2::session_stream& of, bool ends) {
  head_.reset();
  http2_request::begin(stream_of(of), *this, ends);
}

void http2_connection::on_data(wire::http2::session_stream& of, std::span<const std::byte> bytes) {
  stream_of(of).take(bytes);
}

void http2_connection::on_stream_end(wire::http2::session_stream& of) { stream_of(of).take_end(); }

void http2_connection::on_stream_closed(wire::http2::session_stream& of, error_code why) {
  http2_stream& stream = stream_of(of);
  if (head_ == stream.id_) head_.reset();
  stream.closed_by_session(why);
}

void http2_connection::on_ping_answered() {
  if (draining_ != drain_step::announced) return;
  draining_ = drain_step::final_wanted;
  flush_later();
}

bool http2_connection::on_event(wire::http2::event what) {
  if (state_ == state::opening) state_ = state::open;
  const net::time_point now = below_.loop().now();
  if (now - second_ >= std::chrono::seconds(1)) {
    second_ = now;
    resets_ = 0;
    control_frames_ = 0;
  }
  ++(what == wire::http2::event::control_frame ? control_frames_ : resets_);
  const http2_options& options = shared_.options.http2;
  if (control_frames_ <= options.max_control_frames_per_second && resets_ <= options.max_resets_per_second) return true;
  ++shared_.counters->http2_floods;
  return false;
}

wire::http2::session_events::data http2_connection::next_data(wire::http2::session_stream& of, std::size_t most) {
  return stream_of(of).next_data(most);
}

void http2_connection::write_data(wire::http2::session_stream& of, std::size_t size) { stream_of(of).write_data(size); }

}  // namespace windhover::http
