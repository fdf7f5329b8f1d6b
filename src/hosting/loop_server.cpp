#include "hosting/loop_server.hpp"

#include <memory>
#include <utility>

#include "http/server_connection.hpp"
#include "net/tls_transport.hpp"

namespace windhover::hosting {
namespace {

http::http2_options options_of(const http2_settings& from) {
  http::http2_options options;
  options.max_streams = static_cast<std::uint32_t>(from.max_streams_per_connection);
  options.stream_window = static_cast<std::uint32_t>(from.initial_stream_window_size);
  options.connection_window = static_cast<std::uint32_t>(from.initial_connection_window_size);
  options.header_table_size = static_cast<std::uint32_t>(from.header_table_size);
  options.max_frame_size = static_cast<std::uint32_t>(from.max_frame_size);
  options.max_resets_per_second = static_cast<std::uint32_t>(from.max_resets_per_second);
  options.max_control_frames_per_second = static_cast<std::uint32_t>(from.max_control_frames_per_second);
  options.ping_delay = from.keep_alive_ping_delay;
  options.ping_timeout = from.keep_alive_ping_timeout;
  return options;
}

http::server_options options_of(const settings& from, logger& log) {
  http::server_options options;
  options.limits.request_line = from.limits.max_request_line_size;
  options.limits.header_bytes = from.limits.max_request_headers_total_size;
  options.limits.header_count = from.limits.max_request_header_count;
  options.limits.body = from.limits.max_request_body_size;
  options.headers_timeout = from.limits.request_headers_timeout;
  options.keep_alive_timeout = from.limits.keep_alive_timeout;
  options.high_water = from.limits.max_response_buffer_size;
  options.http2 = options_of(from.limits.http2);
  options.log = &log;
  return options;
}

}  // namespace

server_limits::server_limits(const limit_settings& from) {
  if (from.max_connections.value_or(0) != 0) connections = std::make_shared<net::limit>(*from.max_connections);
  if (from.max_connections_per_address != 0)
    connections_of_address = std::make_shared<net::address_limit>(from.max_connections_per_address);
  if (from.max_upgraded_connections != 0) upgrades = std::make_shared<net::limit>(from.max_upgraded_connections);
}

loop_server::loop_server(net::event_loop& loop, const settings& from, const server_limits& limits, logger& log,
                         counter_board& counters, http::request_handler handler)
    : loop_(loop),
      accepting_{.connections = limits.connections, .connections_of_address = limits.connections_of_address} {
  shared_.options = options_of(from, log);
  shared_.options.upgrades = limits.upgrades;
  shared_.handler = std::move(handler);
  counters.add({.loop = loop.shared_counters(),
                .http = shared_.counters,
                .websockets = loop.local<websocket_counters>(),
                .pipeline = loop.local<pipeline_counters>()});
}

net::event_loop::driver_factory loop_server::connections(const served_endpoint& endpoint) {
  net::event_loop::driver_factory http = [this, spoken = endpoint.protocols](net::transport& stream) {
    has_late_connection_ = draining_;
    return http::make_server_connection(stream, shared_, spoken);
  };
  return endpoint.tls ? net::over_tls(endpoint.tls, std::move(http)) : http;
}

void loop_server::listen(net::listening_socket socket, const served_endpoint& endpoint) {
  listeners_.push_back(&net::listener::add_to(loop_, std::move(socket), connections(endpoint), accepting_));
}

void loop_server::listen(int descriptor, const served_endpoint& endpoint) {
  listeners_.push_back(&net::listener::add_to(loop_, descriptor, connections(endpoint), accepting_));
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
