#include "load/opening.hpp"

#include <string>
#include <utility>

#include "http/client_connection.hpp"
#include "http/http2_client_connection.hpp"
#include "http/http2_client_pool.hpp"
#include "http/http2_client_request.hpp"
#include "net/connector.hpp"
#include "net/resolver.hpp"
#include "wire/websocket/handshake.hpp"

namespace windhover::load {
namespace {

[[noreturn]] void fail(const load_target& at, const std::string& why) {
  const std::string whom = at.url.is_unix() ? "unix:" + at.url.socket_path : at.url.authority;
  throw load_failure("no WebSocket to " + std::string(at.url.scheme()) + "://" + whom + ": " + why);
}

[[noreturn]] void fail_for_time(const load_target& at, const load_options& options) {
  fail(at, "it was not open within the --patience of " + std::to_string(options.patience.count()) + " ms");
}

std::shared_ptr<const net::client_tls> tls_of(const load_options& options) {
  net::client_tls_options made;
  made.verify = !options.insecure;
  if (options.http2) made.application_protocols = {"h2"};
  made.handshake_timeout = {};  // the patience ends it
  try {
    made.authorities = net::read_certificate_file(options.authorities);
    return std::make_shared<const net::client_tls>(made);
  } catch (const net::tls_error& error) {
    throw load_failure(error.what());
  }
}

// TCP, and TLS where the URL asks for it.
task<http::secured_client> connect(net::event_loop& loop, const load_target& to, const load_options& options,
                                   std::stop_token stop) {
  net::connect_outcome connected = co_await net::connect_to_any(loop, to.addresses, options.patience / 2, stop);
  if (stop.stop_requested()) fail_for_time(to, options);
  if (!connected.socket) fail(to, connected.failures);
  http::client_connection* asking = nullptr;
  const http::client_limits limits;
  const auto make_driver = [&](net::transport& on) {
    auto made = std::make_unique<http::client_connection>(on, limits);
    asking = made.get();
    return made;
  };
  net::transport& below = loop.add_connection(connected.socket.take(), make_driver);
  http::secured_client over{http::client_connection_owner(*asking), &below};
  if (to.tls) over = http::secure(std::move(over.connection), below, *to.tls, to.url.host, limits);
  co_return over;
}

void require_answer(const http::client_outcome& outcome, const load_target& to, const load_options& options) {
  if (outcome.why == http::client_outcome::failure::stopped) fail_for_time(to, options);
  if (outcome.why != http::client_outcome::failure::none) fail(to, outcome.text);
}

void require_switch(const http::client_response& response, const load_target& to) {
  if (!response.switched) fail(to, "the server answered with status " + std::to_string(response.head.status));
}

const wire::deflate_options offered;
const wire::deflate_options* offered_by(const load_options& options) { return options.compress ? &offered : nullptr; }

wire::client_handshake handshake_of(const load_target& to, std::string_view extensions) {
  return {.target = to.url.target, .host = to.url.authority, .extensions = extensions};
}

template <class Owner>
void begin_load(Owner& asked, net::transport& stream, const wire::handshake_outcome& judged, const load_target& to,
                load_connection::settings with, load_connection::listener& tells) {
  if (judged.failure != wire::handshake_failure::none) fail(to, std::string(wire::describe(judged.failure)));
  if (judged.compression && judged.compression->client_max_window_bits < offered.client_max_window_bits) {
    fail(to, "it demands a smaller window than messages are compressed with here; leave out --compress");
  }
  with.compression = judged.compression;
  auto made = std::make_unique<load_connection>(stream, tells, with);
  load_connection& opened = *made;
  asked.upgrade(std::move(made));
  tells.on_open(opened);
}

task<> open_over_http1(net::event_loop& loop, const load_target& to, const load_options& options,
                       load_connection::settings with, load_connection::listener& tells, std::stop_token stop) {
  http::secured_client over = co_await connect(loop, to, options, stop);
  const std::string extensions = options.compress ? wire::offer_deflate(offered) : std::string();
  wire::client_handshake handshake = handshake_of(to, extensions);
  const std::string key = wire::make_handshake_key(loop.random());
  handshake.key = key;
  std::string request = wire::encode_client_handshake(handshake);
  const http::client_outcome outcome = co_await over.connection.owned().ask(
      std::move(request), http::client_connection::expected::upgrade, std::move(stop));
  require_answer(outcome, to, options);
  require_switch(outcome.response, to);
  const wire::http1::response_head& head = outcome.response.head;
  const wire::handshake_outcome judged =
      wire::verify_server_handshake(head.status, head.fields, key, {}, offered_by(options));
  begin_load(over.connection, *over.stream, judged, to, with, tells);
}

// ----- HTTP/2

task<http::http2_client_connection*> make_connection(net::event_loop& loop, const load_target& to,
                                                     const load_options& options, std::stop_token stop) {
  http::secured_client over = co_await connect(loop, to, options, stop);
  if (to.tls) {
    const http::client_outcome secured = co_await over.connection.owned().secured(stop);
    require_answer(secured, to, options);
    if (over.stream->tls()->application_protocol != "h2") fail(to, "the server did not agree on HTTP/2 (ALPN)");
  }
  const http::http2_client_options of_connection{.max_streams = options.per_connection};
  auto made = std::make_unique<http::http2_client_connection>(*over.stream, of_connection);
  http::http2_client_connection& connection = *made;
  over.connection.upgrade(std::move(made));
  const http::client_outcome opened = co_await connection.opened(std::move(stop));
  require_answer(opened, to, options);
  if (!connection.takes_connects()) fail(to, "the server takes no WebSockets over HTTP/2");
  co_return &connection;
}

// One with room, which others may find as well.
task<http::http2_client_connection*> find_connection(net::event_loop& loop, const load_target& to,
                                                     const load_options& options, std::stop_token stop) {
  // Where nobody else will look for it: thousands in a pool that have no room would all be asked by each newcomer.
  if (options.per_connection == 1) co_return co_await make_connection(loop, to, options, std::move(stop));
  const auto pool = http::http2_client_pool::of(loop);
  http::http2_client_pool::found found = co_await pool->find(loop, options.url, stop);
  if (found.stopped) fail_for_time(to, options);
  if (found.to_make) {
    found.connection = co_await make_connection(loop, to, options, std::move(stop));
    found.to_make->made(*found.connection);
  }
  co_return found.connection;
}

task<> open_over_http2(net::event_loop& loop, const load_target& to, const load_options& options,
                       load_connection::settings with, load_connection::listener& tells, std::stop_token stop) {
  constexpr int most_attempts = 3;
  const std::string extensions = options.compress ? wire::offer_deflate(offered) : std::string();
  const http::client_limits limits;
  for (int attempt = 1;; ++attempt) {
    http::http2_client_connection* const connection = co_await find_connection(loop, to, options, stop);
    const wire::client_handshake handshake = handshake_of(to, extensions);
    http::connect_request request{.protocol = "websocket",
                                  .scheme = to.tls ? "https" : "http",
                                  .authority = to.url.authority,
                                  .path = to.url.target,
                                  .fields = wire::client_handshake_fields(handshake)};
    auto asking = http::http2_client_request::begin(*connection, limits);
    const http::client_outcome outcome = co_await asking.owned().ask(std::move(request), stop);
    // Not looked at: the server may still count streams that have ended here.
    if (outcome.why == http::client_outcome::failure::refused && attempt < most_attempts) continue;
    require_answer(outcome, to, options);
    require_switch(outcome.response, to);
    const wire::handshake_outcome judged =
        wire::verify_server_choices(outcome.response.head.fields, {}, offered_by(options));
    net::transport& stream = asking.owned().stream();
    co_return begin_load(asking, stream, judged, to, with, tells);
  }
}

}  // namespace

task<load_target> find_target(net::event_loop& loop, const load_options& options, std::stop_token stop) {
  load_target found{wire::parse_websocket_url(options.url), {}};
  if (found.url.secure) found.tls = tls_of(options);
  if (found.url.is_unix()) {
    found.addresses.push_back(net::make_unix_address(found.url.socket_path));
    co_return found;
  }
  net::resolution resolved = co_await net::resolve(loop, found.url.host, found.url.port, std::move(stop));
  if (resolved.addresses.empty()) fail(found, "the name could not be resolved: " + resolved.failure);
  found.addresses = std::move(resolved.addresses);
  co_return found;
}

task<> open_connection(net::event_loop& loop, const load_target& to, const load_options& options,
                       load_connection::settings with, load_connection::listener& tells, std::stop_token stop) {
  return options.http2 ? open_over_http2(loop, to, options, with, tells, std::move(stop))
                       : open_over_http1(loop, to, options, with, tells, std::move(stop));
}

}  // namespace windhover::load
