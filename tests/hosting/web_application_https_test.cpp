// An application that listens with TLS: where its certificates come from, what a handler sees of the connection, and
// how certificates are exchanged while connections live.
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hosting/development_certificate.hpp"
#include "hosting/error_text.hpp"
#include "hosting/https_application.hpp"
#include "net/self_signed_certificate.hpp"
#include "support/tls_client.hpp"

namespace windhover::hosting {
namespace {

using test::tls_client;

class Https : public https_application {};

TEST_P(Https, AHandlerSeesTheSchemeAndWhatTheHandshakeHasAgreedOn) {
  write("example", {.common_name = "example"});
  make_https({"--urls", "https://127.0.0.1:0;http://127.0.0.1:0"}).use_https({.certificate = files("example")});
  app->map("/tell", tell);
  start();
  tls_client client(url, {.server_name = "a.example", .protocols = "\x08http/1.1"});
  EXPECT_EQ(client.protocol(), "http/1.1");
  EXPECT_EQ(client.get("/tell").body, "https\nTLSv1.3\na.example\nhttp/1.1");
  EXPECT_EQ(tls_client(url, {.most_version = TLS1_2_VERSION}).get("/tell").body, "https\nTLSv1.2\n\n");
  EXPECT_EQ(test::http_client(app->urls().at(1)).get("/tell").body, "http");
}

TEST_P(Https, TheVersionsOfHttpAreThoseOfTheAddress) {
  write("example", {.common_name = "example"});
  constexpr const char* both = "\x02h2\x08http/1.1";
  const auto agreed = [&](http_protocols protocols, const char* offered) {
    make_https().use_https({.certificate = files("example"), .protocols = protocols});
    start();
    std::string agreed_on;
    try {
      agreed_on = tls_client(url, {.protocols = offered}).protocol();
    } catch (const std::runtime_error&) {
      agreed_on = "refused";
    }
    EXPECT_EQ(stop(), 0);
    return agreed_on;
  };
  EXPECT_EQ(agreed(http_protocols::http1_and_http2, both), "h2");
  EXPECT_EQ(agreed(http_protocols::http1_and_http2, "\x08http/1.1"), "http/1.1");
  EXPECT_EQ(agreed(http_protocols::http1, both), "http/1.1");
  EXPECT_EQ(agreed(http_protocols::http2, both), "h2");
  EXPECT_EQ(agreed(http_protocols::http2, "\x08http/1.1"), "refused");
}

TEST_P(Https, AnEndpointWithoutTlsSpeaksTheVersionThatItIsToldTo) {
  make({"--Windhover:Endpoints:A:Url=http://127.0.0.1:0", "--Windhover:Endpoints:A:Protocols=Http2",
        "--Windhover:Endpoints:B:Url=http://127.0.0.1:0", "--Windhover:Endpoints:B:Protocols=Http1"});
  app->map("/hello", hello);
  start();
  // RFC 9113, section 3.4: the preface, and SETTINGS without any.
  const std::string begin_of_http2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\x04\0\0\0\0\0", 9);
  test::http_client speaks_http2(url);
  speaks_http2.send(begin_of_http2);
  EXPECT_EQ(speaks_http2.read(9)[3], '\x04');  // SETTINGS
  test::http_client speaks_http1(app->urls().at(1));
  EXPECT_EQ(speaks_http1.get("/hello").body, "hello");
  speaks_http1.send(begin_of_http2);
  EXPECT_NE(speaks_http1.read_answer().status, 200);
}

// RFC 6066, section 4.
TEST_P(Https, AClientThatWantsSmallRecordsGetsEverything) {
  write("example", {.common_name = "example"});
  make_https().use_https({.certificate = files("example")});
  std::string large;
  while (large.size() < 50'000) large += std::to_string(large.size()) + ' ';
  app->map("/large", [large](http_context& context) -> task<> {
    context.response().header("Content-Length", std::to_string(large.size()));
    co_await context.response().write(large);
  });
  start();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    tls_client client(url, {.most_version = version, .largest_record = TLSEXT_max_fragment_length_512});
    EXPECT_TRUE(client.get("/large").body == large) << version;
    EXPECT_TRUE(client.get("/large").body == large) << "and the stream is still in order";
  }
}

TEST_P(Https, SessionsAreResumedWhereClientsShowNoCertificates) {
  write("example", {.common_name = "example"});
  const auto resumes = [&](client_certificate_mode mode, int version) {
    make_https().use_https({.certificate = files("example"), .client_certificates = mode});
    app->map("/hello", hello);
    start();
    tls_client first(url, {.most_version = version});
    EXPECT_EQ(first.get("/hello").body, "hello");  // the ticket comes before
    tls_client second(url, {.most_version = version, .session = first.session()});
    EXPECT_EQ(second.get("/hello").body, "hello");
    const bool resumed = second.resumed();
    EXPECT_EQ(stop(), 0);
    return resumed;
  };
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    EXPECT_TRUE(resumes(client_certificate_mode::none, version));
    EXPECT_FALSE(resumes(client_certificate_mode::allow, version)) << "each handshake verifies";
  }
}

TEST_P(Https, AClientMayChangeItsKeysButNotAllTheTime) {
  write("example", {.common_name = "example"});
  make_https().use_https({.certificate = files("example")});
  app->map("/hello", hello);
  start();
  tls_client client(url);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(client.change_keys());
    EXPECT_EQ(client.get("/hello").body, "hello");
  }
  // It does not read the answers, which the server would have to keep.
  int changed = 0;
  while (changed < 1'000'000 && client.change_keys()) ++changed;
  EXPECT_LT(changed, 1'000'000);
  EXPECT_EQ(tls_client(url).get("/hello").body, "hello");
}

