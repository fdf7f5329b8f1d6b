// What a frame_decoder makes of a stream that comes in pieces, as a value that tests compare.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/fragment_sweep.hpp"
#include "wire/websocket/decoder.hpp"

namespace windhover::testing {

using bytes = std::vector<std::byte>;

inline bytes from_text(std::string_view text) {
  const auto octets = std::as_bytes(std::span(text));
  return {octets.begin(), octets.end()};
}

inline std::string to_text(std::span<const std::byte> octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

// Two hexadecimal digits for each octet; spaces between octets are for the reader.
inline bytes from_hex(std::string_view text) {
  bytes octets;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == ' ') {
      ++at;
      continue;
    }
    octets.push_back(static_cast<std::byte>(std::stoi(std::string(text.substr(at, 2)), nullptr, 16)));
    at += 2;
  }
  return octets;
}

inline std::string to_hex(std::span<const std::byte> octets) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::byte octet : octets) {
    text += digits[std::to_integer<std::size_t>(octet >> 4)];
    text += digits[std::to_integer<std::size_t>(octet & std::byte{0x0f})];
  }
  return text;
}

inline bytes joined(const std::vector<bytes>& parts) {
  bytes whole;
  for (const bytes& part : parts) whole.insert(whole.end(), part.begin(), part.end());
  return whole;
}

struct frame_event {
  wire::opcode code;
  bool fin;
  bool first;
  bytes payload;

  bool operator==(const frame_event&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const frame_event& event) {
    return out << "opcode " << static_cast<int>(event.code) << (event.fin ? " fin " : " ")
               << (event.first ? "first " : "") << to_hex(event.payload);
  }
};

// The frames that were complete, and what was wrong with the next one.
struct decoding {
  std::vector<frame_event> frames;
  wire::websocket_error error = wire::websocket_error::none;
  std::size_t taken = 0;  // octets that had come when the error was found, or all

  bool same_events(const decoding& other) const { return frames == other.frames && error == other.error; }
};

constexpr wire::frame_decoder::limits generous{.message_size = 1 << 20, .fragments = 1000};

// Whether messages that lie whole in a piece are looked for before frames are.
enum class whole_messages : std::uint8_t { no, first };

// Feeds the pieces. Payload goes to a block of exactly its size, `room` octets at a time.
inline decoding decode(wire::frame_decoder decoder, const byte_pieces& pieces, std::size_t room = SIZE_MAX,
                       whole_messages look = whole_messages::no) {
  using step = wire::frame_decoder::step;
  decoding result;
  bytes payload;
  for (const auto& piece : pieces) {
    std::span<const std::byte> in = piece;
    while (!in.empty()) {
      const bool between_frames = decoder.payload_remaining() == 0;
      const auto whole =
          between_frames && look == whole_messages::first ? decoder.find_whole_message(in) : std::nullopt;
      if (whole) {
        payload.assign(whole->payload.size(), std::byte{0xee});
        if (!decoder.take_message(in, *whole, payload.data())) break;
        result.frames.push_back({whole->code, true, true, payload});
        continue;
      }
      if (between_frames) {
        const step header = decoder.read_header(in);
        if (header == step::needs_more) break;
        if (header == step::error) break;
        payload.assign(decoder.frame().payload_length, std::byte{0xee});
      }
      do {
        const auto left = static_cast<std::size_t>(decoder.payload_remaining());
        decoder.read_payload(in, std::span(payload).last(left).first(std::min(left, room)));
      } while (!in.empty() && decoder.payload_remaining() != 0 && decoder.error() == wire::websocket_error::none);
      if (decoder.error() != wire::websocket_error::none) break;
      if (decoder.payload_remaining() != 0 || !decoder.end_frame()) continue;
      const auto frame = decoder.frame();
      result.frames.push_back({frame.code, frame.fin, frame.first, payload});
    }
    result.taken += piece.size();
    if ((result.error = decoder.error()) != wire::websocket_error::none) break;
  }
  return result;
}

inline decoding decode_as(wire::role own_role, const byte_pieces& pieces) {
  return decode(wire::frame_decoder(own_role, generous), pieces);
}

}  // namespace windhover::testing
