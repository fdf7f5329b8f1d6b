// Status lines (RFC 9112, section 4) and what a response says about its body (section 6.3).
#include "wire/http1/response_head.hpp"

#include <optional>
#include <string_view>

#include <gtest/gtest.h>

namespace windhover::wire::http1 {
namespace {

TEST(ResponseHead, AStatusLineHasVersionStatusAndReason) {
  response_head head;
  EXPECT_EQ(parse_status_line("HTTP/1.1 101 Switching Protocols", head), std::nullopt);
  EXPECT_EQ(head.version, http_version::http_1_1);
  EXPECT_EQ(head.status, 101);
  EXPECT_EQ(head.reason, "Switching Protocols");
  EXPECT_EQ(parse_status_line("HTTP/1.0 999 ", head), std::nullopt);
  EXPECT_EQ(head.version, http_version::http_1_0);
  EXPECT_EQ(head.status, 999);
  EXPECT_EQ(head.reason, "");
}

TEST(ResponseHead, AStatusLineMayEndBehindTheStatus) {
  response_head head;
  EXPECT_EQ(parse_status_line("HTTP/1.1 404", head), std::nullopt);
  EXPECT_EQ(head.status, 404);
}

TEST(ResponseHead, OtherStatusLinesAreRefused) {
  response_head head;
  for (const std::string_view line :
       {"", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 10", "HTTP/1.1 1010 Many", "HTTP/1.1 099 Low", "HTTP/1.1  200 OK",
        "HTTP/1.1 2x0 OK", "http/1.1 200 OK", "HTTP/11 200 OKAY", "HTTP/1.1\t200 OK", "HTTP/1.1 200\tOK",
        "HTTP/1.1 200 O\x01K", "HTTP/1.1 +20 OK", " HTTP/1.1 200 OK", "ICY 200 OK...."})
    EXPECT_EQ(parse_status_line(line, head), response_error::malformed_status_line) << line;
  EXPECT_EQ(parse_status_line("HTTP/2.0 200 OK", head), response_error::unsupported_version);
}

response_head head_with(std::initializer_list<headers::field> fields) {
  response_head head;
  head.fields = headers(fields);
  return head;
}

TEST(ResponseHead, ABodyIsFoundByItsFields) {
  response_head none = head_with({});
  EXPECT_EQ(read_framing(none), std::nullopt);
  EXPECT_EQ(none.framing, body_framing::none);
  response_head length = head_with({{"Content-Length", "12"}});
  EXPECT_EQ(read_framing(length), std::nullopt);
  EXPECT_EQ(length.framing, body_framing::content_length);
  EXPECT_EQ(length.content_length, 12U);
  response_head chunked = head_with({{"Transfer-Encoding", "Chunked"}});
  EXPECT_EQ(read_framing(chunked), std::nullopt);
  EXPECT_EQ(chunked.framing, body_framing::chunked);
}

TEST(ResponseHead, ABodyOfDoubtfulLengthIsRefused) {
  for (response_head head :
       {head_with({{"Content-Length", "1"}, {"Content-Length", "1"}}), head_with({{"Content-Length", "1, 1"}}),
        head_with({{"Content-Length", "-1"}}), head_with({{"Content-Length", ""}}),
        head_with({{"Transfer-Encoding", "gzip"}}), head_with({{"Transfer-Encoding", "gzip, chunked"}}),
        head_with({{"Transfer-Encoding", "chunked"}, {"Content-Length", "1"}})})
    EXPECT_EQ(read_framing(head), response_error::malformed_framing);
  response_head old = head_with({{"Transfer-Encoding", "chunked"}});
  old.version = http_version::http_1_0;
  EXPECT_EQ(read_framing(old), response_error::malformed_framing);
}

TEST(ResponseHead, EveryErrorHasASentenceOfItsOwn) {
  std::string_view before;
  for (int each = 0; each <= static_cast<int>(response_error::malformed_framing); ++each) {
    const std::string_view text = describe(static_cast<response_error>(each));
    EXPECT_FALSE(text.empty());
    EXPECT_NE(text, before);
    before = text;
  }
}

}  // namespace
}  // namespace windhover::wire::http1
