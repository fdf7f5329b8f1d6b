// A server's HTTP/1.1 connection over the memory pipe in virtual time, with handlers that echo bodies in every way
// there is: whatever the client sends and however it behaves, the conversation ends by itself, every response is
// well-formed, and each whole request of a well-behaved client gets its own body back. Input: limits, handler options,
// the client's manners, what it sends. The first letter of a path chooses the handler.
#include "http/http1_connection.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "http/static_files.hpp"
#include "input.hpp"
#include "memory_server.hpp"
#include "requests.hpp"
#include "response_reader.hpp"
#include "wire/http1/request_error.hpp"
#include "wire/http1/target.hpp"
#include <windhover/embedded_file.hpp>
#include <windhover/sleep_for.hpp>
#include <windhover/task.hpp>

namespace windhover::fuzz {

namespace {

constexpr std::size_t longest_text = 1000;  // that the handler which reads all at once takes
constexpr std::string_view page = "<p>0123456789</p>";

enum class way { echo, stream, length, all, late, ignore, give_up, file, none };

way way_of(std::string_view path) {
  switch (path.size() < 2 ? '/' : path[1]) {
    case 'e':
      return way::echo;
    case 's':
      return way::stream;
    case 'l':
      return way::length;
    case 'a':
      return way::all;
    case 't':
      return way::late;
    case 'i':
      return way::ignore;
    case 'g':
      return way::give_up;
    case 'f':
      return way::file;
    default:
      return way::none;
  }
}

bool echoes(way how) { return how <= way::late; }

// ----- The application

task<> echo(http::exchange& exchange, std::size_t piece_size) {
  std::vector<std::byte> buffer(piece_size);
  const std::span<std::byte> room(buffer);
  while (const std::size_t count = co_await exchange.request().read(room)) {
    const std::span<const std::byte> piece = room.first(count);
    const bool connected = co_await exchange.response().write(piece);
    if (!connected) co_return;
  }
}

task<> give_up(http::exchange& exchange) {
  std::array<std::byte, 4> buffer;
  const std::span<std::byte> room(buffer);
  const std::size_t count = co_await exchange.request().read(room);
  if (count == 4) throw std::runtime_error("four bytes are too many");
  if (count == 3) exchange.abort();
}

const http::static_files& files() {
  static constexpr std::array<embedded_file, 1> all{{{"/f/index.html", "text/html", page}}};
  static const http::static_files served{std::span<const embedded_file>(all)};
  return served;
}

task<> serve(http::exchange& exchange, std::size_t piece_size) {
  http_response& response = exchange.response();
  const way how = way_of(exchange.request().path());
  if (how == way::none) {
    response.status(404);
    co_return;
  }
  if (how == way::late) {
    const std::chrono::seconds time(1);
    const bool slept = co_await sleep_for(time);
    require(slept, "nobody stops this sleep");
  }
  if (how == way::stream) {
    const bool connected = co_await response.flush();
    if (!connected) co_return;
  }
  if (how == way::length && exchange.request().content_length())
    response.header("Content-Length", std::to_string(*exchange.request().content_length()));
  if (how == way::all) {
    const std::string text = co_await exchange.request().read_all(longest_text);
    const bool connected = co_await response.write(text);
    static_cast<void>(connected);
  }
  if (how == way::file && files().may_serve(exchange)) {
    const bool served = co_await files().serve(exchange);
    if (!served) response.status(404);
  }
  if (how == way::give_up) co_await give_up(exchange);
  if (how == way::echo || how == way::stream || how == way::length || how == way::late)
    co_await echo(exchange, piece_size);
}

// ----- What is expected of it

// None: the path cannot be decoded.
std::optional<way> way_of(const asked_request& asked) {
  const auto path = wire::http1::percent_decode_path(wire::http1::split_target(asked.head.target).path);
  return path ? std::optional(way_of(*path)) : std::nullopt;
}

void judge_answer(const asked_request& asked, const response& answer) {
  const auto how = way_of(asked);
  if (!how) return require(answer.status == 400 && answer.closes, "a path that cannot be decoded is refused");
  const bool is_head = asked.head.method == "HEAD";
  if (echoes(*how) && asked.whole) {
    const bool too_long = *how == way::all && asked.body.size() > longest_text;
    if (too_long) return require(answer.status == 413, "a text that is too long is refused");
    require(answer.status == 200, "a whole request is served");
    if (!is_head) require(answer.body == asked.body, "its body comes back");
  }
  if (*how == way::file && answer.status == 200 && asked.head.method == "GET" && !answer.body.empty())
    require(answer.body == page, "a file is the file");
  if (*how == way::file && answer.status == 206)
    require(!answer.body.empty() && page.find(answer.body) != std::string_view::npos, "a part of it is a part of it");
}

// Whether the end of the connection can be explained by the requests themselves: a body that nobody read is given up
// when it is too long or malformed, and a response that has begun can only be broken off.
bool may_end_early(const asked_requests& asked) {
  for (const asked_request& each : asked.requests) {
    const auto how = way_of(each);
    const bool has_body = each.head.framing != wire::http1::body_framing::none;
    if (!how || !each.whole || (has_body && !echoes(*how)) || *how == way::give_up) return true;
  }
  return false;
}

void judge(const memory_server& server, const asked_requests& asked, bool plain) {
  response_reader reader(server.received, server.was_reset);
  std::size_t answered = 0;
  bool closed = false;
  while (!reader.at_end()) {
    require(!closed, "nothing comes behind the last response");
    const response answer = reader.next(asked.is_head(answered));
    if (!answer.whole) break;
    closed = answer.closes;
    if (answered < asked.requests.size()) {
      judge_answer(asked.requests[answered], answer);
    } else {
      require(answer.closes && answer.status >= 400, "what is no request is refused");
      const bool is_error = asked.error && answer.status == wire::http1::status_of(*asked.error);
      require(is_error || answer.status == 408, "for a reason");
      require(answered == asked.requests.size(), "once");
    }
    ++answered;
  }
  if (!plain || closed || may_end_early(asked)) return;
  require(answered >= asked.requests.size(), "every request is answered");
  require(!asked.error, "and so is what is no request");
}

}  // namespace

void try_input(input in) {
  constexpr std::array<std::size_t, 4> high_waters{65536, 0, 16, 300};
  constexpr std::array<std::size_t, 4> piece_sizes{1000, 1, 7, 64};
  constexpr std::array<std::size_t, 4> drained_bodies{262'144, 0, 16, 64};
  constexpr std::array<std::uint64_t, 4> body_limits{30'000'000, 0, 16, 2000};
  const std::uint8_t options = in.octet();
  const std::size_t piece_size = piece_sizes[options & 3];
  const client_manners manners = client_manners::take(in);

  memory_server server([piece_size](http::exchange& exchange) { return serve(exchange, piece_size); });
  server.context.options.high_water = high_waters[options >> 2 & 3];
  server.context.options.drained_body = drained_bodies[options >> 4 & 3];
  server.context.options.limits.body = body_limits[options >> 6 & 3];
  server.context.options.limits.request_line = 128;
  server.context.options.limits.header_bytes = 512;
  server.context.options.limits.header_count = 10;
  server.converse(in.bytes(), manners);
  judge(server, read_requests(in.bytes(), server.context.options.limits), manners.are_plain());
}

}  // namespace windhover::fuzz
