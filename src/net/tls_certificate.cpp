#include "net/tls_certificate.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <new>
#include <span>
#include <system_error>
#include <utility>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "net/loaded_certificate_parts.hpp"

namespace windhover::net {
namespace {

[[noreturn]] void refuse(const tls_certificate& from, std::string_view what, std::string_view remedy) {
  std::string text = "the certificate";
  if (!from.name.empty()) text.append(" '").append(from.name).append("'");
  text.append(" cannot be used: ").append(what).append("; ").append(remedy);
  throw tls_error(text);
}

// Instead of OpenSSL's own, which would ask on the terminal.
int give_password(char* into, int room, int /*writing*/, void* from) noexcept {
  const std::string& password = *static_cast<const std::string*>(from);
  const std::size_t count = std::min(password.size(), static_cast<std::size_t>(room));
  std::copy_n(password.begin(), count, into);
  return static_cast<int>(count);
}

bool is_pem(std::string_view text) { return text.find("-----BEGIN ") != std::string_view::npos; }

void read_pem(const tls_certificate& from, loaded_certificate::parts& into) {
  openssl::pem_certificates read = openssl::certificates_of(from.certificate);
  if (!read.broken.empty()) refuse(from, read.broken, "write each certificate in PEM, as it was issued");
  if (read.all.empty()) refuse(from, "there is none in it", "the text must have a block BEGIN CERTIFICATE");
  into.leaf = std::move(read.all.front());
  read.all.erase(read.all.begin());
  into.chain = std::move(read.all);

  const bool apart = !from.key.empty();
  const openssl::bio key = openssl::reader_of(apart ? from.key : from.certificate);
  std::string password = from.password;
  into.key.reset(PEM_read_bio_PrivateKey(key.get(), nullptr, &give_password, &password));
  if (into.key) return;
  const std::string reason(openssl::last_error());
  if ((apart ? from.key : from.certificate).find("PRIVATE KEY-----") == std::string::npos) {
    refuse(from, "there is no private key",
           apart ? "the text of the key must have a block BEGIN PRIVATE KEY"
                 : "name the file of the key too, or put both into one file");
  }
  refuse(from, "its private key cannot be read (" + reason + ")",
         from.password.empty() ? "is a password missing?" : "is the password right?");
}

void read_pkcs12(const tls_certificate& from, loaded_certificate::parts& into) {
  const openssl::bio bytes = openssl::reader_of(from.certificate);
  const std::unique_ptr<PKCS12, openssl::freed_by<PKCS12_free>> file(d2i_PKCS12_bio(bytes.get(), nullptr));
  if (!file) {
    ERR_clear_error();
    refuse(from, "it is neither PEM nor PKCS#12", "name a .pem, .crt, .pfx or .p12 file");
  }
  if (!from.key.empty()) refuse(from, "it is PKCS#12 and has its key in it", "leave the file of the key away");
  EVP_PKEY* key = nullptr;
  X509* leaf = nullptr;
  STACK_OF(X509)* others = nullptr;
  if (PKCS12_parse(file.get(), from.password.c_str(), &key, &leaf, &others) != 1) {
    const std::string reason(openssl::last_error());
    refuse(from, "the PKCS#12 file cannot be opened (" + reason + ")",
           reason == "unsupported" ? "its encryption is an old one: export it again with AES-256"
                                   : "is the password right?");
  }
  into.key.reset(key);
  into.leaf.reset(leaf);
  const auto release = [](STACK_OF(X509) * all) noexcept { sk_X509_pop_free(all, X509_free); };
  const std::unique_ptr<STACK_OF(X509), decltype(release)> chain(others, release);
  into.chain.reserve(static_cast<std::size_t>(std::max(sk_X509_num(chain.get()), 0)));
  while (X509* const each = sk_X509_pop(chain.get())) into.chain.emplace_back(each);
  std::reverse(into.chain.begin(), into.chain.end());
  if (!into.leaf || !into.key) refuse(from, "there is no certificate with a private key in it", "export both together");
}

// A certificate without an end has the year 9999 (RFC 5280, section 4.1.2.5), which is beyond the clock.
wall_time time_of(const ASN1_TIME* at) {
  std::tm parts{};
  if (at == nullptr || ASN1_TIME_to_tm(at, &parts) != 1) return {};
  const std::chrono::seconds since_epoch(timegm(&parts));
  if (since_epoch > std::chrono::floor<std::chrono::seconds>(wall_time::max().time_since_epoch())) {
    return wall_time::max();
  }
  return wall_time(since_epoch);
}

std::string text_of(const X509_NAME* name) {
  const openssl::bio text = openssl::make_writer();
  X509_NAME_print_ex(text.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  return openssl::text_of(text.get());
}

std::string hexadecimal(std::span<const unsigned char> bytes) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  for (const unsigned char each : bytes) {
    text += digits[each >> 4U];
    text += digits[each & 15U];
  }
  return text;
}

std::string serial_number(X509* certificate) {
  const std::unique_ptr<BIGNUM, openssl::freed_by<BN_free>> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  const auto release = [](char* text) noexcept { OPENSSL_free(text); };
  const std::unique_ptr<char, decltype(release)> text(number ? BN_bn2hex(number.get()) : nullptr, release);
  if (!text) throw std::bad_alloc();
  return text.get();
}

std::string pem_of(X509* certificate) {
  const openssl::bio text = openssl::make_writer();
  if (PEM_write_bio_X509(text.get(), certificate) != 1) throw std::bad_alloc();
  return openssl::text_of(text.get());
}

std::string common_name(X509* certificate) {
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  const ASN1_STRING* const value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
          static_cast<std::size_t>(ASN1_STRING_length(value))};
}

}  // namespace

