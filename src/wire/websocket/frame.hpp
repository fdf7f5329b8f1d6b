// The header of a frame (RFC 6455, section 5.2): its parts, its size and how it is written.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "wire/websocket/mask.hpp"

namespace windhover::wire {

// Which end of the connection this is. Clients mask what they send, servers do not (RFC 6455, section 5.1).
enum class role : std::uint8_t { server, client };

enum class opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

[[nodiscard]] constexpr bool is_control(opcode code) noexcept { return (static_cast<std::uint8_t>(code) & 0x8) != 0; }

constexpr std::size_t maximum_frame_header = 14;

// RFC 6455, section 5.5.
constexpr std::size_t maximum_control_payload = 125;
constexpr std::size_t maximum_control_frame = 2 + 4 + maximum_control_payload;

// All that a header says except the length of the payload.
struct frame_header {
  opcode code = opcode::binary;
  bool fin = true;
  bool rsv1 = false;
  std::optional<masking_key> mask = std::nullopt;
};

// How many octets the header of such a frame has: with this, a caller finds where to write a header that ends right
// before a payload.
[[nodiscard]] constexpr std::size_t frame_header_size(std::uint64_t payload_length, bool masked) noexcept {
  const std::size_t extended_length = payload_length <= 125 ? 0 : payload_length <= 0xffff ? 2 : 8;
  return 2 + extended_length + (masked ? 4 : 0);
}

// Writes the header, with the length in its minimal encoding, and returns its size. `out` has room for as many octets
// as frame_header_size() says, which is never more than maximum_frame_header.
constexpr std::size_t encode_frame_header(std::byte* out, const frame_header& header,
                                          std::uint64_t payload_length) noexcept {
  std::byte* const begin = out;
  const unsigned first = static_cast<unsigned>(header.code) | (header.fin ? 0x80U : 0U) | (header.rsv1 ? 0x40U : 0U);
  const unsigned mask_bit = header.mask ? 0x80 : 0;
  const auto write_length = [&](unsigned octets) {
    for (unsigned shift = 8 * octets; shift != 0; shift -= 8)
      *out++ = static_cast<std::byte>(payload_length >> (shift - 8));
  };
  *out++ = static_cast<std::byte>(first);
  if (payload_length <= 125) {
    *out++ = static_cast<std::byte>(mask_bit | payload_length);
  } else if (payload_length <= 0xffff) {
    *out++ = static_cast<std::byte>(mask_bit | 126);
    write_length(2);
  } else {
    *out++ = static_cast<std::byte>(mask_bit | 127);
    write_length(8);
  }
  if (header.mask) out = std::copy(header.mask->bytes.begin(), header.mask->bytes.end(), out);
  return static_cast<std::size_t>(out - begin);
}

}  // namespace windhover::wire
