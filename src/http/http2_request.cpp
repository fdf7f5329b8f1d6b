#include "http/http2_request.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

#include "http/http2_server_connection.hpp"
#include "http/http2_server_stream.hpp"
#include "http/request_failure.hpp"

namespace windhover::http {
namespace {

using wire::http2::error_code;

// Larger pieces of a body are queued as a slice of their own.
constexpr std::size_t gathered_piece = 16384;

// The client has gone, as in http1_connection.
constexpr int client_gone = 499;

}  // namespace

void http2_request::begin(http2_server_stream& on, http2_server_connection& of, bool ends) {
  const std::unique_ptr<wire::http2::request_fields> fields = on.take_fields();
  auto made = std::make_unique<http2_request>(on, of, ends);
  http2_request& request = *made;
  on.set_water_marks(of.shared().options.high_water, of.shared().options.high_water / 2);
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
    : stream_(on),
      shared_(of.shared()),
      timer_(this, [](void* self) noexcept { static_cast<http2_request*>(self)->time_out(); }),
      body_ended_(ends),
      draining_server_(of.draining()) {}

http2_request::~http2_request() = default;

bool http2_request::finished() const noexcept { return !handler_running_ && (!successor_ || successor_->finished()); }

std::string http2_request::describe() const {
  if (!exchange_) return "an HTTP/2 stream";
  const http_request& request = exchange_->request();
  return std::string(request.method()) + " " + std::string(request.path()) + " from " +
         exchange_->remote_endpoint().to_string();
}

net::transport& http2_request::transport() noexcept { return stream_; }

// Nothing is called from the outside that may throw. What lacks memory ends.
template <class Act>
void http2_request::end_without_memory(Act&& act) noexcept {
  try {
    act();
  } catch (const std::bad_alloc&) {
    stream_.reset(error_code::internal_error);
    if (!handler_running_) stream_.driver_finished();
  }
}

// ----- The handler

void http2_request::start(wire::http1::request_head head) {
  wants_upgrade_ = head.wants_upgrade;
  awaits_continue_ = head.expects_continue;
  // What follows a CONNECT is no body.
  if (wants_upgrade_) body_ended_ = true;
  exchange_backend& self = *this;
  try {
    exchange_ = std::make_unique<exchange>(self, std::move(head));
  } catch (const bad_http_request& error) {
    ++shared_.counters->requests_refused;
    return refuse(error.status(), error.what());
  }
  ++shared_.counters->requests;
  try {
    handler_ = shared_.handler(*exchange_);
    handler_.require_coroutine();
  } catch (...) {
    return handler_has_ended(std::current_exception());
  }
  handler_running_ = true;
  handler_.start(this, &http2_request::handler_ended);
}

std::coroutine_handle<> http2_request::handler_ended(void* self) noexcept {
  http2_request& here = *static_cast<http2_request*>(self);
  here.handler_running_ = false;
  std::exception_ptr failure;
  try {
    here.handler_.take();
  } catch (...) {
    failure = std::current_exception();
  }
  here.end_without_memory([&] { here.handler_has_ended(std::move(failure)); });
  return std::noop_coroutine();
}

void http2_request::handler_has_ended(std::exception_ptr failure) {
  if (!failure && state_ == state::handling) {
    try {
      exchange_->finish();
    } catch (...) {
      failure = std::current_exception();
    }
  }
  if (failure) answer_failure(failure);
  if (state_ == state::handling) return end_request();
  // What is left of HTTP, the exchange and the handler's frame, is only memory from now on.
  if (state_ == state::upgraded && !peer_ended_) return stream_.hand_over(std::move(successor_));
  stream_.driver_finished();
}

// What nobody caught becomes the response. Once the head has gone, all that can be said is that it is not whole.
void http2_request::answer_failure(const std::exception_ptr& failure) {
  const request_failure found = http::describe(failure);
  if (!found.what.empty() && shared_.options.log != nullptr)
    shared_.options.log->write(log_level::error, "http", describe() + " failed: " + found.what);
  if (state_ == state::handling && !answer(*exchange_, found)) break_off();
}

// An answer without a handler.
void http2_request::refuse(int status, std::string_view text) {
  headers fields;
  fields.add("content-type", "text/plain; charset=utf-8");
  fields.add("content-length", std::to_string(text.size()));
  write_head(status, fields, response_framing::content_length);
  if (!is_head_request_) stream_.queue_copy(std::as_bytes(std::span(text)));
  end_request();
}

void http2_request::end_request() noexcept {
  state_ = state::draining;
  queued_ = stream_.queued_bytes();
  // Where no body was to come, or the server stops, the client is not waited for as long.
  const server_options& options = shared_.options;
  stream_.loop().arm(timer_, wants_upgrade_ || draining_server_ ? options.linger_timeout : options.body_timeout);
  stream_.close();
  stream_.resume_reading();
  stream_.driver_finished();
}

// RFC 9113, section 8.1: once the answer is whole, the rest of the request is not wanted, which is no error.
std::size_t http2_request::drain_body(std::size_t bytes) noexcept {
  if (drained_ > shared_.options.drained_body && !stream_.answered()) return 0;
  drained_ += bytes;
  if (drained_ > shared_.options.drained_body && stream_.answered()) stream_.reset(error_code::no_error);
  return bytes;
}

void http2_request::drain() noexcept {
  draining_server_ = true;
  if (state_ == state::upgraded && successor_) successor_->drain();
  if (state_ == state::draining && stream_.answered()) stream_.reset(error_code::no_error);
}

// ----- From the stream

std::size_t http2_request::on_bytes(std::span<const std::byte> bytes) noexcept {
  std::size_t taken = 0;
  // A reader may ask for the next piece at once.
  while (state_ == state::handling && reader_ && taken < bytes.size()) {
    std::size_t piece = bytes.size() - taken;
    end_without_memory([&] { piece = read_body(bytes.subspan(taken)); });
    taken += piece;
  }
  if (state_ == state::draining) taken += drain_body(bytes.size() - taken);
  return state_ == state::dead ? bytes.size() : taken;
}

void http2_request::on_writable() noexcept {
  if (state_ == state::upgraded) return successor_->on_writable();
  if (!writer_) return;
  const std::coroutine_handle<> writer = std::exchange(writer_, nullptr);
  watch_handler();
  writer.resume();
}

void http2_request::on_end() noexcept {
  peer_ended_ = true;
  body_ended_ = true;
  if (state_ != state::handling) return;
  // The end of a request is nothing unusual; the end of what should become another protocol is its end.
  if (wants_upgrade_ && exchange_) exchange_->note_aborted();
  if (!reader_) return;
  read_count_ = 0;
  resume_reader();
}

void http2_request::on_failure(const net::failure& why) noexcept {
  const state before = std::exchange(state_, state::dead);
  timer_.cancel();
  if (before == state::upgraded && successor_) successor_->on_failure(why);
  if ((before == state::handling || before == state::upgraded) && exchange_) exchange_->note_aborted();
  if (reader_) resume_reader();
  if (writer_) std::exchange(writer_, nullptr).resume();
  stream_.driver_finished();
}

// ----- The request's body

bool http2_request::reading_is_done() const noexcept {
  return body_ended_ || read_failure_ || state_ != state::handling;
}

bool http2_request::start_reading(std::span<std::byte> into, std::coroutine_handle<> waiter) {
  if (reader_) throw std::logic_error("the body of the request is being read already: one read at a time");
  if (std::exchange(awaits_continue_, false) && !exchange_->response().started()) stream_.inform(100);
  read_into_ = into;
  reader_ = waiter;
  watch_handler();
  stream_.resume_reading();
  return true;
}

std::size_t http2_request::body_read() {
  if (read_failure_) throw bad_http_request(read_failure_->status, read_failure_->text);
  if (state_ == state::dead) throw bad_http_request(client_gone, "the stream was reset by the client");
  return std::exchange(read_count_, 0);
}

std::size_t http2_request::read_body(std::span<const std::byte> bytes) {
  const std::size_t count = std::min(bytes.size(), read_into_.size());
  body_bytes_ += count;
  if (body_bytes_ > shared_.options.limits.body) {
    const auto error = wire::http1::request_error::body_too_large;
    fail_reading(wire::http1::status_of(error), std::string(wire::http1::describe(error)));
    return bytes.size();
  }
  std::memcpy(read_into_.data(), bytes.data(), count);
  read_count_ = count;
  resume_reader();
  return count;
}

void http2_request::fail_reading(int status, std::string text) {
  read_failure_ = std::make_unique<read_failure>(read_failure{status, std::move(text)});
  resume_reader();
}

void http2_request::resume_reader() noexcept {
  read_into_ = {};
  const std::coroutine_handle<> reader = std::exchange(reader_, nullptr);
  watch_handler();
  reader.resume();
}

// ----- Time

// One timer for both, as hardly any handler reads and writes at a time.
void http2_request::watch_handler() noexcept {
  if (state_ != state::handling) return;
  timer_.cancel();
  queued_ = stream_.queued_bytes();
  if (reader_) return stream_.loop().arm(timer_, shared_.options.body_timeout);
  if (writer_) return stream_.loop().arm(timer_, shared_.options.write_timeout);
}

void http2_request::time_out() noexcept {
  if (state_ == state::upgraded) {
    if (successor_) successor_->on_end();
    return;
  }
  if (state_ == state::draining) return time_out_draining();
  if (state_ != state::handling) return;
  if (reader_) {
    return end_without_memory([this] { fail_reading(408, "the body of the request did not arrive in time"); });
  }
  const std::size_t before = std::exchange(queued_, stream_.queued_bytes());
  if (queued_ < before) return stream_.loop().arm(timer_, shared_.options.write_timeout);
  stream_.abort();
}

// The answer may still be on its way, to a client that takes it slowly.
void http2_request::time_out_draining() noexcept {
  const std::size_t before = std::exchange(queued_, stream_.queued_bytes());
  if (queued_ > 0 && queued_ < before) return stream_.loop().arm(timer_, shared_.options.write_timeout);
  stream_.reset(queued_ > 0 ? error_code::cancel : error_code::no_error);
}

// ----- The response

bool http2_request::connected() const noexcept { return state_ != state::dead && !stream_.closing(); }
bool http2_request::writable() const noexcept { return !connected() || !stream_.above_high_water(); }

void http2_request::write_head(int status, const headers& fields, response_framing) {
  headers ours = fields;
  if (!ours.contains("Date")) ours.add("date", shared_.date.at(stream_.loop().wall_now()));
  if (!shared_.options.server_name.empty() && !ours.contains("Server")) {
    ours.add("server", shared_.options.server_name);
  }
  stream_.write_head(status, std::move(ours));
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

void http2_request::break_off() noexcept { stream_.reset(error_code::internal_error); }

void http2_request::wait_writable(std::coroutine_handle<> waiter) {
  if (writer_) throw std::logic_error("the response is being written already: one write at a time");
  writer_ = waiter;
  watch_handler();
}

// ----- The way out

std::optional<net::place> http2_request::enter_upgraded() {
  std::optional<net::place> entered = net::limit::enter(shared_.options.upgrades);
  if (!entered) ++shared_.counters->upgrades_refused;
  return entered;
}

void http2_request::upgrade(std::unique_ptr<net::driver> successor) {
  successor_ = std::move(successor);
  state_ = state::upgraded;
  timer_.cancel();
  if (peer_ended_) {
    // The stream has told us of the end and will not tell again. So the timer does, as nothing is called back from
    // here, and until the stream dies we pass on what is left to be told.
    stream_.loop().arm(timer_, {});
  } else {
    stream_.set_sink(*successor_);
    stream_.resume_reading();
  }
  if (draining_server_) successor_->drain();
}

}  // namespace windhover::http
