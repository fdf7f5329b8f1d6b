// Bodies by length and by chunks: their data, their end, what is refused in them, and their bounds.
#include "wire/http1/body_reader.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "support/fragment_sweep.hpp"

namespace windhover::wire::http1 {
namespace {

using namespace std::string_view_literals;

request_head chunked_head() {
  request_head head;
  head.framing = body_framing::chunked;
  return head;
}

request_head head_of_length(std::uint64_t length) {
  request_head head;
  head.framing = body_framing::content_length;
  head.content_length = length;
  return head;
}

struct outcome {
  std::string data;
  bool finished = false;
  std::optional<request_error> error;
  // What followed the end of the body.
  std::string rest;
};

outcome read(const request_head& head, const testing::byte_pieces& pieces, const limits& bounds) {
  body_reader reader;
  reader.start(head);
  outcome result;
  for (const auto& piece : pieces) {
    std::span<const std::byte> in = piece;
    while (!result.finished) {
      const body_step step = reader.read(in, bounds);
      result.data.append(reinterpret_cast<const char*>(step.data.data()), step.data.size());
      result.finished = step.finished;
      result.error = step.error;
      if (step.error) return result;
      if (step.data.empty()) break;
    }
    EXPECT_TRUE(result.finished || in.empty());
    result.rest.append(reinterpret_cast<const char*>(in.data()), in.size());
  }
  return result;
}

// Expects the error, or with std::nullopt the data and the end, however the stream is cut.
void expect_chunked(std::string_view stream, std::optional<request_error> error, std::string_view data = {},
                    const limits& bounds = limits()) {
  testing::for_each_cut(stream, [&](const testing::byte_pieces& pieces) {
    const outcome result = read(chunked_head(), pieces, bounds);
    EXPECT_EQ(result.error, error) << stream;
    EXPECT_EQ(result.finished, !error) << stream;
    if (!error) {
      EXPECT_EQ(result.data, data) << stream;
      EXPECT_EQ(result.rest, "") << stream;
    }
  });
}

TEST(BodyReader, ABodyOfALengthEndsThere) {
  testing::for_each_cut("hello worldGET /"sv, [](const testing::byte_pieces& pieces) {
    const outcome result = read(head_of_length(11), pieces, limits());
    EXPECT_TRUE(result.finished);
    EXPECT_EQ(result.data, "hello world");
    EXPECT_EQ(result.rest, "GET /");
  });
}

TEST(BodyReader, ABodyThatIsCutOffIsNotFinished) {
  for (const std::string_view stream : {""sv, "hell"sv})
    testing::for_each_cut(stream, [&](const testing::byte_pieces& pieces) {
      const outcome result = read(head_of_length(5), pieces, limits());
      EXPECT_FALSE(result.finished);
      EXPECT_EQ(result.data, stream);
    });
  constexpr std::string_view chunks = "5\r\nhello\r\n0\r\nX: y\r\n\r\n";
  for (std::size_t size = 0; size != chunks.size(); ++size) {
    const outcome result =
        read(chunked_head(), testing::cut(std::as_bytes(std::span(chunks.substr(0, size))), 3), limits());
    EXPECT_FALSE(result.finished) << size;
    EXPECT_EQ(result.error, std::nullopt) << size;
  }
}

TEST(BodyReader, NoBodyIsFinishedWithoutInput) {
  for (const request_head& head : {request_head(), head_of_length(0)}) {
    body_reader reader;
    reader.start(head);
    std::span<const std::byte> in = std::as_bytes(std::span("x"sv));
    EXPECT_TRUE(reader.read(in, limits()).finished);
    EXPECT_EQ(in.size(), 1U);
  }
}

TEST(BodyReader, DataIsAViewOfTheInput) {
  constexpr std::string_view stream = "5\r\nhello\r\n";
  body_reader reader;
  reader.start(chunked_head());
  std::span<const std::byte> in = std::as_bytes(std::span(stream));
  const body_step step = reader.read(in, limits());
  EXPECT_EQ(reinterpret_cast<const char*>(step.data.data()), stream.data() + 3);
  EXPECT_EQ(step.data.size(), 5U);
  EXPECT_EQ(in.size(), 2U);
}

TEST(BodyReader, ChunksAreJoined) {
  expect_chunked("0\r\n\r\n", std::nullopt, "");
  expect_chunked("5\r\nhello\r\n0\r\n\r\n", std::nullopt, "hello");
  expect_chunked("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", std::nullopt, "hello world");
  expect_chunked("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", std::nullopt, "01234567890123456789");
  expect_chunked("2\r\n\r\n\r\n0\r\n\r\n", std::nullopt, "\r\n");
  expect_chunked("0000000000000005\r\nhello\r\n000\r\n\r\n", std::nullopt, "hello");
}

TEST(BodyReader, ExtensionsAndTrailersAreDropped) {
  expect_chunked("5;a\r\nhello\r\n0;b=\"c;d\"\r\n\r\n", std::nullopt, "hello");
  expect_chunked("5; a = b\t\r\nhello\r\n0\r\n\r\n", std::nullopt, "hello");
  expect_chunked("5\r\nhello\r\n0\r\nX: y\r\nDigest:\r\n\r\n", std::nullopt, "hello");
  expect_chunked("0\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", std::nullopt, "");
}

struct attack {
  std::string_view name;
  std::string_view stream;
};

TEST(BodyReader, MalformedChunksAreRefused) {
  for (const attack& each : {
           attack{"no size", "\r\nhello\r\n0\r\n\r\n"},
           attack{"whitespace before the size", " 5\r\nhello\r\n0\r\n\r\n"},
           attack{"whitespace behind the size", "5 \r\nhello\r\n0\r\n\r\n"},
           attack{"tab behind the size", "5\t\r\nhello\r\n0\r\n\r\n"},
           attack{"whitespace before the extension", "5 ;a\r\nhello\r\n0\r\n\r\n"},
           attack{"hexadecimal prefix", "0x5\r\nhello\r\n0\r\n\r\n"},
           attack{"plus sign", "+5\r\nhello\r\n0\r\n\r\n"},
           attack{"minus sign", "-5\r\nhello\r\n0\r\n\r\n"},
           attack{"no digit", "g\r\nhello\r\n0\r\n\r\n"},
           attack{"junk behind the size", "5g\r\nhello\r\n0\r\n\r\n"},
           attack{"underscore in the size", "1_0\r\n0123456789012345\r\n0\r\n\r\n"},
           attack{"size that overflows 64 bits", "10000000000000005\r\nhello\r\n0\r\n\r\n"},
           attack{"size with too many zeros", "00000000000000005\r\nhello\r\n0\r\n\r\n"},
           attack{"bare LF behind the size", "5\nhello\r\n0\r\n\r\n"},
           attack{"bare CR behind the size", "5\rhello\r\n0\r\n\r\n"},
           attack{"CR CR LF behind the size", "5\r\r\nhello\r\n0\r\n\r\n"},
           attack{"bare LF in an extension", "5;a\nb\r\nhello\r\n0\r\n\r\n"},
           attack{"bare CR in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n"},
           attack{"NUL in an extension", "5;a=\"\0\"\r\nhello\r\n0\r\n\r\n"sv},
           attack{"control character in an extension", "5;\x01\r\nhello\r\n0\r\n\r\n"},
           attack{"bare LF behind the data", "5\r\nhello\n0\r\n\r\n"},
           attack{"no line end behind the data", "5\r\nhello0\r\n\r\n"},
           attack{"data longer than the chunk", "5\r\nhelloXX\r\n0\r\n\r\n"},
           attack{"data shorter than the chunk", "7\r\nhello\r\nX0\r\n\r\n"},
           attack{"bare CR behind the data", "5\r\nhello\rX0\r\n\r\n"},
           attack{"bare LF behind the last chunk", "0\n\r\n"},
       }) {
    SCOPED_TRACE(each.name);
    expect_chunked(each.stream, request_error::malformed_chunk);
  }
}

TEST(BodyReader, TrailersAreFieldLines) {
  expect_chunked("0\r\nX: y\r\n z\r\n\r\n", request_error::folded_field);
  expect_chunked("0\r\njunk\r\n\r\n", request_error::malformed_field);
  expect_chunked("0\r\nX : y\r\n\r\n", request_error::malformed_field);
  expect_chunked("0\r\nX: \0\r\n\r\n"sv, request_error::malformed_field);
  expect_chunked("0\r\nGET / HTTP/1.1\r\n\r\n", request_error::malformed_field);
  expect_chunked("0\r\nX: y\n\r\n", request_error::malformed_line_end);
  expect_chunked("0\r\n\n", request_error::malformed_line_end);
}

TEST(BodyReader, ChunksTogetherMayReachTheLimitOfTheBody) {
  limits bounds;
  bounds.body = 8;
  expect_chunked("5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n", std::nullopt, "helloyou", bounds);
  expect_chunked("5\r\nhello\r\n4\r\nyou!\r\n0\r\n\r\n", request_error::body_too_large, {}, bounds);
  expect_chunked("9\r\n", request_error::body_too_large, {}, bounds);
  expect_chunked("5\r\nhello\r\nffffffffffffffff\r\n", request_error::body_too_large, {}, bounds);
  bounds.body = 0;
  expect_chunked("0\r\n\r\n", std::nullopt, "", bounds);
  expect_chunked("1\r\n", request_error::body_too_large, {}, bounds);
  bounds.body = unlimited_body;
  expect_chunked("5\r\nhello\r\nfffffffffffffffb\r\n", request_error::body_too_large, {}, bounds);
}

TEST(BodyReader, ExtensionsOfAllChunksTogetherAreBounded) {
  constexpr std::size_t bound = 4096;
  const std::string extension = ";" + std::string(bound / 2 - 1, 'x');
  const std::string one = "1" + extension + "\r\na\r\n";
  expect_chunked(one + one + "0\r\n\r\n", std::nullopt, "aa");
  expect_chunked(one + one + "0;\r\n\r\n", request_error::malformed_chunk);
  expect_chunked("1;" + std::string(bound, 'x') + "\r\n", request_error::malformed_chunk);
  expect_chunked("1;" + std::string(2 * bound, 'x'), request_error::malformed_chunk);
}

TEST(BodyReader, TrailersAreBounded) {
  limits bounds;
  bounds.header_count = 2;
  bounds.header_bytes = 14;
  expect_chunked("0\r\nA: b\r\nC: d\r\n\r\n", std::nullopt, "", bounds);
  expect_chunked("0\r\nA: b\r\nC: de\r\n\r\n", request_error::headers_too_large, {}, bounds);
  expect_chunked("0\r\nA: bcdefghijklmnopq", request_error::headers_too_large, {}, bounds);
  bounds.header_bytes = 1000;
  expect_chunked("0\r\nA: b\r\nC: d\r\nE: f\r\n\r\n", request_error::too_many_headers, {}, bounds);
}

}  // namespace
}  // namespace windhover::wire::http1