TEST_P(Https, APageOfTheSameOriginMayOpenAWebSocket) {
  write("example", {.common_name = "example"});
  make_https().use_https({.certificate = files("example")});
  app->use_websockets({.same_origin = true});
  app->map_websocket("/ws", echo);
  start();
  const auto status = [&](const std::string& origin) {
    return tls_client(url).get("/ws", "a.example", test::handshake("Origin: " + origin + "\r\n")).status;
  };
  EXPECT_EQ(status("https://a.example"), 101);
  EXPECT_EQ(status("http://a.example"), 403);
}

TEST_P(Https, WebSocketsSee1001WhenTheApplicationStops) {
  write("example", {.common_name = "example"});
  make_https().use_https({.certificate = files("example")});
  app->use_websockets();
  app->map_websocket("/ws", echo);
  start();
  std::optional<tls_client> client(std::in_place, url);
  EXPECT_EQ(client->get("/ws", "localhost", test::handshake()).status, 101);
  app->stop();
  std::thread peer([&] {
    const std::string head = client->read(2);
    EXPECT_EQ(head[0], '\x88');
    EXPECT_TRUE(client->read(static_cast<std::size_t>(head[1])).starts_with("\x03\xe9"));
    client->send(test::websocket_client::frame(wire::opcode::close, std::string_view("\x03\xe9", 2)));
    client.reset();
  });
  EXPECT_EQ(app->wait(), 0);
  peer.join();
}

TEST_P(Https, AWebSocketIsServed) {
  write("example", {.common_name = "example"});
  make_https().use_https({.certificate = files("example")});
  app->use_websockets();
  app->map_websocket("/ws", echo);
  start();
  tls_client client(url);
  EXPECT_EQ(client.get("/ws", "localhost", test::handshake()).status, 101);
  client.send(test::websocket_client::frame(wire::opcode::text, "hello"));
  EXPECT_EQ(client.read(7), "\x81\x05hello");
}

// ----- Where certificates come from

TEST_P(Https, ACertificateIsReadInEachOfItsForms) {
  const net::made_certificate made = write("pair", {.common_name = "pair"});
  folder.write("both.pem", made.certificate + made.key);
  folder.write("locked.key", net::encrypted_key(made.key, "secret"));
  folder.write("file.pfx", net::pkcs12_file(made, "secret", "pair"));
  for (const certificate_files& each :
       {files("pair"), certificate_files{"both.pem"}, certificate_files{"pair.pem", "locked.key", "secret"},
        certificate_files{"file.pfx", "", "secret"}, certificate_files{(folder.path() / "both.pem").string()}}) {
    make_https().use_https({.certificate = each});
    start();
    EXPECT_EQ(subject(), "CN=pair") << each.certificate << " " << each.key;
    EXPECT_EQ(stop(), 0);
  }
}

