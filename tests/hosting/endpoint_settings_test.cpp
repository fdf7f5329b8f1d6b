#include "hosting/endpoint_settings.hpp"

#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hosting/error_text.hpp"
#include "hosting/settings.hpp"
#include "hosting/temporary_folder.hpp"

namespace windhover::hosting {
namespace {

settings settings_of_file(std::string_view text) {
  const temporary_folder folder;
  folder.write("appsettings.json", text);
  configuration_sources sources;
  sources.content_root = folder.path();
  return read_settings(configuration::load(sources));
}

configuration with(std::vector<std::pair<std::string, std::string>> keys) {
  configuration configuration;
  for (const auto& [key, value] : keys) configuration.set("Windhover:" + key, value);
  return configuration;
}

std::string error_of(std::vector<std::pair<std::string, std::string>> keys) {
  return error_text([&] { read_settings(with(std::move(keys))); });
}

TEST(endpoint_settings, a_file_says_everything_of_an_endpoint_in_the_words_of_kestrel) {
  const settings settings = settings_of_file(R"({
    "Windhover": {
      "Endpoints": {
        "Plain": {"Url": "http://localhost:5000", "Protocols": "http2"},
        "Https": {
          "url": "https://*:5001",
          "Protocols": "Http1",
          "SslProtocols": ["Tls13"],
          "ClientCertificateMode": "RequireCertificate",
          "ClientCertificateAuthority": "clients.pem",
          "Certificate": {"Path": "example.pem", "KeyPath": "example.key", "Password": "secret"},
          "Sni": {
            "a.example": {"Certificate": {"Path": "a.pfx", "Password": "of a"}},
            "*.b.example": {"Certificate": {"Path": "b.pem", "KeyPath": "b.key"}}
          }
        }
      },
      "Certificates": {"Default": {"Path": "default.pem", "KeyPath": "default.key", "Password": "of default"}}
    }
  })");
  ASSERT_EQ(settings.endpoints.size(), 2U);
  const endpoint_settings& https = settings.endpoints[0];
  EXPECT_EQ(https.name, "Https");
  EXPECT_EQ(to_string(https.url.value()), "https://[::]:5001");
  EXPECT_EQ(https.protocols, http_protocols::http1);
  EXPECT_EQ(https.versions, (tls_versions{tls_version::tls_1_3, tls_version::tls_1_3}));
  EXPECT_EQ(https.client_certificates, client_certificate_mode::require);
  EXPECT_EQ(https.client_certificate_authority, "clients.pem");
  EXPECT_EQ(https.certificate.certificate, "example.pem");
  EXPECT_EQ(https.certificate.key, "example.key");
  EXPECT_EQ(https.certificate.password, "secret");
  ASSERT_EQ(https.hosts.size(), 2U);
  EXPECT_EQ(https.hosts[0].host, "*.b.example");
  EXPECT_EQ(https.hosts[0].certificate.certificate, "b.pem");
  EXPECT_EQ(https.hosts[0].certificate.key, "b.key");
  EXPECT_EQ(https.hosts[1].host, "a.example");
  EXPECT_EQ(https.hosts[1].certificate.certificate, "a.pfx");
  EXPECT_EQ(https.hosts[1].certificate.password, "of a");
  const endpoint_settings& plain = settings.endpoints[1];
  EXPECT_EQ(plain.name, "Plain");
  EXPECT_EQ(to_string(plain.url.value()), "http://localhost:5000");
  EXPECT_EQ(plain.protocols, http_protocols::http2);
  EXPECT_EQ(settings.default_certificate.certificate, "default.pem");
  EXPECT_EQ(settings.default_certificate.key, "default.key");
  EXPECT_EQ(settings.default_certificate.password, "of default");
}

TEST(endpoint_settings, what_is_not_said_is_left_to_the_code) {
  const settings settings = read_settings(with({{"Endpoints:A:Url", "https://localhost:1"}}));
  ASSERT_EQ(settings.endpoints.size(), 1U);
  EXPECT_FALSE(settings.endpoints[0].protocols);
  EXPECT_FALSE(settings.endpoints[0].client_certificates);
  EXPECT_FALSE(settings.endpoints[0].versions);
  EXPECT_TRUE(settings.endpoints[0].hosts.empty());
  EXPECT_TRUE(read_settings(configuration()).endpoints.empty());
}

TEST(endpoint_settings, an_endpoint_is_found_by_its_name_in_any_case) {
  const settings settings =
      read_settings(with({{"Endpoints:Https:Url", "https://localhost:1"}, {"endpoints:HTTPS:protocols", "Http2"}}));
  ASSERT_EQ(settings.endpoints.size(), 1U);
  EXPECT_EQ(settings.endpoints[0].protocols, http_protocols::http2);
}

TEST(endpoint_settings, the_versions_of_tls_are_any_set_of_1_2_and_1_3) {
  const auto both = tls_versions{tls_version::tls_1_2, tls_version::tls_1_3};
  EXPECT_EQ(versions_of(std::vector<std::string>{"Tls12", "Tls13"}), both);
  EXPECT_EQ(versions_of(std::vector<std::string>{"Tls13", "tls12", "Tls13"}), both);
  EXPECT_EQ(versions_of(std::vector<std::string>{"tls13"}), (tls_versions{tls_version::tls_1_3, tls_version::tls_1_3}));
  EXPECT_EQ(versions_of(std::vector<std::string>{"Tls12"}), (tls_versions{tls_version::tls_1_2, tls_version::tls_1_2}));
  EXPECT_THROW(versions_of({}), configuration_error);
  for (const char* refused : {"Tls11", "Ssl3", "None", ""})
    for (const std::string key : {"Endpoints:A:SslProtocols", "EndpointDefaults:SslProtocols"})
      EXPECT_EQ(
          error_of({{"Endpoints:A:Url", "https://localhost:1"}, {key + ":0", "Tls12"}, {key + ":1", refused}}),
          "code: Windhover:" + key + ": expected a list of \"Tls12\", \"Tls13\" or both; older versions are not spoken")
          << refused;
}

TEST(endpoint_settings, what_an_endpoint_does_not_say_is_taken_from_the_defaults) {
  settings settings = settings_of_file(R"({
    "Windhover": {
      "Endpoints": {
        "Own": {
          "Url": "https://*:5001",
          "Protocols": "Http1",
          "SslProtocols": ["Tls13"],
          "ClientCertificateMode": "NoCertificate",
          "ClientCertificateAuthority": "own.pem"
        },
        "Silent": {"Url": "https://*:5002"},
        "System": {"Url": "https://*:5003", "ClientCertificateAuthority": ""}
      },
      "EndpointDefaults": {
        "Protocols": "Http2",
        "SslProtocols": ["Tls12"],
        "ClientCertificateMode": "RequireCertificate",
        "ClientCertificateAuthority": "default.pem"
      }
    }
  })");
  ASSERT_EQ(settings.endpoints.size(), 3U);
  for (endpoint_settings& each : settings.endpoints) take_defaults(each, settings.endpoint_defaults);
  const endpoint_settings& own = settings.endpoints[0];
  EXPECT_EQ(own.protocols, http_protocols::http1);
  EXPECT_EQ(own.versions, (tls_versions{tls_version::tls_1_3, tls_version::tls_1_3}));
  EXPECT_EQ(own.client_certificates, client_certificate_mode::none);
  EXPECT_EQ(own.client_certificate_authority, "own.pem");
  const endpoint_settings& silent = settings.endpoints[1];
  EXPECT_EQ(silent.protocols, http_protocols::http2);
  EXPECT_EQ(silent.versions, (tls_versions{tls_version::tls_1_2, tls_version::tls_1_2}));
  EXPECT_EQ(silent.client_certificates, client_certificate_mode::require);
  EXPECT_EQ(silent.client_certificate_authority, "default.pem");
  EXPECT_EQ(settings.endpoints[2].client_certificate_authority, "") << "the system's, and not the default";
}

