#include "hosting/certificate_reading.hpp"

#include <array>
#include <ctime>
#include <limits>

#include <openssl/bn.h>
#include <openssl/pem.h>

#include "hosting/openssl_handle.hpp"
#include "hosting/printable_text.hpp"

namespace windhover::hosting {
namespace {

using time_point = std::chrono::system_clock::time_point;

// Names are shown in UTF-8; control characters are escaped.
std::string text_of_name(const X509_NAME* name) {
  const bio_handle text(BIO_new(BIO_s_mem()));
  constexpr unsigned long flags = XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  if (!text || X509_NAME_print_ex(text.get(), name, 0, flags) < 0)
    throw openssl_error("a name in the certificate cannot be read");
  return text_of(text.get());
}

std::string text_of_serial_number(X509* certificate) {
  const std::unique_ptr<BIGNUM, openssl_free<BN_free>> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  char* const digits = number ? BN_bn2hex(number.get()) : nullptr;
  if (digits == nullptr) throw openssl_error("the certificate's serial number cannot be read");
  std::string text(digits);
  OPENSSL_free(digits);
  return text;
}

std::string fingerprint_of(X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), bytes.data(), &size) != 1)
    throw openssl_error("the certificate's fingerprint cannot be computed");
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
  }
  return text;
}

// Certificates without an end say the year 9999, which the clock's type may not hold.
time_point time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) throw openssl_error("a time in the certificate cannot be read");
  const std::chrono::seconds since_epoch(::timegm(&parts));
  constexpr auto latest = std::chrono::duration_cast<std::chrono::seconds>(time_point::max().time_since_epoch());
  return since_epoch >= latest ? time_point::max() : time_point(since_epoch);
}

}  // namespace

client_certificate read_certificate(std::string_view pem) {
  if (pem.size() > std::numeric_limits<int>::max()) throw std::runtime_error("this is no certificate");
  const bio_handle source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const certificate_handle certificate(source ? PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!certificate) throw openssl_error("this is no certificate in PEM");
  client_certificate result;
  result.subject = text_of_name(X509_get_subject_name(certificate.get()));
  result.issuer = text_of_name(X509_get_issuer_name(certificate.get()));
  result.serial_number = text_of_serial_number(certificate.get());
  result.fingerprint = fingerprint_of(certificate.get());
  result.valid_from = time_of(X509_get0_notBefore(certificate.get()));
  result.valid_until = time_of(X509_get0_notAfter(certificate.get()));
  const bio_handle written(BIO_new(BIO_s_mem()));
  if (!written || PEM_write_bio_X509(written.get(), certificate.get()) != 1)
    throw openssl_error("the certificate cannot be written");
  result.pem = text_of(written.get());
  return result;
}

std::string short_description(const client_certificate& certificate) {
  const std::time_t end = std::chrono::system_clock::to_time_t(certificate.valid_until);
  std::tm parts{};
  ::gmtime_r(&end, &parts);
  std::array<char, 32> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%d", &parts);
  return printable(certificate.subject) + ", valid until " + date.data();
}

}  // namespace windhover::hosting
