// A header that lies whole in the input is read where it lies. Only one that the network cut is taken octet by octet;
// both ways go through the same checks in the same order. A whole message is looked at on its own: where anything is
// wrong with it, it is none, and read like every other frame.
#include "wire/websocket/decoder.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace windhover::wire {

namespace {

constexpr std::uint8_t rsv2_and_rsv3 = 0x30;
constexpr std::uint8_t mask_bit = 0x80;
constexpr std::uint8_t length_bits = 0x7f;

// How many octets of extended length follow such a second octet.
constexpr std::size_t extended_length_size(std::uint8_t length) noexcept {
  return length < 126 ? 0 : length == 126 ? 2 : 8;
}

// The smallest length that needs this many octets (RFC 6455, section 5.2: "the minimal number of bytes MUST be used").
constexpr std::uint64_t smallest_length(std::size_t extended_size) noexcept {
  return extended_size == 0 ? 0 : extended_size == 2 ? 126 : 0x10000;
}

std::uint64_t read_number(const std::byte* from, std::size_t count) noexcept {
  std::uint64_t number = 0;
  for (std::size_t at = 0; at < count; ++at) number = number << 8 | std::to_integer<std::uint64_t>(from[at]);
  return number;
}

constexpr bool is_known(opcode code) noexcept {
  switch (code) {
    case opcode::continuation:
    case opcode::text:
    case opcode::binary:
    case opcode::close:
    case opcode::ping:
    case opcode::pong:
      return true;
  }
  return false;
}

}  // namespace

frame_decoder::frame_decoder(role own_role, const limits& bounds, bool compression) noexcept
    : maximum_message_size_(bounds.message_size),
      maximum_fragments_(bounds.fragments),
      own_role_(own_role),
      compression_(compression) {}

frame_decoder::step frame_decoder::read_header(std::span<const std::byte>& in) noexcept {
  if (error_ != websocket_error::none) return step::error;
  assert(remaining_ == 0);
  if (header_octets_ != 0 || in.size() < 2) return read_header_by_octets(in);
  if (!take_first_octet(in[0]) || !take_second_octet(in[1])) return step::error;
  if (in.size() < header_size_) return read_header_by_octets(in);
  const std::byte* at = in.data() + 2;
  if (const std::size_t extended = header_size_ - 2 - mask_size(); extended != 0) {
    length_ = extended == 2 ? read_number(at, 2) : read_number(at, 8);
    at += extended;
    if (!check_length(smallest_length(extended))) return step::error;
  }
  if (own_role_ == role::server) std::memcpy(&key_, at, sizeof key_);
  in = in.subspan(header_size_);
  begin_frame();
  return step::frame;
}

frame_decoder::step frame_decoder::read_header_by_octets(std::span<const std::byte>& in) noexcept {
  while (!in.empty()) {
    const std::byte octet = in.front();
    in = in.subspan(1);
    if (!take_header_octet(octet)) return step::error;
    ++header_octets_;
    // No header has one octet, so the size of the last one, which is still there then, does no harm.
    if (header_octets_ == header_size_) {
      begin_frame();
      return step::frame;
    }
  }
  return step::needs_more;
}

bool frame_decoder::take_header_octet(std::byte octet) noexcept {
  if (header_octets_ == 0) return take_first_octet(octet);
  if (header_octets_ == 1) return take_second_octet(octet);
  const std::size_t length_end = header_size_ - mask_size();
  if (header_octets_ >= length_end) {
    key_.bytes[header_octets_ - length_end] = octet;
    return true;
  }
  if (header_octets_ == 2) length_ = 0;
  length_ = length_ << 8 | std::to_integer<std::uint64_t>(octet);
  return header_octets_ + 1U < length_end || check_length(smallest_length(length_end - 2));
}

// FIN, RSV1, RSV2, RSV3 and the opcode.
bool frame_decoder::take_first_octet(std::byte octet) noexcept {
  first_octet_ = std::to_integer<std::uint8_t>(octet);
  const bool continuation = code() == opcode::continuation;
  const bool begins_message = code() == opcode::text || code() == opcode::binary;
  if ((first_octet_ & rsv2_and_rsv3) != 0) return fail(websocket_error::reserved_bit);
  if ((first_octet_ & rsv1_bit) != 0 && !(compression_ && begins_message)) return fail(websocket_error::reserved_bit);
  if (!is_known(code())) return fail(websocket_error::reserved_opcode);
  if (is_control(code()) && (first_octet_ & fin_bit) == 0) return fail(websocket_error::fragmented_control_frame);
  if (continuation && !message_is_open()) return fail(websocket_error::continuation_of_nothing);
  if (begins_message && message_is_open()) return fail(websocket_error::message_interleaved);
  if (continuation && fragments_ >= maximum_fragments_) return fail(websocket_error::too_many_fragments);
  return true;
}

