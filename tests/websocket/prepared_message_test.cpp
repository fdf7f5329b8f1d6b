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

std::string frame_of(const prepared_message& prepared) {
  return std::string(test::text_of(message_access::frame(prepared).bytes()));
}

TEST(PreparedMessage, IsTheFrameOfItsText) {
  const auto prepared = prepared_message::from_text("Hello");
  EXPECT_EQ(prepared.type(), message_type::text);
  EXPECT_EQ(prepared.size(), 5U);
  EXPECT_EQ(test::to_hex(frame_of(prepared)), "810548656c6c6f");
  EXPECT_EQ(test::text_of(message_access::payload(prepared)), "Hello");
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
  const std::byte* const place = message_access::frame(first).data;
  {
    const prepared_message second = first;  // NOLINT(performance-unnecessary-copy-initialization)
    EXPECT_EQ(message_access::frame(second).data, place);
    prepared_message third = prepared_message::from_text("three");
    third = second;
    EXPECT_EQ(message_access::frame(third).data, place);
    const prepared_message moved = std::move(third);
    EXPECT_EQ(message_access::frame(moved).data, place);
  }
  EXPECT_EQ(frame_of(first), test::server_frame(wire::opcode::text, "one"));
}

}  // namespace
}  // namespace windhover
