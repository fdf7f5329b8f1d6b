#include "hosting/https_middleware.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hosting/running_application.hpp"

namespace windhover::hosting {
namespace {

TEST(https_middleware, the_port_is_that_of_the_https_addresses) {
  using urls = std::vector<std::string>;
  EXPECT_EQ(https_port_of(urls{"http://localhost:5000", "https://localhost:5001"}), 5001);
  EXPECT_EQ(https_port_of(urls{"https://127.0.0.1:5001", "https://[::1]:5001"}), 5001);
  EXPECT_EQ(https_port_of(urls{"https://127.0.0.1:5001", "https://[::1]:5002"}), std::nullopt);
  EXPECT_EQ(https_port_of(urls{"http://localhost:5000", "https://unix:/run/app.sock"}), std::nullopt);
  EXPECT_EQ(https_port_of({}), std::nullopt);
}

// As ASP.NET Core's HttpsRedirectionMiddleware builds it.
TEST(https_middleware, a_location_has_the_host_the_port_and_the_target) {
  EXPECT_EQ(https_location("example.com", 443, "/"), "https://example.com/");
  EXPECT_EQ(https_location("example.com:80", 443, "/a?b=c"), "https://example.com/a?b=c");
  EXPECT_EQ(https_location("localhost:5000", 5001, "/a%20b"), "https://localhost:5001/a%20b");
  EXPECT_EQ(https_location("[::1]:5000", 5001, "/"), "https://[::1]:5001/");
  EXPECT_EQ(https_location("[::1]", 443, "/"), "https://[::1]/");
  EXPECT_EQ(https_location("example.com", 443, "*"), "https://example.com/");
}

// As ASP.NET Core's HstsMiddleware writes it.
TEST(https_middleware, the_field_says_what_the_options_say) {
  EXPECT_EQ(hsts_field({}), "max-age=2592000");
  EXPECT_EQ(hsts_field({.max_age = std::chrono::seconds(0)}), "max-age=0");
  EXPECT_EQ(hsts_field({.include_sub_domains = true}), "max-age=2592000; includeSubDomains");
  EXPECT_EQ(hsts_field({.preload = true}), "max-age=2592000; preload");
  EXPECT_EQ(hsts_field({.max_age = std::chrono::days(365), .include_sub_domains = true, .preload = true}),
            "max-age=31536000; includeSubDomains; preload");
}

TEST(https_middleware, options_that_cannot_be_are_refused) {
  web_application app;
  for (const int status : {200, 300, 304, 305, 306, 309, 404})
    EXPECT_THROW(app.use_https_redirection({.status = status}), std::invalid_argument) << status;
  EXPECT_THROW(app.use_hsts({.max_age = std::chrono::seconds(-1)}), std::invalid_argument);
}

// ----- Without TLS; what happens with it is in web_application_https_test.cpp.

class HttpsMiddleware : public running_application {};

TEST_P(HttpsMiddleware, ARequestWithoutTlsIsSentToThePortOfTheOptions) {
  for (const int status : {301, 302, 303, 307, 308}) {
    make().use_https_redirection({.status = status, .port = 8443});
    app->map("/a", hello);
    start();
    const test::http_answer answer = get("/a?b=%20c");
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.header("Location"), "https://localhost:8443/a?b=%20c");
    EXPECT_EQ(answer.body, "");
    EXPECT_EQ(stop(), 0);
  }
}

TEST_P(HttpsMiddleware, AWebSocketRequestIsSentThereAsWell) {
  make().use_https_redirection({.port = 443});
  app->use_websockets();
  app->map_websocket("/ws", echo);
  start();
  const test::http_answer answer = get("/ws", test::handshake());
  EXPECT_EQ(answer.status, 307);
  EXPECT_EQ(answer.header("Location"), "https://localhost/ws");
}

TEST_P(HttpsMiddleware, WithoutAnHttpsAddressNobodyIsRedirectedAndTheFirstRequestIsWarnedOf) {
  make().use_https_redirection();
  app->map("/a", hello);
  start();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get("/a").body, "hello");
  int warnings = 0;
  for (const std::string& each : log.lines(log_level::warning))
    if (each.find("Failed to determine the https port for redirect") != std::string::npos) ++warnings;
  EXPECT_EQ(warnings, 1);
}

TEST_P(HttpsMiddleware, AHostThatIsNotSaidIsABadRequest) {
  make().use_https_redirection({.port = 443});
  start();
  test::http_client client(url);
  client.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 400);
}

TEST_P(HttpsMiddleware, HstsIsNotSaidWithoutTls) {
  make().use_hsts();
  app->map("/a", hello);
  start();
  test::http_client client(url);
  client.send("GET /a HTTP/1.1\r\nHost: example.com\r\n\r\n");
  const test::http_answer answer = client.read_answer();
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.header("Strict-Transport-Security"), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Engines, HttpsMiddleware, both_engines(), engine_name);

}  // namespace
}  // namespace windhover::hosting
