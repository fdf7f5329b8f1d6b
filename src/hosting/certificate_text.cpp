#include "hosting/certificate_text.hpp"

#include <array>
#include <chrono>
#include <ctime>

#include <openssl/x509.h>

#include "hosting/printable_text.hpp"
#include "net/loaded_certificate_parts.hpp"

namespace windhover::hosting {

std::string short_description(const certificate_info& certificate) {
  const std::time_t end = std::chrono::system_clock::to_time_t(certificate.not_after);
  std::tm parts{};
  ::gmtime_r(&end, &parts);
  std::array<char, 32> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%d", &parts);
  return printable(certificate.subject) + ", valid until " + date.data();
}

certificate_info details_of(const net::loaded_certificate& certificate) {
  return net::describe(certificate.openssl().leaf.get());
}

bool has_expired(const net::loaded_certificate& certificate) {
  return X509_cmp_current_time(X509_get0_notAfter(certificate.openssl().leaf.get())) < 0;
}

bool is_premature(const net::loaded_certificate& certificate) {
  return X509_cmp_current_time(X509_get0_notBefore(certificate.openssl().leaf.get())) > 0;
}

}  // namespace windhover::hosting
