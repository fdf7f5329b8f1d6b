// Messages and what receive() yields, as values.
#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

#include <windhover/message.hpp>

namespace windhover {
namespace {

constexpr std::array<std::byte, 4> dead_beef{std::byte{0xde}, std::byte{0xad}, std::byte{0xbe}, std::byte{0xef}};

TEST(Message, OfTextIsACopyOfIt) {
  std::string text = "Grüße";
  const message made = message::from_text(text);
  text = "other";
  EXPECT_TRUE(made.is_text());
  EXPECT_FALSE(made.is_binary());
  EXPECT_EQ(made.type(), message_type::text);
  EXPECT_EQ(made.text(), "Grüße");
  EXPECT_EQ(made.size(), 7U);
  EXPECT_FALSE(made.empty());
}

TEST(Message, OfBytesIsACopyOfThem) {
  std::array<std::byte, 4> bytes = dead_beef;
  const message made = message::from_bytes(bytes);
  bytes.fill(std::byte{0});
  EXPECT_TRUE(made.is_binary());
  EXPECT_TRUE(std::equal(made.bytes().begin(), made.bytes().end(), dead_beef.begin(), dead_beef.end()));
}

TEST(Message, MayBeEmpty) {
  const message text = message::from_text("");
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(text.text(), "");
  const message bytes = message::from_bytes({});
  EXPECT_TRUE(bytes.empty());
  EXPECT_TRUE(bytes.bytes().empty());
}

TEST(Message, RefusesTextThatIsNotUtf8) {
  EXPECT_THROW(static_cast<void>(message::from_text("\xc3")), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(message::from_text("a\xed\xa0\x80")), std::invalid_argument);
}

TEST(Message, IsEmptyAfterItWasMovedFrom) {
  message first = message::from_text("one");
  const message second = std::move(first);
  EXPECT_EQ(second.text(), "one");
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(Message, KeepsItsPlaceInMemoryWhenItIsMoved) {
  message first = message::from_text("one");
  const char* const place = first.text().data();
  const message second = std::move(first);
  EXPECT_EQ(second.text().data(), place);
}

TEST(Message, IsReplacedByAssignment) {
  message kept = message::from_text("one");
  kept = message::from_bytes(dead_beef);
  EXPECT_TRUE(kept.is_binary());
  EXPECT_EQ(kept.size(), 4U);
}

TEST(Message, IsMoveOnly) {
  EXPECT_FALSE(std::is_copy_constructible_v<message>);
  EXPECT_FALSE(std::is_copy_assignable_v<message>);
  EXPECT_TRUE(std::is_nothrow_move_constructible_v<message>);
  EXPECT_FALSE(std::is_copy_constructible_v<received>);
}

TEST(Received, IsTrueForAMessageAndReachesIt) {
  received result(message::from_text("one"));
  ASSERT_TRUE(result);
  EXPECT_FALSE(result.closed());
  EXPECT_FALSE(result.cancelled());
  EXPECT_EQ(result->text(), "one");
  EXPECT_EQ((*result).text(), "one");
  const received& constant = result;
  EXPECT_EQ(constant->text(), "one");
  EXPECT_EQ((*constant).text(), "one");
}

TEST(Received, IsFalseForAnEnd) {
  const received closed(received::outcome::closed);
  EXPECT_FALSE(closed);
  EXPECT_TRUE(closed.closed());
  EXPECT_FALSE(closed.cancelled());
  const received cancelled(received::outcome::cancelled);
  EXPECT_FALSE(cancelled);
  EXPECT_TRUE(cancelled.cancelled());
  EXPECT_FALSE(cancelled.closed());
}

TEST(Received, GivesItsMessageAwayAsATemporary) {
  received result(message::from_text("one"));
  const char* const place = result->text().data();
  const message taken = *std::move(result);
  EXPECT_EQ(taken.text(), "one");
  EXPECT_EQ(taken.text().data(), place);
  const message direct = *received(message::from_text("two"));
  EXPECT_EQ(direct.text(), "two");
}

TEST(Received, IsMovedAndAssigned) {
  received first(message::from_text("one"));
  received second(std::move(first));
  EXPECT_EQ(second->text(), "one");
  second = received(received::outcome::closed);
  EXPECT_TRUE(second.closed());
  second = received(message::from_text("two"));
  EXPECT_EQ(second->text(), "two");
  received& same = second;
  second = std::move(same);
  EXPECT_EQ(second->text(), "two");
}

}  // namespace
}  // namespace windhover
