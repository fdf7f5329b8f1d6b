#include "load/opening.hpp"

#include <string>
#include <utility>

#include "http/client_connection.hpp"
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
  made.handshake_timeout = {};  // the patience ends it
  try {
    made.authorities = net::read_certificate_file(options.authorities);
    return std::make_shared<const net::client_tls>(made);
  } catch (const net::tls_error& error) {
    throw load_failure(error.what());
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

  const wire::deflate_options offered;
  const std::string key = wire::make_handshake_key(loop.random());
  const std::string extensions = options.compress ? wire::offer_deflate(offered) : std::string();
  std::string request = wire::encode_client_handshake(
      {.target = to.url.target, .host = to.url.authority, .key = key, .extensions = extensions});
  http::client_outcome outcome = co_await over.connection.owned().ask(
      std::move(request), http::client_connection::expected::upgrade, std::move(stop));
  if (outcome.why == http::client_outcome::failure::stopped) fail_for_time(to, options);
  if (outcome.why != http::client_outcome::failure::none) fail(to, outcome.text);
  const int status = outcome.response.head.status;
  if (!outcome.response.switched) fail(to, "the server answered with status " + std::to_string(status));
  const wire::handshake_outcome judged = wire::verify_server_handshake(status, outcome.response.head.fields, key, {},
                                                                       options.compress ? &offered : nullptr);
  if (judged.failure != wire::handshake_failure::none) fail(to, std::string(wire::describe(judged.failure)));
  if (judged.compression && judged.compression->client_max_window_bits < offered.client_max_window_bits) {
    fail(to, "it demands a smaller window than messages are compressed with here; leave out --compress");
  }

  with.compression = judged.compression;
  auto made = std::make_unique<load_connection>(*over.stream, tells, with);
  load_connection& opened = *made;
  over.connection.upgrade(std::move(made));
  tells.on_open(opened);
}

}  // namespace windhover::load
