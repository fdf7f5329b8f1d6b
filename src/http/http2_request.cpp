#include "http/http2_request.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "http/http2_server_connection.hpp"
#include "http/http2_server_stream.hpp"
#include "net/event_loop.hpp"

namespace windhover::http {
namespace {

using wire::http2::error_code;

}  // namespace

void http2_request::begin(http2_server_stream& on, http2_server_connection& of, bool ends) {
  const std::unique_ptr<wire::http2::request_fields> fields = on.take_fields();
  auto made = std::make_unique<http2_request>(on, of, ends);
  http2_request& request = *made;
  on.set_driver(std::move(made));
  const auto error = fields->finish(ends);
  request.is_head_request_ = fields->head().method == "HEAD";
  if (error) {
    ++of.shared().counters->requests_refused;
    return request.refuse(wire::http1::status_of(*error), wire::http1::describe(*error));
  }
  request.start(std::move(fields->head()));
}

http2_request::http2_request(http2_server_stream& on, http2_server_connection& of, bool ends) noexcept
    : request_driver(on, of.shared(), state::handling) {
  body_ended_ = ends;
  draining_server_ = of.draining();
}

http2_request::~http2_request() { release_handler(); }

http2_server_stream& http2_request::stream() const noexcept { return static_cast<http2_server_stream&>(stream_); }

// ----- The request

void http2_request::start(wire::http1::request_head head) {
  wants_upgrade_ = head.wants_upgrade;
  // What follows a CONNECT is no body.
  if (wants_upgrade_) body_ended_ = true;
  handle(std::move(head));
}

void http2_request::end_request() noexcept {
  enter(state::draining);
  // Where no body was to come, or the server stops, the client is not waited for as long.
  const server_options& options = shared_.options;
  stream_.loop().arm(timer_, wants_upgrade_ || draining_server_ ? options.linger_timeout : options.body_timeout);
  stream_.close();
  stream_.resume_reading();
  stream_.driver_finished();
}

// RFC 9113, section 8.1: once the answer is whole, the rest of the request is not wanted, which is no error.
std::size_t http2_request::drain_body(std::size_t bytes) noexcept {
  if (drained_ > shared_.options.drained_body && !stream().answered()) return 0;
  drained_ += bytes;
  if (drained_ > shared_.options.drained_body && stream().answered()) stream().reset(error_code::no_error);
  return bytes;
}

void http2_request::drain() noexcept {
  draining_server_ = true;
  if (state_ == state::upgraded && successor_) successor_->drain();
  if (state_ == state::draining && stream().answered()) stream().reset(error_code::no_error);
}

// ----- From the stream

std::size_t http2_request::on_bytes(std::span<const std::byte> bytes) noexcept {
  std::size_t taken = 0;
  // A reader may ask for the next piece at once.
  while (state_ == state::handling && reads() && taken < bytes.size()) {
    std::size_t piece = bytes.size() - taken;
    end_without_memory([&] { piece = read_body(bytes.subspan(taken)); });
    taken += piece;
  }
  if (state_ == state::draining) taken += drain_body(bytes.size() - taken);
  return state_ == state::dead ? bytes.size() : taken;
}

void http2_request::on_end() noexcept {
  peer_ended_ = true;
  body_ended_ = true;
  if (state_ != state::handling) return;
  // The end of a request is nothing unusual; the end of what should become another protocol is its end.
  if (wants_upgrade_) note_aborted();
  if (reads()) body_arrived(0);
}

// ----- The request's body

void http2_request::send_continue() { stream().inform(100); }

std::size_t http2_request::read_body(std::span<const std::byte> bytes) {
  const std::size_t count = std::min(bytes.size(), read_into().size());
  body_bytes_ += count;
  if (body_bytes_ > shared_.options.limits.body) {
    const auto error = wire::http1::request_error::body_too_large;
    fail_reading(wire::http1::status_of(error), std::string(wire::http1::describe(error)));
    return bytes.size();
  }
  std::memcpy(read_into().data(), bytes.data(), count);
  body_arrived(count);
  return count;
}

// ----- Time

void http2_request::timed_out() {
  if (state_ == state::handling) return handling_timed_out();
  if (state_ == state::draining) return time_out_draining();
  if (state_ == state::upgraded && successor_) successor_->on_end();
}

// The answer may still be on its way, to a client that takes it slowly.
void http2_request::time_out_draining() noexcept {
  const std::size_t before = std::exchange(queued_, stream_.queued_bytes());
  if (queued_ > 0 && queued_ < before) return stream_.loop().arm(timer_, shared_.options.write_timeout);
  stream().reset(queued_ > 0 ? error_code::cancel : error_code::no_error);
}

// ----- The response

void http2_request::write_head(int status, const headers& fields, response_framing) {
  headers ours = fields;
  if (!ours.contains("Date")) ours.add("date", shared_.date.at(stream_.loop().wall_now()));
  if (!shared_.options.server_name.empty() && !ours.contains("Server")) {
    ours.add("server", shared_.options.server_name);
  }
  stream().write_head(status, std::move(ours));
}

void http2_request::write_upgrade_head(int status, const headers& fields) {
  if (status > 299) {
    throw std::logic_error("a CONNECT request is accepted with a status from 200 to 299, and this one was set: " +
                           std::to_string(status));
  }
  write_head(status, fields, response_framing::streamed);
}

void http2_request::write_body(std::span<const std::byte> bytes) {
  if (bytes.size() >= gathered_piece) {
    stream_.queue(base::copy_of(bytes));
  } else {
    stream_.queue_copy(bytes);
  }
}

void http2_request::end_body() { stream_.close(); }

void http2_request::break_off() noexcept { stream().reset(error_code::internal_error); }

}  // namespace windhover::http
