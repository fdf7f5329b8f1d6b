#include "websocket/connect.hpp"

#include <cerrno>
#include <chrono>
#include <memory>
#include <stdexcept>

#include "base/text.hpp"
#include "net/connector.hpp"
#include "net/event_loop.hpp"
#include "net/resolver.hpp"
#include "websocket/accept.hpp"
#include "wire/http1/grammar.hpp"
#include "wire/http1/serializer.hpp"
#include "wire/websocket/handshake.hpp"
#include "wire/websocket/origin.hpp"
#include <windhover/with_timeout.hpp>

namespace windhover {
namespace {

using cause = websocket_connect_error::cause;
using std::chrono::milliseconds;

// ----- Options

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

std::shared_ptr<const net::client_tls> checked_tls(const websocket_client_tls& options) {
  net::client_tls_options made;
  made.verify = !options.dangerous_accept_any_certificate;
  made.expected_name = options.server_name;
  made.handshake_timeout = {};  // the time for connecting ends it
  try {
    made.authorities = net::read_certificate_file(options.authorities);
    made.certificate = net::read_certificate(options.certificate);
    return std::make_shared<const net::client_tls>(made);
  } catch (const net::tls_error& error) {
    throw std::invalid_argument("the WebSocket client's option tls: " + std::string(error.what()));
  }
}

std::vector<std::string_view> views_of(const std::vector<std::string>& texts) { return {texts.begin(), texts.end()}; }

std::string request_text(const websocket_client_settings& settings, const wire::websocket_url& to, std::string_view key,
                         std::string_view extensions) {
  const auto protocols = views_of(settings.sub_protocols);
  return wire::encode_client_handshake({.target = to.target,
                                        .host = settings.host.empty() ? to.authority : settings.host,
                                        .key = key,
                                        .protocols = protocols,
                                        .extensions = extensions,
                                        .further_fields = &settings.fields});
}

// ----- Failures

// Without the query, which may hold a secret.
std::string shown(const wire::websocket_url& to) {
  std::string text(to.scheme());
  return text.append(to.is_unix() ? "://unix:" + to.socket_path : "://" + to.authority);
}

[[noreturn]] void fail(cause why, const wire::websocket_url& to, std::string_view text,
                       http_response_details response = {}) {
  throw websocket_connect_error(why, "no WebSocket to " + shown(to) + ": " + std::string(text), std::move(response));
}

// What the server says is shown as one line without control characters.
std::string printable(std::string_view text) {
  constexpr std::size_t most = 200;
  std::string shown_text(text.substr(0, most));
  for (char& each : shown_text) {
    if (static_cast<unsigned char>(each) < ' ' || each == 0x7F) each = '?';
  }
  return shown_text;
}

std::string status_text(const http_response_details& response) {
  std::string text = std::to_string(response.status);
  if (!response.reason.empty()) text += " " + printable(response.reason);
  if (const auto location = response.headers.find("Location")) text += " (Location: " + printable(*location) + ")";
  if (const auto challenge = response.headers.find("WWW-Authenticate"))
    text += " (WWW-Authenticate: " + printable(*challenge) + ")";
  return text;
}

void require_answer(const http::client_outcome& outcome, const wire::websocket_url& to, std::string_view who) {
  using failure = http::client_outcome::failure;
  switch (outcome.why) {
    case failure::none:
      return;
    case failure::stopped:
      throw connecting_stopped("while waiting for the answer of " + std::string(who));
    case failure::connection_lost:
      fail(cause::no_answer, to, outcome.text);
    case failure::tls_failed:
      fail(cause::tls_failed, to, outcome.text);
    case failure::malformed:
      fail(cause::not_http, to, outcome.text);
  }
}

http_response_details details_of(http::client_response& response) {
  return {.status = response.head.status,
          .reason = std::move(response.head.reason),
          .headers = std::move(response.head.fields),
          .body = std::move(response.body)};
}

// ----- Steps

std::string connect_request(const wire::websocket_url& to, const wire::proxy_url& proxy) {
  const bool is_ipv6 = to.host.find(':') != std::string::npos;
  const std::string authority = (is_ipv6 ? "[" + to.host + "]" : to.host) + ":" + std::to_string(to.port);
  headers fields{{"Host", authority}};
  if (proxy.authorization) fields.add("Proxy-Authorization", *proxy.authorization);
  std::string text;
  wire::http1::append_request_head(text, "CONNECT", authority, fields);
  return text;
}

task<> open_tunnel(http::client_connection& connection, const wire::proxy_url& proxy, const wire::websocket_url& to,
                   std::stop_token stop) {
  std::string request = connect_request(to, proxy);
  http::client_outcome outcome =
      co_await connection.ask(std::move(request), http::client_connection::expected::tunnel, std::move(stop));
  require_answer(outcome, to, "the proxy");
  if (outcome.response.switched) co_return;
  http_response_details response = details_of(outcome.response);
  const std::string text = "the proxy answered with " + status_text(response) + " instead of opening a tunnel";
  fail(cause::proxy_refused, to, text, std::move(response));
}

// What the server chose.
wire::handshake_outcome verify(const http::client_response& answer, const http_response_details& response,
                               std::string_view key, std::span<const std::string_view> offered,
                               const wire::deflate_options* offered_compression, const wire::websocket_url& to) {
  if (!answer.switched) {
    fail(cause::refused, to, "the server answered with status " + status_text(response) + " when 101 was expected",
         response);
  }
  if (answer.head.version != wire::http1::http_version::http_1_1)
    fail(cause::bad_handshake, to, "the server answered with HTTP/1.0, which knows no upgrades", response);
  wire::handshake_outcome judged =
      wire::verify_server_handshake(response.status, response.headers, key, offered, offered_compression);
  if (judged.failure != wire::handshake_failure::none)
    fail(cause::bad_handshake, to, wire::describe(judged.failure), response);
  return judged;
}

task<std::vector<net::address>> addresses_of(net::event_loop& loop, const websocket_client_settings& settings,
                                             const wire::websocket_url& to, std::stop_token stop) {
  std::vector<net::address> found;
  if (to.is_unix()) {
    found.push_back(net::make_unix_address(to.socket_path));
    co_return found;
  }
  std::string host = settings.proxy ? settings.proxy->host : to.host;
  const std::uint16_t port = settings.proxy ? settings.proxy->port : to.port;
  net::resolution resolved = co_await net::resolve(loop, host, port, std::move(stop));
  if (resolved.stopped) throw connecting_stopped("while resolving the name '" + host + "'");
  if (resolved.addresses.empty())
    fail(cause::host_not_found, to, "the name '" + host + "' could not be resolved: " + resolved.failure);
  co_return std::move(resolved.addresses);
}

task<opened_websocket> open_at_once(net::event_loop& loop, const websocket_client_settings& settings,
                                    const wire::websocket_url& to, http_response_details& details,
                                    std::stop_token stop) {
  auto addresses = co_await addresses_of(loop, settings, to, stop);
  net::connect_outcome connected =
      co_await net::connect_to_any(loop, std::move(addresses), settings.address_timeout, stop);
  if (!connected.socket) {
    if (connected.error == ECANCELED && stop.stop_requested())
      throw connecting_stopped("before an address had answered");
    const std::string proxy = settings.proxy && !to.is_unix() ? "the proxy could not be connected to: " : "";
    fail(cause::not_connected, to, proxy + connected.failures);
  }
  http::client_connection* connection = nullptr;
  const auto make_driver = [&](net::transport& on) {
    auto made = std::make_unique<http::client_connection>(on, settings.limits);
    connection = made.get();
    return made;
  };
  net::transport& stream = loop.add_connection(connected.socket.take(), make_driver);
  http::client_connection_owner owner(*connection);
  co_return co_await open_over(std::move(owner), stream, settings, to, details, std::move(stop));
}

}  // namespace

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
      refuse("origin", "'" + printable(options.origin) + "'", "an origin such as https://example.com, or null");
    made.fields.add("Origin", options.origin);
  }
  made.host = options.host;
  if (!options.host.empty() && !wire::http1::is_host(options.host))
    refuse("host", "'" + printable(options.host) + "'", "a host such as example.com or example.com:8080");
  if (!options.proxy.empty()) made.proxy = wire::parse_proxy_url(options.proxy);
  made.connect_timeout = checked_duration("connect_timeout", options.connect_timeout);
  made.address_timeout = checked_duration("address_timeout", options.address_timeout);
  constexpr std::size_t mebibyte = std::size_t{1} << 20;
  made.limits.head.header_bytes =
      checked_size("max_response_header_bytes", options.max_response_header_bytes, 256, 16 * mebibyte);
  made.limits.head.header_count =
      checked_size("max_response_header_count", options.max_response_header_count, 4, 100'000);
  made.limits.body_prefix = checked_size("max_response_body_bytes", options.max_response_body_bytes, 0, 16 * mebibyte);
  made.tls = checked_tls(options.tls);
  // Sub-protocols and fields are judged where they are written.
  static_cast<void>(request_text(made, wire::parse_websocket_url("ws://localhost"), "dGhlIHNhbXBsZSBub25jZQ==", {}));
  return made;
}

