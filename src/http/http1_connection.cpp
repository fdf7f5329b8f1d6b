#include "http/http1_connection.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "base/text.hpp"
#include "http/http2_server_connection.hpp"
#include "http/request_failure.hpp"
#include "net/event_loop.hpp"
#include "wire/http1/serializer.hpp"
#include "wire/http2/preface.hpp"

namespace windhover::http {
namespace {

// More output than there is: the first look at what is left when the connection ends finds less.
constexpr std::size_t not_looked_at = std::numeric_limits<std::size_t>::max();

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

}  // namespace

http1_connection::http1_connection(net::transport& on, server_context& shared, http_protocols spoken)
    : request_driver(on, shared, state::idle),
      may_be_http2_(spoken != http_protocols::http1 && on.tls() == nullptr),
      speaks_both_(may_be_http2_) {
  stream_.loop().arm(timer_, shared.options.headers_timeout);
}

http1_connection::~http1_connection() { release_handler(); }

// ----- The states

// Where the client is waited for.
void http1_connection::wait_in(state next, net::duration time) noexcept {
  enter(next);
  stream_.loop().arm(timer_, time);
}

// A client that takes what was sent, however slowly, is alive: its time begins anew.
void http1_connection::timed_out() {
  const server_options& options = shared_.options;
  switch (state_) {
    case state::idle:
      if (output_has_moved() && queued_ > 0) return stream_.loop().arm(timer_, options.keep_alive_timeout);
      return close_politely();
    case state::head:
      is_head_request_ = parser_->head().method == "HEAD";
      ++shared_.counters->requests_timed_out;
      return refuse(408, "the head of the request did not arrive in time");
    case state::handling:
      return handling_timed_out();
    case state::lingering:
      return time_out_lingering();
    case state::draining:
      return stream_.abort();
    case state::upgraded:
      return successor_->on_end();
    case state::dead:
      return;
  }
}

// Our end follows the last output, and only then the client's is waited for.
void http1_connection::time_out_lingering() noexcept {
  const std::size_t before = std::exchange(queued_, stream_.queued_bytes());
  net::event_loop& loop = stream_.loop();
  if (queued_ > 0 && queued_ < before) return loop.arm(timer_, shared_.options.write_timeout);
  if (queued_ == 0 && before > 0 && before != not_looked_at) return loop.arm(timer_, shared_.options.linger_timeout);
  stream_.abort();
}

std::size_t http1_connection::on_bytes(std::span<const std::byte> bytes) noexcept {
  std::size_t taken = bytes.size();
  end_without_memory([&] { taken = take(bytes); });
  return taken;
}

std::size_t http1_connection::take(std::span<const std::byte> bytes) {
  std::span<const std::byte> rest = bytes;
  if (may_be_http2_ && is_http2(rest)) return bytes.size() - rest.size();
  while (!rest.empty()) {
    switch (state_) {
      case state::idle:
        // A client that sends requests without reading the answers waits for itself.
        if (stream_.above_high_water()) return bytes.size() - rest.size();
        [[fallthrough]];
      case state::head:
        if (!read_head(rest)) return bytes.size() - rest.size();
        start_handler();
        break;
      case state::handling:
        if (!reads()) return bytes.size() - rest.size();
        read_body(rest);
        break;
      case state::draining:
        drain_body(rest);
        break;
      case state::upgraded:
        return bytes.size() - rest.size();
      case state::lingering:
      case state::dead:
        return bytes.size();
    }
  }
  return bytes.size();
}

// Looks at the first bytes of a connection: clients may know that HTTP/2 is spoken here (RFC 9113, section 3.3). True
// while that may be so, and once it is.
bool http1_connection::is_http2(std::span<const std::byte>& bytes) {
  constexpr std::string_view preface = wire::http2::client_preface;
  const std::span<const std::byte> expected = bytes_of(preface.substr(preface_));
  const std::size_t most = std::min(bytes.size(), expected.size());
  const auto difference =
      std::mismatch(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(most), expected.begin());
  const auto same = static_cast<std::size_t>(difference.first - bytes.begin());
  preface_ += same;
  bytes = bytes.subspan(same);
  if (preface_ == preface.size()) {
    auto next = std::make_unique<http2_server_connection>(stream_, shared_, http2_server_connection::preface::read);
    enter(state::dead);
    may_be_http2_ = false;
    if (draining_server_) next->drain();
    stream_.set_sink(*next);
    stream_.hand_over(std::move(next));
    return true;
  }
  if (bytes.empty()) return true;
  may_be_http2_ = false;
  std::span<const std::byte> begun = bytes_of(preface.substr(0, preface_));
  if (!begun.empty()) static_cast<void>(read_head(begun));
  return false;
}

// True when a whole head has been read.
bool http1_connection::read_head(std::span<const std::byte>& bytes) {
  if (!parser_) parser_ = std::make_unique<wire::http1::request_parser>(shared_.options.limits);
  if (state_ == state::idle) wait_in(state::head, shared_.options.headers_timeout);
  switch (parser_->read_head(bytes)) {
    case wire::http1::request_parser::step::needs_more:
      return false;
    case wire::http1::request_parser::step::head:
      return true;
    case wire::http1::request_parser::step::error: {
      const auto error = *parser_->error();
      bytes = {};
      is_head_request_ = parser_->head().method == "HEAD";
      ++shared_.counters->requests_refused;
      // What is neither HTTP/1.1 nor the preface of HTTP/2 gets no answer where both are spoken: a client that meant
      // the second would take it for frames (RFC 9113, section 3.4).
      if (error == wire::http1::request_error::no_version && speaks_both_) {
        close_politely();
        return false;
      }
      refuse(wire::http1::status_of(error), wire::http1::describe(error));
      return false;
    }
  }
  return false;
}

void http1_connection::start_handler() {
  wire::http1::request_head head = parser_->take_head();
  keep_alive_ = head.keep_alive && !draining_server_;
  is_http_1_0_ = head.version == wire::http1::http_version::http_1_0;
  is_head_request_ = head.method == "HEAD";
  std::span<const std::byte> nothing;
  body_ended_ = parser_->read_body(nothing).finished;
  wants_upgrade_ = head.wants_upgrade && body_ended_;
  chunked_response_ = false;
  response_ended_ = false;
  handle(std::move(head));
}

void http1_connection::end_request() noexcept {
  if (!keep_alive_ || reading_failed() || peer_ended_ || stream_.closing()) return close_politely();
  if (!body_ended_) {
    drained_ = 0;
    wait_in(state::draining, shared_.options.body_timeout);
  } else {
    wait_in(state::idle, shared_.options.keep_alive_timeout);
  }
  stream_.resume_reading();
}

void http1_connection::close_politely() noexcept {
  if (state_ == state::dead) return;
  wait_in(state::lingering, shared_.options.linger_timeout);
  queued_ = not_looked_at;
  stream_.close();
  stream_.resume_reading();
  stream_.driver_finished();
}

void http1_connection::drain() noexcept {
  draining_server_ = true;
  keep_alive_ = false;
  switch (state_) {
    case state::idle:
    case state::head:
    case state::draining:
      return close_politely();
    case state::upgraded:
      return successor_->drain();
    case state::handling:
    case state::lingering:
    case state::dead:
      return;
  }
}

// The connection cannot go on after it.
void http1_connection::refuse(int status, std::string_view text) {
  keep_alive_ = false;
  request_driver::refuse(status, text);
}

// ----- The end of the transport

void http1_connection::on_end() noexcept {
  peer_ended_ = true;
  switch (state_) {
    case state::handling:
      if (reads()) {
        end_without_memory(
            [this] { fail_reading(client_gone, "the client ended the connection within the body of its request"); });
      }
      // The reader may have ended the request.
      if (state_ == state::handling) note_aborted();
      return;
    case state::idle:
    case state::head:
    case state::draining:
      return close_politely();
    case state::lingering:
    case state::upgraded:
    case state::dead:
      return;
  }
}

// ----- Bodies of requests

void http1_connection::send_continue() { stream_.queue_copy(bytes_of("HTTP/1.1 100 Continue\r\n\r\n")); }

void http1_connection::read_body(std::span<const std::byte>& bytes) {
  // A piece of the body is never longer than the bytes that it came in.
  std::span<const std::byte> piece = bytes.first(std::min(bytes.size(), read_into().size()));
  const std::size_t before = piece.size();
  const wire::http1::body_step step = parser_->read_body(piece);
  bytes = bytes.subspan(before - piece.size());
  if (step.error) {
    bytes = {};
    return fail_reading(wire::http1::status_of(*step.error), std::string(wire::http1::describe(*step.error)));
  }
  body_ended_ = step.finished;
  if (step.data.empty() && !step.finished) return;
  if (!step.data.empty()) std::memcpy(read_into().data(), step.data.data(), step.data.size());
  body_arrived(step.data.size());
}

void http1_connection::drain_body(std::span<const std::byte>& bytes) {
  const std::size_t before = bytes.size();
  const wire::http1::body_step step = parser_->read_body(bytes);
  drained_ += before - bytes.size();
  if (step.error || drained_ > shared_.options.drained_body) {
    bytes = {};
    return close_politely();
  }
  if (step.finished) {
    body_ended_ = true;
    wait_in(state::idle, shared_.options.keep_alive_timeout);
  }
}

// ----- Responses

void http1_connection::write_head(int status, const headers& fields, response_framing framing) {
  // A body that the client still holds back, or whose reading failed, cannot be told from the next request.
  if (!body_ended_ && (awaits_continue_ || reading_failed())) keep_alive_ = false;
  if (const auto connection = fields.find("Connection"); connection && status != 101) {
    if (base::list_contains(*connection, "close")) keep_alive_ = false;
  }
  chunked_response_ = framing == response_framing::streamed && !is_http_1_0_;
  if (framing == response_framing::streamed && is_http_1_0_) keep_alive_ = false;

  std::string head;
  head.reserve(256);
  if (fields.contains("Transfer-Encoding") || (fields.contains("Connection") && status != 101)) {
    headers ours = fields;  // the framing is the server's business
    ours.erase("Transfer-Encoding");
    if (status != 101) ours.erase("Connection");
    wire::http1::append_response_head(head, status, ours);
  } else {
    wire::http1::append_response_head(head, status, fields);
  }
  head.resize(head.size() - 2);
  if (chunked_response_) head += "Transfer-Encoding: chunked\r\n";
  // Upgrade concerns this connection only, and Connection has to say so (RFC 9110, section 7.8).
  if (status != 101 && fields.contains("Upgrade")) head += "Connection: Upgrade\r\n";
  if (status != 101 && !keep_alive_) head += "Connection: close\r\n";
  if (status != 101 && keep_alive_ && is_http_1_0_) head += "Connection: keep-alive\r\n";
  if (!fields.contains("Date")) {
    head += "Date: ";
    head += shared_.date.at(stream_.loop().wall_now());
    head += "\r\n";
  }
  if (!shared_.options.server_name.empty() && !fields.contains("Server")) {
    head += "Server: ";
    head += shared_.options.server_name;
    head += "\r\n";
  }
  head += "\r\n";
  stream_.queue_copy(bytes_of(head));
}

void http1_connection::write_body(std::span<const std::byte> bytes) {
  // What may throw comes before anything is queued.
  base::slice copy;
  if (bytes.size() >= gathered_piece) copy = base::copy_of(bytes);
  if (chunked_response_) {
    std::string size;
    wire::http1::append_chunk_header(size, bytes.size());
    stream_.queue_copy(bytes_of(size));
  }
  if (copy.size > 0) {
    stream_.queue(std::move(copy));
  } else {
    stream_.queue_copy(bytes);
  }
  if (chunked_response_) stream_.queue_copy(bytes_of(wire::http1::chunk_end));
}

void http1_connection::end_body() {
  if (std::exchange(response_ended_, true)) return;
  if (chunked_response_ && !is_head_request_) stream_.queue_copy(bytes_of(wire::http1::last_chunk));
}

void http1_connection::upgrade(std::unique_ptr<net::driver> successor) {
  parser_.reset();
  request_driver::upgrade(std::move(successor));
}

}  // namespace windhover::http
