#include "http/request_driver.hpp"

#include <cassert>
#include <stdexcept>
#include <utility>

#include "http/request_failure.hpp"
#include "net/event_loop.hpp"

namespace windhover::http {

request_driver::request_driver(net::transport& stream, server_context& shared, state first) noexcept
    : stream_(stream),
      shared_(shared),
      timer_(this,
             [](void* self) noexcept {
               request_driver& here = *static_cast<request_driver*>(self);
               here.end_without_memory([&here] { here.timed_out(); });
             }),
      state_(first) {
  stream_.set_water_marks(shared.options.high_water, shared.options.high_water / 2);
}

request_driver::~request_driver() { assert(!handler_); }

bool request_driver::finished() const noexcept { return !handler_running_ && (!successor_ || successor_->finished()); }

std::string request_driver::describe() const {
  const std::string from = (exchange_ ? exchange_->remote_endpoint() : stream_.remote_endpoint()).to_string();
  if (!exchange_) return std::string(kind()) + " from " + from;
  const http_request& request = exchange_->request();
  return std::string(request.method()) + " " + std::string(request.path()) + " from " + from;
}

void request_driver::enter(state next) noexcept {
  state_ = next;
  timer_.cancel();
  queued_ = stream_.queued_bytes();
}

// ----- The handler

void request_driver::handle(wire::http1::request_head head) {
  handler_ = {};
  exchange_.reset();
  read_count_ = 0;
  awaits_continue_ = head.expects_continue;
  enter(state::handling);
  try {
    exchange_ = std::make_unique<exchange>(static_cast<exchange_backend&>(*this), std::move(head));
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
  handler_.start(this, &request_driver::handler_ended);
}

std::coroutine_handle<> request_driver::handler_ended(void* self) noexcept {
  request_driver& here = *static_cast<request_driver*>(self);
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

void request_driver::handler_has_ended(std::exception_ptr failure) {
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
void request_driver::answer_failure(const std::exception_ptr& failure) {
  const request_failure found = http::describe(failure);
  if (!found.what.empty() && shared_.options.log != nullptr)
    shared_.options.log->write(log_level::error, "http", describe() + " failed: " + found.what);
  if (state_ == state::handling && !answer(*exchange_, found)) break_off();
}

void request_driver::refuse(int status, std::string_view text) {
  headers fields;
  fields.add("Content-Type", "text/plain; charset=utf-8");
  fields.add("Content-Length", std::to_string(text.size()));
  write_head(status, fields, response_framing::content_length);
  if (!is_head_request_) stream_.queue_copy(std::as_bytes(std::span(text)));
  end_request();
}

void request_driver::note_aborted() noexcept {
  // Memory for the exchange may have been what was missing.
  if (exchange_) exchange_->note_aborted();
}

void request_driver::on_failure(const net::failure& why) noexcept {
  const state before = state_;
  enter(state::dead);
  if (before == state::upgraded && successor_) successor_->on_failure(why);
  if (before == state::handling || before == state::upgraded) note_aborted();
  // It needs no text: body_read() says what a dead connection says.
  if (reader_) resume_reader();
  if (writer_) std::exchange(writer_, nullptr).resume();
  stream_.driver_finished();
}

// ----- Its waits

// One timer for both, as hardly any handler reads and writes at a time.
void request_driver::watch_handler() noexcept {
  if (state_ != state::handling) return;
  timer_.cancel();
  queued_ = stream_.queued_bytes();
  if (reader_) return stream_.loop().arm(timer_, shared_.options.body_timeout);
  if (writer_) return stream_.loop().arm(timer_, shared_.options.write_timeout);
}

// A client that takes what was sent, however slowly, is alive: its time begins anew.
void request_driver::handling_timed_out() {
  if (reader_) return fail_reading(408, "the body of the request did not arrive in time");
  if (output_has_moved()) return stream_.loop().arm(timer_, shared_.options.write_timeout);
  stream_.abort();
}

bool request_driver::output_has_moved() noexcept {
  const std::size_t queued = stream_.queued_bytes();
  return std::exchange(queued_, queued) > queued;
}

void request_driver::wait_writable(std::coroutine_handle<> waiter) {
  if (writer_) throw std::logic_error("the response is being written already: one write at a time");
  writer_ = waiter;
  watch_handler();
}

void request_driver::on_writable() noexcept {
  if (state_ == state::upgraded) return successor_->on_writable();
  // What has come meanwhile may have waited for its answer's way.
  if (!writer_) return stream_.resume_reading();
  const std::coroutine_handle<> writer = std::exchange(writer_, nullptr);
  watch_handler();
  writer.resume();
}

// ----- The request's body

bool request_driver::reading_is_done() const noexcept {
  return body_ended_ || read_failure_ || state_ != state::handling;
}

bool request_driver::start_reading(std::span<std::byte> into, std::coroutine_handle<> waiter) {
  if (peer_ended_) {
    read_failure_ = std::make_unique<read_failure>(
        read_failure{client_gone, "the client ended the connection within the body of its request"});
    return false;
  }
  if (reader_) throw std::logic_error("the body of the request is being read already: one read at a time");
  // Behind the head of the response it would be taken for its body.
  const bool may_tell = !exchange_->response().started();
  if (may_tell && std::exchange(awaits_continue_, false)) send_continue();
  read_into_ = into;
  reader_ = waiter;
  watch_handler();
  stream_.resume_reading();
  return true;
}

std::size_t request_driver::body_read() {
  if (read_failure_) throw bad_http_request(read_failure_->status, read_failure_->text);
  if (state_ == state::dead) throw bad_http_request(client_gone, "the connection was lost");
  return std::exchange(read_count_, 0);
}

void request_driver::body_arrived(std::size_t count) noexcept {
  read_count_ = count;
  resume_reader();
}

void request_driver::fail_reading(int status, std::string text) {
  read_failure_ = std::make_unique<read_failure>(read_failure{status, std::move(text)});
  resume_reader();
}

void request_driver::resume_reader() noexcept {
  read_into_ = {};
  const std::coroutine_handle<> reader = std::exchange(reader_, nullptr);
  watch_handler();
  reader.resume();
}

// ----- The way out

std::optional<net::place> request_driver::enter_upgraded() {
  std::optional<net::place> entered = net::limit::enter(shared_.options.upgrades);
  if (!entered) ++shared_.counters->upgrades_refused;
  return entered;
}

void request_driver::upgrade(std::unique_ptr<net::driver> successor) {
  successor_ = std::move(successor);
  enter(state::upgraded);
  if (peer_ended_) {
    // The transport has told us of the end and will not tell again. So the timer does, as nothing is called back from
    // here, and until the connection dies we pass on what is left to be told.
    stream_.loop().arm(timer_, {});
  } else {
    stream_.set_sink(*successor_);
    stream_.resume_reading();
  }
  if (draining_server_) successor_->drain();
}

}  // namespace windhover::http
