#include "net/tls_certificate.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "net/loaded_certificate_parts.hpp"
#include "support/certificates.hpp"

namespace windhover::net {
namespace {

using test::issued_certificate;

const issued_certificate& authority() { return test::test_certificates::all().authority; }
const issued_certificate& server() { return test::test_certificates::all().server; }

// The text of the refusal; empty when there is none.
std::string refusal(const tls_certificate& from) {
  try {
    const loaded_certificate loaded(from);
  } catch (const tls_error& error) {
    return error.what();
  }
  return {};
}

TEST(TlsCertificate, IsReadFromTwoTexts) {
  const loaded_certificate loaded(server().pair());
  EXPECT_EQ(loaded.names(), std::vector<std::string>{"localhost"});
  EXPECT_TRUE(loaded.openssl().chain.empty());
}

TEST(TlsCertificate, IsReadFromOneTextWithItsChain) {
  tls_certificate from;
  from.certificate = server().certificate() + authority().certificate() + server().key();
  const loaded_certificate loaded(from);
  EXPECT_EQ(describe(loaded.openssl().leaf.get()).subject, "CN=localhost");
  ASSERT_EQ(loaded.openssl().chain.size(), 1U);
  EXPECT_EQ(describe(loaded.openssl().chain[0].get()).subject, "CN=Test Authority");
}

TEST(TlsCertificate, IsReadFromPkcs12) {
  tls_certificate from;
  from.certificate = server().pkcs12("secret");
  from.password = "secret";
  EXPECT_EQ(refusal(from), "");
  from.name = "site.pfx";
  from.password = "guess";
  EXPECT_EQ(refusal(from),
            "the certificate 'site.pfx' cannot be used: the PKCS#12 file cannot be opened (mac verify failure); is the "
            "password right?");
  from.password = "secret";
  from.key = server().key();
  EXPECT_EQ(refusal(from),
            "the certificate 'site.pfx' cannot be used: it is PKCS#12 and has its key in it; leave the file of the key "
            "away");
}

TEST(TlsCertificate, AKeyMayHaveAPassword) {
  tls_certificate from = server().pair("site.pem");
  from.key = server().key("secret");
  from.password = "secret";
  EXPECT_EQ(refusal(from), "");
  from.password = "guess";
  EXPECT_NE(refusal(from).find("is the password right?"), std::string::npos) << refusal(from);
  from.password = "";
  EXPECT_NE(refusal(from).find("is a password missing?"), std::string::npos) << refusal(from);
}

TEST(TlsCertificate, WhatCannotBeUsedIsRefusedWithItsNameAndARemedy) {
  tls_certificate nothing;
  nothing.name = "site.pem";
  EXPECT_EQ(refusal(nothing),
            "the certificate 'site.pem' cannot be used: it is neither PEM nor PKCS#12; name a .pem, .crt, .pfx or .p12 "
            "file");
  tls_certificate only_key = nothing;
  only_key.certificate = server().key();
  EXPECT_EQ(refusal(only_key),
            "the certificate 'site.pem' cannot be used: there is none in it; the text must have a block BEGIN "
            "CERTIFICATE");
  tls_certificate no_key = nothing;
  no_key.certificate = server().certificate();
  EXPECT_EQ(refusal(no_key),
            "the certificate 'site.pem' cannot be used: there is no private key; name the file of the key too, or put "
            "both into one file");
  tls_certificate no_key_apart = no_key;
  no_key_apart.key = "nothing of the kind";
  EXPECT_EQ(refusal(no_key_apart),
            "the certificate 'site.pem' cannot be used: there is no private key; the text of the key must have a block "
            "BEGIN PRIVATE KEY");
  tls_certificate foreign_key = no_key;
  foreign_key.key = authority().key();
  EXPECT_EQ(refusal(foreign_key),
            "the certificate 'site.pem' cannot be used: the private key belongs to another certificate; name the two "
            "that were issued together");
}

TEST(TlsCertificate, ADamagedOneIsRefused) {
  tls_certificate from = server().pair("site.pem");
  from.certificate[from.certificate.size() / 2] = '!';
  EXPECT_NE(refusal(from), "");
  // One that is whole may have a damaged one in its chain.
  std::string damaged = authority().certificate();
  damaged[damaged.size() / 2] = '!';
  from.certificate = server().certificate() + damaged;
  EXPECT_NE(refusal(from), "");
}

TEST(TlsCertificate, SaysWhomItIsForAndForHowLong) {
  const issued_certificate made({.common_name = "Name",
                                 .names = {"a.example", "*.b.example"},
                                 .begins = -std::chrono::days(100),
                                 .ends = std::chrono::days(30)});
  const loaded_certificate loaded(made.pair());
  EXPECT_EQ(loaded.names(), (std::vector<std::string>{"a.example", "*.b.example"}));
  EXPECT_EQ(loaded.not_after() - loaded.not_before(), std::chrono::hours(24 * 130));

  const issued_certificate only_named({.common_name = "c.example"});
  EXPECT_EQ(loaded_certificate(only_named.pair()).names(), std::vector<std::string>{"c.example"});
}

TEST(TlsCertificate, OneWithoutAnEndIsGoodForAsLongAsTheClockGoes) {
  const issued_certificate endless({.common_name = "endless", .ends = std::chrono::years(7900)});
  EXPECT_EQ(loaded_certificate(endless.pair()).not_after(), wall_time::max());
}

TEST(TlsCertificate, IsDescribed) {
  const loaded_certificate loaded(server().pair());
  const certificate_info said = describe(loaded.openssl().leaf.get());
  EXPECT_EQ(said.subject, "CN=localhost");
  EXPECT_EQ(said.issuer, "CN=Test Authority");
  EXPECT_FALSE(said.serial_number.empty());
  EXPECT_EQ(said.sha256_fingerprint.size(), 64U);
  EXPECT_EQ(said.sha256_fingerprint.find_first_not_of("0123456789ABCDEF"), std::string::npos);
  EXPECT_EQ(said.pem, server().certificate());
  EXPECT_EQ(said.not_after, loaded.not_after());
}

}  // namespace
}  // namespace windhover::net
