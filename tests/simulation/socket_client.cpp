#include "socket_client.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

#include "wire/websocket/close.hpp"
#include "wire/websocket/encoder.hpp"
#include "wire/websocket/handshake.hpp"

namespace windhover::simulation {
namespace {

using namespace std::chrono_literals;
using wire::opcode;

// Of those that world.cpp gives a server.
constexpr net::duration shortest_timeout = 1s;

// Payloads of texts are ASCII with some letters of two octets, so that fragments cut within them.
std::string any_text(net::seeded_random& random, std::size_t size) {
  std::string text;
  while (text.size() < size) {
    if (random.chance(30) && text.size() + 2 <= size) {
      text += "\xc3\xa4";
    } else {
      text += static_cast<char>('a' + random.below(26));
    }
  }
  return text;
}

std::string any_bytes(net::seeded_random& random, std::size_t size) {
  std::string bytes(size, '\0');
  random.fill(std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

}  // namespace

socket_client::socket_client(net::simulated_network& network, const endpoint& server, std::uint64_t seed,
                             net::duration begins, int number, std::string_view path, client_notes& notes)
    : client(network, server, seed, begins),
      number_(number),
      notes_(notes),
      frames_(std::numeric_limits<std::uint32_t>::max()),
      eager_(random().chance(300)),
      steps_left_(random().below(eager_ ? 60 : 14)) {
  notes_.path = path;
  if (random().chance(500)) {
    offered_ = {.server_context_takeover = random().chance(500),
                .client_context_takeover = random().chance(500),
                .server_max_window_bits = static_cast<int>(random().between(9, 15)),
                .client_max_window_bits = static_cast<int>(random().between(9, 15))};
  }
  // Most leave as they should.
  const std::uint64_t way = random().below(16);
  leaving_ = way < 9 ? leaving::close : static_cast<leaving>(1 + (way - 9) % 5);
}

void socket_client::complain(std::string_view about) {
  if (notes_.complaint.empty()) notes_.complaint = about;
}

void socket_client::begin() {
  key_ = wire::make_handshake_key(random());
  const std::string extensions = offered_ ? wire::offer_deflate(*offered_) : "";
  queue(wire::encode_client_handshake(
      {.target = notes_.path, .host = "simulation", .key = key_, .extensions = extensions}));
}

// ----- What it says

std::optional<net::duration> socket_client::step() {
  // Some do not wait for the answer.
  if (!notes_.opened && !random().chance(50)) return 5ms;
  if (!first_said_) {
    first_said_ = true;
    say(true, "client " + std::to_string(number_));
  } else if (steps_left_ == 0) {
    leave_somehow();
    return std::nullopt;
  } else {
    for (int i = eager_ ? 5 : 1; i > 0 && steps_left_ > 0; --i, --steps_left_) say_something();
  }
  return eager_ || random().chance(500) ? 0ms : milliseconds_up_to(60);
}

void socket_client::say_something() {
  const std::uint64_t what = random().below(20);
  if (what == 0) {
    pings_.push_back(any_bytes(random(), random().below(126)));
    return frame(opcode::ping, pings_.back(), true);
  }
  if (what == 1) return frame(opcode::pong, "nobody asked", true);
  if (what == 2) return rest(milliseconds_up_to(random().chance(100) ? 400'000 : 2000));
  constexpr std::size_t limits[] = {0, 10, 130, 2000, 70'000, 200'000};
  const std::size_t size = random().below(limits[random().below(random().chance(100) ? 6 : 4)] + 1);
  const bool text = random().chance(600);
  say(text, text ? any_text(random(), size) : any_bytes(random(), size));
}

void socket_client::say(bool text, std::string_view payload) {
  notes_.sent.push_back(message_mark::of(text, payload));
  opcode code = text ? opcode::text : opcode::binary;
  // Compressed as a whole or not at all, so that frames end anywhere within it.
  std::string compressed;
  if (deflater_ && random().chance(700)) {
    compressed = deflater_->frame_payload(payload);
    payload = compressed;
  }
  bool rsv1 = !compressed.empty();
  while (random().chance(250)) {
    const std::string_view piece = payload.substr(0, random().below(payload.size() + 1));
    frame(code, piece, false, rsv1);
    payload.remove_prefix(piece.size());
    code = opcode::continuation;
    rsv1 = false;
    if (random().chance(200)) frame(opcode::pong, "between", true);
  }
  frame(code, payload, true, rsv1);
}

void socket_client::frame(opcode code, std::string_view payload, bool fin, bool rsv1) {
  std::string bytes(wire::maximum_frame_header + payload.size(), '\0');
  const wire::frame_header header{.code = code, .fin = fin, .rsv1 = rsv1, .mask = wire::make_masking_key(random())};
  bytes.resize(
      wire::encode_frame(std::as_writable_bytes(std::span(bytes)).data(), header, std::as_bytes(std::span(payload))));
  queue(bytes);
}

void socket_client::close_with(int code) {
  if (std::exchange(sent_close_, true)) return;
  notes_.own_code = code;
  const char payload[] = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  frame(opcode::close, {payload, 2}, true);
  drop_script();
}

void socket_client::leave_somehow() {
  switch (leaving_) {
    case leaving::close:
      notes_.closed_first = !sent_close_;
      return close_with(4100 + number_ % 800);
    case leaving::close_and_end:
      notes_.closed_first = !sent_close_;
      close_with(4100 + number_ % 800);
      notes_.ended_at_once = true;
      return end();
    case leaving::end_without_close:
      return end();
    case leaving::reset:
      return leave(true);
    case leaving::silence:
      return rest(24h);
    case leaving::wait_for_server:
      return;
  }
}

// ----- What it hears

void socket_client::read(std::string& arrived) {
  if (!notes_.opened) read_answer(arrived);
  if (!notes_.opened) return;
  std::span<const std::byte> in = std::as_bytes(std::span(arrived));
  while (auto frame = frames_.next(in)) read_frame(*frame);
  if (frames_.error() != wire::websocket_error::none) complain(wire::describe(frames_.error()));
  arrived.clear();
}

void socket_client::read_answer(std::string& arrived) {
  answer_.feed(arrived);
  arrived.clear();
  const auto answer = answer_.next(false, false);
  if (!answer) return;
  const auto outcome =
      wire::verify_server_handshake(answer->status, answer->fields, key_, {}, offered_ ? &*offered_ : nullptr);
  if (outcome.failure != wire::handshake_failure::none) {
    // Only a server that lacks memory, or was kept waiting for the request, may refuse.
    if (answer->status != 408 && answer->status != 500) {
      complain(std::string(wire::describe(outcome.failure)) + ", but with " + std::to_string(answer->status));
    }
    return leave(true);
  }
  notes_.opened = true;
  if (outcome.compression) begin_compression(*outcome.compression);
  arrived = answer_.take_rest();
}

void socket_client::begin_compression(const wire::deflate_parameters& agreed) {
  frames_ = testing::frame_reader(std::numeric_limits<std::uint32_t>::max(), true);
  constexpr int smallest_of_zlib = 9;
  if (agreed.client_max_window_bits >= smallest_of_zlib) {
    deflater_.emplace(agreed.client_max_window_bits, !agreed.client_no_context_takeover);
  }
  inflater_.emplace(agreed.server_max_window_bits, !agreed.server_no_context_takeover);
}

void socket_client::read_frame(const testing::read_frame& frame) {
  // Pings are answered until the client's own close frame has come (RFC 6455, section 5.5.2).
  if (notes_.saw_close && frame.code != opcode::pong) return complain("a frame after the close frame");
  if (is_control(frame.code)) return read_control(frame);
  if (frame.first) {
    message_.clear();
    message_is_text_ = frame.code == opcode::text;
  }
  if (frame.compressed) {
    const auto content = inflater_->content(frame.payload, frame.fin);
    if (!content) return complain("a payload that cannot be decompressed");
    message_ += *content;
  } else {
    message_ += frame.payload;
  }
  if (frame.fin) notes_.received.push_back(message_mark::of(message_is_text_, message_));
}

void socket_client::read_control(const testing::read_frame& in) {
  if (in.code == opcode::ping) {
    if (!sent_close_) frame(opcode::pong, in.payload, true);
    return;
  }
  if (in.code == opcode::pong) {
    // The server may leave out all but the latest; it must not make one up. An empty one may be its keep-alive.
    if (in.payload.empty()) return;
    const auto asked = std::find(pings_.begin(), pings_.end(), in.payload);
    if (asked == pings_.end()) return complain("a pong that answers nothing");
    pings_.erase(pings_.begin(), asked + 1);
    return;
  }
  const auto parsed = wire::parse_close_payload(std::as_bytes(std::span(in.payload)));
  if (parsed.error != wire::websocket_error::none) complain(wire::describe(parsed.error));
  notes_.saw_close = true;
  notes_.seen_code = static_cast<int>(parsed.code.value_or(close_code::no_status_received));
  drop_script();
  if (!sent_close_) close_with(notes_.seen_code == 1005 ? 1000 : notes_.seen_code);
}

void socket_client::over(bool) {
  drop_script();
  notes_.hurried = age() < shortest_timeout;
}

}  // namespace windhover::simulation
