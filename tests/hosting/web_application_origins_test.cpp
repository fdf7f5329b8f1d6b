// Which web pages may open WebSockets. Where a test is one of dotnet/aspnetcore's, it has that one's name; what follows
// the name says where Windhover differs.
#include <atomic>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "hosting/accepting_application.hpp"
#include <windhover/web_application.hpp>

namespace windhover::hosting {
namespace {

class WebSocketOrigins : public accepting_application {};
INSTANTIATE_TEST_SUITE_P(Engines, WebSocketOrigins, both_engines(), engine_name);

struct origin_row {
  std::vector<std::string> allowed;
  int status;
};

TEST_P(WebSocketOrigins, OriginIsValidatedForWebSocketRequests) {
  const std::vector<origin_row> rows{
      {{}, 101},
      {{"http://e.com"}, 403},
      {{"http://e.com", "http://example.com"}, 101},
      {{"*"}, 101},
      {{"http://e.com", "*"}, 101},
      {{"http://ExAmPLE.cOm"}, 101},
      {{"http://example.com:80"}, 101},
      {{"https://example.com"}, 403},
  };
  for (const origin_row& row : rows) {
    make();
    websocket_options options;
    options.allowed_origins = row.allowed;
    app->use_websockets(options);
    app->map_websocket("/ws", echo);
    start();
    EXPECT_EQ(ask_for_websocket("/ws", "Origin: http://example.com\r\n").status, row.status);
    // The original compares the header case-sensitively; an origin has no case (RFC 6454, section 4).
    EXPECT_EQ(ask_for_websocket("/ws", "Origin: HTTP://EXAMPLE.COM\r\n").status, row.status);
    // Not from a web page.
    EXPECT_EQ(ask_for_websocket("/ws").status, 101);
    stop();
  }
}

TEST_P(WebSocketOrigins, OriginIsValidatedForWebSocketRequests_AnEmptyEntryIsAMistakeOfTheCode) {
  make();
  websocket_options options;
  options.allowed_origins = {""};
  EXPECT_THROW(app->use_websockets(options), std::invalid_argument);
}

TEST_P(WebSocketOrigins, OriginIsNotValidatedForNonWebSocketRequests) {
  make();
  websocket_options options;
  options.allowed_origins = {"http://example.com"};
  app->use_websockets(options);
  app->map("/ws", hello);
  start();
  EXPECT_EQ(get("/ws", "Origin: http://notexample.com\r\n").status, 200);
}

TEST_P(WebSocketOrigins, ARefusedOriginGetsNoFurtherThanTheMiddleware) {
  make();
  std::atomic<int> passed = 0;
  websocket_options options;
  options.allowed_origins = {"http://example.com"};
  app->use_websockets(options);
  app->use([&passed](http_context&, next_middleware next) {
    ++passed;
    return next();
  });
  start();
  const test::http_answer answer = ask_for_websocket("/ws", "Origin: http://elsewhere.com\r\n");
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(passed, 0);
}

TEST_P(WebSocketOrigins, SameOriginIsTheHostThatThePageCameFrom) {
  make();
  websocket_options options;
  options.same_origin = true;
  app->use_websockets(options);
  app->map_websocket("/ws", echo);
  start();
  EXPECT_EQ(ask_for_websocket("/ws", "Origin: http://localhost\r\n").status, 101);
  EXPECT_EQ(ask_for_websocket("/ws", "Origin: http://localhost:8080\r\n").status, 403);
  EXPECT_EQ(ask_for_websocket("/ws", "Origin: http://elsewhere.com\r\n").status, 403);
  EXPECT_EQ(ask_for_websocket("/ws", "Origin: null\r\n").status, 403);
  EXPECT_EQ(ask_for_websocket("/ws", "Origin: http://localhost\r\nOrigin: http://elsewhere.com\r\n").status, 403);
  EXPECT_EQ(ask_for_websocket("/ws").status, 101);
}

TEST_P(WebSocketOrigins, SameOriginGoesWithFurtherOrigins) {
  make();
  websocket_options options;
  options.same_origin = true;
  options.allowed_origins = {"https://friend.example"};
  app->use_websockets(options);
  app->map_websocket("/ws", echo);
  start();
  EXPECT_EQ(ask_for_websocket("/ws", "Origin: http://localhost\r\n").status, 101);
  EXPECT_EQ(ask_for_websocket("/ws", "Origin: https://friend.example\r\n").status, 101);
  EXPECT_EQ(ask_for_websocket("/ws", "Origin: https://stranger.example\r\n").status, 403);
}

TEST_P(WebSocketOrigins, OriginsOfTheConfigurationAreObeyed) {
  make({"--Windhover:WebSockets:AllowedOrigins:0=https://a.example"}).use_websockets();
  app->map_websocket("/ws", echo);
  start();
  EXPECT_EQ(ask_for_websocket("/ws", "Origin: https://a.example\r\n").status, 101);
  EXPECT_EQ(ask_for_websocket("/ws", "Origin: https://b.example\r\n").status, 403);
}

}  // namespace
}  // namespace windhover::hosting
