// WebSocket URLs as RFC 6455, section 3, has them: where they lead, and what is said about those that lead nowhere.
#include "wire/websocket/url.hpp"

#include <stdexcept>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace windhover::wire {
namespace {

// "host port authority target", with the path of a Unix socket in brackets.
std::string read(std::string_view url) {
  const websocket_url parsed = parse_websocket_url(url);
  const std::string where = parsed.is_unix() ? "[" + parsed.socket_path + "]" : std::to_string(parsed.port);
  return parsed.host + " " + where + " " + parsed.authority + " " + parsed.target;
}

TEST(WebsocketUrl, NamesHostPortAndTarget) {
  EXPECT_EQ(read("ws://example.com"), "example.com 80 example.com /");
  EXPECT_EQ(read("ws://example.com/"), "example.com 80 example.com /");
  EXPECT_EQ(read("ws://example.com/chat?room=1&user=a%20b"), "example.com 80 example.com /chat?room=1&user=a%20b");
  EXPECT_EQ(read("ws://example.com?room=1"), "example.com 80 example.com /?room=1");
  EXPECT_EQ(read("WS://Example.com:8080/Chat"), "Example.com 8080 Example.com:8080 /Chat");
  EXPECT_EQ(read("ws://127.0.0.1:5000/ws"), "127.0.0.1 5000 127.0.0.1:5000 /ws");
  EXPECT_EQ(read("ws://[::1]:5000/ws"), "::1 5000 [::1]:5000 /ws");
  EXPECT_EQ(read("ws://[2001:db8::1]/ws"), "2001:db8::1 80 [2001:db8::1] /ws");
}

TEST(WebsocketUrl, LeavesTheSchemesOwnPortOutOfTheHostField) {
  EXPECT_EQ(read("ws://example.com:80/"), "example.com 80 example.com /");
  EXPECT_EQ(read("ws://example.com:/"), "example.com 80 example.com /");
  EXPECT_EQ(read("ws://[::1]:80/"), "::1 80 [::1] /");
  EXPECT_EQ(read("ws://example.com:443/"), "example.com 443 example.com:443 /");
}

TEST(WebsocketUrl, WssIsWithTlsAndHasItsOwnPort) {
  EXPECT_EQ(read("wss://example.com/chat"), "example.com 443 example.com /chat");
  EXPECT_EQ(read("WSS://example.com:443/"), "example.com 443 example.com /");
  EXPECT_EQ(read("wss://example.com:80/"), "example.com 80 example.com:80 /");
  EXPECT_EQ(read("wss://unix:/run/app.sock:/chat"), "localhost [/run/app.sock] localhost /chat");
  EXPECT_TRUE(parse_websocket_url("wss://example.com").secure);
  EXPECT_TRUE(parse_websocket_url("wss://unix:/run/app.sock").secure);
  EXPECT_FALSE(parse_websocket_url("ws://example.com").secure);
}

TEST(WebsocketUrl, NamesAPathOnAUnixSocket) {
  EXPECT_EQ(read("ws://unix:/run/app.sock"), "localhost [/run/app.sock] localhost /");
  EXPECT_EQ(read("ws://unix:/run/app.sock:"), "localhost [/run/app.sock] localhost /");
  EXPECT_EQ(read("ws://unix:/run/app.sock:/chat?a=b:c"), "localhost [/run/app.sock] localhost /chat?a=b:c");
  EXPECT_EQ(read("ws://UNIX:/run/app.sock:?a"), "localhost [/run/app.sock] localhost /?a");
}

std::string refusal_of(std::string_view url) {
  try {
    static_cast<void>(parse_websocket_url(url));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "taken";
}

TEST(WebsocketUrl, SaysWhatIsWrongAndWhatToDo) {
  struct row {
    std::string_view url;
    std::string_view said;
  };
  for (const row& each : {
           row{"", "the scheme is missing"},
           row{"example.com/chat", "the scheme is missing"},
           row{"ws:example.com", "the scheme is missing"},
           row{"https://example.com", "the scheme must be ws or wss"},
           row{"http://example.com", "the scheme must be ws"},
           row{"ws://", "the host is missing"},
           row{"ws:///chat", "the host is missing"},
           row{"ws://:5000/chat", "the host is missing"},
           row{"ws://user:secret@example.com/", "set an Authorization header"},
           row{"ws://example.com:70000/", "the port a number"},
           row{"ws://example.com:abc/", "the port a number"},
           row{"ws://example.com:0/", "port 0"},
           row{"ws://::1:5000/", "IPv6 address in brackets"},
           row{"ws://[::1/", "IPv6 address in brackets"},
           row{"ws://ex\xc3\xa4mple.com/", "a name in ASCII"},
           row{"ws://exa mple.com/", "the host must be"},
           row{"ws://example.com/chat#top", "%23"},
           row{"ws://example.com#top", "%23"},
           row{"ws://example.com/a b", "percent-encode"},
           row{"ws://example.com/\xc3\xa4", "percent-encode"},
           row{"ws://example.com/\r\nX: y", "percent-encode"},
           row{"ws://unix:/", "the path of the Unix socket is missing"},
           row{"ws://unix:/run/app.sock:chat", "must be a path"},
           row{"ws://unix:/run/app.sock:/chat#top", "%23"},
       }) {
    EXPECT_NE(refusal_of(each.url).find(each.said), std::string::npos) << each.url << ": " << refusal_of(each.url);
  }
}

TEST(WebsocketUrl, ShowsNoControlCharactersOfWhatItRefuses) {
  EXPECT_EQ(refusal_of("\x1b[31m\r\n").find('\x1b'), std::string::npos);
  EXPECT_EQ(refusal_of("\x1b[31m\r\n").find('\n'), std::string::npos);
}

TEST(ProxyUrl, NamesHostPortAndWhoAsks) {
  const proxy_url plain = parse_proxy_url("http://proxy.example.com:3128/");
  EXPECT_EQ(plain.host, "proxy.example.com");
  EXPECT_EQ(plain.port, 3128);
  EXPECT_FALSE(plain.authorization);
  EXPECT_EQ(parse_proxy_url("http://[::1]").host, "::1");
  EXPECT_EQ(parse_proxy_url("http://[::1]").port, 80);
  // RFC 7617, section 2.
  EXPECT_EQ(parse_proxy_url("HTTP://Aladdin:open%20sesame@proxy").authorization, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  // "user:"
  EXPECT_EQ(parse_proxy_url("http://user@proxy").authorization, "Basic dXNlcjo=");
}

TEST(ProxyUrl, IsRefusedWithoutShowingThePassword) {
  for (const std::string_view url :
       {"https://user:secret@proxy:1", "user:secret@proxy", "http://user:secret@", "", "http://user:secret@proxy/path",
        "http://user:secret%@proxy", "http://user:secret@proxy:0", "socks5://user:secret@proxy"}) {
    try {
      static_cast<void>(parse_proxy_url(url));
      ADD_FAILURE() << url;
    } catch (const std::invalid_argument& error) {
      EXPECT_EQ(std::string_view(error.what()).find("secret"), std::string_view::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace windhover::wire
