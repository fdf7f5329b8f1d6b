#include <limits>
#include <stdexcept>
#include <utility>

#include "testing/client_websocket_state.hpp"
#include "wire/websocket/close.hpp"
#include "wire/websocket/encoder.hpp"

namespace windhover::testing {

using wire::opcode;

// ----- What it does by itself

client_websocket_state::client_websocket_state(std::shared_ptr<host_state> of, bool pings_are_answered)
    : in(std::move(of)), frames(std::numeric_limits<std::uint32_t>::max()), answers_pings(pings_are_answered) {
  peer.emplace(in->run->network(), application_run::address());
}

void client_websocket_state::open(std::string_view protocol, const std::string& rest) {
  sub_protocol = protocol;
  peer->on_bytes = [this](std::string_view bytes) { take(bytes); };
  take(rest);
}

void client_websocket_state::take(std::string_view bytes) {
  std::span<const std::byte> left = std::as_bytes(std::span(bytes));
  while (!close_seen) {
    auto frame = frames.next(left);
    if (!frame) break;
    take_frame(*frame);
  }
  if (frames.error() != wire::websocket_error::none) peer->reset();
}

void client_websocket_state::take_frame(read_frame& frame) {
  switch (frame.code) {
    case opcode::ping:
      ++pings;
      if (answers_pings && !close_sent) queue_frame(opcode::pong, frame.payload, true);
      return;
    case opcode::pong:
      return;
    case opcode::close:
      return take_close(frame.payload);
    case opcode::text:
    case opcode::binary:
    case opcode::continuation:
      break;
  }
  if (frame.first) {
    under_way.clear();
    type_under_way = static_cast<message_type>(frame.code);
  }
  under_way += frame.payload;
  if (!frame.fin) return;
  messages.push_back(type_under_way == message_type::text ? message::from_text(under_way)
                                                          : message::from_bytes(std::as_bytes(std::span(under_way))));
}

void client_websocket_state::take_close(std::string_view payload) {
  const auto parsed = wire::parse_close_payload(std::as_bytes(std::span(payload)));
  close_seen = true;
  seen_code = parsed.code.value_or(close_code::no_status_received);
  reason = parsed.reason;
  if (!close_sent) queue_close(*seen_code, {});
}

void client_websocket_state::queue_frame(opcode code, std::string_view payload, bool fin) {
  std::string bytes(wire::maximum_frame_header + payload.size(), '\0');
  const wire::frame_header header{.code = code, .fin = fin, .rsv1 = false, .mask = wire::make_masking_key(in->random)};
  bytes.resize(
      wire::encode_frame(std::as_writable_bytes(std::span(bytes)).data(), header, std::as_bytes(std::span(payload))));
  peer->queue(bytes);
}

void client_websocket_state::queue_close(close_code code, std::string_view text) {
  close_sent = true;
  std::string payload;
  if (code != close_code::no_status_received) {
    const auto number = static_cast<std::uint16_t>(code);
    payload = {static_cast<char>(number >> 8), static_cast<char>(number & 0xff)};
    payload.append(text);
  }
  queue_frame(opcode::close, payload, true);
}

std::optional<close_code> client_websocket_state::status() const noexcept {
  if (seen_code) return seen_code;
  if (peer->ended()) return close_code::abnormal_closure;
  return std::nullopt;
}

// ----- What a test asks for

client_websocket::client_websocket(std::shared_ptr<client_websocket_state> state) noexcept : state_(std::move(state)) {}
client_websocket::client_websocket(client_websocket&&) noexcept = default;
client_websocket& client_websocket::operator=(client_websocket&&) noexcept = default;

client_websocket::~client_websocket() = default;

void client_websocket::send(std::string_view text, end_of_message end) {
  state_->in->require_running();
  if (state_->close_sent) throw std::logic_error("this client has sent its close frame: nothing may follow it");
  const bool continues = std::exchange(state_->sending_fragments, end == end_of_message::no);
  state_->queue_frame(continues ? opcode::continuation : opcode::text, text, end == end_of_message::yes);
  state_->in->settle();
}

void client_websocket::send(std::span<const std::byte> bytes, end_of_message end) {
  state_->in->require_running();
  if (state_->close_sent) throw std::logic_error("this client has sent its close frame: nothing may follow it");
  const bool continues = std::exchange(state_->sending_fragments, end == end_of_message::no);
  const std::string_view payload(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  state_->queue_frame(continues ? opcode::continuation : opcode::binary, payload, end == end_of_message::yes);
  state_->in->settle();
}

void client_websocket::send_raw(std::string_view bytes) {
  state_->in->require_running();
  state_->peer->queue(bytes);
  state_->in->settle();
}

received client_websocket::receive() {
  client_websocket_state& here = *state_;
  const bool came = here.in->wait_until([&here] { return !here.messages.empty() || here.over(); });
  if (!came) throw nothing_came("no message came " + here.in->after_patience());
  if (here.messages.empty()) return received(received::outcome::closed);
  message next = std::move(here.messages.front());
  here.messages.pop_front();
  return received(std::move(next));
}

std::string client_websocket::receive_text() {
  const received next = receive();
  if (!next) {
    const int code = static_cast<int>(state_->status().value_or(close_code::abnormal_closure));
    throw nothing_came("the WebSocket closed with " + std::to_string(code) + " instead of sending a text");
  }
  if (!next->is_text()) throw std::runtime_error("a binary message came instead of a text");
  return std::string(next->text());
}

bool client_websocket::has_message() {
  state_->in->settle();
  return !state_->messages.empty();
}

void client_websocket::close(close_code code, std::string_view reason) {
  state_->in->require_running();
  if (!state_->close_sent) state_->queue_close(code, reason);
  if (!state_->in->wait_until([this] { return state_->peer->over(); })) {
    throw nothing_came("the server did not end the connection " + state_->in->after_patience());
  }
}

void client_websocket::abort() {
  state_->in->require_running();
  state_->peer->reset();
  state_->in->settle();
}

std::optional<close_code> client_websocket::close_status() {
  state_->in->settle();
  return state_->status();
}

std::string_view client_websocket::close_reason() const noexcept { return state_->reason; }
std::string_view client_websocket::sub_protocol() const noexcept { return state_->sub_protocol; }

std::size_t client_websocket::pings_seen() {
  state_->in->settle();
  return state_->pings;
}

}  // namespace windhover::testing
