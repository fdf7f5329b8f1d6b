#include "hosting/urls.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hosting/error_text.hpp"

namespace windhover::hosting {
namespace {

struct accepted_url {
  std::string_view url;
  listening_kind kind;
  std::string_view host;
  std::uint16_t port;
  std::string_view announced;
};

TEST(urls, tcp_addresses_are_read) {
  constexpr auto localhost = listening_kind::localhost;
  constexpr auto any = listening_kind::any;
  constexpr auto ip = listening_kind::ip_address;
  const std::vector<accepted_url> cases = {
      {"http://localhost:5000", localhost, "localhost", 5000, "http://localhost:5000"},
      {"HTTP://LocalHost:5000/", localhost, "LocalHost", 5000, "http://localhost:5000"},
      {"http://localhost", localhost, "localhost", 80, "http://localhost:80"},
      {"http://*:80", any, "*", 80, "http://[::]:80"},
      {"http://+:8080", any, "+", 8080, "http://[::]:8080"},
      {"http://example.com:5000", any, "example.com", 5000, "http://[::]:5000"},
      {"http://my_host.:5000", any, "my_host.", 5000, "http://[::]:5000"},
      {"http://0.0.0.0:5000", ip, "0.0.0.0", 5000, "http://0.0.0.0:5000"},
      {"http://127.0.0.1:0", ip, "127.0.0.1", 0, "http://127.0.0.1:0"},
      {"http://[::1]:5001", ip, "::1", 5001, "http://[::1]:5001"},
      {"http://[::]:65535/", ip, "::", 65535, "http://[::]:65535"},
      {"http://[2001:db8::1]", ip, "2001:db8::1", 80, "http://[2001:db8::1]:80"},
      {"http://[::ffff:127.0.0.1]:1", ip, "::ffff:127.0.0.1", 1, "http://[::ffff:127.0.0.1]:1"},
  };
  for (const accepted_url& each : cases) {
    const listening_url url = parse_listening_url(each.url);
    EXPECT_EQ(url.scheme, "http") << each.url;
    EXPECT_EQ(url.kind, each.kind) << each.url;
    EXPECT_EQ(url.host, each.host) << each.url;
    EXPECT_EQ(url.port, each.port) << each.url;
    EXPECT_EQ(url.path, "") << each.url;
    EXPECT_EQ(to_string(url), each.announced);
  }
}

TEST(urls, unix_sockets_are_read) {
  for (const char* text : {"unix:/run/app.sock", "UNIX:/run/app.sock", "http://unix:/run/app.sock",
                           "http://unix:/run/app.sock:", "http://unix:/run/app.sock:/"}) {
    const listening_url url = parse_listening_url(text);
    EXPECT_EQ(url.kind, listening_kind::unix_path) << text;
    EXPECT_EQ(url.path, "/run/app.sock") << text;
    EXPECT_EQ(url.host, "") << text;
    EXPECT_EQ(to_string(url), "http://unix:/run/app.sock");
  }
  EXPECT_EQ(parse_listening_url("unix:/a b:c%20").path, "/a b:c%20");
}

TEST(urls, a_socket_path_must_fit_the_kernels_field) {
  const std::string longest = "/" + std::string(106, 'x');
  EXPECT_EQ(parse_listening_url("unix:" + longest).path, longest);
  const std::string url = "unix:" + longest + "x";
  EXPECT_EQ(error_text([&] { parse_listening_url(url); }),
            "cannot listen on '" + url + "': the path of a Unix-domain socket has at most 107 bytes; this one has 108");
}

TEST(urls, https_is_read_like_http_with_a_default_port_of_its_own) {
  for (const auto& [text, announced] :
       {std::pair("https://localhost:5001", "https://localhost:5001"), std::pair("HTTPS://*", "https://[::]:443"),
        std::pair("https://127.0.0.1", "https://127.0.0.1:443"), std::pair("https://[::1]:0/", "https://[::1]:0"),
        std::pair("https://unix:/run/app.sock", "https://unix:/run/app.sock")}) {
    const listening_url url = parse_listening_url(text);
    EXPECT_TRUE(is_https(url)) << text;
    EXPECT_EQ(to_string(url), announced);
  }
  EXPECT_FALSE(is_https(parse_listening_url("http://localhost:443")));
}

TEST(urls, a_free_port_of_localhost_is_refused_with_the_remedy) {
  EXPECT_EQ(error_text([] { parse_listening_url("http://localhost:0"); }),
            "cannot listen on 'http://localhost:0': localhost has two addresses, which would get two different ports; "
            "write http://127.0.0.1:0 or http://[::1]:0");
}

TEST(urls, bad_urls_are_refused_with_a_reason) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "the scheme is missing"},
      {"localhost:5000", "the scheme is missing"},
      {"5000", "the scheme is missing"},
      {"ftp://localhost", "the scheme must be http, https or unix"},
      {"ws://localhost:5000", "the scheme must be http, https or unix"},
      {"http://", "the host is missing"},
      {"http://:5000", "the host is missing"},
      {"http:///", "the host is missing"},
      {"http://localhost:", "the port must be a number"},
      {"http://localhost:65536", "the port must be a number"},
      {"http://localhost:99999999999", "the port must be a number"},
      {"http://localhost:abc", "the port must be a number, and an IPv6 address stands in brackets"},
      {"http://127.0.0.1:-1", "the port must be a number, and an IPv6 address stands in brackets"},
      {"http://127.0.0.256:5000", "the host is neither a name nor an address"},
      {"http://127.1:5000", "the host is neither a name nor an address"},
      {"http://5000", "the host is neither a name nor an address"},
      {"http://%31:5000", "the host is neither a name nor an address"},
      {"http://a+b:5000", "the host is neither a name nor an address"},
      {"http://..:5000", "the host is neither a name nor an address"},
      {"http://::1:5000", "the port must be a number, and an IPv6 address stands in brackets"},
      {"http://localhost:50x/", "the port must be a number, and"},
      {"http://[::g]:5000", "it is no URL"},
      {"http://[::1:5000", "it is no URL"},
      {"http://[v1.x]:5000", "the host is no address"},
      {"http://local host:5000", "it is no URL"},
      {"http://user@localhost:5000", "a user name is not possible"},
      {"http://localhost:5000/base", "a path is not possible"},
      {"http://localhost:5000//", "a path is not possible"},
      {"http://localhost:5000?x=1", "a query or fragment"},
      {"http://localhost:5000/#x", "a query or fragment"},
      {"unix:", "must be absolute"},
      {"unix:app.sock", "must be absolute"},
      {"unix:@name", "must be absolute"},
      {std::string("unix:/a\0b", 9), "zero byte"},
      {"http://unix:/run/app.sock:/base", "a path behind the socket is not possible"},
  };
  for (const auto& [url, reason] : cases) {
    const std::string error = error_text([&] { parse_listening_url(url); });
    EXPECT_TRUE(error.starts_with("cannot listen on '" + (url.find('\0') == std::string::npos ? url : "unix:/a\\x00b")))
        << error;
    EXPECT_NE(error.find(reason), std::string::npos) << error;
  }
}

TEST(urls, a_refused_url_cannot_break_the_line) {
  EXPECT_TRUE(error_text([] { parse_listening_url("http://a\nb"); }).starts_with("cannot listen on 'http://a\\nb': "));
}

TEST(urls, a_list_is_separated_by_semicolons) {
  const std::vector<listening_url> urls = parse_listening_urls(" http://localhost:5000 ;;http://[::1]:5001; unix:/a ;");
  ASSERT_EQ(urls.size(), 3U);
  EXPECT_EQ(to_string(urls[0]), "http://localhost:5000");
  EXPECT_EQ(to_string(urls[1]), "http://[::1]:5001");
  EXPECT_EQ(to_string(urls[2]), "http://unix:/a");
}

TEST(urls, a_list_without_urls_is_refused) {
  for (const char* text : {"", " ", ";", " ; "})
    EXPECT_NE(error_text([&] { parse_listening_urls(text); }).find("there is no URL"), std::string::npos) << text;
}

}  // namespace
}  // namespace windhover::hosting
