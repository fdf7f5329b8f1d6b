// Responses as an HTTP client in memory reads them, wherever the stream is cut.
#include "testing/response_reader.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/fragment_sweep.hpp"

namespace windhover::testing {
namespace {

// Everything in `stream`, as "200 body|".
std::string read_all(const byte_pieces& pieces, bool to_head, bool at_end) {
  response_reader reader;
  std::string seen;
  const auto take = [&](bool end) {
    while (const auto response = reader.next(to_head, end)) {
      seen += std::to_string(response->status) + " " + response->body + "|";
    }
  };
  for (const auto& piece : pieces) {
    reader.feed({reinterpret_cast<const char*>(piece.data()), piece.size()});
    take(false);
  }
  take(at_end);
  return seen;
}

TEST(ResponseReader, ReadsLengthsChunksAndBodilessResponses) {
  const std::string stream =
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
      "HTTP/1.1 204 No Content\r\n\r\n"
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"
      "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
  for_each_cut(stream, [](const byte_pieces& pieces) {
    EXPECT_EQ(read_all(pieces, false, false), "200 hello|204 |200 abc0123456789|304 |404 |");
  });
}

TEST(ResponseReader, ABodyWithoutALengthLastsToTheEnd) {
  for_each_cut("HTTP/1.1 200 OK\r\n\r\nall of it", [](const byte_pieces& pieces) {
    EXPECT_EQ(read_all(pieces, false, false), "");
    EXPECT_EQ(read_all(pieces, false, true), "200 all of it|");
  });
}

TEST(ResponseReader, TheAnswerToHeadHasNoBody) {
  for_each_cut("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
               [](const byte_pieces& pieces) { EXPECT_EQ(read_all(pieces, true, false), "200 |"); });
}

TEST(ResponseReader, WhatIsNoResponseIsAnError) {
  for (const std::string stream :
       {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n"}) {
    response_reader reader;
    reader.feed(stream);
    EXPECT_THROW(reader.next(false, false), std::runtime_error) << stream;
  }
}

}  // namespace
}  // namespace windhover::testing
