// TLS between two transports: what is agreed on, who is believed, and how it ends. What every transport does is tested
// over TLS too, in transport_test.cpp.
#include "net/tls_transport.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "net/memory_pipe.hpp"
#include "support/certificates.hpp"
#include "support/transports.hpp"
#include "support/virtual_engine.hpp"

namespace windhover::net {
namespace {

using namespace std::chrono_literals;
using test::bytes_of;
using test::issued_certificate;
using test::test_certificates;

constexpr std::size_t uncut = std::numeric_limits<std::size_t>::max();
const std::vector<std::size_t> cuts = {1, 2, 3, 4, 5, 6, 7, 8, 16, 31, uncut};

// What one end has seen. Drivers go with their transports.
struct seen_end {
  transport* stream = nullptr;
  std::string received;
  std::string failed;
  std::optional<tls_info> info;
  bool ended = false;
};

class noting_end final : public driver {
 public:
  noting_end(transport& on, seen_end& notes) noexcept : stream_(on), notes_(notes) { notes.stream = &on; }
  ~noting_end() override { notes_.stream = nullptr; }
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override {
    note_info();
    notes_.received += test::text_of(bytes);
    return bytes.size();
  }
  void on_writable() noexcept override { note_info(); }
  void on_end() noexcept override {
    notes_.ended = true;
    stream_.close();
  }
  void on_failure(const failure& why) noexcept override { notes_.failed = net::describe(why); }
  bool finished() const noexcept override { return true; }
  void drain() noexcept override { stream_.close(); }
  std::string describe() const override { return "a test"; }

 private:
  void note_info() {
    if (!notes_.info && stream_.tls() != nullptr) notes_.info = *stream_.tls();
  }
  transport& stream_;
  seen_end& notes_;
};

class Tls : public ::testing::Test {
 protected:
  // Both ends over a pipe. The server's driver sends a greeting as soon as there is one.
  void connect(const server_tls& server_with, const client_tls& client_with, const std::string& host = "localhost",
               std::size_t cut = uncut) {
    const auto [near, far] = memory_pipe::make(loop, cut);
    below_server = near;
    below_client = far;
    memory_pipe::set_driver(*near, serve_tls(*near, server_with, server_maker()));
    memory_pipe::set_driver(*far, connect_tls(*far, client_with, host, [this](transport& on) {
      return std::make_unique<noting_end>(on, client);
    }));
  }
  event_loop::driver_factory server_maker() {
    return [this](transport& on) {
      if (on.tls() != nullptr) server.info = *on.tls();
      on.queue_copy(bytes_of("hello"));
      return std::make_unique<noting_end>(on, server);
    };
  }
  void run() { test::run_idle(loop, 200); }
  // Ends everything; nothing may be left behind.
  void finish() {
    if (client.stream != nullptr) client.stream->close();
    run();
    EXPECT_TRUE(loop.describe_connections(1).empty());
  }

