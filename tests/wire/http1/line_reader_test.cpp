// Lines from a stream in pieces: where they end, how long they may be, and what is left of the input.
#include "wire/http1/line_reader.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "support/fragment_sweep.hpp"

namespace windhover::wire::http1 {
namespace {

using outcome = line_reader::outcome;

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// The lines of the stream, each in brackets, up to the first refusal.
std::string lines_of(const testing::byte_pieces& pieces, std::size_t limit) {
  line_reader reader;
  std::string lines;
  for (const auto& piece : pieces) {
    std::span<const std::byte> in = piece;
    for (;;) {
      const outcome result = reader.next(in, limit);
      if (result == outcome::needs_more) break;
      if (result == outcome::too_long) return lines + "too long";
      if (result == outcome::malformed) return lines + "malformed";
      lines += '[';
      lines += reader.line();
      lines += ']';
    }
    EXPECT_TRUE(in.empty());
  }
  return lines + (reader.under_way() ? "..." : "");
}

struct line_case {
  std::string_view stream;
  std::size_t limit;
  std::string_view lines;
};

TEST(LineReader, GivesTheSameLinesHoweverTheStreamIsCut) {
  for (const line_case& each : {
           line_case{"", 10, ""},
           line_case{"one\r\ntwo\r\n\r\nthree\r\n", 10, "[one][two][][three]"},
           line_case{"one\r\ntwo", 10, "[one]..."},
           line_case{"one\r\ntwo\r", 10, "[one]..."},
           line_case{"one\ntwo\r\n", 10, "malformed"},
           line_case{"\n", 10, "malformed"},
           line_case{"one\r\n\n", 10, "[one]malformed"},
           line_case{"o\rne\r\n", 10, "[o\rne]"},
           line_case{"one\r\r\n", 10, "[one\r]"},
           line_case{"12345678\r\n", 10, "[12345678]"},
           line_case{"123456789\r\n", 10, "too long"},
           line_case{"123456789\r", 10, "too long"},
           line_case{"123456789", 10, "..."},
           line_case{"1234567890", 10, "too long"},
           line_case{"12345678\r\n12345678\r\n123456789\r\n", 10, "[12345678][12345678]too long"},
           line_case{"x", 0, "too long"},
       })
    testing::for_each_cut(each.stream, [&each](const testing::byte_pieces& pieces) {
      EXPECT_EQ(lines_of(pieces, each.limit), each.lines) << each.stream;
    });
}

TEST(LineReader, TakesNothingBehindTheLine) {
  line_reader reader;
  auto in = bytes("one\r\nrest");
  ASSERT_EQ(reader.next(in, 100), outcome::line);
  EXPECT_EQ(in.size(), 4U);

  auto beginning = bytes("tw");
  ASSERT_EQ(reader.next(beginning, 100), outcome::needs_more);
  EXPECT_TRUE(reader.under_way());
  in = bytes("o\r\nrest");
  ASSERT_EQ(reader.next(in, 100), outcome::line);
  EXPECT_EQ(reader.line(), "two");
  EXPECT_EQ(in.size(), 4U);
  EXPECT_FALSE(reader.under_way());
}

TEST(LineReader, ALineThatIsCompleteInTheInputIsNotCopied) {
  line_reader reader;
  const std::string_view text = "one\r\n";
  auto in = bytes(text);
  ASSERT_EQ(reader.next(in, 100), outcome::line);
  EXPECT_EQ(reader.line().data(), text.data());
}

}  // namespace
}  // namespace windhover::wire::http1
