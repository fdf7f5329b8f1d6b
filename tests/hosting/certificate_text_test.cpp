#include "hosting/certificate_text.hpp"

#include <chrono>

#include <gtest/gtest.h>

#include "net/self_signed_certificate.hpp"

namespace windhover::hosting {
namespace {

using namespace std::chrono_literals;

net::loaded_certificate certificate_that_ends(std::chrono::seconds from_now) {
  const net::made_certificate made =
      net::make_self_signed({.common_name = "a.example", .begins = std::chrono::days(-2), .ends = from_now});
  net::tls_certificate texts;
  texts.certificate = made.certificate;
  texts.key = made.key;
  return net::loaded_certificate(texts);
}

TEST(certificate_text, the_log_gets_name_and_end) {
  certificate_info certificate;
  certificate.subject = "CN=a\nb";
  certificate.not_after = std::chrono::sys_days(std::chrono::year(2027) / 3 / 1);
  EXPECT_EQ(short_description(certificate), "CN=a\\nb, valid until 2027-03-01");
}

TEST(certificate_text, what_was_made_can_be_read) {
  const certificate_info details = details_of(certificate_that_ends(48h));
  EXPECT_EQ(details.subject, "CN=a.example");
  EXPECT_EQ(details.not_after - details.not_before, 96h);
}

TEST(certificate_text, a_certificate_is_premature_before_its_time) {
  const net::made_certificate made = net::make_self_signed({.common_name = "a.example", .begins = 24h});
  net::tls_certificate texts;
  texts.certificate = made.certificate;
  texts.key = made.key;
  EXPECT_TRUE(is_premature(net::loaded_certificate(texts)));
  EXPECT_FALSE(is_premature(certificate_that_ends(24h)));
}

TEST(certificate_text, a_certificate_expires_with_its_end) {
  EXPECT_TRUE(has_expired(certificate_that_ends(-24h)));
  EXPECT_FALSE(has_expired(certificate_that_ends(24h)));
}

}  // namespace
}  // namespace windhover::hosting