  event_loop loop{std::make_unique<test::virtual_engine>()};
  seen_end server;
  seen_end client;
  pipe_end* below_server = nullptr;
  pipe_end* below_client = nullptr;
};

TEST_F(Tls, AgreesOnTheNewestVersionAndAProtocolAboveIt) {
  server_tls_options server_options = test_certificates::server_options();
  server_options.application_protocols = {"h2", "http/1.1"};
  client_tls_options client_options = test_certificates::client_options();
  client_options.application_protocols = {"http/1.1", "h2"};
  connect(server_tls(server_options), client_tls(client_options));
  run();
  EXPECT_EQ(client.received, "hello");
  ASSERT_TRUE(server.info);
  EXPECT_EQ(server.info->protocol, "TLSv1.3");
  EXPECT_EQ(server.info->cipher_suite, "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(server.info->application_protocol, "h2") << "the server's order counts";
  EXPECT_EQ(server.info->server_name, "localhost");
  EXPECT_FALSE(server.info->session_resumed);
  EXPECT_FALSE(server.info->peer_certificate);
  ASSERT_TRUE(client.info);
  EXPECT_EQ(client.info->application_protocol, "h2");
  ASSERT_TRUE(client.info->peer_certificate);
  EXPECT_EQ(client.info->peer_certificate->subject, "CN=localhost");
  finish();
  EXPECT_EQ(client.failed, "");
  EXPECT_EQ(server.failed, "");
}

TEST_F(Tls, AClientWithNoneOfTheServersProtocolsIsRefused) {
  client_tls_options client_options = test_certificates::client_options();
  client_options.application_protocols = {"spdy/3"};
  connect(server_tls(test_certificates::server_options()), client_tls(client_options));
  run();
  EXPECT_EQ(client.failed, "TLS failed: tlsv1 alert no application protocol");
  finish();
}

TEST_F(Tls, AClientWithoutProtocolsIsServed) {
  client_tls_options client_options = test_certificates::client_options();
  client_options.application_protocols.clear();
  connect(server_tls(test_certificates::server_options()), client_tls(client_options));
  run();
  EXPECT_EQ(server.info->application_protocol, "");
  EXPECT_EQ(client.received, "hello");
  finish();
}

TEST_F(Tls, WorksWhereverTheStreamIsCut) {
  const server_tls server_with(test_certificates::server_options());
  const client_tls client_with(test_certificates::client_options());
  for (const std::size_t cut : cuts) {
    server = {};
    client = {};
    connect(server_with, client_with, "localhost", cut);
    client.stream->queue_copy(bytes_of("said before the handshake"));
    run();
    EXPECT_EQ(server.received, "said before the handshake") << cut;
    EXPECT_EQ(client.received, "hello") << cut;
    finish();
    EXPECT_EQ(client.failed + server.failed, "") << cut;
    EXPECT_TRUE(server.ended) << cut;
  }
}

// ----- Who is believed

TEST_F(Tls, AServerThatNobodyVouchesForIsNotBelieved) {
  const issued_certificate other({.common_name = "Other Authority", .used_by = certificate_request::use::authority});
  client_tls_options client_options;
  client_options.authorities = other.certificate();
  connect(server_tls(test_certificates::server_options()), client_tls(client_options));
  run();
  EXPECT_EQ(client.failed, "TLS failed: unable to get local issuer certificate");
  EXPECT_EQ(client.received, "");
  finish();
}

TEST_F(Tls, AServerWithAnotherNameIsNotBelieved) {
  const server_tls server_with(test_certificates::server_options());
  for (const std::string host : {"example.com", "127.0.0.2", "::2"}) {
    client = {};
    connect(server_with, client_tls(test_certificates::client_options()), host);
    run();
    const bool is_name = host == "example.com";
    EXPECT_EQ(client.failed, is_name ? "TLS failed: hostname mismatch" : "TLS failed: IP address mismatch");
    finish();
  }
  for (const std::string host : {"localhost", "LOCALHOST", "127.0.0.1", "::1"}) {
    client = {};
    connect(server_with, client_tls(test_certificates::client_options()), host);
    run();
    EXPECT_EQ(client.received, "hello") << host;
    finish();
  }
}

TEST_F(Tls, AnExpectedNameStandsForTheHost) {
  client_tls_options client_options = test_certificates::client_options();
  client_options.expected_name = "localhost";
  connect(server_tls(test_certificates::server_options()), client_tls(client_options), "10.0.0.1");
  run();
  EXPECT_EQ(client.received, "hello");
  EXPECT_EQ(server.info->server_name, "localhost");
  finish();
}

TEST_F(Tls, AnExpiredCertificateIsNotBelieved) {
  const issued_certificate expired({.common_name = "localhost", .names = {"localhost"}, .begins = -48h, .ends = -24h},
                                   &test_certificates::all().authority);
  server_tls_options server_options;
  server_options.certificates = {expired.pair()};
  connect(server_tls(server_options), client_tls(test_certificates::client_options()));
  run();
  EXPECT_EQ(client.failed, "TLS failed: certificate has expired");
  finish();
}

TEST_F(Tls, WithoutVerificationAnybodyIsBelieved) {
  client_tls_options client_options;
  client_options.verify = false;
  connect(server_tls(test_certificates::server_options()), client_tls(client_options), "example.com");
  run();
  EXPECT_EQ(client.received, "hello");
  finish();
}

TEST_F(Tls, TheNameThatAClientAsksForChoosesTheCertificate) {
  const auto& authority = test_certificates::all().authority;
  const issued_certificate second({.common_name = "second", .names = {"second.example"}}, &authority);
  const issued_certificate any({.common_name = "any", .names = {"*.any.example"}}, &authority);
  const issued_certificate renamed({.common_name = "renamed", .names = {"renamed.example"}}, &authority);
  server_tls_options server_options = test_certificates::server_options();
  server_options.certificates.push_back(second.pair());
  server_options.certificates.push_back(any.pair());
  server_options.certificates.push_back(renamed.pair());
  server_options.certificates.back().server_names = {"alias.example"};
  const server_tls server_with(server_options);
  client_tls_options trusting;
  trusting.verify = false;
  const client_tls client_with(trusting);
  const auto shown_for = [&](const std::string& host) {
    client = {};
    connect(server_with, client_with, host);
    run();
    const std::string subject = client.info ? client.info->peer_certificate->subject : "none";
    finish();
    return subject;
  };
  EXPECT_EQ(shown_for("localhost"), "CN=localhost");
  EXPECT_EQ(shown_for("second.example"), "CN=second");
  EXPECT_EQ(shown_for("SECOND.example"), "CN=second");
  EXPECT_EQ(shown_for("one.any.example"), "CN=any");
  EXPECT_EQ(shown_for("any.example"), "CN=localhost");
  EXPECT_EQ(shown_for("one.two.any.example"), "CN=localhost");
  EXPECT_EQ(shown_for("alias.example"), "CN=renamed");
  EXPECT_EQ(shown_for("renamed.example"), "CN=localhost");
  EXPECT_EQ(shown_for("127.0.0.1"), "CN=localhost");
}

TEST_F(Tls, AClientShowsItsCertificateWhereOneIsAskedFor) {
  const auto& authority = test_certificates::all().authority;
  const issued_certificate own({.common_name = "client", .used_by = certificate_request::use::client}, &authority);
  const issued_certificate strangers({.common_name = "stranger", .used_by = certificate_request::use::client});
  const auto attempt = [&](client_certificate_mode mode, const issued_certificate* shown) {
    server = {};
    client = {};
    server_tls_options server_options = test_certificates::server_options();
    server_options.client_certificates = mode;
    server_options.client_authorities = authority.certificate();
    client_tls_options client_options = test_certificates::client_options();
    if (shown != nullptr) client_options.certificate = shown->pair();
    connect(server_tls(server_options), client_tls(client_options));
    run();
    std::string outcome = client.received;
    if (server.info && server.info->peer_certificate) outcome += " " + server.info->peer_certificate->subject;
    outcome += client.failed;
    finish();
    return outcome;
  };
  using mode = client_certificate_mode;
  EXPECT_EQ(attempt(mode::none, &own), "hello");
  EXPECT_EQ(attempt(mode::allow, nullptr), "hello");
  EXPECT_EQ(attempt(mode::allow, &own), "hello CN=client");
  EXPECT_EQ(attempt(mode::allow, &strangers), "TLS failed: tlsv1 alert unknown ca");
  EXPECT_EQ(attempt(mode::require, &own), "hello CN=client");
  EXPECT_EQ(attempt(mode::require, nullptr), "TLS failed: tlsv13 alert certificate required");
}

// ----- Exchanging certificates

TEST_F(Tls, NewCertificatesAreForNewConnections) {
  server_tls server_with(test_certificates::server_options());
  const client_tls client_with(test_certificates::client_options());
  connect(server_with, client_with);
  run();
  seen_end& old_client = client;
  transport* const old_stream = old_client.stream;
  const issued_certificate renewed({.common_name = "renewed", .names = {"localhost"}},
                                   &test_certificates::all().authority);
  server_tls_options replacing;
  replacing.certificates = {renewed.pair()};
  server_with.replace(replacing);

  seen_end new_client;
  const auto [near, far] = memory_pipe::make(loop);
  memory_pipe::set_driver(*near, serve_tls(*near, server_with, server_maker()));
  memory_pipe::set_driver(*far, connect_tls(*far, client_with, "localhost", [&](transport& on) {
    return std::make_unique<noting_end>(on, new_client);
  }));
  run();
  ASSERT_TRUE(new_client.info);
  EXPECT_EQ(new_client.info->peer_certificate->subject, "CN=renewed");
  EXPECT_EQ(client.stream, old_stream) << "the old connection is still there";
  EXPECT_EQ(client.failed, "");
  new_client.stream->close();
  finish();
}

TEST_F(Tls, ABadReplacementChangesNothing) {
  server_tls server_with(test_certificates::server_options());
  server_tls_options replacing = test_certificates::server_options();
  replacing.certificates[0].key = test_certificates::all().authority.key();
  EXPECT_THROW(server_with.replace(replacing), tls_error);
  replacing.certificates.clear();
  EXPECT_THROW(server_with.replace(replacing), tls_error);
  connect(server_with, client_tls(test_certificates::client_options()));
  run();
  EXPECT_EQ(client.received, "hello");
  finish();
}

TEST_F(Tls, AuthoritiesWithoutACertificateAreRefused) {
  client_tls_options client_options;
  client_options.authorities = "nothing of the kind";
  EXPECT_THROW(client_tls{client_options}, tls_error);
}

// ----- Hostile peers, and ends

TEST_F(Tls, ARequestWithoutTlsIsRefused) {
  const auto [near, far] = memory_pipe::make(loop);
  const server_tls server_with(test_certificates::server_options());
  memory_pipe::set_driver(*near, serve_tls(*near, server_with, server_maker()));
  seen_end raw;
  memory_pipe::set_driver(*far, std::make_unique<noting_end>(*far, raw));
  far->queue_copy(bytes_of("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  run();
  EXPECT_TRUE(raw.ended) << "the connection ends";
  EXPECT_EQ(server.stream, nullptr) << "nobody above was ever told of it";
  EXPECT_TRUE(loop.describe_connections(1).empty());
}

TEST_F(Tls, AHandshakeThatTakesTooLongIsEnded) {
  const auto [near, far] = memory_pipe::make(loop);
  const server_tls server_with(test_certificates::server_options());
  memory_pipe::set_driver(*near, serve_tls(*near, server_with, server_maker()));
  seen_end raw;
  memory_pipe::set_driver(*far, std::make_unique<noting_end>(*far, raw));
  const time_point start = loop.now();
  test::run_until(loop, [&] { return raw.stream == nullptr; });
  EXPECT_EQ(loop.now() - start, 10s);
  EXPECT_EQ(raw.failed, "the peer reset the connection");
  run();
  EXPECT_TRUE(loop.describe_connections(1).empty());
}

TEST_F(Tls, AClientWhoseServerSaysNothingGivesUp) {
  const auto [near, far] = memory_pipe::make(loop);
  client_tls_options client_options = test_certificates::client_options();
  client_options.handshake_timeout = 3s;
  const client_tls client_with(client_options);
  seen_end raw;
  memory_pipe::set_driver(*near, std::make_unique<noting_end>(*near, raw));
  memory_pipe::set_driver(*far, connect_tls(*far, client_with, "localhost", [this](transport& on) {
    return std::make_unique<noting_end>(on, client);
  }));
  test::run_until(loop, [&] { return client.stream == nullptr; });
  EXPECT_EQ(client.failed, "TLS failed: the handshake took too long");
  run();
  EXPECT_TRUE(loop.describe_connections(1).empty());
}

// Somebody between two pipes, with an end of each.
struct passage {
  enum class act { flip, end, abort };
  act what = act::flip;
  std::size_t left = 0;     // bytes, up to the one that it is done to; 0 from then on
  transport* ends[2] = {};  // none once it is gone
};

// Passes bytes on to the other end. The acting one of the two does something to one of them.
class meddler final : public driver {
 public:
  meddler(passage& through, int side, bool acts) noexcept : through_(through), side_(side), acts_(acts) {}
  ~meddler() override { through_.ends[side_] = nullptr; }
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override {
    for (const std::byte each : bytes) pass(each);
    return bytes.size();
  }
  void on_writable() noexcept override {}
  void on_end() noexcept override {
    if (transport* const to = other()) to->close();
  }
  void on_failure(const failure&) noexcept override {
    if (transport* const to = other()) to->abort();
  }
  bool finished() const noexcept override { return true; }
  void drain() noexcept override {}
  std::string describe() const override { return "a meddler"; }

 private:
  transport* other() const noexcept { return through_.ends[1 - side_]; }
  void pass(std::byte each) noexcept {
    transport* const to = other();
    if (to == nullptr) return;
    if (acts_ && through_.left > 0 && --through_.left == 0) {
      if (through_.what == passage::act::flip) each ^= std::byte{0x10};
      if (through_.what == passage::act::end) to->close();
      if (through_.what == passage::act::abort) to->abort();
    }
    to->queue_copy({&each, 1});
  }

  passage& through_;
  int side_;
  bool acts_;
};

// Each byte of a whole conversation, in both directions: changed, or the last one. Whatever is delivered is right, and
// nothing is left behind.
TEST_F(Tls, AnyByteMayBeWrongOrTheLast) {
  const server_tls server_with(test_certificates::server_options());
  const client_tls client_with(test_certificates::client_options());
  for (const bool to_server : {true, false}) {
    for (const auto what : {passage::act::flip, passage::act::end, passage::act::abort}) {
      for (std::size_t at = 1; at < 3000; at += 3) {
        passage way{.what = what, .left = at};
        seen_end its_server;
        seen_end its_client;
        event_loop own{std::make_unique<test::virtual_engine>()};
        const auto [near, towards_near] = memory_pipe::make(own);
        const auto [towards_far, far] = memory_pipe::make(own);
        way.ends[0] = towards_near;
        way.ends[1] = towards_far;
        memory_pipe::set_driver(*towards_near, std::make_unique<meddler>(way, 0, !to_server));
        memory_pipe::set_driver(*towards_far, std::make_unique<meddler>(way, 1, to_server));
        memory_pipe::set_driver(*near, serve_tls(*near, server_with, [&](transport& on) {
          on.queue_copy(bytes_of("hello"));
          return std::make_unique<noting_end>(on, its_server);
        }));
        memory_pipe::set_driver(*far, connect_tls(*far, client_with, "localhost", [&](transport& on) {
          return std::make_unique<noting_end>(on, its_client);
        }));
        its_client.stream->queue_copy(bytes_of("good day"));
        test::run_idle(own, 60);
        const bool acted = way.left == 0;
        if (its_client.stream != nullptr) its_client.stream->close();
        test::run_idle(own, 60);
        if (!own.describe_connections(1).empty()) {
          // A length that was changed makes its reader wait for more; the time limits end that.
          own.abort_all();
          test::run_idle(own, 20);
        }
        EXPECT_TRUE(std::string_view("good day").starts_with(its_server.received));
        EXPECT_TRUE(std::string_view("hello").starts_with(its_client.received));
        EXPECT_TRUE(own.describe_connections(1).empty()) << at;
        if (!acted) break;
      }
    }
  }
}

TEST_F(Tls, OutputWaitsAboveTheMarkOfTheTransportBelow) {
  connect(server_tls(test_certificates::server_options()), client_tls(test_certificates::client_options()));
  run();
  // The server's end does not read, and so its pipe is full at once.
  below_server->set_sink(*[] {
    static struct stubborn final : sink {
      std::size_t on_bytes(std::span<const std::byte>) noexcept override { return 0; }
      void on_writable() noexcept override {}
      void on_end() noexcept override {}
      void on_failure(const failure&) noexcept override {}
    } never;
    return &never;
  }());
  client.stream->queue(base::copy_of(bytes_of(std::string(4'000'000, 'x'))));
  run();
  EXPECT_LT(below_client->queued_bytes(), 200'000U) << "most of it is not encrypted before there is room";
  EXPECT_GE(client.stream->queued_bytes(), 3'900'000U);
  EXPECT_TRUE(client.stream->above_high_water());
  loop.abort_all();
  run();
  EXPECT_TRUE(loop.describe_connections(1).empty());
}

// The loop serves objects one after the other; here TLS is served, and gone, before the transport that it stood on.
TEST_F(Tls, MayBeAbortedByAnotherConnectionInTheSameIteration) {
  connect(server_tls(test_certificates::server_options()), client_tls(test_certificates::client_options()));
  run();
  test::recording_driver paused(*server.stream);
  paused.take = 0;
  server.stream->set_sink(paused);
  client.stream->queue_copy(bytes_of("not taken"));
  run();
  ASSERT_TRUE(server.stream->reading_paused());
  test::joined_pair other = test::join(loop, test::kind_of_transport::pipe);
  other.first_driver->then = [&](std::size_t) { server.stream->abort(); };
  other.second->queue_copy(bytes_of("x"));
  loop.mailbox()->post([&] { server.stream->resume_reading(); });
  run();
  EXPECT_EQ(server.stream, nullptr) << "it has gone";
  EXPECT_FALSE(client.failed.empty() && !client.ended);
  other.first->abort();
  other.first_driver->finish();
  other.second_driver->finish();
  finish();
}

TEST_F(Tls, DrainingEndsAHandshakeThatIsUnderWay) {
  const auto [near, far] = memory_pipe::make(loop);
  const server_tls server_with(test_certificates::server_options());
  memory_pipe::set_driver(*near, serve_tls(*near, server_with, server_maker()));
  seen_end raw;
  memory_pipe::set_driver(*far, std::make_unique<noting_end>(*far, raw));
  loop.drain_all();
  run();
  EXPECT_TRUE(loop.describe_connections(1).empty());
}

}  // namespace
}  // namespace windhover::net