TEST_P(Https, TheConfigurationGoesBeforeTheCode) {
  for (const char* each : {"code", "default", "endpoint"}) write(each, {.common_name = each});
  const std::vector<std::string> defaults{"--Windhover:Certificates:Default:Path=default.pem",
                                          "--Windhover:Certificates:Default:KeyPath=default.key"};
  make_https(defaults).use_https({.certificate = files("code")});
  start();
  EXPECT_EQ(subject(), "CN=default");
  EXPECT_EQ(stop(), 0);

  std::vector<std::string> endpoint = defaults;
  endpoint.insert(endpoint.end(), {"--Windhover:Endpoints:A:Url=https://127.0.0.1:0",
                                   "--Windhover:Endpoints:A:Certificate:Path=endpoint.pem",
                                   "--Windhover:Endpoints:A:Certificate:KeyPath=endpoint.key"});
  make_https(endpoint).use_https({.certificate = files("code")});
  start();
  EXPECT_EQ(subject(), "CN=endpoint");
}

TEST_P(Https, EndpointsTakeThePlaceOfUrlsAndTheLogSaysSo) {
  make({"--Windhover:Endpoints:Only:Url=http://127.0.0.1:0"});
  start();
  EXPECT_EQ(app->urls().size(), 1U);
  EXPECT_TRUE(
      log.has("Overriding address(es) 'http://127.0.0.1:0': binding to the endpoints of the configuration instead"));
}

TEST_P(Https, AHostHasItsOwnCertificate) {
  for (const char* each : {"a", "b"}) write(each, {.common_name = each});
  // What it is valid for besides does not matter.
  write("first", {.common_name = "first", .names = {"first.example", "a.example", "www.b.example"}});
  make_https({"--Windhover:Endpoints:A:Url=https://127.0.0.1:0", "--Windhover:Endpoints:A:Certificate:Path=first.pem",
              "--Windhover:Endpoints:A:Certificate:KeyPath=first.key",
              "--Windhover:Endpoints:A:Sni:a.example:Certificate:Path=a.pem",
              "--Windhover:Endpoints:A:Sni:a.example:Certificate:KeyPath=a.key",
              "--Windhover:Endpoints:A:Sni:*.b.example:Certificate:Path=b.pem",
              "--Windhover:Endpoints:A:Sni:*.b.example:Certificate:KeyPath=b.key"});
  start();
  EXPECT_EQ(subject("a.example"), "CN=a");
  EXPECT_EQ(subject("www.b.example"), "CN=b");
  EXPECT_EQ(subject("b.example"), "CN=first");
  EXPECT_EQ(subject("c.example"), "CN=first");
  EXPECT_EQ(subject(), "CN=first");
}

TEST_P(Https, TheHostsOfTheCodeAreServedAndAnyHostIsTheFirst) {
  for (const char* each : {"any", "a"}) write(each, {.common_name = each});
  make_https().use_https({.host_certificates = {{"a.example", files("a")}, {"*", files("any")}}});
  start();
  EXPECT_EQ(subject("a.example"), "CN=a");
  EXPECT_EQ(subject("b.example"), "CN=any");
}

TEST_P(Https, WithoutACertificateTheOneForDevelopmentIsServed) {
  development_certificate().make();
  make_https();
  start();
  EXPECT_EQ(subject(), "CN=localhost,O=Windhover development certificate");
  EXPECT_TRUE(log.has("is served with the development certificate"));
}

TEST_P(Https, WithoutAnyCertificateTheErrorNamesTheRemedy) {
  make_https();
  EXPECT_EQ(
      start_error(),
      "https://127.0.0.1:0 has no certificate: name its files (Windhover:Certificates:Default:Path and KeyPath, or "
      "use_https in the code); for development, make one with 'windhover dev-certs'");
}