std::string read_certificate_file(const std::string& path) {
  constexpr std::size_t most = std::size_t{1} << 20;
  if (path.empty()) return {};
  std::ifstream file(path, std::ios::binary);
  if (!file) throw tls_error("the file '" + path + "' cannot be opened: " + std::generic_category().message(errno));
  std::string text(most + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) throw tls_error("the file '" + path + "' cannot be read: it is no ordinary file");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > most) throw tls_error("the file '" + path + "' is no certificate: it has more than 1 MiB");
  if (text.empty()) throw tls_error("the file '" + path + "' has nothing in it");
  return text;
}

tls_certificate read_certificate(const certificate_files& files) {
  tls_certificate read;
  read.certificate = read_certificate_file(files.certificate);
  read.key = read_certificate_file(files.key);
  read.password = files.password;
  read.name = files.certificate;
  return read;
}

loaded_certificate::loaded_certificate(const tls_certificate& from) : parts_(std::make_unique<parts>()) {
  ERR_clear_error();
  if (is_pem(from.certificate)) {
    read_pem(from, *parts_);
  } else {
    read_pkcs12(from, *parts_);
  }
  if (X509_check_private_key(parts_->leaf.get(), parts_->key.get()) != 1) {
    ERR_clear_error();
    refuse(from, "the private key belongs to another certificate", "name the two that were issued together");
  }
}

loaded_certificate::loaded_certificate(loaded_certificate&&) noexcept = default;
loaded_certificate::~loaded_certificate() = default;

std::vector<std::string> loaded_certificate::names() const {
  std::vector<std::string> found;
  const std::unique_ptr<GENERAL_NAMES, openssl::freed_by<GENERAL_NAMES_free>> alternatives(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(parts_->leaf.get(), NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
    const GENERAL_NAME* const each = sk_GENERAL_NAME_value(alternatives.get(), i);
    if (each->type != GEN_DNS) continue;
    found.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(each->d.dNSName)),
                       static_cast<std::size_t>(ASN1_STRING_length(each->d.dNSName)));
  }
  if (found.empty()) found.push_back(common_name(parts_->leaf.get()));
  return found;
}

wall_time loaded_certificate::not_before() const { return time_of(X509_get0_notBefore(parts_->leaf.get())); }
wall_time loaded_certificate::not_after() const { return time_of(X509_get0_notAfter(parts_->leaf.get())); }

certificate_info describe(x509_st* certificate) {
  certificate_info made;
  made.subject = text_of(X509_get_subject_name(certificate));
  made.issuer = text_of(X509_get_issuer_name(certificate));
  made.serial_number = serial_number(certificate);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) throw std::bad_alloc();
  made.sha256_fingerprint = hexadecimal(std::span(digest).first(size));
  made.pem = pem_of(certificate);
  made.not_before = time_of(X509_get0_notBefore(certificate));
  made.not_after = time_of(X509_get0_notAfter(certificate));
  return made;
}

}  // namespace windhover::net
