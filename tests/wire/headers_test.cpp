// The list of header fields: names without case, order, repeated fields, refusal of what would inject a field, and the
// memory it takes.
#include <array>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <windhover/headers.hpp>

namespace windhover {
namespace {

static_assert(sizeof(headers) <= 32);
static_assert(std::forward_iterator<headers::iterator>);

std::string text_of(const headers& list) {
  std::string text;
  for (const headers::field field : list) {
    text += field.name;
    text += '=';
    text += field.value;
    text += ';';
  }
  return text;
}

headers sample() { return {{"Host", "example.com"}, {"Accept", "a"}, {"Cookie", "x=1"}, {"accept", "b"}}; }

std::string message_of(headers& list, std::string_view name, std::string_view value) {
  try {
    list.add(name, value);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Headers, AnEmptyListHasNothingAndNoMemory) {
  const headers list;
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.size(), 0U);
  EXPECT_EQ(list.capacity(), 0U);
  EXPECT_EQ(list.begin(), list.end());
  EXPECT_EQ(list.find("Host"), std::nullopt);
  EXPECT_EQ(list.joined("Host"), "");
}

TEST(Headers, FieldsKeepTheirOrderAndTheCaseOfTheirNames) {
  EXPECT_EQ(text_of(sample()), "Host=example.com;Accept=a;Cookie=x=1;accept=b;");
  EXPECT_EQ(sample().size(), 4U);
}

TEST(Headers, NamesAreFoundWithoutRegardToCase) {
  const headers list = sample();
  EXPECT_EQ(list.find("hOST"), "example.com");
  EXPECT_TRUE(list.contains("COOKIE"));
  EXPECT_FALSE(list.contains("Hos"));
  EXPECT_FALSE(list.contains("Hostt"));
  EXPECT_FALSE(list.contains(""));
}

TEST(Headers, FindGivesTheFirstOfSeveralFields) { EXPECT_EQ(sample().find("ACCEPT"), "a"); }

TEST(Headers, AnEmptyValueIsAValue) {
  const headers list{{"X", ""}};
  EXPECT_EQ(list.find("X"), "");
  EXPECT_EQ(text_of(list), "X=;");
}

TEST(Headers, AllValuesOfANameAreCountedVisitedAndJoined) {
  const headers list = sample();
  std::vector<std::string> values;
  list.for_each("Accept", [&values](std::string_view value) { values.emplace_back(value); });
  EXPECT_EQ(values, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(list.count("Accept"), 2U);
  EXPECT_EQ(list.count("Missing"), 0U);
  EXPECT_EQ(list.joined("Accept"), "a, b");
  EXPECT_EQ(list.joined("Host"), "example.com");
  EXPECT_EQ((headers{{"X", ""}, {"X", ""}}.joined("X")), ", ");
}

TEST(Headers, SetReplacesAllFieldsOfTheName) {
  headers list = sample();
  list.set("ACCEPT", "c");
  EXPECT_EQ(text_of(list), "Host=example.com;Cookie=x=1;ACCEPT=c;");
  EXPECT_EQ(list.size(), 3U);
  list.set("New", "n");
  EXPECT_EQ(text_of(list), "Host=example.com;Cookie=x=1;ACCEPT=c;New=n;");
}

TEST(Headers, EraseRemovesAllFieldsOfTheName) {
  headers list = sample();
  EXPECT_EQ(list.erase("accept"), 2U);
  EXPECT_EQ(list.erase("accept"), 0U);
  EXPECT_EQ(text_of(list), "Host=example.com;Cookie=x=1;");
  EXPECT_EQ(list.erase("host"), 1U);
  EXPECT_EQ(list.erase("cookie"), 1U);
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.begin(), list.end());
}

TEST(Headers, ViewsOfTheListMayBePutIntoIt) {
  headers list = sample();
  list.shrink();
  const headers::field first = *list.begin();
  list.add(first.name, first.value);
  EXPECT_EQ(list.joined("Host"), "example.com, example.com");

  list.shrink();
  list.set((*std::next(list.begin())).name, *list.find("Host"));
  EXPECT_EQ(text_of(list), "Host=example.com;Cookie=x=1;Host=example.com;Accept=example.com;");

  list.set("Host", *list.find("Host"));
  EXPECT_EQ(text_of(list), "Cookie=x=1;Accept=example.com;Host=example.com;");

  EXPECT_EQ(list.erase((*list.begin()).name), 1U);
  EXPECT_EQ(text_of(list), "Accept=example.com;Host=example.com;");
}

TEST(Headers, ClearGivesTheMemoryBack) {
  headers list = sample();
  list.clear();
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.capacity(), 0U);
  list.add("X", "y");
  EXPECT_EQ(text_of(list), "X=y;");
}

TEST(Headers, CopiesAreIndependentAndMovedFromListsAreEmpty) {
  headers list = sample();
  headers copy = list;
  copy.set("Host", "other");
  EXPECT_EQ(list.find("Host"), "example.com");

  headers moved = std::move(list);
  EXPECT_EQ(moved.size(), 4U);
  EXPECT_TRUE(list.empty());  // NOLINT(bugprone-use-after-move): this is what is tested.
  EXPECT_EQ(list.begin(), list.end());

  list = moved;
  EXPECT_EQ(text_of(list), text_of(sample()));
  headers& same = list;
  list = same;
  EXPECT_EQ(text_of(list), text_of(sample()));
  list = std::move(copy);
  EXPECT_EQ(list.find("Host"), "other");
}

TEST(Headers, ShrinkLeavesOneBlockOfExactlyTheNeededSize) {
  headers list;
  std::size_t text = 0;
  for (int i = 0; i != 40; ++i) {
    const std::string name = "X-Header-" + std::to_string(i);
    const std::string value(static_cast<std::size_t>(i) * 7, 'v');
    list.add(name, value);
    text += name.size() + value.size();
  }
  const std::string before = text_of(list);
  EXPECT_GT(list.capacity(), text + 40 * 8);
  list.shrink();
  EXPECT_EQ(list.capacity(), text + 40 * 8);
  EXPECT_EQ(text_of(list), before);
  EXPECT_EQ(headers(list).capacity(), list.capacity());

  list.erase("X-Header-39");
  list.shrink();
  EXPECT_EQ(list.size(), 39U);
  EXPECT_LT(list.capacity(), text + 39 * 8);

  headers nothing{{"X", "y"}};
  nothing.erase("X");
  nothing.shrink();
  EXPECT_EQ(nothing.capacity(), 0U);
}

TEST(Headers, ReservedRoomIsEnoughForWhatWasAnnounced) {
  headers list{{"A", "1"}};
  list.reserve(2, 8);
  const std::size_t capacity = list.capacity();
  list.add("Abc", "d");
  list.add("Ef", "gh");
  EXPECT_EQ(list.capacity(), capacity);
  EXPECT_EQ(text_of(list), "A=1;Abc=d;Ef=gh;");
  list.reserve(0, 0);
  EXPECT_EQ(list.capacity(), capacity);
}

TEST(Headers, AListOfMoreThanFourGibibytesIsRefused) {
  headers list = sample();
  EXPECT_THROW(list.reserve(0, std::size_t{1} << 32), std::length_error);
  EXPECT_THROW(list.reserve(std::size_t{1} << 60, 0), std::length_error);
  EXPECT_EQ(text_of(list), text_of(sample()));
}

TEST(Headers, ANameThatIsNoTokenIsRefused) {
  headers list = sample();
  for (const std::string_view name : {"", " ", "a b", "a:", "a\r\nb", "\xC3\xA4", "a\t", "(a)"})
    EXPECT_THROW(list.add(name, "v"), std::invalid_argument) << name;
  EXPECT_THROW(list.set("a b", "v"), std::invalid_argument);
  EXPECT_EQ(text_of(list), text_of(sample()));
}

TEST(Headers, AValueThatWouldInjectAFieldIsRefused) {
  headers list = sample();
  const std::array<std::string_view, 5> values{"a\r\nSet-Cookie: x", "a\n", "\r", std::string_view("\0", 1),
                                               std::string_view("a\0b", 3)};
  for (const std::string_view value : values) {
    EXPECT_THROW(list.add("X", value), std::invalid_argument) << value;
    EXPECT_THROW(list.set("Host", value), std::invalid_argument) << value;
  }
  EXPECT_EQ(text_of(list), text_of(sample()));
}

TEST(Headers, TheErrorNamesTheField) {
  headers list;
  EXPECT_EQ(message_of(list, "X-Thing", "a\nb"), "header 'X-Thing': the value contains CR, LF or NUL");
  EXPECT_EQ(message_of(list, "X Thing", "a"), "header name 'X Thing' is not a token");
  EXPECT_EQ(message_of(list, "X\r\nlog line", "a"), "header name 'X??log line' is not a token");
}

TEST(Headers, OtherBytesInAValueArePassedOn) {
  headers list;
  list.add("X", "\xC3\xA4\t\x01\x7F");
  EXPECT_EQ(list.find("X"), "\xC3\xA4\t\x01\x7F");
}

}  // namespace
}  // namespace windhover
