// What Windhover:EndpointDefaults says, as clients see it. As in Kestrel it holds for endpoints that do not say it
// themselves and for URLs; and like everything of the configuration it goes before the code.
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hosting/https_application.hpp"

namespace windhover::hosting {
namespace {

using test::tls_client;

class EndpointDefaults : public https_application {
 protected:
  // With a certificate, and further words on the command line.
  web_application& make_with_certificate(std::vector<std::string> further) {
    write("example", {.common_name = "example"});
    further.insert(further.begin(), {"--Windhover:Certificates:Default:Path=example.pem",
                                     "--Windhover:Certificates:Default:KeyPath=example.key"});
    make_https(std::move(further));
    app->map("/tell", tell);
    return *app;
  }
  // What a client that speaks everything agrees on.
  static std::string agreed(const std::string& at) {
    const tls_client client(at, {.protocols = "\x02h2\x08http/1.1"});
    return client.version() + " " + client.protocol();
  }
};

TEST_P(EndpointDefaults, HoldForUrls) {
  make_with_certificate(
      {"--Windhover:EndpointDefaults:SslProtocols:0=Tls12", "--Windhover:EndpointDefaults:Protocols=Http1"});
  start();
  EXPECT_EQ(agreed(url), "TLSv1.2 http/1.1");
  EXPECT_EQ(tls_client(url).get("/tell").body, "https\nTLSv1.2\n\n");
  EXPECT_THROW(tls_client(url, {.least_version = TLS1_3_VERSION}), std::runtime_error);
}

TEST_P(EndpointDefaults, HoldForEndpointsThatDoNotSayIt) {
  make_with_certificate(
      {"--Windhover:EndpointDefaults:SslProtocols:0=Tls12", "--Windhover:EndpointDefaults:Protocols=Http1",
       "--Windhover:Endpoints:A:Url=https://127.0.0.1:0", "--Windhover:Endpoints:B:Url=https://127.0.0.1:0",
       "--Windhover:Endpoints:B:SslProtocols:0=Tls13", "--Windhover:Endpoints:C:Url=https://127.0.0.1:0",
       "--Windhover:Endpoints:C:Protocols=Http1AndHttp2"});
  start();
  EXPECT_EQ(agreed(app->urls().at(0)), "TLSv1.2 http/1.1");
  EXPECT_EQ(agreed(app->urls().at(1)), "TLSv1.3 http/1.1");
  EXPECT_EQ(agreed(app->urls().at(2)), "TLSv1.2 h2");
}

TEST_P(EndpointDefaults, GoBeforeTheCode) {
  make_with_certificate(
      {"--Windhover:EndpointDefaults:SslProtocols:0=Tls12", "--Windhover:EndpointDefaults:Protocols=Http1AndHttp2"})
      .use_https({.protocols = http_protocols::http1, .least_version = tls_version::tls_1_3});
  start();
  EXPECT_EQ(agreed(url), "TLSv1.2 h2");
}

TEST_P(EndpointDefaults, LeaveToTheCodeWhatTheyDoNotSay) {
  make_with_certificate({"--Windhover:EndpointDefaults:SslProtocols:0=Tls12"})
      .use_https({.protocols = http_protocols::http1, .least_version = tls_version::tls_1_3});
  start();
  EXPECT_EQ(agreed(url), "TLSv1.2 http/1.1");
}

TEST_P(EndpointDefaults, AskClientsForCertificates) {
  const net::made_certificate authority =
      write("authority", {.common_name = "authority", .used_by = net::certificate_request::use::authority});
  const net::made_certificate anna =
      net::make_signed_by(authority, {.common_name = "Anna", .used_by = net::certificate_request::use::client});
  make_with_certificate({"--Windhover:EndpointDefaults:ClientCertificateMode=RequireCertificate",
                         "--Windhover:EndpointDefaults:ClientCertificateAuthority=authority.pem",
                         "--Windhover:Endpoints:A:Url=https://127.0.0.1:0",
                         "--Windhover:Endpoints:B:Url=https://127.0.0.1:0",
                         "--Windhover:Endpoints:B:ClientCertificateMode=NoCertificate"});
  start();
  EXPECT_EQ(tls_client(url, {.certificate = anna}).get("/tell").body, "https\nTLSv1.3\n\n\nCN=Anna");
  // TLS 1.3 tells a client with its first answer that its certificate is missing.
  EXPECT_THROW(tls_client(url).get("/tell"), std::runtime_error);
  EXPECT_EQ(tls_client(app->urls().at(1)).get("/tell").body, "https\nTLSv1.3\n\n");
}

TEST_P(EndpointDefaults, HoldWithoutTlsAsFarAsTheyAreNotForIt) {
  make({"--Windhover:EndpointDefaults:Protocols=Http1", "--Windhover:EndpointDefaults:SslProtocols:0=Tls12",
        "--Windhover:EndpointDefaults:ClientCertificateMode=RequireCertificate",
        "--Windhover:Endpoints:A:Url=http://127.0.0.1:0", "--Windhover:Endpoints:B:Url=http://127.0.0.1:0",
        "--Windhover:Endpoints:B:Protocols=Http2"});
  app->map("/hello", hello);
  start();
  // RFC 9113, section 3.4: the preface, and SETTINGS without any.
  const std::string begin_of_http2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\x04\0\0\0\0\0", 9);
  test::http_client speaks_http1(url);
  EXPECT_EQ(speaks_http1.get("/hello").body, "hello");
  speaks_http1.send(begin_of_http2);
  EXPECT_NE(speaks_http1.read_answer().status, 200);
  test::http_client speaks_http2(app->urls().at(1));
  speaks_http2.send(begin_of_http2);
  EXPECT_EQ(speaks_http2.read(9)[3], '\x04');  // SETTINGS
}

INSTANTIATE_TEST_SUITE_P(Engines, EndpointDefaults, both_engines(), engine_name);

}  // namespace
}  // namespace windhover::hosting
