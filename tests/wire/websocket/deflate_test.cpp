// RFC 7692, section 7.2: compressed messages, however input and output are cut.
#include "wire/websocket/deflate.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "wire/websocket/deflate_negotiation.hpp"
#include "wire/websocket/frame_events.hpp"

namespace windhover::wire {
namespace {

using boundary = deflater::boundary;
using nlohmann::json;
using step = inflater::step;
using testing::byte_pieces;
using testing::bytes;
using testing::cut;
using testing::for_each_cut;
using testing::from_hex;
using testing::from_text;
using testing::joined;
using testing::to_hex;
using testing::to_text;

// The sizes of the blocks that take the output.
constexpr std::array<std::size_t, 7> rooms{1, 2, 3, 4, 7, 64, 100'000};

struct inflation {
  step verdict = step::needs_input;
  bytes message;

  bool operator==(const inflation&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const inflation& result) {
    return out << "verdict " << static_cast<int>(result.verdict) << " after " << result.message.size() << " octets";
  }
};

// Feeds the pieces of one message and ends it. The output goes to blocks of exactly `room` octets.
inflation inflate_message(inflater& engine, const byte_pieces& pieces, std::size_t room = 4096) {
  inflation result;
  const auto drain = [&](const auto& work) {
    do {
      bytes block(room);
      const auto [next, produced] = work(std::span(block));
      result.verdict = next;
      result.message.insert(result.message.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(produced));
      EXPECT_TRUE(next != step::needs_room || produced == room);
    } while (result.verdict == step::needs_room);
    return result.verdict != step::error;
  };
  for (const bytes& piece : pieces) {
    std::span<const std::byte> in = piece;
    if (!drain([&](std::span<std::byte> out) { return engine.inflate(in, out); })) return result;
    EXPECT_TRUE(in.empty());
    EXPECT_EQ(result.verdict, step::needs_input);
  }
  drain([&](std::span<std::byte> out) { return engine.end_of_message(out); });
  return result;
}

inflation inflate_message(inflater& engine, const bytes& payload) {
  return inflate_message(engine, byte_pieces{payload});
}

// Inflates one message with a new inflater, expecting no error.
bytes inflated(const bytes& payload, int window_bits = 15) {
  inflater engine(window_bits, true);
  const inflation result = inflate_message(engine, payload);
  EXPECT_EQ(result.verdict, step::end);
  return result.message;
}

// Makes one frame of the pieces. The output comes in blocks of exactly `room` octets.
bytes deflate_frame(deflater& engine, const byte_pieces& pieces, boundary end, std::size_t room = 4096) {
  bytes frame;
  const auto work = [&](std::span<const std::byte> in, boundary piece_end) {
    for (;;) {
      bytes block(room);
      const auto [produced, complete] = engine.deflate(in, block, piece_end);
      frame.insert(frame.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(produced));
      if (complete) break;
      EXPECT_EQ(produced, room);
    }
    EXPECT_TRUE(in.empty());
  };
  for (const bytes& piece : pieces) work(piece, &piece == &pieces.back() ? end : boundary::none);
  if (pieces.empty()) work({}, end);
  return frame;
}

bytes deflate_frame(deflater& engine, const bytes& payload, boundary end) {
  return deflate_frame(engine, byte_pieces{payload}, end);
}

bytes deflate_message(deflater& engine, const bytes& payload) {
  return deflate_frame(engine, payload, boundary::message);
}

bytes deflated(const bytes& payload) {
  deflater engine(15, true);
  return deflate_message(engine, payload);
}

std::size_t below(std::mt19937& random, std::size_t bound) { return random() % bound; }

// Some kinds of contents: random octets, few different ones, text of words, one octet over and over.
bytes some_content(std::mt19937& random, std::size_t size) {
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

byte_pieces cut_anywhere(std::mt19937& random, std::span<const std::byte> whole) {
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

// ----- Vectors

json vectors(const char* part) {
  std::ifstream file(std::string(WINDHOVER_FIXTURES) + "/permessage-deflate.json");
  EXPECT_TRUE(file);
  json rows = json::parse(file).at(part).at("rows");
  EXPECT_FALSE(rows.empty());
  return rows;
}

bytes hex_of(const json& row, const char* name) { return from_hex(row.at(name).get<std::string>()); }

TEST(permessage_deflate_vectors, payloads_inflate) {
  for (const json& row : vectors("rfc7692_7_2_3")) {
    SCOPED_TRACE(row.at("name").get<std::string>());
    std::vector<bytes> messages;
    for (const char* name : {"payload_hex", "first_payload_hex", "second_payload_hex"})
      if (row.contains(name)) messages.push_back(hex_of(row, name));
    for (const std::size_t room : rooms) {
      for (const std::size_t size : {1U, 2U, 3U, 5U, 100U}) {
        inflater engine(15, true);
        for (const bytes& payload : messages) {
          const inflation result = inflate_message(engine, cut(payload, size), room);
          EXPECT_EQ(result.verdict, step::end);
          EXPECT_EQ(to_text(result.message), row.at("text").get<std::string>());
        }
      }
    }
  }
}

TEST(permessage_deflate_vectors, frames_inflate) {
  std::size_t seen = 0;
  for (const json& row : vectors("rfc7692_7_2_3")) {
    SCOPED_TRACE(row.at("name").get<std::string>());
    std::vector<bytes> frames;
    if (row.contains("frame_unmasked_hex")) frames.push_back(hex_of(row, "frame_unmasked_hex"));
    if (row.contains("frames_unmasked_hex"))
      for (const json& frame : row.at("frames_unmasked_hex")) frames.push_back(from_hex(frame.get<std::string>()));
    if (frames.empty()) continue;
    ++seen;
    for_each_cut(joined(frames), [&](const byte_pieces& pieces) {
      const auto decoded = testing::decode(frame_decoder(role::client, testing::generous, true), pieces);
      ASSERT_EQ(decoded.error, websocket_error::none);
      ASSERT_EQ(decoded.frames.size(), frames.size());
      byte_pieces payloads;
      for (const auto& frame : decoded.frames) payloads.push_back(frame.payload);
      inflater engine(15, false);
      EXPECT_EQ(to_text(inflate_message(engine, payloads).message), row.at("text").get<std::string>());
    });
  }
  EXPECT_EQ(seen, 3U);
}

TEST(permessage_deflate_vectors, sync_flush_is_kept_within_a_message_and_cut_at_its_end) {
  deflater fragments(15, true);
  deflater messages(15, true);
  for (const json& row : vectors("zlib_sync_flush")) {
    const auto expected = row.at("output_hex").get<std::string>();
    EXPECT_EQ(to_hex(deflate_frame(fragments, from_text("Hello"), boundary::fragment)), expected);
    EXPECT_EQ(to_hex(deflate_message(messages, from_text("Hello"))) + "0000ffff", expected);
  }
}

// ----- inflater

TEST(inflater, gives_the_same_message_however_input_and_output_are_cut) {
  std::mt19937 random(1);
  for (int round = 0; round < 8; ++round) {
    const bytes message = some_content(random, 500);
    const bytes payload = deflated(message);
    for (const std::size_t room : rooms) {
      SCOPED_TRACE("into blocks of " + std::to_string(room) + " bytes");
      for_each_cut(payload, [&](const byte_pieces& pieces) {
        inflater engine(15, false);
        EXPECT_EQ(inflate_message(engine, pieces, room), (inflation{step::end, message}));
      });
    }
  }
}

TEST(inflater, takes_messages_of_many_blocks_of_all_kinds) {
  std::mt19937 random(2);
  deflater engine(15, true, 9, 1);
  byte_pieces frames;
  bytes message;
  for (int block = 0; block < 40; ++block) {
    const bytes content = some_content(random, 1 + below(random, 2000));
    message.insert(message.end(), content.begin(), content.end());
    frames.push_back(deflate_frame(engine, content, boundary::fragment));
  }
  frames.push_back(deflate_frame(engine, bytes{}, boundary::message));
  for_each_cut(joined(frames), [&](const byte_pieces& pieces) {
    inflater target(15, true);
    EXPECT_EQ(inflate_message(target, pieces), (inflation{step::end, message}));
  });
}

TEST(inflater, keeps_its_window_behind_a_final_block) {
  block_writer writer;
  writer.begin_block(true).literals("abcdef").end_block().align();
  writer.begin_block().literals("-").match_of_three(7).end_block();
  const bytes payload = writer.end_of_message();
  for (const std::size_t room : rooms) {
    for_each_cut(payload, [&](const byte_pieces& pieces) {
      inflater engine(15, true);
      EXPECT_EQ(to_text(inflate_message(engine, pieces, room).message), "abcdef-abc");
      const bytes next = block_writer().begin_block().match_of_three(4).end_block().end_of_message();
      EXPECT_EQ(to_text(inflate_message(engine, cut(next, 1), room).message), "-ab");
    });
  }
}

TEST(inflater, takes_a_message_that_ends_right_behind_a_final_block) {
  const bytes payload = block_writer().begin_block(true).literals("abcdef").end_block().octets();
  for (const bool takeover : {false, true}) {
    for (const std::size_t room : rooms) {
      for_each_cut(payload, [&](const byte_pieces& pieces) {
        inflater engine(15, takeover);
        for (int message = 0; message < 2; ++message)
          EXPECT_EQ(inflate_message(engine, pieces, room), (inflation{step::end, from_text("abcdef")}));
      });
    }
  }
}

TEST(inflater, takes_a_final_block_that_the_tail_completes) {
  // The last octet is the header of an empty stored block with BFINAL.
  const bytes payload = from_hex("f248cdc9c907000000ffff 01");
  inflater engine(15, true);
  for (int message = 0; message < 2; ++message)
    EXPECT_EQ(inflate_message(engine, payload), (inflation{step::end, from_text("Hello")}));
}

TEST(inflater, takes_countless_empty_final_blocks) {
  bytes payload = block_writer().begin_block().literals("abc").end_block().end_of_message();
  payload = joined({payload, from_hex("0000ffff")});
  for (int block = 0; block < 100'000; ++block) {
    payload.push_back(std::byte{0x03});
    payload.push_back(std::byte{0x00});
  }
  const bytes last = block_writer().begin_block().match_of_three(3).end_block().end_of_message();
  EXPECT_EQ(to_text(inflated(joined({payload, last}))), "abcabc");
}

TEST(inflater, knows_earlier_messages_only_with_context_takeover) {
  const bytes first = block_writer().begin_block().literals("abcdef").end_block().end_of_message();
  const bytes second = block_writer().begin_block().match_of_three(6).end_block().end_of_message();
  inflater with(15, true);
  EXPECT_EQ(to_text(inflate_message(with, first).message), "abcdef");
  EXPECT_EQ(to_text(inflate_message(with, second).message), "abc");
  inflater without(15, false);
  EXPECT_EQ(inflate_message(without, first).verdict, step::end);
  EXPECT_EQ(inflate_message(without, second), (inflation{step::error, {}}));
}

TEST(inflater, refers_back_as_far_as_its_window_and_no_farther) {
  std::mt19937 random(3);
  for (int bits = 8; bits <= 15; ++bits) {
    SCOPED_TRACE(bits);
    const unsigned window = 1U << bits;
    std::string text;
    block_writer reaching;
    block_writer exceeding;
    reaching.begin_block();
    exceeding.begin_block();
    for (unsigned at = 0; at < window + 1; ++at) {
      text += static_cast<char>(random());
      reaching.literal(static_cast<unsigned char>(text.back()));
      exceeding.literal(static_cast<unsigned char>(text.back()));
    }
    reaching.match_of_three(window).end_block();
    inflater engine(bits, true);
    const inflation reached = inflate_message(engine, cut(reaching.end_of_message(), 1), 1);
    EXPECT_EQ(reached, (inflation{step::end, from_text(text + text.substr(1, 3))}));
    if (bits == 15) continue;  // DEFLATE knows no greater distance
    exceeding.match_of_three(window + 1).end_block();
    inflater other(bits, true);
    EXPECT_EQ(inflate_message(other, cut(exceeding.end_of_message(), 1), 1).verdict, step::error);
  }
}

TEST(inflater, asks_for_room_only_when_there_is_more) {
  std::mt19937 random(4);
  for (const std::size_t size : {1U, 2U, 257U, 258U, 259U, 1000U}) {
    for (int kind = 0; kind < 6; ++kind) {
      const bytes message = some_content(random, size);
      for_each_cut(deflated(message), [&](const byte_pieces& pieces) {
        inflater engine(15, false);
        bytes block(size);
        std::span<std::byte> room = block;
        for (const bytes& piece : pieces) {
          std::span<const std::byte> in = piece;
          const auto [next, produced] = engine.inflate(in, room);
          ASSERT_EQ(next, step::needs_input);
          room = room.subspan(produced);
        }
        const auto [next, produced] = engine.end_of_message(room);
        EXPECT_EQ(next, step::end);
        EXPECT_EQ(produced, room.size());
        EXPECT_EQ(block, message);
      });

      // With an octet less it says so, whether it is asked by inflate() or by end_of_message().
      const bytes payload = deflated(message);
      inflater engine(15, false);
      bytes block(size - 1);
      std::span<const std::byte> in = payload;
      EXPECT_EQ(engine.inflate(in, block).next, step::needs_room);
      EXPECT_EQ(engine.inflate(in, {}).next, step::needs_room);
      EXPECT_TRUE(in.empty());
      EXPECT_EQ(engine.end_of_message({}).next, step::needs_room);
      std::byte last{};
      const auto [next, produced] = engine.end_of_message(std::span(&last, 1));
      EXPECT_EQ(next, step::end);
      EXPECT_EQ(produced, 1U);
      EXPECT_EQ(last, message.back());
    }
  }
}

TEST(inflater, stops_a_bomb_at_the_limit) {
  constexpr std::size_t limit = 100'000;
  const bytes zeros(10'000'000);
  deflater fuse(15, true, 9, 9);
  const bytes payload = deflate_message(fuse, zeros);
  ASSERT_LT(payload.size(), 10'240U);

  for_each_cut(payload, [&](const byte_pieces& pieces) {
    inflater engine(15, true);
    bytes block(limit);
    std::size_t total = 0;
    std::size_t taken = 0;
    step next = step::needs_input;
    for (const bytes& piece : pieces) {
      std::span<const std::byte> in = piece;
      const auto progress = engine.inflate(in, std::span(block).subspan(total));
      total += progress.produced;
      taken += piece.size() - in.size();
      next = progress.next;
      if (next != step::needs_input) break;
    }
    EXPECT_EQ(next, step::needs_room);
    EXPECT_EQ(total, limit);
    EXPECT_LT(taken, payload.size() / 50);  // what comes behind is not even looked at
  });
  EXPECT_EQ(inflated(payload), zeros);
}

TEST(inflater, takes_an_empty_message) {
  for (const bool takeover : {false, true}) {
    inflater engine(15, takeover);
    for (int message = 0; message < 3; ++message)
      EXPECT_EQ(inflate_message(engine, from_hex("00")), (inflation{step::end, {}}));
    EXPECT_EQ(inflate_message(engine, from_hex("f248cdc9c90700")), (inflation{step::end, from_text("Hello")}));
    EXPECT_EQ(inflate_message(engine, from_hex("00")), (inflation{step::end, {}}));
  }
}

TEST(inflater, refuses_a_payload_of_no_octets) {
  inflater engine(15, true);
  EXPECT_EQ(inflate_message(engine, byte_pieces{}).verdict, step::error);
  inflater used(15, true);
  EXPECT_EQ(inflate_message(used, from_hex("f248cdc9c90700")).verdict, step::end);
  EXPECT_EQ(inflate_message(used, byte_pieces{}).verdict, step::error);
}

TEST(inflater, refuses_a_message_that_ends_within_a_block) {
  std::mt19937 random(5);
  for (const bytes& message : {from_text("Hello"), some_content(random, 300), some_content(random, 300), bytes(400)}) {
    const bytes payload = deflated(message);
    for (std::size_t size = 0; size < payload.size(); ++size) {
      const bytes prefix(payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(size));
      for_each_cut(prefix, [&](const byte_pieces& pieces) {
        inflater engine(15, false);
        EXPECT_EQ(inflate_message(engine, pieces).verdict, step::error) << size << " of " << to_hex(payload);
      });
    }
  }
}

TEST(inflater, refuses_what_is_no_deflate_until_it_is_reset) {
  for (const char* payload : {"06", "07", "ff", "0000000000", "000500faff48656c6c", "00050000ff48656c6c6f00",
                              "0400000000", "fcffffffff", "020300", "f2000000", "4bff"}) {
    SCOPED_TRACE(payload);
    for_each_cut(from_hex(payload), [&](const byte_pieces& pieces) {
      inflater engine(15, true);
      EXPECT_EQ(inflate_message(engine, pieces).verdict, step::error);
      std::array<std::byte, 16> block{};
      const bytes good = from_hex("f248cdc9c90700");
      std::span<const std::byte> in = good;
      EXPECT_EQ(engine.inflate(in, block).next, step::error);
      EXPECT_EQ(in.size(), good.size());
      EXPECT_EQ(engine.end_of_message(block).next, step::error);
      engine.reset();
      EXPECT_EQ(inflate_message(engine, good), (inflation{step::end, from_text("Hello")}));
    });
  }
}

TEST(inflater, judges_damaged_input_the_same_however_it_is_cut) {
  std::mt19937 random(6);
  std::size_t refused = 0;
  for (int round = 0; round < 300; ++round) {
    bytes payload = deflated(some_content(random, 200));
    for (std::size_t damage = 0; damage <= below(random, 3); ++damage)
      payload[below(random, payload.size())] ^= static_cast<std::byte>(1U << below(random, 8));
    inflater reference(15, true);
    const inflation expected = inflate_message(reference, payload);
    if (expected.verdict == step::error) ++refused;
    for (const std::size_t room : {std::size_t{1}, std::size_t{5}, std::size_t{64}}) {
      for_each_cut(payload, [&](const byte_pieces& pieces) {
        inflater engine(15, true);
        EXPECT_EQ(inflate_message(engine, pieces, room), expected) << to_hex(payload);
      });
    }
  }
  EXPECT_GT(refused, 100U);
}

TEST(inflater, survives_random_octets) {
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    inflater engine(8 + static_cast<int>(below(random, 8)), below(random, 2) == 0);
    bytes noise(1 + below(random, 200));
    for (std::byte& octet : noise) octet = static_cast<std::byte>(random());
    noise.front() = (noise.front() & std::byte{0xf8}) | static_cast<std::byte>(below(random, 6));  // no block type 3
    (void)inflate_message(engine, cut_anywhere(random, noise), 1 + below(random, 300));
  }
}

TEST(inflater, holds_memory_only_while_it_is_used) {
  inflater engine(15, false);
  EXPECT_FALSE(engine.holds_memory());
  engine.reset();
  engine.release();
  EXPECT_FALSE(engine.holds_memory());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(inflate_message(engine, from_hex("f248cdc9c90700")), (inflation{step::end, from_text("Hello")}));
    EXPECT_TRUE(engine.holds_memory());
    engine.release();
    EXPECT_FALSE(engine.holds_memory());
  }
}

TEST(inflater, serves_another_connection_after_reset) {
  inflater engine(15, true);
  const bytes unfinished = from_hex("f248cd");
  std::span<const std::byte> in = unfinished;
  std::array<std::byte, 1> block{};
  EXPECT_EQ(engine.inflate(in, block).next, step::needs_room);
  engine.reset();
  EXPECT_EQ(inflate_message(engine, from_hex("f248cdc9c90700")), (inflation{step::end, from_text("Hello")}));
  engine.reset();
  EXPECT_EQ(inflate_message(engine, from_hex("f200110000")).verdict, step::error);  // refers to what was before
}

// ----- deflater

TEST(deflater, writes_the_same_whatever_room_it_gets) {
  std::mt19937 random(8);
  for (int round = 0; round < 12; ++round) {
    const bytes message = some_content(random, below(random, 2) == 0 ? 300 : 20'000);
    for (const boundary end : {boundary::fragment, boundary::message}) {
      deflater reference(15, true);
      const bytes expected = deflate_frame(reference, {message}, end, 2 * message.size() + 100);
      const bytes after_that = deflate_frame(reference, {message}, end, 2 * message.size() + 100);
      for (const std::size_t room : rooms) {
        deflater engine(15, true);
        EXPECT_EQ(deflate_frame(engine, {message}, end, room), expected) << room;
        EXPECT_EQ(deflate_frame(engine, {message}, end, room), after_that) << room;
      }
    }
  }
}

TEST(deflater, writes_nothing_without_room_and_loses_nothing) {
  deflater engine(15, true);
  const bytes message = from_text("Hello");
  std::span<const std::byte> in = message;
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto [produced, complete] = engine.deflate(in, {}, boundary::message);
    EXPECT_EQ(produced, 0U);
    EXPECT_FALSE(complete);
  }
  std::array<std::byte, 7> block{};
  const auto [produced, complete] = engine.deflate(in, block, boundary::message);
  EXPECT_TRUE(complete);
  EXPECT_EQ(to_hex(std::span(block).first(produced)), "f248cdc9c90700");
}

TEST(deflater, keeps_the_tail_of_all_frames_but_the_last) {
  deflater engine(15, true);
  const bytes first = deflate_frame(engine, from_text("Hel"), boundary::fragment);
  const bytes second = deflate_frame(engine, from_text("lo"), boundary::fragment);
  const bytes last = deflate_frame(engine, from_text("!"), boundary::message);
  EXPECT_TRUE(to_hex(first).ends_with("0000ffff"));
  EXPECT_TRUE(to_hex(second).ends_with("0000ffff"));
  EXPECT_FALSE(to_hex(last).ends_with("ffff"));
  inflater target(15, true);
  EXPECT_EQ(inflate_message(target, byte_pieces{first, second, last}), (inflation{step::end, from_text("Hello!")}));
}

TEST(deflater, flushes_each_frame_whole) {
  deflater engine(15, true);
  inflater target(15, true);
  std::array<std::byte, 16> block{};
  for (const char* text : {"one", "two", "three"}) {
    const bytes frame = deflate_frame(engine, from_text(text), boundary::fragment);
    std::span<const std::byte> in = frame;
    const auto [next, produced] = target.inflate(in, block);
    EXPECT_EQ(next, step::needs_input);
    EXPECT_EQ(to_text(std::span(block).first(produced)), text);
  }
}

TEST(deflater, makes_a_single_octet_of_an_empty_message) {
  for (const bool takeover : {false, true}) {
    deflater engine(15, takeover);
    EXPECT_EQ(to_hex(deflate_message(engine, {})), "00");
    EXPECT_FALSE(engine.holds_memory());
    EXPECT_EQ(to_hex(deflate_message(engine, from_text("Hello"))), "f248cdc9c90700");
    EXPECT_EQ(to_hex(deflate_message(engine, {})), "00");
    EXPECT_EQ(to_hex(deflate_message(engine, from_text("Hello"))), takeover ? "f200110000" : "f248cdc9c90700");
  }
}

TEST(deflater, makes_an_empty_frame_of_an_empty_frame_that_is_not_the_last) {
  deflater engine(15, true);
  const byte_pieces frames{
      deflate_frame(engine, bytes{}, boundary::fragment), deflate_frame(engine, from_text("Hello"), boundary::fragment),
      deflate_frame(engine, bytes{}, boundary::fragment), deflate_frame(engine, bytes{}, boundary::message)};
  EXPECT_EQ(to_hex(frames[0]), "");
  EXPECT_EQ(to_hex(frames[1]), "f248cdc9c907000000ffff");
  EXPECT_EQ(to_hex(frames[2]), "");
  EXPECT_EQ(to_hex(frames[3]), "00");
  inflater target(15, true);
  EXPECT_EQ(inflate_message(target, frames), (inflation{step::end, from_text("Hello")}));
}

TEST(deflater, stays_within_the_bound) {
  std::mt19937 random(9);
  for (const int bits : {9, 10, 12, 15}) {
    for (const int level : {1, 3, 4, 9}) {
      for (const int memory_level : {1, 2, 5, 8, 9}) {
        for (const std::size_t size : {0U, 1U, 5U, 100U, 127U, 128U, 1000U, 20'000U}) {
          bytes noise(size);
          for (std::byte& octet : noise) octet = static_cast<std::byte>(144 + below(random, 112));
          deflater engine(bits, true, level, memory_level);
          bytes block(deflate_bound(size));
          std::span<const std::byte> in = noise;
          EXPECT_TRUE(engine.deflate(in, block, boundary::fragment).complete)
              << size << " octets, window " << bits << ", level " << level << ", memory level " << memory_level;
        }
      }
    }
  }
}

TEST(deflater, never_refers_beyond_its_window) {
  std::mt19937 random(10);
  for (int bits = 9; bits <= 15; ++bits) {
    const std::size_t window = std::size_t{1} << bits;
    // Noise that comes again, first from somewhat farther away than the window reaches, then nearer each time.
    bytes noise(window + 300);
    for (std::byte& octet : noise) octet = static_cast<std::byte>(random());
    bytes message;
    for (std::size_t less = 0; less < 800; less += 40)
      message.insert(message.end(), noise.begin() + static_cast<std::ptrdiff_t>(less), noise.end());
    for (const int level : {1, 9}) {
      deflater engine(bits, true, level, 9);
      const bytes payload = deflate_message(engine, message);
      // An inflater that gets room for one octet at a time knows nothing beyond its window.
      inflater target(bits, true);
      EXPECT_EQ(inflate_message(target, {payload}, 1), (inflation{step::end, message})) << bits;
    }
    if (bits == 15) continue;
    deflater farther(bits + 1, true, 9, 9);
    inflater target(bits, true);
    EXPECT_EQ(inflate_message(target, {deflate_message(farther, message)}, 1).verdict, step::error) << bits;
  }
}

TEST(deflater, refers_to_earlier_messages_only_with_context_takeover) {
  std::mt19937 random(11);
  bytes message(1000);
  for (std::byte& octet : message) octet = static_cast<std::byte>(random());
  deflater with(15, true);
  deflater without(15, false);
  const bytes first = deflate_message(without, message);
  EXPECT_EQ(deflate_message(with, message), first);
  EXPECT_LT(deflate_message(with, message).size(), first.size() / 10);
  EXPECT_EQ(deflate_message(without, message), first);
  EXPECT_EQ(deflate_message(without, message), first);
}

TEST(deflater, serves_many_connections_when_it_is_reset_between_frames) {
  std::mt19937 random(12);
  deflater shared(11, true);
  constexpr std::size_t connections = 5;
  std::vector<inflater> peers;
  for (std::size_t peer = 0; peer < connections; ++peer) peers.emplace_back(11 + static_cast<int>(peer), true);
  std::array<bytes, connections> messages;
  std::array<byte_pieces, connections> frames;
  for (int round = 0; round < 300; ++round) {
    const std::size_t peer = below(random, connections);
    const bytes content = some_content(random, below(random, 400));
    const boundary end = below(random, 3) == 0 ? boundary::message : boundary::fragment;
    shared.reset();
    frames.at(peer).push_back(deflate_frame(shared, content, end));
    deflater fresh(11, true);
    EXPECT_EQ(frames.at(peer).back(), deflate_frame(fresh, content, end)) << "another connection shows";
    messages.at(peer) = joined({messages.at(peer), content});
    if (end == boundary::fragment) continue;
    EXPECT_EQ(inflate_message(peers.at(peer), frames.at(peer)), (inflation{step::end, messages.at(peer)}));
    frames.at(peer).clear();
    messages.at(peer).clear();
  }
}

TEST(deflater, forgets_an_unfinished_frame_when_it_is_reset) {
  deflater engine(15, true);
  const bytes half = from_text("Hel");
  std::span<const std::byte> in = half;
  std::array<std::byte, 2> block{};
  EXPECT_TRUE(engine.deflate(in, block, boundary::none).complete);
  engine.reset();
  EXPECT_EQ(to_hex(deflate_message(engine, from_text("Hello"))), "f248cdc9c90700");
  in = half;
  EXPECT_FALSE(engine.deflate(in, block, boundary::message).complete);
  engine.reset();
  EXPECT_EQ(to_hex(deflate_message(engine, {})), "00");
}

TEST(deflater, holds_memory_only_while_it_is_used) {
  deflater engine(15, true);
  EXPECT_FALSE(engine.holds_memory());
  engine.reset();
  EXPECT_FALSE(engine.holds_memory());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(to_hex(deflate_message(engine, from_text("Hello"))), "f248cdc9c90700");
    EXPECT_TRUE(engine.holds_memory());
    engine.release();
    EXPECT_FALSE(engine.holds_memory());
  }
}

// ----- Both together

// Sends messages of all kinds and sizes, in frames cut anywhere, each frame fed in pieces cut anywhere.
void expect_round_trips(std::mt19937& random, deflater& sender, inflater& receiver, int messages, std::size_t size) {
  for (int count = 0; count < messages; ++count) {
    const bytes message = some_content(random, below(random, below(random, 2) == 0 ? 20 : size));
    byte_pieces parts = cut_anywhere(random, message);
    if (below(random, 4) == 0) parts.emplace_back();  // an empty last frame
    bytes payload;
    for (const bytes& part : parts) {
      const boundary end = &part == &parts.back() ? boundary::message : boundary::fragment;
      const bytes frame = deflate_frame(sender, cut_anywhere(random, part), end, 1 + below(random, 2000));
      EXPECT_LE(frame.size(), deflate_bound(part.size()));
      payload.insert(payload.end(), frame.begin(), frame.end());
    }
    if (parts.empty()) payload = deflate_message(sender, {});
    const inflation result = inflate_message(receiver, cut_anywhere(random, payload), 1 + below(random, 2000));
    ASSERT_EQ(result, (inflation{step::end, message})) << "message " << count;
  }
}

TEST(deflater_and_inflater, agree_with_every_window_level_and_kind_of_context) {
  for (int bits = 9; bits <= 15; ++bits) {
    for (const bool takeover : {false, true}) {
      for (const int level : {1, 3, 4, 6, 9}) {
        for (const int memory_level : {1, 5, 9}) {
          const auto seed = static_cast<unsigned>(((bits * 2 + (takeover ? 1 : 0)) * 10 + level) * 10 + memory_level);
          SCOPED_TRACE("seed " + std::to_string(seed));
          std::mt19937 random(seed);
          deflater sender(bits, takeover, level, memory_level);
          inflater receiver(bits, takeover);
          expect_round_trips(random, sender, receiver, 6, 6000);
        }
      }
    }
  }
}

TEST(deflater_and_inflater, agree_on_messages_larger_than_the_window) {
  for (const int bits : {9, 15}) {
    std::mt19937 random(static_cast<unsigned>(bits));
    deflater sender(bits, true);
    inflater receiver(bits, true);
    expect_round_trips(random, sender, receiver, 6, 300'000);
  }
}

// Both directions of a connection, for every set of parameters that can be negotiated.
TEST(deflater_and_inflater, agree_with_all_negotiated_parameters) {
  std::mt19937 random(13);
  for (int server_bits = 9; server_bits <= 15; ++server_bits) {
    for (int client_bits = 9; client_bits <= 15; ++client_bits) {
      for (const bool server_takeover : {false, true}) {
        for (const bool client_takeover : {false, true}) {
          const deflate_options options{server_takeover, client_takeover, server_bits, client_bits};
          const std::string offer = offer_deflate(options);
          SCOPED_TRACE(offer);
          const auto agreement = negotiate_deflate(offer, {});
          ASSERT_TRUE(agreement);
          const deflate_parameters& agreed = agreement->parameters;
          ASSERT_EQ(accept_deflate_response(agreement->response, options), agreed);
          deflater server(agreed.server_max_window_bits, !agreed.server_no_context_takeover);
          inflater from_server(agreed.server_max_window_bits, !agreed.server_no_context_takeover);
          expect_round_trips(random, server, from_server, 3, 3000);
          deflater client(agreed.client_max_window_bits, !agreed.client_no_context_takeover);
          inflater from_client(agreed.client_max_window_bits, !agreed.client_no_context_takeover);
          expect_round_trips(random, client, from_client, 3, 3000);
        }
      }
    }
  }
}

}  // namespace
}  // namespace windhover::wire
