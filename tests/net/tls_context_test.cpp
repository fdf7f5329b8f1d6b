// Which version of TLS a server and a client agree on. What else their options say is tested in tls_transport_test.cpp.
#include "net/tls_context.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "net/memory_pipe.hpp"
#include "support/certificates.hpp"
#include "support/transports.hpp"
#include "support/virtual_engine.hpp"

namespace windhover::net {
namespace {

using test::test_certificates;
constexpr tls_version v1_2 = tls_version::tls_1_2;
constexpr tls_version v1_3 = tls_version::tls_1_3;

// Says why the client has failed, and goes with its transport.
class client_end final : public driver {
 public:
  explicit client_end(std::string& outcome) noexcept : outcome_(outcome) {}
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override { return bytes.size(); }
  void on_writable() noexcept override {}
  void on_end() noexcept override {}
  void on_failure(const failure& why) noexcept override {
    if (outcome_.empty()) outcome_ = net::describe(why);
  }
  bool finished() const noexcept override { return true; }
  void drain() noexcept override {}
  std::string describe() const override { return "a test"; }

 private:
  std::string& outcome_;
};

// What the server sees of the connection, or why there is none.
std::string agreed(const server_tls_options& server_options, const client_tls_options& client_options) {
  const server_tls server(server_options);
  const client_tls client(client_options);
  event_loop loop(std::make_unique<test::virtual_engine>());
  std::string outcome;
  const auto [near, far] = memory_pipe::make(loop);
  memory_pipe::set_driver(*near, serve_tls(*near, server, [&](transport& on) {
    outcome = on.tls()->protocol + " " + on.tls()->cipher_suite;
    auto made = std::make_unique<test::recording_driver>(on);
    made->is_finished = true;
    return made;
  }));
  memory_pipe::set_driver(
      *far, connect_tls(*far, client, "localhost", [&](transport&) { return std::make_unique<client_end>(outcome); }));
  test::run_idle(loop, 50);
  loop.abort_all();
  test::run_idle(loop);
  EXPECT_TRUE(loop.describe_connections(1).empty());
  return outcome;
}

std::string agreed(tls_version server_least, tls_version server_most, tls_version client_least,
                   tls_version client_most) {
  server_tls_options server_options = test_certificates::server_options();
  server_options.least = server_least;
  server_options.most = server_most;
  client_tls_options client_options = test_certificates::client_options();
  client_options.least = client_least;
  client_options.most = client_most;
  return agreed(server_options, client_options);
}

TEST(TlsContext, AgreesOnTheNewestVersionThatBothAllow) {
  const std::string newer = "TLSv1.3 TLS_AES_128_GCM_SHA256";
  const std::string older = "TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
  EXPECT_EQ(agreed(v1_2, v1_3, v1_2, v1_3), newer);
  EXPECT_EQ(agreed(v1_3, v1_3, v1_2, v1_3), newer);
  EXPECT_EQ(agreed(v1_2, v1_3, v1_3, v1_3), newer);
  EXPECT_EQ(agreed(v1_2, v1_2, v1_2, v1_3), older);
  EXPECT_EQ(agreed(v1_2, v1_3, v1_2, v1_2), older);
  EXPECT_EQ(agreed(v1_2, v1_2, v1_2, v1_2), older);
}

TEST(TlsContext, RefusesWhomNoVersionIsSharedWith) {
  EXPECT_EQ(agreed(v1_2, v1_2, v1_3, v1_3), "TLS failed: tlsv1 alert protocol version");
  EXPECT_EQ(agreed(v1_3, v1_3, v1_2, v1_2), "TLS failed: tlsv1 alert protocol version");
}

TEST(TlsContext, OptionsThatLeaveNoVersionAreRefused) {
  server_tls_options server_options = test_certificates::server_options();
  server_options.least = v1_3;
  server_options.most = v1_2;
  EXPECT_THROW(server_tls{server_options}, tls_error);
  // Also where nothing else is read before the first connection.
  client_tls_options client_options;
  client_options.least = v1_3;
  client_options.most = v1_2;
  EXPECT_THROW(client_tls{client_options}, tls_error);
}

TEST(TlsContext, AllCertificatesOfAServerHaveItsVersions) {
  const test::issued_certificate second({.common_name = "second", .names = {"localhost"}},
                                        &test_certificates::all().authority);
  server_tls_options server_options = test_certificates::server_options();
  server_options.certificates.front().server_names = {"first.example"};
  server_options.certificates.push_back(second.pair());
  server_options.most = v1_2;
  EXPECT_TRUE(agreed(server_options, test_certificates::client_options()).starts_with("TLSv1.2 "));
}

// A part of those that were meant would be trusted without a word.
TEST(TlsContext, AuthoritiesOfWhichOneIsBrokenAreRefused) {
  client_tls_options options = test_certificates::client_options();
  const std::string broken = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
  options.authorities += broken;
  EXPECT_THROW(client_tls{options}, tls_error);
  options.authorities = "no certificate";
  EXPECT_THROW(client_tls{options}, tls_error);
  options.authorities = test_certificates::all().authority.certificate() + "and a remark\n";
  EXPECT_NO_THROW(client_tls{options});
}

}  // namespace
}  // namespace windhover::net
