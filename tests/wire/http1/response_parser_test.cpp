// Heads of responses from a stream in pieces.
#include "wire/http1/response_parser.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "support/fragment_sweep.hpp"

namespace windhover::wire::http1 {
namespace {

// Each head as "status reason {name: value}", then what is left of the stream or the error.
std::string heads_of(const testing::byte_pieces& pieces, std::size_t heads, const limits& bounds = {}) {
  response_parser parser(bounds);
  std::string seen;
  std::string rest;
  for (const auto& piece : pieces) {
    std::span<const std::byte> in = piece;
    while (heads > 0 && !in.empty()) {
      switch (parser.read_head(in)) {
        case response_parser::step::needs_more:
          EXPECT_TRUE(in.empty());
          break;
        case response_parser::step::error:
          return seen + std::string(describe(parser.error()));
        case response_parser::step::head: {
          const response_head head = parser.take_head();
          seen += std::to_string(head.status) + " " + head.reason + " ";
          for (const headers::field field : head.fields)
            seen += "{" + std::string(field.name) + ": " + std::string(field.value) + "}";
          --heads;
          break;
        }
      }
    }
    rest.append(reinterpret_cast<const char*>(in.data()), in.size());
  }
  return seen + "|" + rest;
}

TEST(ResponseParser, LeavesWhatFollowsTheHeadWhereverTheStreamIsCut) {
  testing::for_each_cut(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection:  Upgrade \r\n\r\n\x81\x05Hello",
      [](const testing::byte_pieces& pieces) {
        EXPECT_EQ(heads_of(pieces, 1),
                  "101 Switching Protocols {Upgrade: websocket}{Connection: Upgrade}|\x81\x05Hello");
      });
}

TEST(ResponseParser, ReadsInterimResponsesOneAfterTheOther) {
  testing::for_each_cut("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103\r\nLink: </a>\r\n\r\nHTTP/1.1 404 No\r\n\r\nbody",
                        [](const testing::byte_pieces& pieces) {
                          EXPECT_EQ(heads_of(pieces, 3), "100 Continue 103  {Link: </a>}404 No |body");
                        });
}

struct refused_case {
  std::string_view stream;
  std::string_view error;
};

TEST(ResponseParser, RefusesWhatIsNoHeadOfHttp1) {
  for (const refused_case& each : {
           refused_case{"SSH-2.0-OpenSSH_9.2\r\n", "the answer does not begin with a status line of HTTP/1.1"},
           refused_case{std::string_view("\x15\x03\x01\x00\x02\x02\x16", 7),
                        "the answer does not begin with a status line of HTTP/1.1"},
           refused_case{"HTTP/1.1 2\r\n", "the answer does not begin with a status line of HTTP/1.1"},
           refused_case{"HTTP/2.0 200 OK\r\n", "the HTTP version of the answer is not supported"},
           refused_case{"HTTP/1.1 200 OK\n\n", "a line of the answer does not end with CR LF"},
           refused_case{"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "a header field of the answer is malformed"},
           refused_case{"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "a header field of the answer is malformed"},
           refused_case{"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "a header field of the answer is malformed"},
       }) {
    SCOPED_TRACE(each.error);
    testing::for_each_cut(each.stream, [&](const testing::byte_pieces& pieces) {
      EXPECT_EQ(heads_of(pieces, 9), std::string(each.error));
    });
  }
}

TEST(ResponseParser, GoesOnSayingWhatWasWrong) {
  response_parser parser{limits()};
  std::span<const std::byte> in = std::as_bytes(std::span(std::string_view("X")));
  EXPECT_EQ(parser.read_head(in), response_parser::step::error);
  in = std::as_bytes(std::span(std::string_view("HTTP/1.1 200 OK\r\n\r\n")));
  EXPECT_EQ(parser.read_head(in), response_parser::step::error);
  EXPECT_EQ(parser.error(), response_error::malformed_status_line);
}

TEST(ResponseParser, TheLimitsHoldForAllHeadsTogether) {
  limits bounds;
  bounds.header_bytes = 50;  // the second head below ends two bytes later
  bounds.header_count = 2;
  const std::string head = "HTTP/1.1 100\r\nAbc: wxy\r\n\r\n";  // 14 + 10 + 2 bytes
  ASSERT_EQ(head.size(), 26U);
  testing::for_each_cut(head + head, [&](const testing::byte_pieces& pieces) {
    EXPECT_EQ(heads_of(pieces, 2, bounds), "100  {Abc: wxy}the head of the answer is larger than the limit");
    limits enough = bounds;
    enough.header_bytes = 52;
    EXPECT_EQ(heads_of(pieces, 2, enough), "100  {Abc: wxy}100  {Abc: wxy}|");
    enough.header_count = 1;
    EXPECT_EQ(heads_of(pieces, 2, enough), "100  {Abc: wxy}the answer has more header fields than the limit allows");
  });
}

}  // namespace
}  // namespace windhover::wire::http1
