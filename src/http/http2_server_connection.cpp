#include "http/http2_server_connection.hpp"

#include <memory>

#include "http/http2_request.hpp"
#include "http/http2_server_stream.hpp"

namespace windhover::http {
namespace {

using wire::http2::error_code;

http2_server_stream& stream_of(wire::http2::session_stream& of) { return static_cast<http2_server_stream&>(of); }

wire::http2::session_settings settings_of(const server_options& options, http2_server_connection::preface from_client) {
  wire::http2::session_settings made = session_settings_of(options.http2);
  made.expects_preface = from_client == http2_server_connection::preface::expected;
  made.max_header_list_size = static_cast<std::uint32_t>(options.limits.header_bytes);
  return made;
}

}  // namespace

http2_server_connection::http2_server_connection(net::transport& below, server_context& shared, preface from_client)
    : http2_connection(below, wire::http2::session_role::server, settings_of(shared.options, from_client),
                       shared.options.http2),
      shared_(shared) {
  ++shared_.counters->http2_connections;
  below.set_water_marks(shared.options.high_water, shared.options.high_water / 2);
  watch();
}

std::string http2_server_connection::describe() const {
  return "an HTTP/2 connection from " + below().remote_endpoint().to_string();
}

// ----- The end of the server

void http2_server_connection::drain() noexcept {
  if (draining_ != drain_step::none) return;
  draining_ = drain_step::wanted;
  flush_later();
}

// A client that has just sent a request does not know yet that it should not have: the first GOAWAY names no last
// stream, and the second one follows when everything that was under way must have arrived (RFC 9113, section 6.8).
void http2_server_connection::update_session() {
  if (draining_ == drain_step::wanted) {
    draining_ = drain_step::announced;
    session().announce_shutdown();
    session().ping();
    watch();
  } else if (draining_ == drain_step::final_wanted) {
    draining_ = drain_step::final;
    session().shut_down();
    watch();
  }
}

void http2_server_connection::on_ping_answered() {
  if (draining_ != drain_step::announced) return;
  draining_ = drain_step::final_wanted;
  flush_later();
}

// ----- Time

http2_connection::awaited http2_server_connection::what_is_awaited() const noexcept {
  if (draining_ == drain_step::announced) return awaited::drained;
  if (current_state() == state::opening || head_) return awaited::head;
  return streams() == 0 ? awaited::request : awaited::nothing;
}

net::duration http2_server_connection::time_for(awaited what) const noexcept {
  switch (what) {
    case awaited::head:
      return shared_.options.headers_timeout;
    case awaited::request:
      return shared_.options.keep_alive_timeout;
    default:
      return shared_.options.http2.drain_timeout;
  }
}

void http2_server_connection::timed_out(awaited what) noexcept {
  switch (what) {
    case awaited::head:
      ++shared_.counters->requests_timed_out;
      return end_with(error_code::protocol_error);
    case awaited::request:
      return end_with(error_code::no_error);
    default:
      draining_ = drain_step::final_wanted;
      return flush_later();
  }
}

// ----- From the session

bool http2_server_connection::on_headers_begin(wire::http2::stream_id id) {
  note_open();
  // What still runs for a stream that the client has reset counts as well: resetting must not buy more than its limit.
  if (streams() >= shared_.options.http2.max_streams) {
    ++shared_.counters->streams_refused;
    return false;
  }
  auto made = std::make_unique<http2_server_stream>(*this, id, shared_.options.limits);
  http2_server_stream& stream = *made;
  stream.set_token(below().loop().add(std::move(made)));
  session().set_stream(id, &stream);
  head_ = id;
  await_anew(awaited::head);  // each head has its own time
  return true;
}

void http2_server_connection::on_header(wire::http2::session_stream& of, std::string_view name,
                                        std::string_view value) {
  stream_of(of).add_field(name, value);
}

void http2_server_connection::on_headers_end(wire::http2::session_stream& of, bool ends) {
  head_.reset();
  http2_request::begin(stream_of(of), *this, ends);
}

void http2_server_connection::on_stream_closed(wire::http2::session_stream& of, error_code why) {
  if (head_ == stream_of(of).id()) head_.reset();
  http2_connection::on_stream_closed(of, why);
}

void http2_server_connection::on_flood() noexcept { ++shared_.counters->http2_floods; }
void http2_server_connection::on_stream_added() noexcept { ++shared_.counters->http2_streams; }
void http2_server_connection::on_stream_removed() noexcept { --shared_.counters->http2_streams; }

}  // namespace windhover::http
