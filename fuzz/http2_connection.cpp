// A server's HTTP/2 connection over the memory pipe in virtual time, with handlers that echo bodies and WebSockets:
// whatever the client sends and however it behaves, the conversation ends by itself, nothing of it is left, and what
// the server says is HTTP/2. Input: limits, the client's manners, whether it knows the preface, what it sends. The
// first letter of a path chooses the handler.
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "http/http2_server_connection.hpp"
#include "input.hpp"
#include "memory_server.hpp"
#include "websocket/accept.hpp"
#include "wire/http2/preface.hpp"
#include <windhover/sleep_for.hpp>
#include <windhover/task.hpp>

namespace windhover::fuzz {

namespace {

// ----- The application

task<> echo_body(http::exchange& exchange) {
  std::vector<std::byte> buffer(100);
  const std::span<std::byte> room(buffer);
  while (const std::size_t count = co_await exchange.request().read(room)) {
    const std::span<const std::byte> piece = room.first(count);
    const bool connected = co_await exchange.response().write(piece);
    if (!connected) co_return;
  }
}

task<> echo_messages(http::exchange& exchange) {
  websocket socket = accept_websocket(exchange, {}, true, {});
  while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

task<> serve(http::exchange& exchange) {
  const std::string_view path = exchange.request().path();
  const char way = path.size() < 2 ? '/' : path[1];
  if (is_websocket_request(exchange) && way != 'n') co_return co_await echo_messages(exchange);
  switch (way) {
    case 'e':
      co_return co_await echo_body(exchange);
    case 't': {
      const std::chrono::seconds time(1);
      const bool slept = co_await sleep_for(time);
      require(slept, "nobody stops this sleep");
      co_return co_await echo_body(exchange);
    }
    case 'l': {
      const std::string large(100'000, 'x');
      const bool connected = co_await exchange.response().write(large);
      static_cast<void>(connected);
      co_return;
    }
    case 'a':
      exchange.abort();
      co_return;
    case 'f':
      throw std::runtime_error("this handler fails");
    default:
      exchange.response().status(404);
  }
}

// ----- What the server says

std::uint32_t number(std::string_view text) {
  std::uint32_t value = 0;
  for (const char each : text) value = value << 8 | static_cast<std::uint8_t>(each);
  return value;
}

void judge(std::string_view received) {
  constexpr std::size_t header_size = 9;
  constexpr std::uint8_t data = 0;
  constexpr std::uint8_t headers = 1;
  constexpr std::uint8_t rst_stream = 3;
  constexpr std::uint8_t last_known = 9;
  constexpr std::uint8_t end_stream = 1;
  enum class stream { has_head, has_ended };
  std::map<std::uint32_t, stream> streams;
  bool first = true;
  while (received.size() >= header_size) {
    const std::size_t size = number(received.substr(0, 3));
    const auto type = static_cast<std::uint8_t>(received[3]);
    const auto flags = static_cast<std::uint8_t>(received[4]);
    const std::uint32_t id = number(received.substr(5, 4));
    require(size <= 16384 || type == headers, "no frame is larger than the client takes");
    require(type <= last_known, "every frame is one of the standard's");
    require(!first || type == 4 || type == 7, "settings come first");
    first = false;
    const auto known = streams.find(id);
    if (type == headers) {
      require(known == streams.end() || known->second == stream::has_head, "no head comes behind the end of a stream");
      streams[id] = (flags & end_stream) != 0 ? stream::has_ended : stream::has_head;
    } else if (type == data) {
      require(known != streams.end() && known->second == stream::has_head, "data come between the head and the end");
      if ((flags & end_stream) != 0) known->second = stream::has_ended;
    } else if (type == rst_stream) {
      streams[id] = stream::has_ended;
    }
    if (received.size() < header_size + size) return;
    received.remove_prefix(header_size + size);
  }
}

}  // namespace

void try_input(input in) {
  constexpr std::array<std::uint32_t, 4> windows{65536, 1024, 2000, 100'000};
  constexpr std::array<std::uint32_t, 4> streams{100, 1, 2, 10};
  constexpr std::array<std::uint64_t, 4> body_limits{30'000'000, 0, 16, 2000};
  const std::uint8_t options = in.octet();
  const bool knows_preface = (options & 64) == 0;
  const client_manners manners = client_manners::take(in);

  memory_server server([](http::exchange& exchange) { return serve(exchange); });
  server.spoken = (options & 128) == 0 ? http_protocols::http2 : http_protocols::http1_and_http2;
  server.context.options.http2.stream_window = windows[options & 3];
  server.context.options.http2.max_streams = streams[options >> 2 & 3];
  server.context.options.limits.body = body_limits[options >> 4 & 3];
  server.context.options.limits.header_bytes = 512;
  server.context.options.http2.ping_delay = std::chrono::seconds(20);

  std::string stream;
  if (knows_preface) stream = std::string(wire::http2::client_preface) + std::string("\0\0\0\4\0\0\0\0\0", 9);
  stream += in.text();
  server.converse(std::as_bytes(std::span(stream)), manners);
  if (knows_preface) judge(server.received);
}

}  // namespace windhover::fuzz
