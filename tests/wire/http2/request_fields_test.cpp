// What the fields of an HTTP/2 request become (RFC 9113, section 8.3).
#include "wire/http2/request_fields.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace windhover::wire::http2 {
namespace {

using http1::body_framing;
using http1::request_error;
using field_list = std::vector<std::pair<std::string, std::string>>;

struct outcome {
  std::optional<request_error> error;
  http1::request_head head;
};

outcome read(const field_list& fields, bool ends = true, const http1::limits& bounds = {}) {
  request_fields reader(bounds);
  for (const auto& [name, value] : fields) reader.add(name, value);
  outcome made;
  made.error = reader.finish(ends);
  made.head = std::move(reader.head());
  return made;
}

field_list get(const field_list& further = {}) {
  field_list fields{{":method", "GET"}, {":scheme", "https"}, {":path", "/a?b"}, {":authority", "example.com:8443"}};
  fields.insert(fields.end(), further.begin(), further.end());
  return fields;
}

TEST(request_fields, pseudo_header_fields_become_the_request_line_and_the_host) {
  const outcome made = read(get({{"x", "1"}}));
  EXPECT_FALSE(made.error);
  EXPECT_EQ(made.head.method, "GET");
  EXPECT_EQ(made.head.target, "/a?b");
  EXPECT_EQ(made.head.version, http1::http_version::http_2);
  EXPECT_EQ(made.head.framing, body_framing::none);
  EXPECT_EQ(made.head.fields.find("Host"), "example.com:8443");
  EXPECT_EQ(made.head.fields.size(), 2U);
  EXPECT_FALSE(made.head.wants_upgrade);
}

TEST(request_fields, a_host_that_says_the_same_is_kept_and_one_that_does_not_is_refused) {
  EXPECT_EQ(read(get({{"host", "Example.com:8443"}})).error, std::nullopt);
  EXPECT_EQ(read(get({{"host", "other.example"}})).error, request_error::several_hosts);
  EXPECT_EQ(read(get({{"host", "example.com:8443"}, {"host", "example.com:8443"}})).error,
            request_error::several_hosts);
  const field_list without{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}};
  EXPECT_EQ(read(without).error, request_error::missing_host);
  field_list with_host = without;
  with_host.emplace_back("host", "a");
  EXPECT_EQ(read(with_host).error, std::nullopt);
  with_host.back().second = "a b";
  EXPECT_EQ(read(with_host).error, request_error::malformed_host);
}

TEST(request_fields, pieces_of_cookies_become_one_field) {
  const outcome made = read(get({{"cookie", "a=1"}, {"x", "1"}, {"cookie", "b=2"}}));
  EXPECT_EQ(made.head.fields.find("Cookie"), "a=1; b=2");
  EXPECT_EQ(made.head.fields.count("Cookie"), 1U);
}

TEST(request_fields, a_body_has_the_announced_length_or_none_that_is_known) {
  EXPECT_EQ(read(get(), false).head.framing, body_framing::chunked);
  const outcome five = read(get({{"content-length", "5"}}), false);
  EXPECT_EQ(five.head.framing, body_framing::content_length);
  EXPECT_EQ(five.head.content_length, 5U);
  EXPECT_EQ(read(get({{"content-length", "5x"}}), false).error, request_error::malformed_content_length);
  http1::limits bounds;
  bounds.body = 4;
  EXPECT_EQ(read(get({{"content-length", "5"}}), false, bounds).error, request_error::body_too_large);
}

TEST(request_fields, who_waits_to_be_told_to_continue_has_a_body) {
  EXPECT_TRUE(read(get({{"expect", "100-Continue"}}), false).head.expects_continue);
  EXPECT_FALSE(read(get({{"expect", "100-continue"}}), true).head.expects_continue);
  EXPECT_FALSE(read(get({{"expect", "something"}}), false).head.expects_continue);
}

TEST(request_fields, a_connect_with_a_protocol_leaves_http_and_has_no_body) {
  field_list fields = get({{":protocol", "websocket"}, {"content-length", "5"}});
  fields[0].second = "CONNECT";
  const outcome made = read(fields, false);
  EXPECT_FALSE(made.error);
  EXPECT_EQ(made.head.protocol, "websocket");
  EXPECT_TRUE(made.head.wants_upgrade);
  EXPECT_EQ(made.head.framing, body_framing::none);
  EXPECT_EQ(read({{":method", "CONNECT"}, {":authority", "a:443"}}).error, request_error::connect_not_supported);
}

TEST(request_fields, targets_are_those_of_http_1_1) {
  const auto error_of = [](std::string method, std::string path) {
    field_list fields = get();
    fields[0].second = std::move(method);
    fields[2].second = std::move(path);
    return read(fields).error;
  };
  EXPECT_EQ(error_of("OPTIONS", "*"), std::nullopt);
  EXPECT_EQ(error_of("GET", "*"), request_error::malformed_target);
  EXPECT_EQ(error_of("GET", "a"), request_error::malformed_target);
  EXPECT_EQ(error_of("GET", "http://a/"), request_error::malformed_target);
  EXPECT_EQ(error_of("GET", "/a#b"), request_error::malformed_target);
  EXPECT_EQ(error_of("GET", "/a b"), request_error::malformed_target);
  EXPECT_EQ(error_of("GE T", "/"), request_error::malformed_request_line);
}

TEST(request_fields, the_bounds_of_http_1_1_hold_to_the_octet) {
  http1::limits bounds;
  bounds.request_line = 28;  // "GET", "https", "/a?b" and "example.com:8443"
  EXPECT_EQ(read(get(), true, bounds).error, std::nullopt);
  bounds.request_line = 27;
  EXPECT_EQ(read(get(), true, bounds).error, request_error::request_line_too_long);

  bounds = {};
  bounds.header_bytes = 10;  // as "x: 12345" and its line end
  EXPECT_EQ(read(get({{"x", "12345"}}), true, bounds).error, std::nullopt);
  EXPECT_EQ(read(get({{"x", "123456"}}), true, bounds).error, request_error::headers_too_large);
  EXPECT_EQ(read(get({{"cookie", "12345"}}), true, bounds).error, request_error::headers_too_large);

  bounds = {};
  bounds.header_count = 1;
  EXPECT_EQ(read(get({{"x", "1"}}), true, bounds).error, std::nullopt);
  EXPECT_EQ(read(get({{"x", "1"}, {"y", "1"}}), true, bounds).error, request_error::too_many_headers);
}

}  // namespace
}  // namespace windhover::wire::http2
