// Heads and chunks as they go onto the wire.
#include "wire/http1/serializer.hpp"

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "wire/http1/request_parser.hpp"

namespace windhover::wire::http1 {
namespace {

TEST(Serializer, WritesAResponseHead) {
  std::string out = "before;";
  append_response_head(out, 101, {{"Connection", "Upgrade"}, {"upgrade", "websocket"}, {"Empty", ""}});
  EXPECT_EQ(out,
            "before;HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nupgrade: websocket\r\nEmpty: \r\n\r\n");
}

TEST(Serializer, AStatusWithoutPhraseKeepsItsSpace) {
  std::string out;
  append_response_head(out, 299, {});
  EXPECT_EQ(out, "HTTP/1.1 299 \r\n\r\n");
}

TEST(Serializer, AStatusHasThreeDigits) {
  std::string out;
  for (const int status : {-1, 0, 99, 1000, 2000})
    EXPECT_THROW(append_response_head(out, status, {}), std::invalid_argument);
  EXPECT_EQ(out, "");
}

TEST(Serializer, ReasonPhrasesAreThoseOfTheRegistry) {
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(413), "Content Too Large");
  EXPECT_EQ(reason_phrase(426), "Upgrade Required");
  EXPECT_EQ(reason_phrase(431), "Request Header Fields Too Large");
  EXPECT_EQ(reason_phrase(505), "HTTP Version Not Supported");
  EXPECT_EQ(reason_phrase(418), "");
  EXPECT_EQ(reason_phrase(600), "");
}

TEST(Serializer, WritesARequestHead) {
  std::string out;
  append_request_head(out, "GET", "/ws?a=b", {{"Host", "example.com"}});
  EXPECT_EQ(out, "GET /ws?a=b HTTP/1.1\r\nHost: example.com\r\n\r\n");
}

TEST(Serializer, RefusesARequestThatWouldInjectALine) {
  std::string out;
  for (const std::string_view method : {"", "GET ", "GET\r\n", "G T"})
    EXPECT_THROW(append_request_head(out, method, "/", {}), std::invalid_argument) << method;
  for (const std::string_view target : {"", "/a b", "/\r\nX: y", "/#a", "/\xC3\xA4"})
    EXPECT_THROW(append_request_head(out, "GET", target, {}), std::invalid_argument) << target;
  EXPECT_EQ(out, "");
}

TEST(Serializer, WritesChunks) {
  std::string out;
  append_chunk_header(out, 1);
  append_chunk_header(out, 26);
  append_chunk_header(out, 0xFFFFFFFF);
  EXPECT_EQ(out, "1\r\n1a\r\nffffffff\r\n");
  EXPECT_THROW(append_chunk_header(out, 0), std::invalid_argument);
}

TEST(Serializer, WhatItWritesIsReadAgain) {
  std::string out;
  append_request_head(out, "POST", "/a", {{"Host", "x"}, {"Transfer-Encoding", "chunked"}});
  append_chunk_header(out, 5);
  out += "hello";
  out += chunk_end;
  out += last_chunk;

  request_parser parser;
  auto in = std::as_bytes(std::span(out));
  ASSERT_EQ(parser.read_head(in), request_parser::step::head);
  EXPECT_EQ(parser.head().target, "/a");
  EXPECT_EQ(parser.read_body(in).data.size(), 5U);
  EXPECT_TRUE(parser.read_body(in).finished);
  EXPECT_TRUE(in.empty());
}

}  // namespace
}  // namespace windhover::wire::http1
