// What the fields of a request mean: its host, the framing of its body, and what becomes of the connection.
#include "wire/http1/request_head.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

namespace windhover::wire::http1 {
namespace {

request_head head_with(headers fields, http_version version = http_version::http_1_1) {
  request_head head;
  head.method = "POST";
  head.target = "/";
  head.version = version;
  head.fields = std::move(fields);
  return head;
}

std::optional<request_error> error_of(headers fields, http_version version = http_version::http_1_1) {
  request_head head = head_with(std::move(fields), version);
  return complete(head, limits());
}

// The completed head of a request to host "a" with these fields besides.
request_head completed(headers fields, http_version version = http_version::http_1_1) {
  fields.add("Host", "a");
  request_head head = head_with(std::move(fields), version);
  EXPECT_EQ(complete(head, limits()), std::nullopt);
  return head;
}

TEST(RequestHead, NeedsExactlyOneValidHost) {
  EXPECT_EQ(error_of({}), request_error::missing_host);
  EXPECT_EQ(error_of({{"Host", "a"}, {"host", "a"}}), request_error::several_hosts);
  EXPECT_EQ(error_of({{"Host", "a, b"}}), request_error::malformed_host);
  EXPECT_EQ(error_of({{"Host", "a/b"}}), request_error::malformed_host);
  EXPECT_EQ(error_of({{"Host", "a"}}), std::nullopt);
  EXPECT_EQ(error_of({{"Host", ""}}), std::nullopt);
}

TEST(RequestHead, MayLackTheHostInHttp10) {
  EXPECT_EQ(error_of({}, http_version::http_1_0), std::nullopt);
  EXPECT_EQ(error_of({{"Host", "a"}, {"Host", "b"}}, http_version::http_1_0), request_error::several_hosts);
  EXPECT_EQ(error_of({{"Host", "@"}}, http_version::http_1_0), request_error::malformed_host);
}

TEST(RequestHead, WithoutLengthHasNoBody) {
  const request_head head = completed({});
  EXPECT_EQ(head.framing, body_framing::none);
  EXPECT_EQ(head.content_length, 0U);
}

TEST(RequestHead, ContentLengthIsADecimalNumber) {
  EXPECT_EQ(completed({{"Content-Length", "0"}}).framing, body_framing::content_length);
  EXPECT_EQ(completed({{"content-length", "123"}}).content_length, 123U);
  EXPECT_EQ(completed({{"Content-Length", "007"}}).content_length, 7U);
  for (const std::string_view value : {"", "+5", "-5", "0x5", "5 5", "5,", "5, 5", "5.0", "1e3", "five", "\"5\"", "5;",
                                       "18446744073709551616", "99999999999999999999999999"})
    EXPECT_EQ(error_of({{"Host", "a"}, {"Content-Length", value}}), request_error::malformed_content_length) << value;
}

TEST(RequestHead, SeveralContentLengthsAreRefusedEvenWhenTheyAreEqual) {
  EXPECT_EQ(error_of({{"Host", "a"}, {"Content-Length", "3"}, {"Content-Length", "3"}}),
            request_error::several_content_lengths);
  EXPECT_EQ(error_of({{"Host", "a"}, {"Content-Length", "3"}, {"content-length", "4"}}),
            request_error::several_content_lengths);
}

TEST(RequestHead, ContentLengthMayReachTheLimitOfTheBody) {
  limits bounds;
  bounds.body = 10;
  request_head head = head_with({{"Host", "a"}, {"Content-Length", "10"}});
  EXPECT_EQ(complete(head, bounds), std::nullopt);
  head = head_with({{"Host", "a"}, {"Content-Length", "11"}});
  EXPECT_EQ(complete(head, bounds), request_error::body_too_large);
  bounds.body = 0;
  head = head_with({{"Host", "a"}, {"Content-Length", "0"}});
  EXPECT_EQ(complete(head, bounds), std::nullopt);
  bounds.body = unlimited_body;
  head = head_with({{"Host", "a"}, {"Content-Length", "18446744073709551615"}});
  EXPECT_EQ(complete(head, bounds), std::nullopt);
}

TEST(RequestHead, ChunkedIsTheOnlyTransferCoding) {
  EXPECT_EQ(completed({{"Transfer-Encoding", "chunked"}}).framing, body_framing::chunked);
  EXPECT_EQ(completed({{"transfer-encoding", "CHUNKED"}}).framing, body_framing::chunked);
  for (const std::string_view value :
       {"xchunked", "chunkedx", "'chunked", "identity", "gzip", "gzip, chunked", "cow, gzip"})
    EXPECT_EQ(error_of({{"Host", "a"}, {"Transfer-Encoding", value}}), request_error::unknown_transfer_coding) << value;
}

TEST(RequestHead, TransferCodingsThatLeaveTheEndInDoubtAreMalformed) {
  for (const std::string_view value :
       {"", ",", "chunked,", ",chunked", "chunked, identity", "chunked, chunked", "chunked;q=1", "\"chunked\"",
        "chunked chunked", "identity chunked", "gzip;q=1, chunked", "chunked\x0B"})
    EXPECT_EQ(error_of({{"Host", "a"}, {"Transfer-Encoding", value}}), request_error::malformed_transfer_encoding)
        << value;
}

TEST(RequestHead, TransferEncodingInSeveralFieldsIsOneList) {
  EXPECT_EQ(error_of({{"Host", "a"}, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}}),
            request_error::malformed_transfer_encoding);
  EXPECT_EQ(error_of({{"Host", "a"}, {"Transfer-Encoding", "gzip"}, {"Transfer-Encoding", "chunked"}}),
            request_error::unknown_transfer_coding);
  EXPECT_EQ(error_of({{"Host", "a"}, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "identity"}}),
            request_error::malformed_transfer_encoding);
}

