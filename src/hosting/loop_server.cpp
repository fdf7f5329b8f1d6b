#include "hosting/loop_server.hpp"

#include <memory>
#include <utility>

#include "http/http1_connection.hpp"

namespace windhover::hosting {
namespace {

http::server_options options_of(const settings& from, logger& log) {
  http::server_options options;
  options.limits.request_line = from.limits.max_request_line_size;
  options.limits.header_bytes = from.limits.max_request_headers_total_size;
  options.limits.header_count = from.limits.max_request_header_count;
  options.limits.body = from.limits.max_request_body_size;
  options.headers_timeout = from.limits.request_headers_timeout;
  options.keep_alive_timeout = from.limits.keep_alive_timeout;
  options.high_water = from.limits.max_response_buffer_size;
  options.log = &log;
  return options;
}

}  // namespace

loop_server::loop_server(net::event_loop& loop, const settings& from, logger& log, http::request_handler handler)
    : loop_(loop) {
  shared_.options = options_of(from, log);
  shared_.handler = std::move(handler);
}

net::event_loop::driver_factory loop_server::connections() {
  return [this](net::transport& stream) {
    has_late_connection_ = draining_;
    return std::make_unique<http::http1_connection>(stream, shared_);
  };
}

void loop_server::listen(net::listening_socket socket, std::size_t max_connections) {
  listeners_.push_back(&net::listener::add_to(loop_, std::move(socket), connections(),
                                              net::listener::options{.max_connections = max_connections}));
}

void loop_server::listen(int descriptor, std::size_t max_connections) {
  listeners_.push_back(&net::listener::add_to(loop_, descriptor, connections(),
                                              net::listener::options{.max_connections = max_connections}));
}

void loop_server::stop_listening() noexcept {
  for (net::listener* const each : listeners_) each->stop();
  listeners_.clear();
  loop_.announce_drain();
}

void loop_server::drain() noexcept {
  draining_ = true;
  loop_.drain_all();
}

void loop_server::after_iteration() noexcept {
  if (draining_ && std::exchange(has_late_connection_, false)) loop_.drain_all();
}

bool loop_server::ended() const noexcept { return draining_ && loop_.objects() == 0; }

}  // namespace windhover::hosting
