#include "net/self_signed_certificate.hpp"

#include <array>
#include <cstddef>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "base/random.hpp"
#include "net/openssl_handles.hpp"
#include "net/tls_certificate.hpp"

namespace windhover::net {
namespace {

using extension = std::unique_ptr<X509_EXTENSION, openssl::freed_by<X509_EXTENSION_free>>;

[[noreturn]] void fail(const char* what) {
  throw tls_error("OpenSSL cannot " + std::string(what) + ": " + openssl::last_error());
}

// Without this OpenSSL would ask the terminal for a password.
int give_no_password(char*, int, int, void*) noexcept { return -1; }

openssl::certificate certificate_of(const std::string& pem) {
  openssl::certificate read(PEM_read_bio_X509(openssl::reader_of(pem).get(), nullptr, &give_no_password, nullptr));
  if (!read) fail("read a certificate");
  return read;
}

openssl::private_key key_of(const std::string& pem) {
  openssl::private_key read(
      PEM_read_bio_PrivateKey(openssl::reader_of(pem).get(), nullptr, &give_no_password, nullptr));
  if (!read) fail("read a key");
  return read;
}

// PKCS#8.
std::string pem_of(EVP_PKEY* key, const std::string& password = {}) {
  const openssl::bio text = openssl::make_writer();
  const bool encrypted = !password.empty();
  if (PEM_write_bio_PKCS8PrivateKey(text.get(), key, encrypted ? EVP_aes_256_cbc() : nullptr,
                                    encrypted ? password.data() : nullptr, static_cast<int>(password.size()), nullptr,
                                    nullptr) != 1)
    fail("write a key");
  return openssl::text_of(text.get());
}

// RFC 5280, section 4.1.2.2: positive, at most 20 bytes, and no other certificate of the issuer has it.
void set_serial_number(X509* certificate) {
  std::array<std::byte, 16> bytes;
  base::system_random_source random;
  random.fill(bytes);
  bytes[0] = (bytes[0] & std::byte{0x7f}) | std::byte{0x40};
  const std::unique_ptr<BIGNUM, openssl::freed_by<BN_free>> number(
      BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr));
  if (!number || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) == nullptr)
    fail("number a certificate");
}

void set_time(ASN1_TIME* time, std::chrono::seconds from_now) {
  const auto days = std::chrono::floor<std::chrono::days>(from_now);
  if (X509_time_adj_ex(time, static_cast<int>(days.count()), (from_now - days).count(), nullptr) == nullptr)
    fail("date a certificate");
}

void add_to_subject(X509* certificate, const char* field, const std::string& value) {
  if (value.empty()) return;
  if (X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), field, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(value.data()), static_cast<int>(value.size()),
                                 -1, 0) != 1)
    fail("name a certificate");
}

void add_extension(X509* certificate, X509* issuer, int which, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const extension made(X509V3_EXT_conf_nid(nullptr, &context, which, value.c_str()));
  if (!made || X509_add_ext(certificate, made.get(), -1) != 1) fail("extend a certificate");
}

// As OpenSSL's configuration writes it: "DNS:localhost,IP:127.0.0.1".
std::string alternative_names(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& each : names) {
    list += (list.empty() ? "" : ",") + std::string(openssl::is_address(each) ? "IP:" : "DNS:") + each;
  }
  return list;
}

void add_uses(X509* certificate, X509* issuer, certificate_request::use used_by) {
  const bool authority = used_by == certificate_request::use::authority;
  add_extension(certificate, issuer, NID_basic_constraints, authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  add_extension(certificate, issuer, NID_key_usage, authority ? "critical,keyCertSign" : "critical,digitalSignature");
  if (used_by == certificate_request::use::server) add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth");
  if (used_by == certificate_request::use::client) add_extension(certificate, issuer, NID_ext_key_usage, "clientAuth");
}

made_certificate make(const certificate_request& wanted, const made_certificate* authority) {
  ERR_clear_error();
  const openssl::private_key key(EVP_EC_gen("P-256"));
  const openssl::certificate certificate(X509_new());
  if (!key || !certificate) fail("make a certificate");
  const openssl::certificate issuer = authority != nullptr ? certificate_of(authority->certificate) : nullptr;
  const openssl::private_key issuers_key = authority != nullptr ? key_of(authority->key) : nullptr;
  X509* const made = certificate.get();
  X509* const signer = issuer ? issuer.get() : made;

  X509_set_version(made, X509_VERSION_3);
  set_serial_number(made);
  set_time(X509_getm_notBefore(made), wanted.begins);
  set_time(X509_getm_notAfter(made), wanted.ends);
  add_to_subject(made, "O", wanted.organization);
  add_to_subject(made, "CN", wanted.common_name);
  X509_set_issuer_name(made, X509_get_subject_name(signer));
  X509_set_pubkey(made, key.get());
  add_uses(made, signer, wanted.used_by);
  if (!wanted.names.empty()) add_extension(made, signer, NID_subject_alt_name, alternative_names(wanted.names));
  add_extension(made, signer, NID_subject_key_identifier, "hash");
  if (issuer) add_extension(made, signer, NID_authority_key_identifier, "keyid");
  if (X509_sign(made, issuers_key ? issuers_key.get() : key.get(), EVP_sha256()) == 0) fail("sign a certificate");
  return {.certificate = describe(made).pem, .key = pem_of(key.get())};
}

}  // namespace

made_certificate make_self_signed(const certificate_request& wanted) { return make(wanted, nullptr); }

made_certificate make_signed_by(const made_certificate& authority, const certificate_request& wanted) {
  return make(wanted, &authority);
}

std::string encrypted_key(const std::string& key, const std::string& password) {
  ERR_clear_error();
  return pem_of(key_of(key).get(), password);
}

std::string pkcs12_file(const made_certificate& of, const std::string& password, const std::string& friendly_name) {
  ERR_clear_error();
  const openssl::certificate certificate = certificate_of(of.certificate);
  const openssl::private_key key = of.key.empty() ? nullptr : key_of(of.key);
  const std::unique_ptr<PKCS12, openssl::freed_by<PKCS12_free>> made(
      PKCS12_create(password.c_str(), friendly_name.c_str(), key.get(), certificate.get(), nullptr, 0, 0, 0, 0, 0));
  const openssl::bio bytes = openssl::make_writer();
  if (!made || i2d_PKCS12_bio(bytes.get(), made.get()) != 1) fail("write a PKCS#12 file");
  return openssl::text_of(bytes.get());
}

}  // namespace windhover::net