TEST(endpoint_settings, defaults_that_are_not_said_are_left_to_the_code) {
  const settings settings = read_settings(with({{"EndpointDefaults:Protocols", "Http1"}}));
  EXPECT_EQ(settings.endpoint_defaults.protocols, http_protocols::http1);
  EXPECT_FALSE(settings.endpoint_defaults.client_certificates);
  EXPECT_FALSE(settings.endpoint_defaults.versions);
  EXPECT_FALSE(settings.endpoint_defaults.client_certificate_authority);
  EXPECT_TRUE(settings.endpoints.empty());
  EXPECT_FALSE(read_settings(configuration()).endpoint_defaults.protocols);
}

TEST(endpoint_settings, defaults_for_https_may_stand_beside_an_endpoint_without_it) {
  EXPECT_NO_THROW(read_settings(with({{"Endpoints:A:Url", "http://localhost:5000"},
                                      {"EndpointDefaults:SslProtocols:0", "Tls12"},
                                      {"EndpointDefaults:ClientCertificateMode", "RequireCertificate"}})));
}

TEST(endpoint_settings, a_key_that_the_defaults_do_not_have_is_refused) {
  EXPECT_EQ(error_of({{"EndpointDefaults:Protokols", "Http2"}}),
            "code: Windhover:EndpointDefaults:Protokols is no key of Windhover; did you mean "
            "Windhover:EndpointDefaults:Protocols?");
  EXPECT_EQ(error_of({{"EndpointsDefault:Protocols", "Http2"}}),
            "code: Windhover:EndpointsDefault:Protocols is no key of Windhover; did you mean "
            "Windhover:EndpointDefaults:Protocols?");
  EXPECT_EQ(error_of({{"EndpointDefaults:Url", "https://localhost:1"}}),
            "code: Windhover:EndpointDefaults:Url is no key of Windhover; did you mean "
            "Windhover:Endpoints:{name}:Url?");
  EXPECT_EQ(error_of({{"EndpointDefaults:Certificate:Path", "a.pem"}}),
            "code: Windhover:EndpointDefaults:Certificate:Path is no key of Windhover; did you mean "
            "Windhover:Endpoints:{name}:Certificate:Path?");
  EXPECT_EQ(error_of({{"EndpointDefaults:Protocols", "Http3"}}),
            "code: Windhover:EndpointDefaults:Protocols is \"Http3\"; expected one of Http1, Http2, Http1AndHttp2");
  EXPECT_EQ(error_of({{"EndpointDefaults:SslProtocols", "Tls12"}}),
            "code: Windhover:EndpointDefaults:SslProtocols is \"Tls12\"; expected a list of texts (in a file [...], "
            "elsewhere the keys 0, 1, 2 ...)");
  EXPECT_EQ(error_of({{"EndpointDefaults", "Http2"}}),
            "code: Windhover:EndpointDefaults is \"Http2\"; expected an object with keys such as "
            "Windhover:EndpointDefaults:Protocols");
}

