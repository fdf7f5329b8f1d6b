// RFC 7692, section 7.2.2: inflating messages, however input and output are cut.
#include <array>
#include <cstddef>
#include <random>
#include <span>
#include <string>

#include <gtest/gtest.h>

#include "wire/websocket/compressed_messages.hpp"
#include "wire/websocket/deflate.hpp"

namespace windhover::wire {
namespace {

using testing::below;
using testing::block_writer;
using boundary = deflater::boundary;
using testing::byte_pieces;
using testing::bytes;
using testing::cut;
using testing::cut_anywhere;
using testing::deflate_frame;
using testing::deflate_message;
using testing::deflated;
using testing::for_each_cut;
using testing::from_hex;
using testing::from_text;
using testing::inflate_message;
using testing::inflated;
using testing::inflation;
using testing::joined;
using testing::rooms;
using testing::some_content;
using step = inflater::step;
using testing::to_hex;
using testing::to_text;

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

}  // namespace
}  // namespace windhover::wire
