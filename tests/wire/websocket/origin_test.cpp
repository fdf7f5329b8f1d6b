// RFC 6454: what an origin is and when two are the same. RFC 6455, section 10.2: what a server does with it.
#include "wire/websocket/origin.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace windhover::wire {
namespace {

using list = std::vector<std::string>;

TEST(origin, is_read_as_scheme_host_and_port) {
  const auto parsed = parse_origin("https://example.com:8443");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->scheme, "https");
  EXPECT_EQ(parsed->host, "example.com");
  EXPECT_EQ(parsed->port, 8443);
}

TEST(origin, has_the_port_of_its_scheme_when_none_is_named) {
  EXPECT_EQ(parse_origin("http://example.com")->port, 80);
  EXPECT_EQ(parse_origin("HTTPS://example.com")->port, 443);
  EXPECT_EQ(parse_origin("ws://example.com")->port, 80);
  EXPECT_EQ(parse_origin("wss://example.com:")->port, 443);
  EXPECT_EQ(parse_origin("chrome-extension://abcdefgh")->port, 0);
}

TEST(origin, may_have_an_address_for_a_host) {
  const auto with_port = parse_origin("http://[::1]:5000");
  ASSERT_TRUE(with_port);
  EXPECT_EQ(with_port->host, "[::1]");
  EXPECT_EQ(with_port->port, 5000);
  const auto without_port = parse_origin("http://[2001:db8::1]");
  ASSERT_TRUE(without_port);
  EXPECT_EQ(without_port->host, "[2001:db8::1]");
  EXPECT_EQ(without_port->port, 80);
  EXPECT_EQ(parse_origin("http://127.0.0.1:5000")->host, "127.0.0.1");
}

TEST(origin, is_nothing_else) {
  for (const char* text : {"",
                           "null",
                           "*",
                           "example.com",
                           "//example.com",
                           "http:example.com",
                           "http://",
                           "http://:80",
                           "http://example.com/",
                           "http://example.com/chat",
                           "http://example.com?a",
                           "http://example.com#a",
                           "http://user@example.com",
                           "http://exa mple.com",
                           " http://example.com",
                           "http://example.com ",
                           "http://example.com:x",
                           "http://example.com:65536",
                           "http://[::1",
                           "http://m\xc3\xbcller.example",
                           "1http://example.com",
                           "ht_tp://example.com",
                           "http://a.example http://b.example",
                           "http://*.example.com:*"})
    EXPECT_FALSE(parse_origin(text)) << text;
}

TEST(origin, can_do_without_a_host_only_where_the_scheme_can) {
  EXPECT_TRUE(parse_origin("file://"));
  EXPECT_FALSE(parse_origin("https://"));
}

TEST(origin_entry, is_an_origin_or_one_of_two_words) {
  for (const char* entry : {"*", "null", "http://example.com", "https://EXAMPLE.com:443", "file://"})
    EXPECT_TRUE(is_origin_entry(entry)) << entry;
  for (const char* entry :
       {"", " ", "NULL", "example.com", "http://example.com/", "http://example.com,http://b.example"})
    EXPECT_FALSE(is_origin_entry(entry)) << entry;
}

TEST(origin_allowed, compares_as_origins_and_not_as_text) {
  const list allowed{"https://Client.com", "http://localhost:80"};
  for (const char* value :
       {"https://client.com", "https://CLIENT.COM", "HTTPS://client.com", "https://client.com:443", "http://localhost"})
    EXPECT_TRUE(origin_allowed(value, allowed)) << value;
  for (const char* value :
       {"http://client.com", "https://client.com:444", "https://www.client.com", "https://client.com.evil.example",
        "https://evilclient.com", "http://localhost:8080", "null", "https://client.com/", "https://client.com x"})
    EXPECT_FALSE(origin_allowed(value, allowed)) << value;
}

TEST(origin_allowed, lets_all_in_with_an_empty_list_or_an_asterisk) {
  for (const char* value : {"http://example.com", "null", "nonsense"}) {
    EXPECT_TRUE(origin_allowed(value, {}));
    EXPECT_TRUE(origin_allowed(value, list{"*"}));
    EXPECT_TRUE(origin_allowed(value, list{"http://e.com", "*"}));
  }
}

TEST(origin_allowed, lets_in_who_sends_no_origin) { EXPECT_TRUE(origin_allowed("", list{"http://example.com"})); }

TEST(origin_allowed, lets_null_in_only_when_it_is_listed) {
  EXPECT_TRUE(origin_allowed("null", list{"http://example.com", "null"}));
  EXPECT_FALSE(origin_allowed("null", list{"http://example.com"}));
  EXPECT_FALSE(origin_allowed("http://example.com", list{"null"}));
}

TEST(origin_allowed, lets_nobody_in_by_an_entry_that_is_no_origin) {
  EXPECT_FALSE(origin_allowed("http://example.com", list{""}));
  EXPECT_FALSE(origin_allowed("nonsense", list{"nonsense"}));
  EXPECT_FALSE(origin_allowed("http://example.com/", list{"http://example.com/"}));
}

TEST(same_origin, compares_with_the_host_and_scheme_of_the_request) {
  EXPECT_TRUE(same_origin("http://example.com", "example.com", "http"));
  EXPECT_TRUE(same_origin("http://EXAMPLE.com", "example.com:80", "http"));
  EXPECT_TRUE(same_origin("https://example.com:443", "example.com", "https"));
  EXPECT_TRUE(same_origin("http://[::1]:5000", "[::1]:5000", "http"));
  EXPECT_FALSE(same_origin("http://example.com", "example.com", "https"));
  EXPECT_FALSE(same_origin("http://example.com", "example.com:5000", "http"));
  EXPECT_FALSE(same_origin("http://evil.example", "example.com", "http"));
}

TEST(same_origin, refuses_null_and_nonsense_but_not_who_sends_no_origin) {
  EXPECT_FALSE(same_origin("null", "example.com", "http"));
  EXPECT_FALSE(same_origin("null", "null", "http"));
  EXPECT_FALSE(same_origin("nonsense", "nonsense", "http"));
  EXPECT_FALSE(same_origin("non sense", "non sense", "http"));
  EXPECT_FALSE(same_origin("http://example.com", "", "http"));
  EXPECT_TRUE(same_origin("", "example.com", "http"));
}

}  // namespace
}  // namespace windhover::wire