TEST_P(Https, ADevelopmentCertificateThatCannotServeIsAnError) {
  write("over", {.common_name = "localhost", .begins = std::chrono::days(-2), .ends = std::chrono::days(-1)});
  const development_certificate own;
  std::filesystem::create_directories(own.folder());
  std::filesystem::copy_file(folder.path() / "over.pem", own.certificate_file());
  make_https();
  EXPECT_EQ(start_error(),
            "https://127.0.0.1:0 has no certificate, and the one for development is unusable: make one with 'windhover "
            "dev-certs'");
  std::filesystem::copy_file(folder.path() / "over.key", own.key_file());
  make_https();
  EXPECT_EQ(start_error(),
            "https://127.0.0.1:0 has no certificate, and the one for development has expired: make one with 'windhover "
            "dev-certs'");
}

TEST_P(Https, FilesThatCannotBeUsedAreNamed) {
  make_https().use_https({.certificate = files("nowhere")});
  EXPECT_EQ(start_error(), "https://127.0.0.1:0: the file '" + (folder.path() / "nowhere.pem").string() +
                               "' cannot be opened: No such file or directory");
  write("a", {.common_name = "a"});
  write("b", {.common_name = "b"});
  make_https().use_https({.certificate = {"a.pem", "b.key"}});
  const std::string error = start_error();
  EXPECT_TRUE(error.starts_with("https://127.0.0.1:0: ")) << error;
  EXPECT_NE(error.find((folder.path() / "a.pem").string()), std::string::npos) << error;
}

TEST_P(Https, AnExpiredCertificateIsServedWithAWarning) {
  write("over", {.common_name = "over", .begins = std::chrono::days(-2), .ends = std::chrono::days(-1)});
  make_https().use_https({.certificate = files("over")});
  start();
  EXPECT_EQ(subject(), "CN=over");
  EXPECT_TRUE(log.has("over.pem' has expired: CN=over, valid until "));
}

// ----- Clients with certificates

TEST_P(Https, ACertificateThatIsRequiredIsSeenByTheHandler) {
  write("example", {.common_name = "example"});
  const net::made_certificate authority =
      write("authority", {.common_name = "authority", .used_by = net::certificate_request::use::authority});
  const net::made_certificate anna =
      net::make_signed_by(authority, {.common_name = "Anna", .used_by = net::certificate_request::use::client});
  make_https().use_https({.certificate = files("example"),
                          .client_certificates = client_certificate_mode::require,
                          .client_certificate_authority = "authority.pem"});
  app->map("/tell", tell);
  start();
  EXPECT_EQ(tls_client(url, {.certificate = anna}).get("/tell").body, "https\nTLSv1.3\n\n\nCN=Anna");
  // TLS 1.3 tells a client with its first answer that its certificate is missing or bad.
  EXPECT_THROW(tls_client(url).get("/tell"), std::runtime_error);
  const net::made_certificate stranger =
      net::make_self_signed({.common_name = "Anna", .used_by = net::certificate_request::use::client});
  EXPECT_THROW(tls_client(url, {.certificate = stranger}).get("/tell"), std::runtime_error);
}

TEST_P(Https, ACertificateThatIsAllowedMayBeMissing) {
  write("example", {.common_name = "example"});
  write("authority", {.common_name = "authority", .used_by = net::certificate_request::use::authority});
  make_https({"--Windhover:Endpoints:A:Url=https://127.0.0.1:0",
              "--Windhover:Endpoints:A:ClientCertificateMode=AllowCertificate",
              "--Windhover:Endpoints:A:ClientCertificateAuthority=authority.pem"})
      .use_https({.certificate = files("example")});
  app->map("/tell", tell);
  start();
  EXPECT_EQ(tls_client(url).get("/tell").body, "https\nTLSv1.3\n\n");
}

TEST_P(Https, OlderVersionsThanTheLeastOneAreRefused) {
  write("example", {.common_name = "example"});
  make_https().use_https({.certificate = files("example"), .least_version = tls_version::tls_1_3});
  start();
  EXPECT_EQ(tls_client(url).version(), "TLSv1.3");
  EXPECT_THROW(tls_client(url, {.most_version = TLS1_2_VERSION}), std::runtime_error);
}

