// A message that is encoded once.
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "support/websocket_peer.hpp"
#include "websocket/message_access.hpp"
#include <windhover/prepared_message.hpp>

namespace windhover {
namespace {

const prepared_frames::frame& plain(const prepared_message& prepared) {
  return message_access::frames(prepared).plain();
}

std::string frame_of(const prepared_message& prepared) {
  return std::string(test::text_of(plain(prepared).whole().bytes()));
}

TEST(PreparedMessage, IsTheFrameOfItsText) {
  const auto prepared = prepared_message::from_text("Hello");
  EXPECT_EQ(prepared.type(), message_type::text);
  EXPECT_EQ(prepared.size(), 5U);
  EXPECT_EQ(test::to_hex(frame_of(prepared)), "810548656c6c6f");
  EXPECT_EQ(test::text_of(plain(prepared).payload()), "Hello");
}

TEST(PreparedMessage, HasTheShortestHeaderForEveryLength) {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 65535U, 65536U, 200000U}) {
    const std::string payload = test::pattern(size);
    const auto prepared = prepared_message::from_bytes(test::bytes_of(payload));
    EXPECT_EQ(prepared.size(), size);
    EXPECT_EQ(prepared.type(), message_type::binary);
    EXPECT_TRUE(frame_of(prepared) == test::server_frame(wire::opcode::binary, payload)) << size;
  }
}

TEST(PreparedMessage, RefusesTextThatIsNotUtf8) {
  EXPECT_THROW(static_cast<void>(prepared_message::from_text("\xff")), std::invalid_argument);
}

TEST(PreparedMessage, SharesItsFrameWithItsCopies) {
  const auto first = prepared_message::from_text("one");
  const std::byte* const place = plain(first).owner->data();
  {
    const prepared_message second = first;  // NOLINT(performance-unnecessary-copy-initialization)
    EXPECT_EQ(plain(second).owner->data(), place);
    prepared_message third = prepared_message::from_text("three");
    third = second;
    EXPECT_EQ(plain(third).owner->data(), place);
    const prepared_message moved = std::move(third);
    EXPECT_EQ(plain(moved).owner->data(), place);
  }
  EXPECT_EQ(frame_of(first), test::server_frame(wire::opcode::text, "one"));
}

// ----- Compressed

TEST(PreparedMessage, IsCompressedOnceForEachWindow) {
  const auto prepared = prepared_message::from_text("Hello, Hello");
  const prepared_frames& frames = message_access::frames(prepared);
  int calls = 0;
  const auto deflate = [&calls] {
    ++calls;
    return test::bytes_of("short");
  };
  const prepared_frames::frame& first = frames.compressed(15, deflate);
  EXPECT_EQ(test::to_hex(test::text_of(first.whole().bytes())), "c10573686f7274");
  EXPECT_EQ(&frames.compressed(15, deflate), &first);
  EXPECT_EQ(calls, 1);
  for (int bits = 9; bits < 15; ++bits) EXPECT_NE(&frames.compressed(bits, deflate), &first);
  EXPECT_EQ(calls, 7);
}

TEST(PreparedMessage, StaysAsItIsWhereCompressionDoesNotMakeItSmaller) {
  const auto prepared = prepared_message::from_text("12345");
  const prepared_frames& frames = message_access::frames(prepared);
  int calls = 0;
  const auto deflate = [&calls] {
    ++calls;
    return test::bytes_of("abcde");
  };
  EXPECT_EQ(&frames.compressed(12, deflate), &frames.plain());
  EXPECT_EQ(&frames.compressed(12, deflate), &frames.plain());
  EXPECT_EQ(calls, 1);
}

// The one that comes second while the first is at work takes what is there then.
TEST(PreparedMessage, KeepsOneFrameWhenTwoCompressAtOnce) {
  const auto prepared = prepared_message::from_text("Hello, Hello");
  const prepared_frames& frames = message_access::frames(prepared);
  const prepared_frames::frame* other = nullptr;
  const prepared_frames::frame& mine = frames.compressed(15, [&] {
    other = &frames.compressed(15, [] { return test::bytes_of("other"); });
    return test::bytes_of("mine");
  });
  EXPECT_EQ(&mine, other);
  EXPECT_EQ(test::text_of(mine.payload()), "other");
}

}  // namespace
}  // namespace windhover