TEST(RequestHead, TransferEncodingExcludesContentLengthAndHttp10) {
  EXPECT_EQ(error_of({{"Host", "a"}, {"Transfer-Encoding", "chunked"}, {"Content-Length", "3"}}),
            request_error::content_length_and_transfer_encoding);
  EXPECT_EQ(error_of({{"Host", "a"}, {"Transfer-Encoding", "chunked"}}, http_version::http_1_0),
            request_error::transfer_encoding_in_http_1_0);
}

TEST(RequestHead, ConnectionSaysWhetherItStaysOpen) {
  constexpr auto old = http_version::http_1_0;
  EXPECT_TRUE(completed({}).keep_alive);
  EXPECT_FALSE(completed({{"Connection", "close"}}).keep_alive);
  EXPECT_FALSE(completed({{"Connection", "keep-alive, Close"}}).keep_alive);
  EXPECT_FALSE(completed({{"Connection", "keep-alive"}, {"connection", "close"}}).keep_alive);
  EXPECT_TRUE(completed({{"Connection", "closed"}}).keep_alive);
  EXPECT_FALSE(completed({}, old).keep_alive);
  EXPECT_TRUE(completed({{"Connection", "Keep-Alive"}}, old).keep_alive);
  EXPECT_FALSE(completed({{"Connection", "keep-alive, close"}}, old).keep_alive);
}

TEST(RequestHead, AnUpgradeIsWantedWhenConnectionNamesIt) {
  EXPECT_TRUE(completed({{"Connection", "keep-alive, Upgrade"}, {"Upgrade", "websocket"}}).wants_upgrade);
  EXPECT_FALSE(completed({{"Upgrade", "websocket"}}).wants_upgrade);
  EXPECT_FALSE(completed({{"Connection", "Upgrade"}}).wants_upgrade);
  EXPECT_FALSE(completed({{"Connection", "Upgrade"}, {"Upgrade", "websocket"}}, http_version::http_1_0).wants_upgrade);
}

TEST(RequestHead, ContinueIsExpectedOnlyForABodyInHttp11) {
  EXPECT_TRUE(completed({{"Expect", "100-Continue"}, {"Content-Length", "3"}}).expects_continue);
  EXPECT_TRUE(completed({{"Expect", "100-continue"}, {"Transfer-Encoding", "chunked"}}).expects_continue);
  EXPECT_FALSE(completed({{"Expect", "100-continue"}}).expects_continue);
  EXPECT_FALSE(completed({{"Expect", "200-ok"}, {"Content-Length", "3"}}).expects_continue);
  EXPECT_FALSE(
      completed({{"Expect", "100-continue"}, {"Content-Length", "3"}}, http_version::http_1_0).expects_continue);
}

}  // namespace
}  // namespace windhover::wire::http1
