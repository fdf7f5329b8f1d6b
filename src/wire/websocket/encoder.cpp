#include "wire/websocket/encoder.hpp"

namespace windhover::wire {

masking_key make_masking_key(base::random_source& random) noexcept {
  masking_key key;
  random.fill(key.bytes);
  return key;
}

std::span<std::byte> encode_frame_in_place(std::span<std::byte> payload, const frame_header& header) noexcept {
  if (header.mask) mask_in_place(payload.data(), payload.size(), *header.mask, 0);
  const std::size_t header_size = frame_header_size(payload.size(), header.mask.has_value());
  std::byte* frame = payload.data() - header_size;
  encode_frame_header(frame, header, payload.size());
  return {frame, header_size + payload.size()};
}

std::size_t encode_control_frame(std::span<std::byte, maximum_control_frame> out, opcode code,
                                 std::span<const std::byte> payload, const std::optional<masking_key>& mask) noexcept {
  if (payload.size() > maximum_control_payload) return 0;
  return encode_frame(out.data(), {.code = code, .mask = mask}, payload);
}

}  // namespace windhover::wire
