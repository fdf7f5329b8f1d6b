#include "net/self_signed_certificate.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include "net/loaded_certificate_parts.hpp"
#include "net/tls_certificate.hpp"

namespace windhover::net {
namespace {

using use = certificate_request::use;
using namespace std::chrono_literals;

loaded_certificate load(const std::string& certificate, const std::string& key, const std::string& password = {}) {
  tls_certificate from;
  from.certificate = certificate;
  from.key = key;
  from.password = password;
  return loaded_certificate(from);
}
loaded_certificate load(const made_certificate& made) { return load(made.certificate, made.key); }

X509* x509_of(const loaded_certificate& loaded) { return loaded.openssl().leaf.get(); }

TEST(self_signed_certificate, says_what_was_asked_for) {
  const made_certificate made = make_self_signed({.common_name = "a.example",
                                                  .organization = "Köln, AG",
                                                  .names = {"a.example", "*.a.example", "127.0.0.1", "::1"},
                                                  .begins = -1h,
                                                  .ends = 36h});
  const loaded_certificate loaded = load(made);
  const certificate_info info = describe(x509_of(loaded));
  EXPECT_EQ(info.subject, "CN=a.example,O=Köln\\, AG");
  EXPECT_EQ(info.issuer, info.subject);
  EXPECT_EQ(info.not_after - info.not_before, 37h);
  EXPECT_EQ(loaded.names(), std::vector<std::string>({"a.example", "*.a.example"}));
  EXPECT_EQ(X509_check_ip_asc(x509_of(loaded), "127.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(x509_of(loaded), "::1", 0), 1);
  EXPECT_NE(X509_check_ip_asc(x509_of(loaded), "127.0.0.2", 0), 1);
  EXPECT_EQ(made.certificate, info.pem);
}

TEST(self_signed_certificate, no_two_have_the_same_number) {
  const auto number = [] { return describe(x509_of(load(make_self_signed({.common_name = "a"})))).serial_number; };
  EXPECT_NE(number(), number());
}

TEST(self_signed_certificate, is_for_the_use_that_was_asked_for) {
  const auto flags = [](use used_by) {
    const loaded_certificate loaded = load(make_self_signed({.common_name = "a", .used_by = used_by}));
    X509* const certificate = x509_of(loaded);
    return std::pair(X509_get_extended_key_usage(certificate), X509_check_ca(certificate) != 0);
  };
  EXPECT_EQ(flags(use::server), std::pair(std::uint32_t{XKU_SSL_SERVER}, false));
  EXPECT_EQ(flags(use::client), std::pair(std::uint32_t{XKU_SSL_CLIENT}, false));
  EXPECT_TRUE(flags(use::authority).second);
}

TEST(self_signed_certificate, an_authority_signs_others) {
  const made_certificate authority = make_self_signed({.common_name = "authority", .used_by = use::authority});
  const loaded_certificate loaded = load(make_signed_by(authority, {.common_name = "a"}));
  const loaded_certificate issuer = load(authority);
  EXPECT_EQ(describe(x509_of(loaded)).issuer, "CN=authority");
  EXPECT_EQ(X509_verify(x509_of(loaded), issuer.openssl().key.get()), 1);
  EXPECT_EQ(X509_check_issued(x509_of(issuer), x509_of(loaded)), X509_V_OK);
}

TEST(self_signed_certificate, a_key_is_locked_with_its_password) {
  const made_certificate made = make_self_signed({.common_name = "a"});
  const std::string locked = encrypted_key(made.key, "secret");
  EXPECT_TRUE(locked.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
  EXPECT_NO_THROW(load(made.certificate, locked, "secret"));
  EXPECT_THROW(load(made.certificate, locked, "wrong"), tls_error);
}

TEST(self_signed_certificate, a_pkcs12_file_has_both) {
  const made_certificate made = make_self_signed({.common_name = "a"});
  const std::string file = pkcs12_file(made, "secret", "friendly");
  EXPECT_EQ(describe(x509_of(load(file, "", "secret"))).pem, made.certificate);
  EXPECT_THROW(load(file, "", "wrong"), tls_error);
  // Without a key there is nothing to serve with.
  EXPECT_THROW(load(pkcs12_file({.certificate = made.certificate, .key = ""}, "secret", "friendly"), "", "secret"),
               tls_error);
}

TEST(self_signed_certificate, what_is_no_pem_is_refused) {
  const made_certificate made = make_self_signed({.common_name = "a"});
  EXPECT_THROW(make_signed_by({.certificate = "no", .key = made.key}, {.common_name = "b"}), tls_error);
  EXPECT_THROW(make_signed_by({.certificate = made.certificate, .key = "no"}, {.common_name = "b"}), tls_error);
  EXPECT_THROW(encrypted_key("no", "secret"), tls_error);
}

}  // namespace
}  // namespace windhover::net
