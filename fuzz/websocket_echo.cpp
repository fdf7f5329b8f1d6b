// The whole way of a WebSocket on the server, over the memory pipe in virtual time: HTTP/1.1 connection, opening
// handshake, frames, a handler that echoes, and the end. Whatever the client sends and however it behaves, the
// conversation ends by itself and what the server sends is valid; a well-behaved client gets every message back, in
// order, up to the one that it spoils, and is told why. Input: what the handler does, the sizes of the socket, the
// client's manners, what the client sends: frames behind a handshake that is always the same, or all of it.
#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "input.hpp"
#include "memory_server.hpp"
#include "requests.hpp"
#include "response_reader.hpp"
#include "websocket/accept.hpp"
#include "wire/websocket/close.hpp"
#include "wire/websocket/decoder.hpp"
#include <windhover/prepared_message.hpp>
#include <windhover/sleep_for.hpp>
#include <windhover/task.hpp>
#include <windhover/websocket.hpp>
#include <windhover/with_timeout.hpp>

namespace windhover::fuzz {

namespace {

using wire::frame_decoder;
using wire::opcode;
using wire::websocket_error;

constexpr std::string_view handshake =
    "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

enum class way { whole, copies, pieces, slow, impatient, one_then_close, one_then_return, one_then_throw };

// ----- The application

task<> echo_whole(websocket& socket) {
  while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

task<> echo_copies(websocket& socket) {
  while (auto message = co_await socket.receive()) {
    if (message->is_text()) {
      co_await socket.send(message->text());
    } else {
      const auto prepared = prepared_message::from_bytes(message->bytes());
      co_await socket.send(prepared);
    }
  }
}

task<> echo_pieces(websocket& socket, std::size_t piece_size) {
  std::vector<std::byte> buffer(piece_size == 0 ? 16 : piece_size);
  const std::span<std::byte> room(buffer);
  const std::span<std::byte> none;
  bool waits_without_room = piece_size == 0;
  for (;;) {
    // Every other time without room, which waits for a frame to begin, or takes an empty one.
    const std::span<std::byte> into = waits_without_room ? none : room;
    if (piece_size == 0) waits_without_room = !waits_without_room;
    const receive_result result = co_await socket.receive(into);
    if (!result) co_return;
    if (into.empty() && result.end == end_of_message::no) continue;
    const std::span<const std::byte> piece = room.first(result.count);
    if (result.type == message_type::binary) {
      co_await socket.send(piece, result.end);
      continue;
    }
    const std::string_view text(reinterpret_cast<const char*>(piece.data()), piece.size());
    co_await socket.send(text, result.end);
  }
}

task<> echo_slowly(websocket& socket) {
  while (auto message = co_await socket.receive()) {
    const std::chrono::milliseconds time(1);
    co_await sleep_for(time);
    co_await socket.send(*message);
  }
}

task<> echo_impatiently(websocket& socket) {
  for (;;) {
    const std::chrono::seconds limit(30);
    const auto ask = [&socket](std::stop_token stop) { return socket.receive(stop); };
    const received message = co_await with_timeout(limit, ask);
    if (message.closed()) co_return;
    if (message) co_await socket.send(*message);
  }
}

task<> echo_one(websocket& socket, way how) {
  const received message = co_await socket.receive();
  if (!message) co_return;
  co_await socket.send(*message);
  if (how == way::one_then_throw) throw std::runtime_error("one message is enough");
  if (how == way::one_then_close) co_await socket.close(close_code::normal_closure, "one is enough");
}

task<> echo(websocket& socket, way how, std::size_t piece_size) {
  switch (how) {
    case way::whole:
      return echo_whole(socket);
    case way::copies:
      return echo_copies(socket);
    case way::pieces:
      return echo_pieces(socket, piece_size);
    case way::slow:
      return echo_slowly(socket);
    case way::impatient:
      return echo_impatiently(socket);
    default:
      return echo_one(socket, how);
  }
}

struct application {
  way how = way::whole;
  std::size_t piece_size = 1;
  websocket_settings settings;
  // What the connection runs by itself, without the request; none: the request's handler holds the socket.
  std::function<task<>(websocket&)> handler;
  std::string name = "/chat";
};

task<> serve(http::exchange& exchange, const application& with) {
  if (!is_websocket_request(exchange)) {
    exchange.response().status(400);
    co_return;
  }
  websocket_accept_options options;
  const auto requested = requested_protocols(exchange);
  if (!requested.empty()) options.sub_protocol = requested.back();
  shared_websocket_settings settings = std::make_shared<const websocket_settings>(with.settings);
  if (with.handler) {
    open_websocket(exchange, std::move(settings), false, options).run(with.handler, with.name);
    co_return;
  }
  websocket socket = accept_websocket(exchange, std::move(settings), false, options);
  co_await echo(socket, with.how, with.piece_size);
}

// ----- What is in a stream of frames

struct message_text {
  opcode type;
  std::string payload;
  bool operator==(const message_text&) const = default;
};

struct frames {
  std::vector<message_text> messages;
  message_text under_way{opcode::continuation, {}};  // of a message that is not whole
  std::vector<std::string> pings;
  std::vector<std::string> pongs;
  std::optional<std::string> close;
  websocket_error error = websocket_error::none;
  bool data_behind_close = false;
  bool within_frame = false;
};

class frames_reader {
 public:
  frames_reader(wire::role role, const frame_decoder::limits& bounds) : decoder_(role, bounds) {}

  // One octet after the other, so that as much as possible of a frame with a fault is seen.
  frames read(std::span<const std::byte> stream, bool beyond_close) {
    for (std::size_t at = 0; at < stream.size() && (beyond_close || !found_.close); ++at) {
      if (!take(stream.subspan(at, 1))) break;
    }
    found_.error = decoder_.error();
    found_.within_frame = within_;
    return std::move(found_);
  }

 private:
  bool take(std::span<const std::byte> octet) {
    if (decoder_.payload_remaining() == 0) {
      within_ = true;
      const auto step = decoder_.read_header(octet);
      if (step != frame_decoder::step::frame) return step != frame_decoder::step::error;
      payload_.clear();
    }
    std::array<std::byte, 1> room;
    if (decoder_.read_payload(octet, room) == 1) add(static_cast<char>(room[0]));
    if (decoder_.payload_remaining() > 0) return decoder_.error() == websocket_error::none;
    if (!decoder_.end_frame()) return false;
    end_frame();
    return true;
  }

  void add(char octet) {
    if (is_control(decoder_.frame().code)) {
      payload_ += octet;
    } else {
      found_.under_way.type = decoder_.frame().code;
      found_.under_way.payload += octet;
    }
  }

  void end_frame() {
    within_ = false;
    const auto frame = decoder_.frame();
    switch (frame.code) {
      case opcode::ping:
        found_.pings.push_back(payload_);
        return;
      case opcode::pong:
        found_.pongs.push_back(payload_);
        return;
      case opcode::close:
        require(!found_.close, "there is one close frame");
        found_.close = payload_;
        return;
      default:
        if (found_.close) found_.data_behind_close = true;
        found_.under_way.type = frame.code;
        if (frame.fin) found_.messages.push_back(std::exchange(found_.under_way, {opcode::continuation, {}}));
    }
  }

  frame_decoder decoder_;
  frames found_;
  std::string payload_;
  bool within_ = false;
};

// ----- What is expected

// The payload of the close frame that answers what the client sent; none while it has not ended the conversation.
std::optional<std::string> expected_close(const frames& sent) {
  websocket_error error = sent.error;
  if (sent.close) {
    error = wire::parse_close_payload(std::as_bytes(std::span(*sent.close))).error;
    if (error == websocket_error::none) return sent.close;
  }
  if (error == websocket_error::none) return std::nullopt;
  const auto code = static_cast<unsigned>(close_code_of(error));
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return payload.append(describe(error));
}

// The code and reason of a handler that ends the conversation by itself.
std::string own_close(way how) {
  const auto code =
      static_cast<unsigned>(how == way::one_then_throw ? close_code::internal_error : close_code::normal_closure);
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return how == way::one_then_close ? payload.append("one is enough") : payload;
}

template <typename Value>
bool begins_with(const std::vector<Value>& whole, const std::vector<Value>& beginning) {
  return beginning.size() <= whole.size() && std::equal(beginning.begin(), beginning.end(), whole.begin());
}

// Whatever happened, what was sent is valid and an echo.
void judge_frames(const frames& sent, const frames& answered, bool was_reset) {
  require(answered.error == websocket_error::none, "the server's frames are valid");
  require(was_reset || !answered.within_frame, "and whole");
  require(!answered.data_behind_close, "no data comes behind a close frame");
  if (answered.close)
    require(wire::parse_close_payload(std::as_bytes(std::span(*answered.close))).error == websocket_error::none,
            "a close frame is well-formed");
  require(begins_with(sent.messages, answered.messages), "messages come back as they were, in their order");
  const std::string& cut = answered.under_way.payload;
  const std::size_t next = answered.messages.size();
  const message_text& source = next < sent.messages.size() ? sent.messages[next] : sent.under_way;
  require(source.payload.starts_with(cut), "and so does a part of one");
}

// Nothing stood in the way: then nothing is missing.
void judge_plain(const frames& sent, const frames& answered, const application& with) {
  const bool ends_itself = with.how >= way::one_then_close;
  const auto told = expected_close(sent);
  if (ends_itself && !sent.messages.empty()) {
    require(answered.messages.size() == 1, "one message comes back");
    return require(answered.close == own_close(with.how), "and the handler's own close");
  }
  // While the handler waits, the client may have ended the conversation.
  const bool handler_waits =
      with.how == way::slow || with.how == way::impatient || with.settings.max_queued_bytes < 65536;
  if (!handler_waits || !told) require(answered.messages == sent.messages, "every message comes back");
  require(answered.close == told, "the client is told why the conversation ends");
  if (with.settings.max_queued_bytes >= 65536) require(answered.pongs == sent.pings, "every ping is answered");
}

void judge(const memory_server& server, std::span<const std::byte> stream, bool all_is_given, const application& with,
           bool plain) {
  const asked_requests asked = read_requests(stream, server.context.options.limits);
  response_reader reader(server.received, server.was_reset);
  for (std::size_t each = 0; !reader.at_end(); ++each) {
    const response answer = reader.next(asked.is_head(each));
    if (!answer.whole || answer.status != 101) continue;
    require(each < asked.requests.size() && asked.requests[each].head.wants_upgrade, "only who asks is upgraded");
    const frame_decoder::limits unlimited{std::numeric_limits<std::uint64_t>::max(), 1U << 31};
    const auto rest = std::as_bytes(std::span(reader.rest()));
    const frames answered = frames_reader(wire::role::client, unlimited).read(rest, true);
    if (all_is_given) {
      require(answered.error == websocket_error::none, "the server's frames are valid");
      return;
    }
    const frame_decoder::limits bounds{with.settings.max_message_size, with.settings.max_fragments};
    const frames sent = frames_reader(wire::role::server, bounds).read(stream.subspan(handshake.size()), false);
    judge_frames(sent, answered, server.was_reset);
    if (plain) judge_plain(sent, answered, with);
    return;
  }
  require(all_is_given || !plain, "the handshake is accepted");
}

}  // namespace

void try_input(input in) {
  constexpr std::array<std::uint64_t, 4> message_sizes{1U << 20, 1, 16, 125};
  constexpr std::array<std::uint32_t, 4> queued_sizes{65536, 1024, 1100, 65536};
  constexpr std::array<std::uint32_t, 4> inbound_sizes{65536, 1024, 65536, 2048};
  constexpr std::array<std::uint32_t, 2> fragment_counts{131'072, 3};
  constexpr std::array<std::uint32_t, 2> chunks{4096, 64};
  constexpr std::array<std::size_t, 4> piece_sizes{100, 1, 0, 3};
  const std::uint8_t choice = in.octet();
  application with;
  with.how = static_cast<way>(choice & 7);
  with.piece_size = piece_sizes[choice >> 3 & 3];
  const bool all_is_given = (choice & 32) != 0;
  if ((choice & 64) != 0) with.handler = [&with](websocket& socket) { return echo(socket, with.how, with.piece_size); };
  const std::uint8_t sizes = in.octet();
  with.settings.max_message_size = message_sizes[sizes & 3];
  with.settings.max_queued_bytes = queued_sizes[sizes >> 2 & 3];
  with.settings.max_inbound_bytes = inbound_sizes[sizes >> 4 & 3];
  with.settings.max_fragments = fragment_counts[sizes >> 6 & 1];
  with.settings.receive_chunk = chunks[sizes >> 7 & 1];
  with.settings.max_control_frames = 0;
  const client_manners manners = client_manners::take(in);

  std::string stream(all_is_given ? std::string_view() : handshake);
  stream += in.text();
  const auto bytes = std::as_bytes(std::span(stream));
  memory_server server([&with](http::exchange& exchange) { return serve(exchange, with); });
  server.converse(bytes, manners);
  judge(server, bytes, all_is_given, with, manners.are_plain());
}

}  // namespace windhover::fuzz
