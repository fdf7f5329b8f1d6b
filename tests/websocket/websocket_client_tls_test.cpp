// The client with wss:// URLs, on real sockets.
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <unistd.h>

#include "client_on_sockets.hpp"
#include "net/tls_transport.hpp"
#include "support/certificates.hpp"

namespace windhover {
namespace {

using cause = websocket_connect_error::cause;
using test::test_certificates;

// A file of a test, gone with it.
class text_file {
 public:
  explicit text_file(const std::string& text)
      : path_(std::filesystem::temp_directory_path() /
              ("tls-" + std::to_string(::getpid()) + "-" + std::to_string(count_++) + ".pem")) {
    std::ofstream(path_) << text;
  }
  text_file(const text_file&) = delete;
  text_file& operator=(const text_file&) = delete;
  ~text_file() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  static inline int count_ = 0;
  std::filesystem::path path_;
};

// What a proxy is for this test: it answers CONNECT, and the server stands behind it on the same connection.
class tunnel final : public net::driver {
 public:
  tunnel(net::transport& on, const net::server_tls& with, net::event_loop::driver_factory upper, std::string& request)
      : on_(on), with_(with), upper_(std::move(upper)), request_(request) {}
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override {
    request_ += test::text_of(bytes);
    if (!request_.ends_with("\r\n\r\n")) return bytes.size();
    on_.queue_copy(test::bytes_of("HTTP/1.1 200 Connection established\r\n\r\n"));
    auto next = net::serve_tls(on_, with_, upper_);
    on_.set_sink(*next);
    on_.hand_over(std::move(next));
    return bytes.size();
  }
  void on_writable() noexcept override {}
  void on_end() noexcept override { on_.close(); }
  void on_failure(const net::failure&) noexcept override {}
  bool finished() const noexcept override { return true; }
  void drain() noexcept override { on_.close(); }
  std::string describe() const override { return "a proxy"; }

 private:
  net::transport& on_;
  const net::server_tls& with_;
  net::event_loop::driver_factory upper_;
  std::string& request_;
};

class WebsocketClientTls : public test::client_on_sockets {
 protected:
  endpoint serve_tls(const net::server_tls_options& options = test_certificates::server_options()) {
    server_ = std::make_shared<const net::server_tls>(options);
    return listen(net::make_ip_address("127.0.0.1", 0), net::over_tls(server_, make_http()));
  }
  static std::string secure_url(const endpoint& at) { return "wss://localhost:" + std::to_string(at.port) + "/"; }
  websocket_client trusting() {
    return client_with([this](auto& options) { options.tls.authorities = authority_.path(); });
  }
  void echo_through(const websocket_client& client, const std::string& url) {
    run([&]() -> task<> {
      websocket socket = co_await client.connect(url);
      for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{126}, std::size_t{300'000}}) {
        const std::string text = test::pattern(size);
        co_await socket.send(text);
        auto echo = co_await socket.receive();
        EXPECT_TRUE(echo && echo->text() == text);
      }
      co_await socket.close();
      EXPECT_EQ(socket.close_status(), close_code::normal_closure);
    });
  }