TEST_P(Https, NewerVersionsThanTheMostAreNotAgreedOn) {
  write("example", {.common_name = "example"});
  make_https().use_https({.certificate = files("example"), .most_version = tls_version::tls_1_2});
  app->map("/tell", tell);
  start();
  EXPECT_EQ(tls_client(url).get("/tell").body, "https\nTLSv1.2\n\n");
  EXPECT_THROW(tls_client(url, {.least_version = TLS1_3_VERSION}), std::runtime_error);
}

TEST_P(Https, AVersionOfTlsMayStandAloneAndBelowEachVersionOfHttp) {
  write("example", {.common_name = "example"});
  make({"--contentRoot", folder.path(), "--Windhover:Certificates:Default:Path=example.pem",
        "--Windhover:Certificates:Default:KeyPath=example.key", "--Windhover:Endpoints:A:Url=https://127.0.0.1:0",
        "--Windhover:Endpoints:A:SslProtocols:0=Tls12", "--Windhover:Endpoints:B:Url=https://127.0.0.1:0",
        "--Windhover:Endpoints:B:SslProtocols:0=Tls13", "--Windhover:Endpoints:C:Url=https://127.0.0.1:0",
        "--Windhover:Endpoints:C:SslProtocols:0=Tls12", "--Windhover:Endpoints:C:Protocols=Http2"});
  app->map("/tell", tell);
  start();
  const auto outcome = [&](std::size_t endpoint, int least, int most) {
    try {
      tls_client client(app->urls().at(endpoint),
                        {.protocols = "\x02h2\x08http/1.1", .least_version = least, .most_version = most});
      return client.version() + " " + client.protocol();
    } catch (const std::runtime_error&) {
      return std::string("refused");
    }
  };
  EXPECT_EQ(outcome(0, TLS1_2_VERSION, TLS1_3_VERSION), "TLSv1.2 h2");
  EXPECT_EQ(outcome(0, TLS1_3_VERSION, TLS1_3_VERSION), "refused");
  EXPECT_EQ(outcome(1, TLS1_2_VERSION, TLS1_3_VERSION), "TLSv1.3 h2");
  EXPECT_EQ(outcome(1, TLS1_2_VERSION, TLS1_2_VERSION), "refused");
  EXPECT_EQ(outcome(2, TLS1_2_VERSION, TLS1_3_VERSION), "TLSv1.2 h2");
  EXPECT_EQ(outcome(2, TLS1_3_VERSION, TLS1_3_VERSION), "refused");
}

TEST_P(Https, OptionsThatLeaveNoVersionOfTlsAreRefusedAtTheCall) {
  make_https();
  EXPECT_THROW(app->use_https({.least_version = tls_version::tls_1_3, .most_version = tls_version::tls_1_2}),
               std::invalid_argument);
}

// ----- Other certificates, while connections live

TEST_P(Https, ReadAgainOnDemandACertificateIsForNewConnections) {
  write("example", {.common_name = "old"});
  make_https().use_https({.certificate = files("example")});
  app->map("/hello", hello);
  start();
  tls_client before(url);
  write("example", {.common_name = "new"});
  EXPECT_TRUE(app->reload_certificates());
  EXPECT_EQ(subject(), "CN=new");
  EXPECT_EQ(before.get("/hello").body, "hello");
  EXPECT_EQ(before.certificate().subject, "CN=old");
}

TEST_P(Https, AFileThatChangesIsReadAgain) {
  write("example", {.common_name = "old"});
  make_https().use_https({.certificate = files("example")});
  start();
  const net::made_certificate made = net::make_self_signed({.common_name = "new"});
  // As certbot and editors do it: another file takes the place.
  for (const auto& [name, text] : {std::pair("example.key", made.key), std::pair("example.pem", made.certificate)}) {
    folder.write("unfinished", text);
    std::filesystem::rename(folder.path() / "unfinished", folder.path() / name);
  }
  EXPECT_TRUE(log.gets("The certificates of https://127.0.0.1:0 were read again: CN=new"));
  EXPECT_EQ(subject(), "CN=new");
}

