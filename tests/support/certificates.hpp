// Certificates for tests: an authority, and what it issues.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "net/openssl_handles.hpp"
#include "net/tls_certificate.hpp"
#include "net/tls_context.hpp"

namespace windhover::test {

class issued_certificate {
 public:
  // "DNS:localhost,IP:127.0.0.1"; empty for none. `valid_days` may be negative: it has expired.
  struct wishes {
    std::string common_name = "test";
    std::string alternative_names = "";
    int valid_days = 30;
    bool authority = false;
    bool rsa = false;  // instead of Ed25519, whose signatures are all of one length
  };

  // Signed by `by`, or by itself.
  explicit issued_certificate(const wishes& wanted, const issued_certificate* by = nullptr)
      : key_(wanted.rsa ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048})
                        : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")),
        certificate_(X509_new()) {
    static int serial = 0;
    X509* const made = certificate_.get();
    constexpr long day = 24 * 60 * 60;
    X509_set_version(made, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made), -100 * day);
    X509_gmtime_adj(X509_getm_notAfter(made), wanted.valid_days * day);
    X509_set_pubkey(made, key_.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(wanted.common_name.c_str()), -1, -1, 0);
    X509* const issuer = by != nullptr ? by->certificate_.get() : made;
    X509_set_issuer_name(made, X509_get_subject_name(issuer));
    add(issuer, NID_basic_constraints, wanted.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!wanted.alternative_names.empty()) add(issuer, NID_subject_alt_name, wanted.alternative_names);
    const issued_certificate& signer = by != nullptr ? *by : *this;
    if (X509_sign(made, signer.key_.get(), signer.is_rsa() ? EVP_sha256() : nullptr) == 0)
      throw std::runtime_error("no certificate for a test");
  }

  std::string certificate() const {
    return text([this](BIO* into) { PEM_write_bio_X509(into, certificate_.get()); });
  }
  std::string key(const std::string& password = {}) const {
    return text([&](BIO* into) {
      PEM_write_bio_PKCS8PrivateKey(into, key_.get(), password.empty() ? nullptr : EVP_aes_256_cbc(),
                                    password.empty() ? nullptr : password.data(), static_cast<int>(password.size()),
                                    nullptr, nullptr);
    });
  }
  std::string pkcs12(const std::string& password) const {
    const std::unique_ptr<PKCS12, net::openssl::freed_by<PKCS12_free>> file(
        PKCS12_create(password.c_str(), "test", key_.get(), certificate_.get(), nullptr, 0, 0, 0, 0, 0));
    return text([&](BIO* into) { i2d_PKCS12_bio(into, file.get()); });
  }
  net::tls_certificate pair(const std::string& name = "test.pem") const {
    return {.certificate = certificate(), .key = key(), .password = {}, .name = name, .server_names = {}};
  }

 private:
  using openssl_key = net::openssl::private_key;

  bool is_rsa() const { return EVP_PKEY_is_a(key_.get(), "RSA") == 1; }
  void add(X509* issuer, int what, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate_.get(), nullptr, nullptr, 0);
    X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
    if (made == nullptr) throw std::runtime_error("no extension " + value);
    X509_add_ext(certificate_.get(), made, -1);
    X509_EXTENSION_free(made);
  }
  template <class Write>
  static std::string text(Write&& write) {
    const net::openssl::bio into(BIO_new(BIO_s_mem()));
    write(into.get());
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(into.get(), &bytes);
    return {bytes, static_cast<std::size_t>(size)};
  }

  openssl_key key_;
  net::openssl::certificate certificate_;
};

// Everything that a server on this machine and its clients need.
struct test_certificates {
  issued_certificate authority{{.common_name = "Test Authority", .authority = true}};
  issued_certificate server{{.common_name = "localhost", .alternative_names = "DNS:localhost,IP:127.0.0.1,IP:::1"},
                            &authority};

  static const test_certificates& all() {
    static const test_certificates made;
    return made;
  }
  static net::server_tls_options server_options() {
    net::server_tls_options made;
    made.certificates.push_back(all().server.pair());
    return made;
  }
  static net::client_tls_options client_options() {
    net::client_tls_options made;
    made.authorities = all().authority.certificate();
    return made;
  }
};

}  // namespace windhover::test