  test::peer_record going_;
  const text_file authority_{test_certificates::all().authority.certificate()};
  std::shared_ptr<const net::server_tls> server_;
};
INSTANTIATE_TEST_SUITE_P(All, WebsocketClientTls, test::both_engines(), test::engine_name);

TEST_P(WebsocketClientTls, TalksToAServerThatItTrusts) {
  const endpoint at = serve_tls();
  echo_through(trusting(), secure_url(at));
  echo_through(trusting(), "wss://127.0.0.1:" + std::to_string(at.port) + "/");
}

TEST_P(WebsocketClientTls, DoesNotTrustWhomNobodyVouchesFor) {
  const endpoint at = serve_tls();
  const auto failure = failure_of(websocket_client(), secure_url(at));
  EXPECT_EQ(failure.why(), cause::tls_failed);
  EXPECT_EQ(failure.what(), "no WebSocket to wss://localhost:" + std::to_string(at.port) +
                                ": TLS failed: unable to get local issuer certificate");
  EXPECT_EQ(failure.status(), 0);
}

TEST_P(WebsocketClientTls, TrustsAnybodyWhenToldTo) {
  const endpoint at = serve_tls();
  echo_through(client_with([](auto& options) { options.tls.dangerous_accept_any_certificate = true; }), secure_url(at));
}

TEST_P(WebsocketClientTls, TheServersNameMayBePinned) {
  const endpoint at = serve_tls();
  const auto named = [this](const std::string& name) {
    return client_with([&](auto& options) {
      options.tls.authorities = authority_.path();
      options.tls.server_name = name;
    });
  };
  echo_through(named("localhost"), "wss://127.0.0.1:" + std::to_string(at.port) + "/");
  const auto failure = failure_of(named("example.com"), secure_url(at));
  EXPECT_EQ(failure.why(), cause::tls_failed);
  EXPECT_NE(std::string_view(failure.what()).find("hostname mismatch"), std::string_view::npos) << failure.what();
}

TEST_P(WebsocketClientTls, ShowsItsOwnCertificate) {
  const auto& authority = test_certificates::all().authority;
  const test::issued_certificate own({.common_name = "client", .used_by = net::certificate_request::use::client},
                                     &authority);
  const text_file certificate(own.certificate());
  const text_file key(own.key("secret"));
  net::server_tls_options options = test_certificates::server_options();
  options.client_certificates = client_certificate_mode::require;
  options.client_authorities = authority.certificate();
  const endpoint at = serve_tls(options);
  std::string seen;
  handle_with([&](http::exchange& exchange) -> task<> {
    seen = exchange.transport().tls()->peer_certificate->subject;
    co_await test::echo_or_400(exchange);
  });
  echo_through(client_with([&](auto& each) {
                 each.tls.authorities = authority_.path();
                 each.tls.certificate = {.certificate = certificate.path(), .key = key.path(), .password = "secret"};
               }),
               secure_url(at));
  EXPECT_EQ(seen, "CN=client");

  const auto failure = failure_of(trusting(), secure_url(at));
  EXPECT_EQ(failure.why(), cause::tls_failed);
  EXPECT_NE(std::string_view(failure.what()).find("certificate required"), std::string_view::npos) << failure.what();
}

TEST_P(WebsocketClientTls, SpeaksNoOtherVersionsThanItIsToldTo) {
  const endpoint at = serve_tls();
  std::string seen;
  handle_with([&](http::exchange& exchange) -> task<> {
    seen = exchange.transport().tls()->protocol;
    co_await test::echo_or_400(exchange);
  });
  const auto speaking = [this](tls_version least, tls_version most) {
    return client_with([&](auto& options) {
      options.tls.authorities = authority_.path();
      options.tls.least_version = least;
      options.tls.most_version = most;
    });
  };
  echo_through(speaking(tls_version::tls_1_2, tls_version::tls_1_3), secure_url(at));
  EXPECT_EQ(seen, "TLSv1.3");
  echo_through(speaking(tls_version::tls_1_2, tls_version::tls_1_2), secure_url(at));
  EXPECT_EQ(seen, "TLSv1.2");

  net::server_tls_options older = test_certificates::server_options();
  older.most = tls_version::tls_1_2;
  const auto failure = failure_of(speaking(tls_version::tls_1_3, tls_version::tls_1_3), secure_url(serve_tls(older)));
  EXPECT_EQ(failure.why(), cause::tls_failed);
  EXPECT_NE(std::string_view(failure.what()).find("protocol version"), std::string_view::npos) << failure.what();
}

TEST_P(WebsocketClientTls, AServerWithoutTlsIsNoServer) {
  const endpoint at = serve();
  const auto failure = failure_of(trusting(), secure_url(at));
  EXPECT_EQ(failure.why(), cause::tls_failed);
  EXPECT_NE(std::string_view(failure.what()).find("wrong version number"), std::string_view::npos) << failure.what();
}

TEST_P(WebsocketClientTls, GoesThroughTheTunnelOfAProxy) {
  server_ = std::make_shared<const net::server_tls>(test_certificates::server_options());
  std::string request;
  const endpoint proxy = listen(net::make_ip_address("127.0.0.1", 0), [&](net::transport& on) {
    return std::make_unique<tunnel>(on, *server_, make_http(), request);
  });
  const auto client = client_with([&](auto& options) {
    options.proxy = "http://" + proxy.to_string();
    options.tls.authorities = authority_.path();
  });
  echo_through(client, "wss://localhost/");
  EXPECT_TRUE(request.starts_with("CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n")) << request;
}

TEST_P(WebsocketClientTls, AServerThatSaysNothingRunsIntoTheTimeLimit) {
  const endpoint at = serve_silence();
  const auto client = client_with([](auto& options) { options.connect_timeout = std::chrono::milliseconds(20); });
  EXPECT_EQ(failure_of(client, secure_url(at)).why(), cause::timed_out);
}

TEST_P(WebsocketClientTls, AServerThatGoesWithinTheHandshakeIsNoted) {
  const endpoint at = listen(net::make_ip_address("127.0.0.1", 0), [this](net::transport& on) {
    on.close();
    return std::make_unique<test::raw_peer>(going_);
  });
  const auto failure = failure_of(trusting(), secure_url(at));
  EXPECT_EQ(failure.why(), cause::tls_failed);
  EXPECT_NE(std::string_view(failure.what()).find("the peer ended the connection during the handshake"),
            std::string_view::npos)
      << failure.what();
}

TEST(WebsocketClientTlsOptions, WhatCannotBeUsedIsNamed) {
  const auto refusal = [](const websocket_client_tls& tls) {
    try {
      const websocket_client client({.tls = tls});
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(refusal({.least_version = tls_version::tls_1_3, .most_version = tls_version::tls_1_2}),
            "the WebSocket client's option tls: no version of TLS is allowed: the least one is newer than the most");
  EXPECT_EQ(refusal({.authorities = "/nowhere.pem"}),
            "the WebSocket client's option tls: the file '/nowhere.pem' cannot be opened: No such file or directory");
  EXPECT_EQ(refusal({.certificate = {.certificate = "/nowhere.pem"}}),
            "the WebSocket client's option tls: the file '/nowhere.pem' cannot be opened: No such file or directory");
  EXPECT_EQ(refusal({.authorities = "/"}),
            "the WebSocket client's option tls: the file '/' cannot be read: it is no ordinary file");
  const text_file empty("");
  EXPECT_EQ(refusal({.authorities = empty.path()}),
            "the WebSocket client's option tls: the file '" + empty.path() + "' has nothing in it");
  const text_file large(std::string((std::size_t{1} << 20) + 1, 'x'));
  EXPECT_EQ(refusal({.authorities = large.path()}), "the WebSocket client's option tls: the file '" + large.path() +
                                                        "' is no certificate: it has more than 1 MiB");
  const text_file text("nothing of the kind");
  EXPECT_NE(refusal({.authorities = text.path()}).find("there is no certificate among them"), std::string::npos);
}

}  // namespace
}  // namespace windhover
