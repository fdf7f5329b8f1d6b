#include "websocket/accept.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "net/event_loop.hpp"
#include "wire/websocket/handshake.hpp"
#include "wire/websocket/origin.hpp"

namespace windhover {
namespace {

using std::chrono::milliseconds;

[[noreturn]] void refuse(std::string_view option, const std::string& value, std::string_view range) {
  throw std::invalid_argument("the WebSocket option " + std::string(option) + " is " + value + "; it must be " +
                              std::string(range));
}

std::uint32_t checked_duration(std::string_view option, milliseconds value, bool zero_allowed) {
  constexpr milliseconds most = std::chrono::hours(24 * 20);
  if (value < milliseconds::zero() || value > most || (!zero_allowed && value == milliseconds::zero())) {
    refuse(option, std::to_string(value.count()) + " ms", zero_allowed ? "from 0 to 20 days" : "from 1 ms to 20 days");
  }
  return static_cast<std::uint32_t>(value.count());
}

std::uint32_t checked_size(std::string_view option, std::size_t value, std::size_t least, std::size_t most) {
  if (value < least || value > most) {
    refuse(option, std::to_string(value), "from " + std::to_string(least) + " to " + std::to_string(most) + " bytes");
  }
  return static_cast<std::uint32_t>(value);
}

std::uint32_t checked_count(std::string_view option, std::size_t value, std::size_t least) {
  constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
  if (value < least || value > most) {
    refuse(option, std::to_string(value), "from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return static_cast<std::uint32_t>(value);
}

int checked_window(std::string_view option, int value, int least) {
  constexpr int most = 15;
  if (value < least || value > most) {
    refuse(option, std::to_string(value), "from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

int checked_server_window(int value) { return checked_window("server_max_window_bits", value, 9); }
int checked_client_window(int value) { return checked_window("client_max_window_bits", value, 8); }

void replace_where_set(compression_settings& settings, const websocket_accept_options& options) {
  wire::deflate_options& wanted = settings.wanted;
  settings.enabled = options.dangerous_enable_compression.value_or(settings.enabled);
  if (options.disable_server_context_takeover) {
    wanted.server_context_takeover = !*options.disable_server_context_takeover;
  }
  if (options.disable_client_context_takeover) {
    wanted.client_context_takeover = !*options.disable_client_context_takeover;
  }
  if (options.server_max_window_bits) {
    wanted.server_max_window_bits = checked_server_window(*options.server_max_window_bits);
  }
  if (options.client_max_window_bits) {
    wanted.client_max_window_bits = checked_client_window(*options.client_max_window_bits);
  }
}

std::uint64_t message_limit(std::size_t option) noexcept {
  return option == 0 ? std::numeric_limits<std::uint64_t>::max() : option;
}

// The general settings unless something of its own was set for this one.
shared_websocket_settings replace_where_set(shared_websocket_settings general,
                                            const websocket_accept_options& options) {
  if (!options.keep_alive_interval && !options.keep_alive_timeout && !options.max_message_size) return general;
  websocket_settings own = general ? *general : websocket_settings();
  if (options.keep_alive_interval)
    own.keep_alive_interval = checked_duration("keep_alive_interval", *options.keep_alive_interval, true);
  if (options.keep_alive_timeout)
    own.keep_alive_timeout = checked_duration("keep_alive_timeout", *options.keep_alive_timeout, true);
  if (options.max_message_size) own.max_message_size = message_limit(*options.max_message_size);
  return std::make_shared<const websocket_settings>(own);
}

// An extension field that breaks the grammar offers nothing that could be accepted, as in ASP.NET Core.
std::unique_ptr<websocket_compression> negotiate_compression(const http::exchange& exchange,
                                                             const compression_settings& settings,
                                                             std::uint64_t max_message_size) {
  if (!settings.enabled) return nullptr;
  const std::string offers = exchange.request().headers().joined("Sec-WebSocket-Extensions");
  return websocket_compression::negotiate(offers, settings, max_message_size);
}

bool is_http_2(const http::exchange& exchange) { return exchange.request().protocol() == "HTTP/2"; }

wire::handshake_request handshake_of(const http::exchange& exchange) {
  const http_request& request = exchange.request();
  return {.method = request.method(),
          .http_major = is_http_2(exchange) ? 2 : 1,
          .http_minor = request.protocol() == "HTTP/1.1" ? 1 : 0,
          .fields = request.headers(),
          .has_body = request.has_body(),
          .connect_protocol = exchange.connect_protocol()};
}

void note_opened(http::exchange& exchange) noexcept {
  exchange.transport().loop().log_line(log_level::debug, "websocket", [&exchange] {
    const http_request& request = exchange.request();
    std::string text = "a WebSocket was opened at ";
    text.append(request.path()).append(" over ").append(request.protocol());
    if (const tls_info* const tls = exchange.transport().tls()) text.append(" and ").append(tls->protocol);
    return text.append(", from ").append(exchange.remote_endpoint().to_string());
  });
}

}  // namespace

websocket_settings checked_settings(const websocket_options& options) {
  constexpr std::size_t mebibyte = std::size_t{1} << 20;
  websocket_settings made;
  made.keep_alive_interval = checked_duration("keep_alive_interval", options.keep_alive_interval, true);
  made.keep_alive_timeout = checked_duration("keep_alive_timeout", options.keep_alive_timeout, true);
  made.close_timeout = checked_duration("close_timeout", options.close_timeout, false);
  made.stalled_timeout = checked_duration("stalled_timeout", options.stalled_timeout, true);
  made.receive_chunk = checked_size("receive_buffer_size", options.receive_buffer_size, 64, 16 * mebibyte);
  made.max_queued_bytes = checked_size("max_queued_bytes", options.max_queued_bytes, 1024, 1024 * mebibyte);
  made.max_inbound_bytes = checked_size("max_inbound_bytes", options.max_inbound_bytes, 1024, 1024 * mebibyte);
  made.max_message_size = message_limit(options.max_message_size);
  made.max_fragments = checked_count("max_fragments", options.max_fragments, 1);
  made.max_control_frames = checked_count("max_control_frames_per_second", options.max_control_frames_per_second, 0);
  made.max_queued_messages = checked_count("max_queued_messages", options.max_queued_messages, 1);
  made.max_unsent_bytes = std::max(options.max_unsent_bytes, options.max_queued_bytes);
  made.max_frame_size = checked_size("max_frame_size", options.max_frame_size, 0, 1024 * mebibyte);
  check_origins(options);
  return made;
}

compression_settings checked_compression(const websocket_options& options) {
  constexpr std::size_t gibibyte = std::size_t{1} << 30;
  compression_settings made;
  made.enabled = options.dangerous_enable_compression;
  made.wanted = {.server_context_takeover = !options.disable_server_context_takeover,
                 .client_context_takeover = !options.disable_client_context_takeover,
                 .server_max_window_bits = checked_server_window(options.server_max_window_bits),
                 .client_max_window_bits = checked_client_window(options.client_max_window_bits)};
  made.threshold = checked_size("compression_threshold", options.compression_threshold, 0, gibibyte);
  made.max_memory = options.max_compression_memory;
  return made;
}

void check_origins(const websocket_options& options) {
  for (const std::string& each : options.allowed_origins) {
    if (!wire::is_origin_entry(each)) {
      refuse("allowed_origins", "'" + each + "'", "an origin such as https://example.com, null, or *");
    }
  }
}

bool is_websocket_request(const http::exchange& exchange) {
  return !exchange.upgraded() && wire::is_websocket_request(handshake_of(exchange));
}

bool is_origin_allowed(const http::exchange& exchange, const websocket_options& options) {
  const auto origin = exchange.request().header("Origin");
  if (!origin || origin->empty()) return true;
  const bool is_restricted = options.same_origin || !options.allowed_origins.empty();
  // No browser sends two, and who would say which one counts?
  if (is_restricted && exchange.request().headers().count("Origin") > 1) return false;
  if (options.same_origin) {
    const auto host = exchange.request().header("Host");
    if (host && wire::same_origin(*origin, *host, exchange.request().scheme())) return true;
    return !options.allowed_origins.empty() && wire::origin_allowed(*origin, options.allowed_origins);
  }
  return wire::origin_allowed(*origin, options.allowed_origins);
}

std::vector<std::string_view> requested_protocols(const http::exchange& exchange) {
  return wire::requested_protocols(exchange.request().headers());
}

websocket_connection& open_websocket(http::exchange& exchange, shared_websocket_settings settings,
                                     bool retain_request_headers, const websocket_accept_options& options,
                                     compression_settings compression) {
  if (exchange.upgraded()) throw std::logic_error("the WebSocket request was accepted already, which can be done once");
  if (!is_websocket_request(exchange))
    throw std::logic_error("not a WebSocket request: check is_websocket_request() first");
  settings = replace_where_set(std::move(settings), options);
  replace_where_set(compression, options);

  std::string_view protocol;
  if (!options.sub_protocol.empty()) {
    const auto offered = requested_protocols(exchange);
    const auto chosen = wire::select_protocol(offered, options.sub_protocol);
    if (!chosen) {
      throw std::invalid_argument("the sub-protocol '" + std::string(options.sub_protocol) +
                                  "' was not offered by the client: choose one of requested_protocols()");
    }
    protocol = *chosen;
  }

  const std::uint64_t limit = settings ? settings->max_message_size : websocket_settings().max_message_size;
  auto compressing = negotiate_compression(exchange, compression, limit);
  http_response& response = exchange.response();
  // HTTP/2 has no key to answer: that the stream is one for a WebSocket has been said (RFC 8441, section 5).
  if (!is_http_2(exchange)) {
    const std::string accept = wire::accept_key(exchange.request().header("Sec-WebSocket-Key").value_or(""));
    response.header("Connection", "Upgrade");
    response.header("Upgrade", "websocket");
    response.header("Sec-WebSocket-Accept", accept);
  }
  if (!protocol.empty()) response.header("Sec-WebSocket-Protocol", protocol);
  if (compressing) response.header("Sec-WebSocket-Extensions", compressing->agreed());

  auto connection = std::make_unique<websocket_connection>(exchange.transport(), &exchange, wire::role::server,
                                                           std::move(settings), protocol, std::move(compressing));
  websocket_connection& opened = *connection;
  exchange.upgrade(std::move(connection));
  note_opened(exchange);
  exchange.shrink(retain_request_headers);
  return opened;
}

}  // namespace windhover