TEST_P(Https, ALinkThatIsPointedElsewhereIsFollowed) {
  std::filesystem::create_directories(folder.path() / "archive");
  write("archive/one", {.common_name = "one"});
  write("archive/two", {.common_name = "two"});
  const auto point_to = [&](const std::string& name) {
    for (const std::string ending : {".pem", ".key"}) {
      std::filesystem::remove(folder.path() / ("new" + ending));
      std::filesystem::create_symlink("archive/" + name + ending, folder.path() / ("new" + ending));
      std::filesystem::rename(folder.path() / ("new" + ending), folder.path() / ("example" + ending));
    }
  };
  point_to("one");
  make_https().use_https({.certificate = files("example")});
  start();
  EXPECT_EQ(subject(), "CN=one");
  point_to("two");
  EXPECT_TRUE(log.gets("were read again: CN=two"));
  EXPECT_EQ(subject(), "CN=two");
  // And what the link leads to.
  write("archive/two", {.common_name = "three"});
  EXPECT_TRUE(log.gets("were read again: CN=three"));
}

TEST_P(Https, APairThatDoesNotFitIsRefusedAndTheOldOneStays) {
  write("example", {.common_name = "old"});
  make_https().use_https({.certificate = files("example")});
  start();
  folder.write("example.pem", net::make_self_signed({.common_name = "other"}).certificate);
  EXPECT_TRUE(log.gets("The certificates of https://127.0.0.1:0 stay what they were: "));
  EXPECT_FALSE(app->reload_certificates());
  EXPECT_EQ(subject(), "CN=old");
  write("example", {.common_name = "new"});
  EXPECT_TRUE(log.gets("were read again: CN=new"));
  EXPECT_EQ(subject(), "CN=new");
}

TEST_P(Https, FilesThatAreGoneAndCertificatesThatAreOverChangeNothing) {
  write("example", {.common_name = "old"});
  make_https().use_https({.certificate = files("example")});
  start();
  std::filesystem::remove(folder.path() / "example.key");
  EXPECT_FALSE(app->reload_certificates());
  write("example", {.common_name = "over", .begins = std::chrono::days(-2), .ends = std::chrono::days(-1)});
  EXPECT_FALSE(app->reload_certificates());
  EXPECT_TRUE(log.has("has expired: CN=over"));
  EXPECT_EQ(subject(), "CN=old");
}

TEST_P(Https, WithoutHttpsThereIsNothingToReadAgain) {
  make();
  EXPECT_TRUE(app->reload_certificates());
  start();
  EXPECT_TRUE(app->reload_certificates());
}

// ----- The middleware for https

TEST_P(Https, ARequestWithoutTlsIsSentToThePortThatIsListenedOn) {
  write("example", {.common_name = "example"});
  make_https({"--urls", "http://127.0.0.1:0;https://127.0.0.1:0"}).use_https({.certificate = files("example")});
  app->use_https_redirection();
  app->map("/hello", hello);
  start();
  const std::string https = app->urls().at(1);
  const test::http_answer answer = test::http_client(url).get("/hello?x=1");
  EXPECT_EQ(answer.status, 307);
  EXPECT_EQ(answer.header("Location"), "https://localhost" + https.substr(https.rfind(':')) + "/hello?x=1");
  EXPECT_EQ(tls_client(https).get("/hello").body, "hello");
}

TEST_P(Https, HstsIsSaidOverTlsAndNotToExcludedHosts) {
  write("example", {.common_name = "example"});
  make_https().use_https({.certificate = files("example")});
  app->use_hsts();
  app->map("/hello", hello);
  start();
  tls_client client(url);
  EXPECT_EQ(client.get("/hello", "example.com").header("Strict-Transport-Security"), "max-age=2592000");
  EXPECT_EQ(client.get("/nowhere", "example.com:5001").header("Strict-Transport-Security"), "max-age=2592000");
  for (const char* excluded : {"localhost", "LocalHost:5001", "127.0.0.1:5001", "[::1]", "[::1]:5001"})
    EXPECT_EQ(client.get("/hello", excluded).header("Strict-Transport-Security"), std::nullopt) << excluded;
}

INSTANTIATE_TEST_SUITE_P(Engines, Https, both_engines(), engine_name);

}  // namespace
}  // namespace windhover::hosting
