// The request line: method, the forms of the target, version.
#include "wire/http1/request_line.hpp"

#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace windhover::wire::http1 {
namespace {

std::optional<request_error> error_of(std::string_view line) {
  request_head head;
  return parse_request_line(line, head);
}

TEST(RequestLine, HasMethodTargetAndVersion) {
  request_head head;
  ASSERT_EQ(parse_request_line("GET /ws?a=b HTTP/1.1", head), std::nullopt);
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.target, "/ws?a=b");
  EXPECT_EQ(head.version, http_version::http_1_1);
  ASSERT_EQ(parse_request_line("M-SEARCH / HTTP/1.0", head), std::nullopt);
  EXPECT_EQ(head.method, "M-SEARCH");
  EXPECT_EQ(head.version, http_version::http_1_0);
}

TEST(RequestLine, AHigherMinorVersionIsReadAsOneOne) {
  request_head head;
  ASSERT_EQ(parse_request_line("GET / HTTP/1.9", head), std::nullopt);
  EXPECT_EQ(head.version, http_version::http_1_1);
}

TEST(RequestLine, AnotherMajorVersionIsNotSupported) {
  for (const std::string_view line : {"GET / HTTP/0.9", "GET / HTTP/2.0", "PRI * HTTP/2.0", "GET / HTTP/3.0"})
    EXPECT_EQ(error_of(line), request_error::unsupported_version) << line;
}

TEST(RequestLine, MalformedLinesAreRefused) {
  using namespace std::string_view_literals;
  for (const std::string_view line :
       {"GET"sv, "GET /"sv, "GET  HTTP/1.1/"sv, " GET / HTTP/1.1"sv, "G(T / HTTP/1.1"sv, "GET\t/\tHTTP/1.1"sv,
        "GET / HTTP/1.1 "sv, "GET / http/1.1"sv, "GET / HTTP/1.10"sv, "GET / HTTP/11"sv, "GET / HTTP/1,1"sv,
        "GET / HTTP/x.1"sv, "GET / HTTP/1.x"sv, "GET / HTTPS/1.1"sv, "GET / HTTP/ 1.1"sv, "G\0T / HTTP/1.1"sv,
        "GET / HTTP/1.1\r"sv, "\x16\x03\x01 / HTTP/1.1"sv})
    EXPECT_EQ(error_of(line), request_error::malformed_request_line) << line;
}

TEST(RequestLine, WhatNamesNoVersionIsToldApart) {
  for (const std::string_view line : {"INVALID CONNECTION PREFACE", "GET / HTTP", "GET / x"})
    EXPECT_EQ(error_of(line), request_error::no_version) << line;
}

TEST(RequestLine, MalformedTargetsAreRefused) {
  using namespace std::string_view_literals;
  for (const std::string_view line : {"GET  HTTP/1.1"sv,
                                      "GET  / HTTP/1.1"sv,
                                      "GET /  HTTP/1.1"sv,
                                      "GET /a b HTTP/1.1"sv,
                                      "GET path HTTP/1.1"sv,
                                      "GET ?a HTTP/1.1"sv,
                                      "GET * HTTP/1.1"sv,
                                      "OPTIONS ** HTTP/1.1"sv,
                                      "GET /#a HTTP/1.1"sv,
                                      "GET /\t HTTP/1.1"sv,
                                      "GET /\0 HTTP/1.1"sv,
                                      "GET /\r HTTP/1.1"sv,
                                      "GET /\x7F HTTP/1.1"sv,
                                      "GET /\xC3\xA4 HTTP/1.1"sv,
                                      "GET host:80 HTTP/1.1"sv,
                                      "GET http:// HTTP/1.1"sv,
                                      "GET http:///path HTTP/1.1"sv,
                                      "GET http://:80/ HTTP/1.1"sv,
                                      "GET http://user@host/ HTTP/1.1"sv,
                                      "GET http://a:b@host/ HTTP/1.1"sv,
                                      "GET http://ho\\st/ HTTP/1.1"sv,
                                      "GET http:/host HTTP/1.1"sv,
                                      "GET ftp://host/ HTTP/1.1"sv,
                                      "GET http://?a HTTP/1.1"sv})
    EXPECT_EQ(error_of(line), request_error::malformed_target) << line;
}

TEST(RequestLine, ConnectIsNotSupportedWhateverItsTarget) {
  for (const std::string_view line :
       {"CONNECT host:80 HTTP/1.1", "CONNECT / HTTP/1.1", "CONNECT http://host/ HTTP/1.1"})
    EXPECT_EQ(error_of(line), request_error::connect_not_supported) << line;
}

struct reduction {
  std::string_view line;
  std::string_view target;
  std::string_view host;
};

TEST(RequestLine, AbsoluteFormIsReducedAndItsAuthorityWins) {
  for (const reduction& each : {
           reduction{"GET http://example.com/a?b HTTP/1.1", "/a?b", "example.com"},
           reduction{"GET HTTP://example.com:81/ HTTP/1.1", "/", "example.com:81"},
           reduction{"GET https://[::1]:5000 HTTP/1.1", "/", "[::1]:5000"},
           reduction{"GET http://example.com?b=/ HTTP/1.1", "/?b=/", "example.com"},
           reduction{"OPTIONS http://example.com HTTP/1.1", "*", "example.com"},
           reduction{"OPTIONS http://example.com/ HTTP/1.1", "/", "example.com"},
           reduction{"OPTIONS http://example.com?a HTTP/1.1", "/?a", "example.com"},
           reduction{"GET http://example.com//b HTTP/1.1", "//b", "example.com"},
           reduction{"OPTIONS * HTTP/1.1", "*", "evil"},
           reduction{"GET /a?b=http://c HTTP/1.1", "/a?b=http://c", "evil"},
           reduction{"GET //example.com/a HTTP/1.1", "//example.com/a", "evil"},
       }) {
    request_head head;
    head.fields.add("host", "evil");
    ASSERT_EQ(parse_request_line(each.line, head), std::nullopt) << each.line;
    reduce_absolute_form(head);
    EXPECT_EQ(head.target, each.target) << each.line;
    EXPECT_EQ(head.fields.joined("Host"), each.host) << each.line;
  }
}

}  // namespace
}  // namespace windhover::wire::http1
