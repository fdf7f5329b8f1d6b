#include "load/load_connection.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <new>
#include <utility>

#include "net/event_loop.hpp"
#include "wire/websocket/close.hpp"
#include "wire/websocket/encoder.hpp"

namespace windhover::load {
namespace {

using wire::opcode;

constexpr std::size_t beginning_size = 16;
constexpr wire::frame_decoder::limits no_limits{std::numeric_limits<std::uint64_t>::max(),
                                                std::numeric_limits<std::uint32_t>::max()};

}  // namespace

void time_queue::push(net::time_point when) {
  if (size() == times_.size()) {
    std::vector<net::time_point> larger(std::max<std::size_t>(2 * times_.size(), 4));
    for (std::size_t i = first_; i != last_; ++i) larger[i & (larger.size() - 1)] = times_[i & (times_.size() - 1)];
    times_ = std::move(larger);
  }
  times_[last_++ & (times_.size() - 1)] = when;
}

load_connection::load_connection(net::transport& on, listener& tells, const settings& with)
    : stream_(on),
      listener_(tells),
      messages_(with.messages),
      decoder_(wire::role::client, no_limits, with.compression.has_value()),
      check_(with.check),
      text_(with.text),
      beginnings_(with.beginnings),
      compress_(with.compression.has_value()) {
  if (with.compression && (with.check || with.beginnings)) {
    const wire::deflate_parameters& agreed = *with.compression;
    inflater_ = std::make_unique<wire::inflater>(agreed.server_max_window_bits, !agreed.server_no_context_takeover);
  }
}

// ----- Sending

void load_connection::send(std::size_t count, net::time_point when) {
  for (std::size_t i = 0; i < count; ++i) sent_at_.push(when);
  while (count > 0) {
    auto [frames, taken] = messages_.frames(next_sent_, count, compress_);
    stream_.queue(std::move(frames));
    next_sent_ += taken;
    count -= taken;
  }
}

void load_connection::close() noexcept {
  if (std::exchange(closing_, true) || ended_) return;
  std::array<std::byte, wire::maximum_control_payload> payload;
  const std::size_t size = wire::encode_close_payload(payload, close_code::normal_closure, {}).size;
  send_control(opcode::close, std::span(payload).first(size));
}

void load_connection::send_control(opcode code, std::span<const std::byte> payload) noexcept {
  std::array<std::byte, wire::maximum_control_frame> frame;
  const auto mask = wire::make_masking_key(stream_.loop().random());
  const std::size_t size = wire::encode_control_frame(frame, code, payload, mask);
  stream_.queue_copy(std::span(frame).first(size));
}

// ----- From bytes to messages

std::size_t load_connection::on_bytes(std::span<const std::byte> bytes) noexcept {
  std::span<const std::byte> rest = bytes;
  try {
    while (!rest.empty() && !close_seen_ && failure_.empty()) {
      if (!decode(rest)) break;
    }
  } catch (const std::bad_alloc&) {
    fail("there was no memory for it");
  }
  listener_.on_pause(*this);
  return bytes.size();
}

bool load_connection::decode(std::span<const std::byte>& bytes) {
  if (!in_frame_) {
    const auto step = decoder_.read_header(bytes);
    if (step == wire::frame_decoder::step::error) return fail(wire::describe(decoder_.error()));
    if (step == wire::frame_decoder::step::needs_more) return true;
    in_frame_ = true;
  }
  if (!decode_payload(bytes)) return false;
  if (decoder_.payload_remaining() > 0) return true;
  in_frame_ = false;
  if (!decoder_.end_frame()) return fail(wire::describe(decoder_.error()));
  if (is_control(decoder_.frame().code)) {
    end_of_control();
    return true;
  }
  return !decoder_.frame().fin || end_of_message();
}

bool load_connection::decode_payload(std::span<const std::byte>& bytes) {
  std::array<std::byte, 8192> room;
  while (decoder_.payload_remaining() > 0 && !bytes.empty()) {
    const std::size_t count = decoder_.read_payload(bytes, room);
    if (decoder_.error() != wire::websocket_error::none) return fail(wire::describe(decoder_.error()));
    const auto payload = std::span(room).first(count);
    if (is_control(decoder_.frame().code)) {
      control_.append(reinterpret_cast<const char*>(payload.data()), count);
    } else if (!take_payload(payload)) {
      return false;
    }
  }
  return true;
}

bool load_connection::take_payload(std::span<const std::byte> payload) {
  size_ += payload.size();
  if (!check_ && !beginnings_) return true;
  if (!decoder_.frame().compressed) return look_at(payload);
  return look_at_inflated([&](std::span<std::byte> room) { return inflater_->inflate(payload, room); });
}

template <class NextPiece>
bool load_connection::look_at_inflated(NextPiece next_piece) {
  std::array<std::byte, 8192> room;
  for (;;) {
    const auto [next, produced] = next_piece(std::span(room));
    if (next == wire::inflater::step::error) return fail("what came back is not compressed as it says");
    if (!look_at(std::span(room).first(produced))) return false;
    if (next != wire::inflater::step::needs_room) return true;
  }
}

bool load_connection::look_at(std::span<const std::byte> content) {
  if (beginnings_ && beginning_.size() < beginning_size) {
    const std::size_t count = std::min(content.size(), beginning_size - beginning_.size());
    beginning_.append(reinterpret_cast<const char*>(content.data()), count);
  }
  return !check_ || compare(content);
}

bool load_connection::compare(std::span<const std::byte> content) {
  const auto expected = std::as_bytes(std::span(messages_.payload(next_received_)));
  if (content.size() > expected.size() - compared_ ||
      !std::equal(content.begin(), content.end(), expected.begin() + static_cast<std::ptrdiff_t>(compared_))) {
    return fail("what came back is not what was sent");
  }
  compared_ += content.size();
  return true;
}

bool load_connection::end_of_message() {
  if (decoder_.frame().compressed && inflater_ &&
      !look_at_inflated([this](std::span<std::byte> room) { return inflater_->end_of_message(room); })) {
    return false;
  }
  if (check_ && !check_end()) return false;
  listener_.on_message(*this, {next_received_++, std::exchange(size_, 0), beginning_});
  beginning_.clear();
  return true;
}

bool load_connection::check_end() {
  if (std::exchange(compared_, 0) != messages_.payload(next_received_).size()) {
    return fail("less came back than was sent");
  }
  if ((decoder_.frame().code == opcode::text) != text_) return fail("it came back as another type of message");
  return true;
}

void load_connection::end_of_control() {
  const std::string text = std::exchange(control_, {});
  const auto payload = std::as_bytes(std::span(text));
  if (decoder_.frame().code == opcode::ping) return send_control(opcode::pong, payload);
  if (decoder_.frame().code != opcode::close) return;
  const auto parsed = wire::parse_close_payload(payload);
  close_seen_ = true;
  if (!closing_) {
    const auto code = static_cast<unsigned>(parsed.code.value_or(close_code::no_status_received));
    failure_ = "the server closed it with " + std::to_string(code);
    if (!parsed.reason.empty()) failure_ += " (" + std::string(parsed.reason) + ")";
  }
  close();
}

// ----- Ends

bool load_connection::fail(std::string_view why) {
  if (failure_.empty()) failure_ = why;
  stream_.abort();
  return false;
}

void load_connection::on_end() noexcept {
  if (failure_.empty() && !closing_) failure_ = "the server ended it without a close frame";
  stream_.close();
  end();
}

void load_connection::on_failure(const net::failure& why) noexcept {
  if (failure_.empty() && !closing_) failure_ = net::describe(why);
  end();
}

void load_connection::end() noexcept {
  if (std::exchange(ended_, true)) return;
  listener_.on_ended(*this, failure_);
  stream_.driver_finished();
}

}  // namespace windhover::load
