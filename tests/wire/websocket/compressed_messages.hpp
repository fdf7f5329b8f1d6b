// What tests of compression share: messages through an inflater or a deflater, however input and output are cut, and
// DEFLATE written by hand.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <iterator>
#include <ostream>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "wire/websocket/deflate.hpp"
#include "wire/websocket/frame_events.hpp"

namespace windhover::testing {

// The sizes of the blocks that take the output.
inline constexpr std::array<std::size_t, 7> rooms{1, 2, 3, 4, 7, 64, 100'000};

struct inflation {
  wire::inflater::step verdict = wire::inflater::step::needs_input;
  bytes message;

  bool operator==(const inflation&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const inflation& result) {
    return out << "verdict " << static_cast<int>(result.verdict) << " after " << result.message.size() << " octets";
  }
};

// Feeds the pieces of one message and ends it. The output goes to blocks of exactly `room` octets.
inline inflation inflate_message(wire::inflater& engine, const byte_pieces& pieces, std::size_t room = 4096) {
  inflation result;
  const auto drain = [&](const auto& work) {
    do {
      bytes block(room);
      const auto [next, produced] = work(std::span(block));
      result.verdict = next;
      result.message.insert(result.message.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(produced));
      EXPECT_TRUE(next != wire::inflater::step::needs_room || produced == room);
    } while (result.verdict == wire::inflater::step::needs_room);
    return result.verdict != wire::inflater::step::error;
  };
  for (const bytes& piece : pieces) {
    std::span<const std::byte> in = piece;
    if (!drain([&](std::span<std::byte> out) { return engine.inflate(in, out); })) return result;
    EXPECT_TRUE(in.empty());
    EXPECT_EQ(result.verdict, wire::inflater::step::needs_input);
  }
  drain([&](std::span<std::byte> out) { return engine.end_of_message(out); });
  return result;
}

inline inflation inflate_message(wire::inflater& engine, const bytes& payload) {
  return inflate_message(engine, byte_pieces{payload});
}

// Inflates one message with a new inflater, expecting no error.
inline bytes inflated(const bytes& payload, int window_bits = 15) {
  wire::inflater engine(window_bits, true);
  const inflation result = inflate_message(engine, payload);
  EXPECT_EQ(result.verdict, wire::inflater::step::end);
  return result.message;
}

// Makes one frame of the pieces. The output comes in blocks of exactly `room` octets.
inline bytes deflate_frame(wire::deflater& engine, const byte_pieces& pieces, wire::deflater::boundary end,
                           std::size_t room = 4096) {
  bytes frame;
  const auto work = [&](std::span<const std::byte> in, wire::deflater::boundary piece_end) {
    for (;;) {
      bytes block(room);
      const auto [produced, complete] = engine.deflate(in, block, piece_end);
      frame.insert(frame.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(produced));
      if (complete) break;
      EXPECT_EQ(produced, room);
    }
    EXPECT_TRUE(in.empty());
  };
  for (const bytes& piece : pieces) work(piece, &piece == &pieces.back() ? end : wire::deflater::boundary::none);
  if (pieces.empty()) work({}, end);
  return frame;
}

inline bytes deflate_frame(wire::deflater& engine, const bytes& payload, wire::deflater::boundary end) {
  return deflate_frame(engine, byte_pieces{payload}, end);
}

inline bytes deflate_message(wire::deflater& engine, const bytes& payload) {
  return deflate_frame(engine, payload, wire::deflater::boundary::message);
}

inline bytes deflated(const bytes& payload) {
  wire::deflater engine(15, true);
  return deflate_message(engine, payload);
}

inline std::size_t below(std::mt19937& random, std::size_t bound) { return random() % bound; }

// Some kinds of contents: random octets, few different ones, text of words, one octet over and over.
inline bytes some_content(std::mt19937& random, std::size_t size) {
  constexpr std::array<std::string_view, 6> words{"{\"id\":", "\"temperature\"", ",\"value\":", "17.25}",
                                                  "[",        "true, "};
  const std::size_t kind = below(random, 4);
  bytes content;
  while (content.size() < size) {
    if (kind == 0) content.push_back(static_cast<std::byte>(random()));
    if (kind == 1) content.push_back(static_cast<std::byte>(below(random, 3)));
    if (kind == 2) std::ranges::copy(from_text(words.at(below(random, words.size()))), std::back_inserter(content));
    if (kind == 3) content.push_back(std::byte{0x5a});
  }
  content.resize(size);
  return content;
}

inline byte_pieces cut_anywhere(std::mt19937& random, std::span<const std::byte> whole) {
  byte_pieces pieces;
  while (!whole.empty()) {
    const auto piece = whole.first(std::min(whole.size(), 1 + below(random, below(random, 2) == 0 ? 8 : 3000)));
    pieces.emplace_back(piece.begin(), piece.end());
    whole = whole.subspan(piece.size());
  }
  return pieces;
}

// Writes DEFLATE by hand (RFC 1951): blocks with fixed codes.
class block_writer {
 public:
  block_writer& begin_block(bool final = false) { return bits(final ? 1 : 0, 1).bits(1, 2); }
  block_writer& end_block() { return code(0, 7); }
  block_writer& literal(unsigned octet) { return octet < 144 ? code(0x30 + octet, 8) : code(0x190 + octet - 144, 9); }
  block_writer& literals(std::string_view text) {
    for (const char octet : text) literal(static_cast<unsigned char>(octet));
    return *this;
  }
  // The three octets that begin `distance` octets before.
  block_writer& match_of_three(unsigned distance) {
    code(1, 7);
    if (distance <= 4) return code(distance - 1, 5);
    const unsigned extra_bits = static_cast<unsigned>(std::bit_width(distance - 1)) - 2;
    const unsigned upper_half = (distance - 1) >> extra_bits & 1;
    return code(2 * extra_bits + 2 + upper_half, 5).bits((distance - 1) & ((1U << extra_bits) - 1), extra_bits);
  }
  block_writer& align() { return bits(0, (8 - used_bits_ % 8) % 8); }
  // Ends a message as RFC 7692, section 7.2.1, wants it.
  bytes end_of_message() { return bits(0, 3).align().octets_; }
  bytes octets() { return align().octets_; }

 private:
  block_writer& bits(unsigned value, unsigned count) {  // least significant first
    for (unsigned bit = 0; bit < count; ++bit, ++used_bits_) {
      if (used_bits_ % 8 == 0) octets_.push_back(std::byte{0});
      octets_.back() |= static_cast<std::byte>((value >> bit & 1) << used_bits_ % 8);
    }
    return *this;
  }
  block_writer& code(unsigned value, unsigned count) {  // most significant first
    for (unsigned bit = count; bit > 0; --bit) bits(value >> (bit - 1) & 1, 1);
    return *this;
  }

  bytes octets_;
  std::size_t used_bits_ = 0;
};

}  // namespace windhover::testing