task<opened_websocket> open_over(http::client_connection_owner plain, net::transport& below,
                                 const websocket_client_settings& settings, const wire::websocket_url& to,
                                 http_response_details& details, std::stop_token stop) {
  if (settings.proxy && !to.is_unix()) co_await open_tunnel(plain.owned(), *settings.proxy, to, stop);
  http::secured_client over{std::move(plain), &below};
  if (to.secure) over = http::secure(std::move(over.connection), below, *settings.tls, to.host, settings.limits);
  http::client_connection_owner& connection = over.connection;

  const std::string key = wire::make_handshake_key(below.loop().random());
  std::optional<websocket_compression::offer> offer;
  std::string extensions;
  if (settings.compression.enabled) {
    offer = websocket_compression::make_offer(settings.compression);
    extensions = wire::offer_deflate(offer->settings.wanted);
  }
  std::string request = request_text(settings, to, key, extensions);
  http::client_outcome outcome =
      co_await connection.owned().ask(std::move(request), http::client_connection::expected::upgrade, std::move(stop));
  require_answer(outcome, to, "the server");
  details = details_of(outcome.response);
  const auto offered = views_of(settings.sub_protocols);
  const wire::handshake_outcome chosen =
      verify(outcome.response, details, key, offered, offer ? &offer->settings.wanted : nullptr, to);

  std::unique_ptr<websocket_compression> compression;
  if (chosen.compression) {
    compression = websocket_compression::answered(std::move(*offer), *chosen.compression,
                                                  details.headers.joined("Sec-WebSocket-Extensions"),
                                                  settings.connection->max_message_size);
  }
  auto made = std::make_unique<websocket_connection>(*over.stream, nullptr, wire::role::client, settings.connection,
                                                     chosen.protocol, std::move(compression));
  websocket_connection& opened = *made;
  opened.hold();
  connection.upgrade(std::move(made));
  co_return opened_websocket(opened);
}

task<opened_websocket> open_websocket(std::shared_ptr<const websocket_client_settings> settings, wire::websocket_url to,
                                      http_response_details* details, std::stop_token stop) {
  net::event_loop& loop = net::event_loop::required("websocket_client::connect");
  http_response_details unwanted;
  http_response_details& noted = details != nullptr ? *details : unwanted;
  noted = {};
  const net::duration limit = settings->connect_timeout;
  std::string stopped_at;
  try {
    const auto attempt = [&](std::stop_token token) { return open_at_once(loop, *settings, to, noted, token); };
    if (limit == net::duration::zero()) co_return co_await attempt(stop);
    co_return co_await with_timeout(limit, attempt, stop);
  } catch (const websocket_connect_error& error) {
    noted = error.response();
    throw;
  } catch (const connecting_stopped& stopped) {
    stopped_at = stopped.what();
  }
  if (stop.stop_requested()) fail(cause::cancelled, to, "connecting was cancelled " + stopped_at);
  const auto passed = std::chrono::duration_cast<milliseconds>(limit).count();
  fail(cause::timed_out, to, "connecting took longer than " + std::to_string(passed) + " ms; it ended " + stopped_at);
}

}  // namespace windhover
