#include "websocket/connect.hpp"

#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/http2_client_connection.hpp"
#include "http/http2_client_pool.hpp"
#include "http/http2_client_request.hpp"
#include "net/connector.hpp"
#include "net/event_loop.hpp"
#include "net/resolver.hpp"
#include "wire/http1/serializer.hpp"
#include "wire/websocket/handshake.hpp"
#include <windhover/with_timeout.hpp>

namespace windhover {
namespace {

using cause = websocket_connect_error::cause;
using std::chrono::milliseconds;

// What the server may choose from.
struct offers {
  explicit offers(const websocket_client_settings& settings)
      : protocols(settings.sub_protocols.begin(), settings.sub_protocols.end()) {
    if (!settings.compression.enabled) return;
    compression = websocket_compression::make_offer(settings.compression);
    extensions = wire::offer_deflate(compression->settings.wanted);
  }
  const wire::deflate_options* compression_options() const noexcept {
    return compression ? &compression->settings.wanted : nullptr;
  }

  std::vector<std::string_view> protocols;
  std::optional<websocket_compression::offer> compression;
  std::string extensions;
};

wire::client_handshake handshake_of(const websocket_client_settings& settings, const wire::websocket_url& to,
                                    const offers& offered) {
  return {.target = to.target,
          .host = settings.host.empty() ? to.authority : settings.host,
          .protocols = offered.protocols,
          .extensions = offered.extensions,
          .further_fields = &settings.fields};
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

std::string status_text(const http_response_details& response) {
  std::string text = std::to_string(response.status);
  if (!response.reason.empty()) text += " " + printable_line(response.reason);
  if (const auto location = response.headers.find("Location")) text += " (Location: " + printable_line(*location) + ")";
  if (const auto challenge = response.headers.find("WWW-Authenticate"))
    text += " (WWW-Authenticate: " + printable_line(*challenge) + ")";
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
    case failure::refused:
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

task<http::client_connection_owner> connect(net::event_loop& loop, const websocket_client_settings& settings,
                                            const wire::websocket_url& to, net::transport*& stream,
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
  stream = &loop.add_connection(connected.socket.take(), make_driver);
  co_return http::client_connection_owner(*connection);
}

// Behind the proxy and with TLS, where there are such; then the handshake can be said.
task<http::secured_client> reach(http::client_connection_owner plain, net::transport& below,
                                 const websocket_client_settings& settings, const net::client_tls& tls,
                                 const wire::websocket_url& to, std::stop_token stop) {
  if (settings.proxy && !to.is_unix()) co_await open_tunnel(plain.owned(), *settings.proxy, to, stop);
  http::secured_client over{std::move(plain), &below};
  if (to.secure) over = http::secure(std::move(over.connection), below, tls, to.host, settings.limits);
  co_return over;
}

// ----- The handshake

// The server has taken the request; the socket goes on where it was asked.
template <class Owner>
opened_websocket begin_websocket(Owner& asked, net::transport& stream, const websocket_client_settings& settings,
                                 offers& offered, const wire::handshake_outcome& chosen,
                                 const http_response_details& details) {
  std::unique_ptr<websocket_compression> compression;
  if (chosen.compression) {
    compression = websocket_compression::answered(std::move(*offered.compression), *chosen.compression,
                                                  details.headers.joined("Sec-WebSocket-Extensions"),
                                                  settings.connection->max_message_size);
  }
  auto made = std::make_unique<websocket_connection>(stream, nullptr, wire::role::client, settings.connection,
                                                     chosen.protocol, std::move(compression));
  websocket_connection& opened = *made;
  opened.hold();
  asked.upgrade(std::move(made));
  return opened_websocket(opened);
}

void require_switch(const http::client_response& answer, const http_response_details& response, int expected,
                    const wire::websocket_url& to) {
  if (answer.switched) return;
  const std::string text = "the server answered with status " + status_text(response) + " when " +
                           std::to_string(expected) + " was expected";
  fail(cause::refused, to, text, response);
}

void require_agreement(const wire::handshake_outcome& judged, const http_response_details& response,
                       const wire::websocket_url& to) {
  if (judged.failure != wire::handshake_failure::none)
    fail(cause::bad_handshake, to, wire::describe(judged.failure), response);
}

// RFC 6455, section 4.
task<opened_websocket> open_over_http1(http::secured_client over, const websocket_client_settings& settings,
                                       const wire::websocket_url& to, http_response_details& details,
                                       std::stop_token stop) {
  offers offered(settings);
  wire::client_handshake handshake = handshake_of(settings, to, offered);
  const std::string key = wire::make_handshake_key(over.stream->loop().random());
  handshake.key = key;
  std::string request = wire::encode_client_handshake(handshake);
  http::client_outcome outcome = co_await over.connection.owned().ask(
      std::move(request), http::client_connection::expected::upgrade, std::move(stop));
  require_answer(outcome, to, "the server");
  const bool is_http_1_0 = outcome.response.head.version != wire::http1::http_version::http_1_1;
  details = details_of(outcome.response);
  require_switch(outcome.response, details, 101, to);
  if (is_http_1_0)
    fail(cause::bad_handshake, to, "the server answered with HTTP/1.0, which knows no upgrades", details);
  const wire::handshake_outcome chosen = wire::verify_server_handshake(
      details.status, details.headers, key, offered.protocols, offered.compression_options());
  require_agreement(chosen, details, to);
  co_return begin_websocket(over.connection, *over.stream, settings, offered, chosen, details);
}

// RFC 8441, section 5. Nothing when the server has refused another stream, without looking at the request.
task<std::optional<opened_websocket>> open_stream(http::http2_client_connection& on,
                                                  const websocket_client_settings& settings,
                                                  const wire::websocket_url& to, http_response_details& details,
                                                  std::stop_token stop) {
  offers offered(settings);
  const wire::client_handshake handshake = handshake_of(settings, to, offered);
  http::connect_request request{.protocol = "websocket",
                                .scheme = to.secure ? "https" : "http",
                                .authority = std::string(handshake.host),
                                .path = to.target,
                                .fields = wire::client_handshake_fields(handshake)};
  auto asking = http::http2_client_request::begin(on, settings.limits);
  http::client_outcome outcome = co_await asking.owned().ask(std::move(request), std::move(stop));
  if (outcome.why == http::client_outcome::failure::refused) co_return std::nullopt;
  require_answer(outcome, to, "the server");
  details = details_of(outcome.response);
  require_switch(outcome.response, details, 200, to);
  const wire::handshake_outcome chosen =
      wire::verify_server_choices(details.headers, offered.protocols, offered.compression_options());
  require_agreement(chosen, details, to);
  net::transport& stream = asking.owned().stream();
  co_return begin_websocket(asking, stream, settings, offered, chosen, details);
}

// ----- HTTP/2

// In clear text nothing is agreed on: only a client that is told so speaks it.
bool may_use_http2(const websocket_client_settings& settings, const wire::websocket_url& to) noexcept {
  if (settings.protocols == http_protocols::http1) return false;
  return to.secure || settings.protocols == http_protocols::http2;
}

const net::client_tls& tls_of(const websocket_client_settings& settings, bool with_http2) noexcept {
  return !with_http2 && settings.tls_for_http1 ? *settings.tls_for_http1 : *settings.tls;
}

// Over HTTP/2, if the server chooses it, on a connection that is new and that others may use then; otherwise over
// HTTP/1.1. Nothing when the WebSocket has to be opened on another one.
task<std::optional<opened_websocket>> open_where_agreed(http::secured_client over,
                                                        const websocket_client_settings& settings,
                                                        const wire::websocket_url& to, http_response_details& details,
                                                        std::stop_token stop, http::http2_client_pool::making& duty) {
  if (to.secure) {
    const http::client_outcome secured = co_await over.connection.owned().secured(stop);
    require_answer(secured, to, "the server");
    if (over.stream->tls()->application_protocol != "h2") {
      if (settings.protocols == http_protocols::http2)
        fail(cause::tls_failed, to, "the server did not agree on HTTP/2 (ALPN)");
      duty.not_spoken();
      co_return co_await open_over_http1(std::move(over), settings, to, details, std::move(stop));
    }
  }
  const http::http2_client_options of_connection{.header_bytes = settings.limits.head.header_bytes,
                                                 .stream_window = settings.connection->max_inbound_bytes,
                                                 .ping_delay = settings.ping_delay,
                                                 .ping_timeout = settings.ping_timeout};
  auto made = std::make_unique<http::http2_client_connection>(*over.stream, of_connection);
  http::http2_client_connection& connection = *made;
  over.connection.upgrade(std::move(made));
  const http::client_outcome opened = co_await connection.opened(stop);
  require_answer(opened, to, "the server");
  if (!connection.takes_connects()) {
    if (settings.protocols == http_protocols::http2)
      fail(cause::refused, to, "the server takes no WebSockets over HTTP/2: it has not set ENABLE_CONNECT_PROTOCOL");
    duty.not_spoken();
    co_return std::nullopt;
  }
  duty.made(connection);
  if (connection.room() == 0) co_return std::nullopt;
  co_return co_await open_stream(connection, settings, to, details, std::move(stop));
}

std::string destination_of(const websocket_client_settings& settings, const wire::websocket_url& to) {
  std::string text = settings.identity;
  text.append(" ").append(to.scheme()).append(to.is_unix() ? "+unix " + to.socket_path : " " + to.authority);
  return text;
}

task<opened_websocket> open_at_once(net::event_loop& loop, const websocket_client_settings& settings,
                                    const wire::websocket_url& to, http_response_details& details,
                                    std::stop_token stop) {
  constexpr int most_refusals = 3;
  const auto pool = http::http2_client_pool::of(loop);
  const std::string destination = destination_of(settings, to);
  bool with_http2 = may_use_http2(settings, to);
  net::transport* below = nullptr;
  for (int refusals = 0; with_http2 && refusals < most_refusals;) {
    http::http2_client_pool::found found = co_await pool->find(loop, destination, stop);
    if (found.stopped) throw connecting_stopped("while another connection to the server was made");
    std::optional<opened_websocket> opened;
    if (found.connection != nullptr) {
      opened = co_await open_stream(*found.connection, settings, to, details, stop);
    } else if (found.to_make) {
      auto connected = co_await connect(loop, settings, to, below, stop);
      auto over = co_await reach(std::move(connected), *below, settings, tls_of(settings, true), to, stop);
      opened = co_await open_where_agreed(std::move(over), settings, to, details, stop, *found.to_make);
    }
    if (opened) co_return std::move(*opened);
    with_http2 = found.connection != nullptr || (found.to_make && found.to_make->was_made());
    ++refusals;
  }
  if (with_http2) fail(cause::no_answer, to, "the server refuses further streams on its HTTP/2 connections");
  auto connected = co_await connect(loop, settings, to, below, stop);
  auto over = co_await reach(std::move(connected), *below, settings, tls_of(settings, false), to, stop);
  co_return co_await open_over_http1(std::move(over), settings, to, details, std::move(stop));
}

}  // namespace

task<opened_websocket> open_over(http::client_connection_owner plain, net::transport& below,
                                 const websocket_client_settings& settings, const wire::websocket_url& to,
                                 http_response_details& details, std::stop_token stop) {
  const bool with_http2 = may_use_http2(settings, to);
  auto over = co_await reach(std::move(plain), below, settings, tls_of(settings, with_http2), to, stop);
  if (!with_http2) co_return co_await open_over_http1(std::move(over), settings, to, details, std::move(stop));
  http::http2_client_pool::making nobody_waits;
  auto opened = co_await open_where_agreed(std::move(over), settings, to, details, std::move(stop), nobody_waits);
  if (!opened) fail(cause::no_answer, to, "the server takes no WebSocket on this HTTP/2 connection");
  co_return std::move(*opened);
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
