#include "http/http2_client_request.hpp"

#include <new>
#include <utility>

#include "http/http2_client_connection.hpp"
#include "net/event_loop.hpp"

namespace windhover::http {

using failure = client_outcome::failure;

http2_client_request::http2_client_request(http2_client_stream& on, const client_limits& limits) noexcept
    : client_driver(on, limits), on_(on), fields_(limits.head) {}

client_owner<http2_client_request> http2_client_request::begin(http2_client_connection& on,
                                                               const client_limits& limits) {
  auto made = std::make_unique<http2_client_stream>(on);
  http2_client_stream& stream = *made;
  auto driver = std::make_unique<http2_client_request>(stream, limits);
  http2_client_request& request = *driver;
  stream.set_token(on.below().loop().add(std::move(made)));
  stream.set_driver(std::move(driver));
  return client_owner<http2_client_request>(request);
}

task<client_outcome> http2_client_request::ask(connect_request request, std::stop_token stop) {
  if (state_ == state::idle) {
    state_ = state::head;
    on_.ask(std::move(request), *this);
  } else {
    answer_.fail(failure::connection_lost, "the connection has ended");
  }
  co_return co_await answered(std::move(stop));
}

void http2_client_request::stopped() noexcept {
  if (answer_.given()) return;
  if (state_ == state::body) return respond(false);
  answer_.fail(failure::stopped, "stopped");
}

std::string http2_client_request::describe() const {
  return "an opening handshake with " + stream_.remote_endpoint().to_string();
}

// ----- The answer

void http2_client_request::take_head(bool ends) noexcept {
  if (state_ != state::head) return;
  if (const auto error = fields_.error()) {
    on_.answered();
    state_ = state::over;
    stream_.abort();
    return answer_.fail(failure::malformed, wire::http1::describe(*error));
  }
  client_response& response = answer_.response();
  response.head = fields_.take_head();
  const int status = response.head.status;
  if (status < 200) return;
  on_.answered();
  response.switched = status <= 299;
  state_ = response.switched ? state::switched : state::body;
  if (response.switched) {
    answer_.give();
  } else if (ends || limits_.body_prefix == 0) {
    respond(ends);
  }
}

std::size_t http2_client_request::on_bytes(std::span<const std::byte> bytes) noexcept {
  if (state_ == state::switched) return 0;
  if (state_ != state::body) return bytes.size();
  try {
    if (answer_.keep_body(bytes, limits_.body_prefix)) respond(false);
  } catch (const std::bad_alloc&) {
    respond(false);
  }
  return bytes.size();
}

void http2_client_request::on_end() noexcept {
  if (state_ == state::body) respond(true);
}

void http2_client_request::on_failure(const net::failure& why) noexcept {
  const state before = std::exchange(state_, state::over);
  if (before == state::body) answer_.give();
  if (before == state::head) {
    if (on_.refused()) {
      answer_.fail(failure::refused, "the server refused another stream");
    } else {
      answer_.fail(why);
    }
  }
  stream_.driver_finished();
}

// A response that is no switch is the last thing that is read.
void http2_client_request::respond(bool body_is_complete) noexcept {
  state_ = state::over;
  if (body_is_complete) {
    stream_.close();
  } else {
    stream_.abort();
  }
  answer_.give();
}

}  // namespace windhover::http
