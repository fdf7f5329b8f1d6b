#include "hosting/certificate_reading.hpp"

#include <chrono>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace windhover::hosting {
namespace {

// Made with OpenSSL: O=Beispiel AG, Köln and CN=Anna, without an end (RFC 5280, section 4.1.2.5).
constexpr std::string_view pem = R"(-----BEGIN CERTIFICATE-----
MIIBRDCB6gIDAQMAMAoGCCqGSM49BAMCMCwxDTALBgNVBAMMBEFubmExGzAZBgNV
BAoMEkJlaXNwaWVsIEFHLCBLw7ZsbjAgFw0yNTAxMDEwMDAwMDBaGA85OTk5MTIz
MTIzNTk1OVowLDENMAsGA1UEAwwEQW5uYTEbMBkGA1UECgwSQmVpc3BpZWwgQUcs
IEvDtmxuMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEIzgQOkac81pXpMivnelQ
QESMGZeM0ZaO1Jnm5Za4CXjfWAnwL2cswsZD66G478xio5cF830HxMG0I0+txOOS
SzAKBggqhkjOPQQDAgNJADBGAiEAidMqP1nJBz2VesKBsjVLuA0/LFLe7+RW64uk
JsmumZ8CIQCf+Wuar2QZL6wBMq9wUqVxJyt+4ma2wAazi/mMd2aJ/g==
-----END CERTIFICATE-----
)";

TEST(certificate_reading, what_stands_in_a_certificate_is_read) {
  const client_certificate certificate = read_certificate(pem);
  EXPECT_EQ(certificate.subject, "O=Beispiel AG\\, Köln,CN=Anna");
  EXPECT_EQ(certificate.issuer, certificate.subject);
  EXPECT_EQ(certificate.serial_number, "010300");
  EXPECT_EQ(certificate.fingerprint, "4A694932D528F97B5D52015EB8388382249087822ADD542CBD25C7C8DFE09E34");
  EXPECT_EQ(certificate.valid_from, std::chrono::sys_days(std::chrono::year(2025) / 1 / 1));
  EXPECT_EQ(certificate.pem, pem);
}

TEST(certificate_reading, an_end_beyond_the_clock_is_its_last_moment) {
  EXPECT_EQ(read_certificate(pem).valid_until, std::chrono::system_clock::time_point::max());
}

TEST(certificate_reading, text_around_the_certificate_is_passed_over) {
  EXPECT_EQ(read_certificate("Anna's:\n" + std::string(pem) + std::string(pem)).pem, pem);
}

TEST(certificate_reading, what_is_no_certificate_is_refused) {
  for (const std::string_view text : {std::string_view(), std::string_view("hello"), pem.substr(0, 200)})
    EXPECT_THROW(read_certificate(text), std::runtime_error);
}

TEST(certificate_reading, the_log_gets_name_and_end) {
  client_certificate certificate;
  certificate.subject = "CN=a\nb";
  certificate.valid_until = std::chrono::sys_days(std::chrono::year(2027) / 3 / 1);
  EXPECT_EQ(short_description(certificate), "CN=a\\nb, valid until 2027-03-01");
}

}  // namespace
}  // namespace windhover::hosting
