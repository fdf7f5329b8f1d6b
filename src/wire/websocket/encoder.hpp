// Frames on their way out. What a server sends is not masked; what a client sends is, with a new unpredictable key for
// each frame (RFC 6455, sections 5.1 and 5.3).
#pragma once

#include <cstddef>
#include <cstring>
#include <optional>
#include <span>

#include "base/random.hpp"
#include "wire/websocket/frame.hpp"
#include "wire/websocket/mask.hpp"

namespace windhover::wire {

[[nodiscard]] masking_key make_masking_key(base::random_source& random) noexcept;

// Turns a payload into a frame where it lies: writes the header into the octets before it and masks it if the header
// has a key. Before the payload there must be maximum_frame_header octets that may be overwritten. Returns the frame.
std::span<std::byte> encode_frame_in_place(std::span<std::byte> payload, const frame_header& header) noexcept;

// Writes header and payload, masked if the header has a key, to `out` and returns the size of both. `out` has room for
// frame_header_size() octets and the payload, and does not overlap the payload.
inline std::size_t encode_frame(std::byte* out, const frame_header& header,
                                std::span<const std::byte> payload) noexcept {
  const std::size_t header_size = encode_frame_header(out, header, payload.size());
  if (header.mask)
    unmask_copy(out + header_size, payload.data(), payload.size(), *header.mask, 0);
  else if (!payload.empty())
    std::memcpy(out + header_size, payload.data(), payload.size());
  return header_size + payload.size();
}

// The same for a control frame, whose payload has at most maximum_control_payload octets. A longer one is a mistake of
// the caller: nothing is written, and the size is 0.
std::size_t encode_control_frame(std::span<std::byte, maximum_control_frame> out, opcode code,
                                 std::span<const std::byte> payload,
                                 const std::optional<masking_key>& mask = std::nullopt) noexcept;

}  // namespace windhover::wire