TEST(endpoint_settings, an_endpoint_needs_a_url) {
  EXPECT_EQ(error_of({{"Endpoints:A:Protocols", "Http1"}}),
            "Windhover:Endpoints:A:Url is missing; every endpoint needs one, such as https://localhost:5001");
  EXPECT_EQ(
      error_of({{"Endpoints:A:Url", "ws://localhost"}}),
      "code: Windhover:Endpoints:A:Url: cannot listen on 'ws://localhost': the scheme must be http, https or unix, "
      "as in http://localhost:5000");
}

TEST(endpoint_settings, what_belongs_to_https_is_refused_without_it) {
  for (const auto& [key, value, named] :
       {std::tuple("Certificate:Path", "a.pem", "Certificate"),
        std::tuple("Sni:a.example:Certificate:Path", "a", "Sni"),
        std::tuple("ClientCertificateMode", "NoCertificate", "ClientCertificateMode"),
        std::tuple("ClientCertificateAuthority", "a.pem", "ClientCertificateAuthority"),
        std::tuple("SslProtocols:0", "Tls13", "SslProtocols")})
    EXPECT_EQ(error_of({{"Endpoints:A:Url", "http://localhost:5000"}, {"Endpoints:A:" + std::string(key), value}}),
              "Windhover:Endpoints:A:" + std::string(named) +
                  " is for https, and the endpoint's URL is http://localhost:5000");
}

TEST(endpoint_settings, a_key_without_its_certificate_is_refused) {
  EXPECT_EQ(error_of({{"Certificates:Default:KeyPath", "a.key"}}),
            "Windhover:Certificates:Default:Path is missing: the file of the certificate that KeyPath belongs to");
  EXPECT_EQ(error_of({{"Endpoints:A:Url", "https://localhost:1"}, {"Endpoints:A:Certificate:Password", "secret"}}),
            "Windhover:Endpoints:A:Certificate:Path is missing: the file of the certificate that Password belongs to");
}

TEST(endpoint_settings, a_misspelt_key_is_refused_with_the_name_of_the_endpoint_in_its_remedy) {
  EXPECT_EQ(error_of({{"Endpoints:Https:Ur", "https://localhost:1"}}),
            "code: Windhover:Endpoints:Https:Ur is no key of Windhover; did you mean Windhover:Endpoints:Https:Url?");
  EXPECT_EQ(error_of({{"Endpoints:Https:Certificate", "a.pem"}}),
            "code: Windhover:Endpoints:Https:Certificate is \"a.pem\"; expected an object with keys such as "
            "Windhover:Endpoints:Https:Certificate:Path");
  EXPECT_EQ(error_of({{"Endpoints:Https:Protocols", "Http3"}}),
            "code: Windhover:Endpoints:Https:Protocols is \"Http3\"; expected one of Http1, Http2, Http1AndHttp2");
  EXPECT_EQ(error_of({{"Endpoints:Https:SslProtocols", "Tls13"}}),
            "code: Windhover:Endpoints:Https:SslProtocols is \"Tls13\"; expected a list of texts (in a file [...], "
            "elsewhere the keys 0, 1, 2 ...)");
}

TEST(endpoint_settings, a_password_never_stands_in_an_error) {
  EXPECT_EQ(error_of({{"Certificates:Default:Password:0", "secret"}}).find("secret"), std::string::npos);
  EXPECT_EQ(error_of({{"Certificates:Default:Passwort", "secret"}}).find("secret"), std::string::npos);
}

}  // namespace
}  // namespace windhover::hosting