// MASK and the 7-bit length.
bool frame_decoder::take_second_octet(std::byte octet) noexcept {
  const auto value = std::to_integer<std::uint8_t>(octet);
  const bool masked = (value & mask_bit) != 0;
  if (masked != (own_role_ == role::server))
    return fail(masked ? websocket_error::masked_server_frame : websocket_error::unmasked_client_frame);
  const auto length = static_cast<std::uint8_t>(value & length_bits);
  if (is_control(code()) && length > maximum_control_payload) return fail(websocket_error::control_frame_too_long);
  const std::size_t extended = extended_length_size(length);
  header_size_ = static_cast<std::uint8_t>(2 + extended + mask_size());
  length_ = length;
  return extended != 0 || check_length(0);
}

// `length_` is final; `smallest` is the smallest one that the form it came in is for.
bool frame_decoder::check_length(std::uint64_t smallest) noexcept {
  if (length_ < smallest) return fail(websocket_error::length_not_minimal);
  if (length_ >> 63 != 0) return fail(websocket_error::length_top_bit);
  if (!is_control(code()) && length_ > maximum_message_size_ - message_received_)
    return fail(websocket_error::message_too_big);
  return true;
}

void frame_decoder::begin_frame() noexcept {
  header_octets_ = 0;
  remaining_ = length_;
  if (is_control(code())) return;
  if (code() != opcode::continuation) message_ = first_octet_ & static_cast<std::uint8_t>(~fin_bit);
  ++fragments_;
  message_received_ += length_;
}

std::size_t frame_decoder::read_payload(std::span<const std::byte>& in, std::span<std::byte> out) noexcept {
  if (error_ != websocket_error::none) return 0;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>({remaining_, in.size(), out.size()}));
  if (size == 0) return 0;
  if (own_role_ == role::server)
    unmask_copy(out.data(), in.data(), size, key_, static_cast<std::size_t>((length_ - remaining_) % 4));
  else
    std::memcpy(out.data(), in.data(), size);
  in = in.subspan(size);
  remaining_ -= size;
  if (validates_text() && !text_.feed(out.first(size))) {
    fail(websocket_error::invalid_utf8);
    return 0;
  }
  return size;
}

// It breaks no rule: what is left to be wrong with it is its text. The decoder stays as it is between two messages.
std::optional<frame_decoder::whole_message> frame_decoder::find_whole_message(
    std::span<const std::byte> in) const noexcept {
  assert(remaining_ == 0);
  if (in.size() < 2 || header_octets_ != 0 || message_is_open() || error_ != websocket_error::none) return std::nullopt;
  const auto first = std::to_integer<std::uint8_t>(in[0]);
  if (!is_plain_message(first)) return std::nullopt;
  const bool masked = own_role_ == role::server;
  // With the wrong mask bit it is no length.
  std::size_t length = std::to_integer<std::size_t>(in[1]) ^ (masked ? mask_bit : std::size_t{0});
  std::size_t header = 2 + mask_size();
  if (length >= 126) {
    if (length != 126 || in.size() < 4) return std::nullopt;
    length = read_number(in.data() + 2, 2);
    header += 2;
    if (length < smallest_length(2)) return std::nullopt;
  }
  if (length == 0 || in.size() < header + length || length > maximum_message_size_) return std::nullopt;
  return whole_message{.code = static_cast<opcode>(first & ~fin_bit), .payload = in.subspan(header, length)};
}

bool frame_decoder::take_message(std::span<const std::byte>& in, const whole_message& found, std::byte* out) noexcept {
  const std::size_t size = found.payload.size();
  if (own_role_ == role::server) {
    masking_key key;
    std::memcpy(&key, found.payload.data() - sizeof key, sizeof key);
    unmask_copy(out, found.payload.data(), size, key, 0);
  } else {
    std::memcpy(out, found.payload.data(), size);
  }
  in = {found.payload.data() + size, in.data() + in.size()};
  return found.code != opcode::text || valid_utf8(std::span(out, size)) || fail(websocket_error::invalid_utf8);
}

bool frame_decoder::end_frame() noexcept {
  if (error_ != websocket_error::none) return false;
  assert(remaining_ == 0);
  if (is_control(code()) || (first_octet_ & fin_bit) == 0) return true;
  if (validates_text() && !text_.complete()) return fail(websocket_error::invalid_utf8);
  message_received_ = 0;
  fragments_ = 0;
  return true;
}

// Whether the current frame carries text that has to be UTF-8 as it stands.
bool frame_decoder::validates_text() const noexcept {
  return !is_control(code()) && message_code() == opcode::text && (message_ & rsv1_bit) == 0;
}

bool frame_decoder::fail(websocket_error error) noexcept {
  error_ = error;
  return false;
}

}  // namespace windhover::wire
