#include "wire/websocket/frame.hpp"

#include <algorithm>

namespace windhover::wire {

namespace {

// Writes the low `count` octets of the number in network byte order.
std::byte* write_number(std::byte* out, std::uint64_t number, int count) noexcept {
  for (int shift = 8 * (count - 1); shift >= 0; shift -= 8) *out++ = static_cast<std::byte>(number >> shift);
  return out;
}

}  // namespace

std::size_t encode_frame_header(std::byte* out, const frame_header& header, std::uint64_t payload_length) noexcept {
  const std::byte* begin = out;
  const std::byte mask_bit{static_cast<unsigned char>(header.mask ? 0x80 : 0)};
  *out = static_cast<std::byte>(header.code);
  *out |= std::byte{static_cast<unsigned char>(header.fin ? 0x80 : 0)};
  *out++ |= std::byte{static_cast<unsigned char>(header.rsv1 ? 0x40 : 0)};
  if (payload_length <= 125) {
    *out++ = mask_bit | static_cast<std::byte>(payload_length);
  } else if (payload_length <= 0xffff) {
    *out++ = mask_bit | std::byte{126};
    out = write_number(out, payload_length, 2);
  } else {
    *out++ = mask_bit | std::byte{127};
    out = write_number(out, payload_length, 8);
  }
  if (header.mask) out = std::copy(header.mask->bytes.begin(), header.mask->bytes.end(), out);
  return static_cast<std::size_t>(out - begin);
}

}  // namespace windhover::wire
