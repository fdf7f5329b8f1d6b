// RFC 7692, section 7.2.1: deflating messages, however input and output are cut.
#include <array>
#include <cstddef>
#include <random>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "wire/websocket/compressed_messages.hpp"
#include "wire/websocket/deflate.hpp"

namespace windhover::wire {
namespace {

using testing::below;
using boundary = deflater::boundary;
using testing::byte_pieces;
using testing::bytes;
using testing::deflate_frame;
using testing::deflate_message;
using testing::from_text;
using testing::inflate_message;
using testing::inflation;
using testing::joined;
using testing::rooms;
using testing::some_content;
using step = inflater::step;
using testing::to_hex;
using testing::to_text;

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

TEST(deflater, is_said_to_hold_what_was_measured) {
  EXPECT_EQ(deflater_memory(15), 6'064U + (128U << 10) + (16U << 10));
  EXPECT_EQ(deflater_memory(9, 1), 6'064U + (2U << 10) + (1U << 10));
  EXPECT_EQ(inflater_memory(15), 7'272U + (32U << 10));
  EXPECT_EQ(inflater_memory(8), 7'272U + 256U);
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

}  // namespace
}  // namespace windhover::wire
