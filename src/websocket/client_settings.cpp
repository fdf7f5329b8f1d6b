#include "websocket/client_settings.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "websocket/accept.hpp"
#include "wire/http1/grammar.hpp"
#include "wire/websocket/origin.hpp"

namespace windhover {
namespace {

using std::chrono::milliseconds;

[[noreturn]] void refuse(std::string_view option, const std::string& value, std::string_view range) {
  throw std::invalid_argument("the WebSocket client's option " + std::string(option) + " is " + value +
                              "; it must be " + std::string(range));
}

net::duration checked_duration(std::string_view option, milliseconds value) {
  constexpr milliseconds most = std::chrono::hours(24 * 20);
  if (value < milliseconds::zero() || value > most)
    refuse(option, std::to_string(value.count()) + " ms", "from 0 to 20 days");
  return value;
}

std::size_t checked_size(std::string_view option, std::size_t value, std::size_t least, std::size_t most) {
  if (value < least || value > most)
    refuse(option, std::to_string(value), "from " + std::to_string(least) + " to " + std::to_string(most));
  return value;
}

// Those that a server has as well.
websocket_options shared_options(const websocket_client_options& options) {
  websocket_options made;
  made.keep_alive_interval = options.keep_alive_interval;
  made.keep_alive_timeout = options.keep_alive_timeout;
  made.receive_buffer_size = options.receive_buffer_size;
  made.max_message_size = options.max_message_size;
  made.max_fragments = options.max_fragments;
  made.max_control_frames_per_second = options.max_control_frames_per_second;
  made.max_queued_messages = options.max_queued_messages;
  made.max_unsent_bytes = options.max_unsent_bytes;
  made.max_frame_size = options.max_frame_size;
  made.close_timeout = options.close_timeout;
  made.stalled_timeout = options.stalled_timeout;
  made.max_queued_bytes = options.max_queued_bytes;
  made.max_inbound_bytes = options.max_inbound_bytes;
  made.dangerous_enable_compression = options.dangerous_enable_compression;
  made.disable_server_context_takeover = options.disable_server_context_takeover;
  made.disable_client_context_takeover = options.disable_client_context_takeover;
  made.server_max_window_bits = options.server_max_window_bits;
  made.client_max_window_bits = options.client_max_window_bits;
  made.compression_threshold = options.compression_threshold;
  made.max_compression_memory = options.max_compression_memory;
  return made;
}

[[noreturn]] void refuse_tls(const net::tls_error& error) {
  throw std::invalid_argument("the WebSocket client's option tls: " + std::string(error.what()));
}

// Reads the files.
net::client_tls_options read_tls(const websocket_client_tls& options) {
  net::client_tls_options made;
  made.verify = !options.dangerous_accept_any_certificate;
  made.expected_name = options.server_name;
  made.least = options.least_version;
  made.most = options.most_version;
  made.handshake_timeout = {};  // the time for connecting ends it
  try {
    made.authorities = net::read_certificate_file(options.authorities);
    made.certificate = net::read_certificate(options.certificate);
  } catch (const net::tls_error& error) {
    refuse_tls(error);
  }
  return made;
}

std::shared_ptr<const net::client_tls> checked_tls(net::client_tls_options options,
                                                   std::vector<std::string> application_protocols) {
  options.application_protocols = std::move(application_protocols);
  try {
    return std::make_shared<const net::client_tls>(std::move(options));
  } catch (const net::tls_error& error) {
    refuse_tls(error);
  }
}

std::vector<std::string> offered_over_tls(http_protocols protocols) {
  switch (protocols) {
    case http_protocols::http1:
      return {"http/1.1"};
    case http_protocols::http2:
      return {"h2"};
    case http_protocols::http1_and_http2:
      break;
  }
  return {"h2", "http/1.1"};
}

std::string new_identity() {
  static std::atomic<std::uint64_t> count{0};
  return std::to_string(++count);
}

}  // namespace

std::string printable_line(std::string_view text) {
  constexpr std::size_t most = 200;
  std::string shown(text.substr(0, most));
  for (char& each : shown) {
    if (static_cast<unsigned char>(each) < ' ' || each == 0x7F) each = '?';
  }
  return shown;
}

websocket_client_settings checked_settings(const websocket_client_options& options) {
  websocket_client_settings made;
  const websocket_options shared = shared_options(options);
  made.connection = std::make_shared<const websocket_settings>(checked_settings(shared));
  made.compression = checked_compression(shared);
  // With 8 zlib can only inflate.
  if (options.client_max_window_bits < 9)
    refuse("client_max_window_bits", std::to_string(options.client_max_window_bits), "from 9 to 15");
  made.sub_protocols = options.sub_protocols;
  made.fields = options.request_headers;
  if (!options.origin.empty()) {
    if (made.fields.contains("Origin")) refuse("origin", "set beside an Origin in request_headers", "in one place");
    if (options.origin == "*" || !wire::is_origin_entry(options.origin))
      refuse("origin", "'" + printable_line(options.origin) + "'", "an origin such as https://example.com, or null");
    made.fields.add("Origin", options.origin);
  }
  made.host = options.host;
  if (!options.host.empty() && !wire::http1::is_host(options.host))
    refuse("host", "'" + printable_line(options.host) + "'", "a host such as example.com or example.com:8080");
  if (!options.proxy.empty()) made.proxy = wire::parse_proxy_url(options.proxy);
  made.connect_timeout = checked_duration("connect_timeout", options.connect_timeout);
  made.address_timeout = checked_duration("address_timeout", options.address_timeout);
  constexpr std::size_t mebibyte = std::size_t{1} << 20;
  made.limits.head.header_bytes =
      checked_size("max_response_header_bytes", options.max_response_header_bytes, 256, 16 * mebibyte);
  made.limits.head.header_count =
      checked_size("max_response_header_count", options.max_response_header_count, 4, 100'000);
  made.limits.body_prefix = checked_size("max_response_body_bytes", options.max_response_body_bytes, 0, 16 * mebibyte);
  made.protocols = options.protocols;
  // Where sockets look for life, so does the connection that they share. checked_settings() has looked at both.
  if (options.keep_alive_timeout > milliseconds::zero()) {
    made.ping_delay = options.keep_alive_interval;
    made.ping_timeout = options.keep_alive_timeout;
  }
  const net::client_tls_options tls = read_tls(options.tls);
  made.tls = checked_tls(tls, offered_over_tls(options.protocols));
  if (options.protocols == http_protocols::http1_and_http2)
    made.tls_for_http1 = checked_tls(tls, offered_over_tls(http_protocols::http1));
  made.identity = new_identity();
  // Sub-protocols and fields are judged where they are written.
  const std::vector<std::string_view> protocols(made.sub_protocols.begin(), made.sub_protocols.end());
  static_cast<void>(wire::client_handshake_fields(
      {.target = "/", .host = "localhost", .protocols = protocols, .further_fields = &made.fields}));
  return made;
}

}  // namespace windhover
