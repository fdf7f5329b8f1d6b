// The frames that a load sends, as a server would see them.
#include "load/message_pool.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "net/seeded_random.hpp"
#include "wire/utf8.hpp"
#include "wire/websocket/decoder.hpp"
#include "wire/websocket/deflate.hpp"

namespace windhover::load {
namespace {

constexpr wire::frame_decoder::limits bounds{std::uint64_t{1} << 30, 1};

message_pool pool_of(const load_options& options, std::uint64_t seed = 1) {
  net::seeded_random random(seed);
  return {options, random};
}

struct seen_message {
  std::string payload;
  bool text;
  bool compressed;
};

// What a server gets, which refuses frames that are not masked.
std::vector<seen_message> decoded(std::span<const std::byte> bytes) {
  wire::frame_decoder decoder(wire::role::server, bounds, true);
  std::vector<seen_message> found;
  while (!bytes.empty()) {
    if (decoder.read_header(bytes) != wire::frame_decoder::step::frame) break;
    std::string payload(decoder.payload_remaining(), '\0');
    decoder.read_payload(bytes, std::as_writable_bytes(std::span(payload)));
    if (!decoder.end_frame()) break;
    const auto frame = decoder.frame();
    EXPECT_TRUE(frame.fin);
    found.push_back({std::move(payload), frame.code == wire::opcode::text, frame.compressed});
  }
  EXPECT_EQ(decoder.error(), wire::websocket_error::none) << describe(decoder.error());
  EXPECT_TRUE(bytes.empty());
  return found;
}

std::string inflated(const std::string& compressed) {
  wire::inflater engine(15, false);
  std::string content(std::size_t{1} << 20, '\0');
  std::span<const std::byte> in = std::as_bytes(std::span(compressed));
  const auto room = std::as_writable_bytes(std::span(content));
  const auto body = engine.inflate(in, room);
  EXPECT_EQ(body.next, wire::inflater::step::needs_input);
  const auto tail = engine.end_of_message(room.subspan(body.produced));
  EXPECT_EQ(tail.next, wire::inflater::step::end);
  content.resize(body.produced + tail.produced);
  return content;
}

TEST(MessagePool, ItsSizesAreAllInTheRangeAndDiffer) {
  const message_pool pool = pool_of({.least_size = 10, .most_size = 200});
  std::set<std::size_t> sizes;
  for (std::size_t i = 0; i < pool.count(); ++i) sizes.insert(pool.payload(i).size());
  EXPECT_GE(*sizes.begin(), 10U);
  EXPECT_LE(*sizes.rbegin(), 200U);
  EXPECT_GT(sizes.size(), 10U);
}

TEST(MessagePool, BothEndsOfTheRangeOccur) {
  const message_pool pool = pool_of({.least_size = 3, .most_size = 5});
  std::set<std::size_t> sizes;
  for (std::size_t i = 0; i < pool.count(); ++i) sizes.insert(pool.payload(i).size());
  EXPECT_EQ(sizes, (std::set<std::size_t>{3, 4, 5}));
}

TEST(MessagePool, ItsMessagesDiffer) {
  const message_pool pool = pool_of({});
  std::set<std::string_view> payloads;
  for (std::size_t i = 0; i < pool.count(); ++i) payloads.insert(pool.payload(i));
  EXPECT_EQ(payloads.size(), pool.count());
  EXPECT_EQ(pool.count(), 64U);
}

TEST(MessagePool, ThereAreFewerLargeMessages) {
  EXPECT_EQ(pool_of({.least_size = 0, .most_size = std::size_t{1} << 19}).count(), 8U);
  EXPECT_EQ(pool_of({.least_size = 0, .most_size = std::size_t{1} << 21}).count(), 4U);
}

TEST(MessagePool, ItsFramesAreMaskedAndHoldThePayloads) {
  for (const bool text : {false, true}) {
    const message_pool pool = pool_of({.least_size = 0, .most_size = 300, .text = text});
    const auto [frames, count] = pool.frames(0, pool.count(), false);
    ASSERT_EQ(count, pool.count());
    const auto seen = decoded(frames.bytes());
    ASSERT_EQ(seen.size(), count);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(seen[i].payload, pool.payload(i));
      EXPECT_EQ(seen[i].text, text);
      EXPECT_FALSE(seen[i].compressed);
    }
  }
}

TEST(MessagePool, MessagesOfNothingAreFramesToo) {
  for (const bool compress : {false, true}) {
    const message_pool pool = pool_of({.least_size = 0, .most_size = 0, .compress = compress});
    const auto seen = decoded(pool.frames(0, 2, compress).frames.bytes());
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0].compressed, compress);
    EXPECT_EQ(compress ? inflated(seen[0].payload) : seen[0].payload, "");
  }
}

TEST(MessagePool, CompressedFramesStandForTheSamePayloads) {
  const message_pool pool = pool_of({.least_size = 1, .most_size = 3000, .text = true, .compress = true});
  const auto plain = decoded(pool.frames(0, pool.count(), false).frames.bytes());
  const auto compressed = decoded(pool.frames(0, pool.count(), true).frames.bytes());
  ASSERT_EQ(plain.size(), pool.count());
  ASSERT_EQ(compressed.size(), pool.count());
  std::size_t saved = 0;
  for (std::size_t i = 0; i < pool.count(); ++i) {
    EXPECT_EQ(plain[i].payload, pool.payload(i));
    EXPECT_FALSE(plain[i].compressed);
    EXPECT_EQ(inflated(compressed[i].payload), pool.payload(i));
    EXPECT_TRUE(compressed[i].compressed);
    if (compressed[i].payload.size() < plain[i].payload.size()) ++saved;
  }
  // JSON does get smaller, unless there is next to nothing of it.
  EXPECT_GT(saved, pool.count() / 2);
}

TEST(MessagePool, TextIsUtf8) {
  for (const bool compress : {false, true}) {
    const message_pool pool = pool_of({.least_size = 1, .most_size = 500, .text = true, .compress = compress});
    for (std::size_t i = 0; i < pool.count(); ++i) {
      EXPECT_TRUE(std::ranges::all_of(pool.payload(i), [](char each) { return each >= ' ' && each <= '~'; }));
    }
  }
}

TEST(MessagePool, AskedForMoreThanLieTogetherItGivesThoseUpToTheEnd) {
  const message_pool pool = pool_of({});
  const auto [frames, count] = pool.frames(pool.count() - 3, 10, false);
  EXPECT_EQ(count, 3U);
  const auto seen = decoded(frames.bytes());
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[2].payload, pool.payload(pool.count() - 1));
}

TEST(MessagePool, BehindTheLastComesTheFirstAgain) {
  const message_pool pool = pool_of({});
  EXPECT_EQ(pool.payload(pool.count() + 1), pool.payload(1));
  const auto seen = decoded(pool.frames(2 * pool.count() + 1, 1, false).frames.bytes());
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].payload, pool.payload(1));
}

TEST(MessagePool, TheSameRandomnessGivesTheSameMessages) {
  const load_options options{.least_size = 1, .most_size = 100};
  const message_pool first = pool_of(options, 7);
  const message_pool second = pool_of(options, 7);
  const message_pool other = pool_of(options, 8);
  EXPECT_EQ(first.payload(0), second.payload(0));
  EXPECT_EQ(first.payload(40), second.payload(40));
  EXPECT_NE(first.payload(0), other.payload(0));
}

}  // namespace
}  // namespace windhover::load
