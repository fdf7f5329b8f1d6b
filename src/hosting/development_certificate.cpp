#include "hosting/development_certificate.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <span>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "base/random.hpp"
#include "hosting/certificate_reading.hpp"
#include "hosting/openssl_handle.hpp"

namespace windhover::hosting {
namespace {

constexpr int days_of_validity = 365;
constexpr mode_t for_everybody = 0644;
constexpr mode_t for_the_owner = 0600;

std::filesystem::path folder_of_user_data() {
  const auto variable = [](const char* name) -> std::filesystem::path {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  // A relative path there is to be ignored, by the XDG base directory specification.
  if (const auto data = variable("XDG_DATA_HOME"); data.is_absolute()) return data / "windhover";
  if (const auto home = variable("HOME"); home.is_absolute()) return home / ".local" / "share" / "windhover";
  return {};
}

std::optional<std::string> text_of_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

[[noreturn]] void fail(const std::filesystem::path& file, const char* what) {
  throw std::runtime_error("'" + file.string() + "' cannot be " + what + ": " + std::generic_category().message(errno));
}

// Whoever reads the file sees the old one or the new one.
void write_file(const std::filesystem::path& file, const std::string& text, mode_t mode) {
  const std::filesystem::path unfinished = file.string() + ".new";
  ::unlink(unfinished.c_str());
  const int descriptor = ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0) fail(file, "written");
  const ssize_t written = ::write(descriptor, text.data(), text.size());
  const int error = errno;
  if (::close(descriptor) != 0 || written != static_cast<ssize_t>(text.size()) ||
      ::rename(unfinished.c_str(), file.c_str()) != 0) {
    if (written < 0) errno = error;
    fail(file, "written");
  }
}

void add_extension(X509* certificate, int which, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, openssl_free<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, which, value));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1)
    throw openssl_error("OpenSSL cannot extend a certificate");
}

void add_to_name(X509_NAME* name, const char* field, const char* value) {
  if (X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value), -1, -1,
                                 0) != 1)
    throw openssl_error("OpenSSL cannot name a certificate");
}

// RFC 5280, section 4.1.2.2: positive, at most 20 bytes, and no other certificate of the issuer has it.
void set_serial_number(X509* certificate) {
  std::array<std::byte, 16> bytes;
  base::system_random_source random;
  random.fill(bytes);
  bytes[0] = (bytes[0] & std::byte{0x7f}) | std::byte{0x40};
  const std::unique_ptr<BIGNUM, openssl_free<BN_free>> number(
      BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr));
  if (!number || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) == nullptr)
    throw openssl_error("OpenSSL cannot number a certificate");
}

certificate_handle make_certificate(EVP_PKEY* key) {
  certificate_handle certificate(X509_new());
  if (!certificate) throw openssl_error("OpenSSL cannot make a certificate");
  X509* const made = certificate.get();
  X509_set_version(made, X509_VERSION_3);
  set_serial_number(made);
  // Clocks of containers and virtual machines lag now and then.
  constexpr long minutes_before = -5 * 60;
  if (X509_gmtime_adj(X509_getm_notBefore(made), minutes_before) == nullptr ||
      X509_time_adj_ex(X509_getm_notAfter(made), days_of_validity, 0, nullptr) == nullptr)
    throw openssl_error("OpenSSL cannot date a certificate");
  X509_NAME* const name = X509_get_subject_name(made);
  add_to_name(name, "O", "Windhover development certificate");
  add_to_name(name, "CN", "localhost");
  X509_set_issuer_name(made, name);
  X509_set_pubkey(made, key);
  add_extension(made, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(made, NID_key_usage, "critical,digitalSignature");
  add_extension(made, NID_ext_key_usage, "serverAuth");
  add_extension(made, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
  add_extension(made, NID_subject_key_identifier, "hash");
  if (X509_sign(made, key, EVP_sha256()) == 0) throw openssl_error("OpenSSL cannot sign a certificate");
  return certificate;
}

std::string pem_of(X509* certificate) {
  const bio_handle text(BIO_new(BIO_s_mem()));
  if (!text || PEM_write_bio_X509(text.get(), certificate) != 1)
    throw openssl_error("OpenSSL cannot write a certificate");
  return text_of(text.get());
}

// PKCS#8, encrypted when there is a password.
std::string pem_of(EVP_PKEY* key, const std::string& password) {
  const bio_handle text(BIO_new(BIO_s_mem()));
  const EVP_CIPHER* const cipher = password.empty() ? nullptr : EVP_aes_256_cbc();
  if (!text || PEM_write_bio_PKCS8PrivateKey(text.get(), key, cipher, password.empty() ? nullptr : password.data(),
                                             static_cast<int>(password.size()), nullptr, nullptr) != 1)
    throw openssl_error("OpenSSL cannot write a key");
  return text_of(text.get());
}

std::string pkcs12_of(X509* certificate, EVP_PKEY* key, const std::string& password) {
  const std::unique_ptr<PKCS12, openssl_free<PKCS12_free>> made(
      PKCS12_create(password.c_str(), "Windhover development certificate", key, certificate, nullptr, 0, 0, 0, 0, 0));
  const bio_handle bytes(BIO_new(BIO_s_mem()));
  if (!made || !bytes || i2d_PKCS12_bio(bytes.get(), made.get()) != 1)
    throw openssl_error("OpenSSL cannot write a PKCS#12 file");
  return text_of(bytes.get());
}

struct pair_of_handles {
  certificate_handle certificate;
  key_handle key;
};

// Nothing when one of the files is missing or unreadable, or they do not belong together.
std::optional<pair_of_handles> read_pair(const certificate_files& files) {
  const std::optional<std::string> certificate_text = text_of_file(files.certificate);
  const std::optional<std::string> key_text = text_of_file(files.key);
  if (!certificate_text || !key_text) return std::nullopt;
  const auto source = [](const std::string& text) {
    return bio_handle(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  };
  // Without this OpenSSL would ask the terminal for a password.
  constexpr auto no_password = [](char*, int, int, void*) { return -1; };
  pair_of_handles pair{
      .certificate =
          certificate_handle(PEM_read_bio_X509(source(*certificate_text).get(), nullptr, no_password, nullptr)),
      .key = key_handle(PEM_read_bio_PrivateKey(source(*key_text).get(), nullptr, no_password, nullptr))};
  const bool fits = pair.certificate && pair.key && X509_check_private_key(pair.certificate.get(), pair.key.get()) == 1;
  ERR_clear_error();
  return fits ? std::optional(std::move(pair)) : std::nullopt;
}

}  // namespace

development_certificate::development_certificate() : folder_(folder_of_user_data()) {}
development_certificate::development_certificate(std::filesystem::path folder) : folder_(std::move(folder)) {}

development_certificate::condition development_certificate::state() const {
  std::error_code error;
  if (!has_place() || !std::filesystem::exists(certificate_file(), error)) return condition::missing;
  const std::optional<pair_of_handles> pair = read_pair(files());
  if (!pair) return condition::unusable;
  const bool lasts = X509_cmp_current_time(X509_get0_notAfter(pair->certificate.get())) > 0;
  return lasts ? condition::valid : condition::expired;
}

std::optional<client_certificate> development_certificate::details() const {
  const std::optional<pair_of_handles> pair = has_place() ? read_pair(files()) : std::nullopt;
  if (!pair) return std::nullopt;
  return read_certificate(pem_of(pair->certificate.get()));
}

void development_certificate::make() const {
  if (!has_place())
    throw std::runtime_error("there is no place for a development certificate: HOME and XDG_DATA_HOME are not set");
  const key_handle key(EVP_EC_gen("P-256"));
  if (!key) throw openssl_error("OpenSSL cannot make a key");
  const certificate_handle certificate = make_certificate(key.get());
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) throw std::runtime_error("'" + folder_.string() + "' cannot be made: " + error.message());
  write_file(key_file(), pem_of(key.get(), ""), for_the_owner);
  write_file(certificate_file(), pem_of(certificate.get()), for_everybody);
}

bool development_certificate::remove() const {
  bool removed = false;
  for (const std::filesystem::path& file : {certificate_file(), key_file()}) {
    if (!has_place()) break;
    std::error_code error;
    removed |= std::filesystem::remove(file, error);
    if (error) throw std::runtime_error("'" + file.string() + "' cannot be removed: " + error.message());
  }
  return removed;
}

void development_certificate::export_to(const std::filesystem::path& file, export_format format, bool with_key,
                                        const std::string& password) const {
  const std::optional<pair_of_handles> pair = read_pair(files());
  if (!pair) throw std::runtime_error("there is no usable development certificate to export");
  X509* const certificate = pair->certificate.get();
  EVP_PKEY* const key = with_key ? pair->key.get() : nullptr;
  if (format == export_format::pfx) {
    write_file(file, pkcs12_of(certificate, key, password), with_key ? for_the_owner : for_everybody);
    return;
  }
  if (with_key) {
    std::filesystem::path file_of_key = file;
    if (file_of_key.replace_extension(".key") == file)
      throw std::runtime_error("'" + file.string() +
                               "' is where the key goes: name the certificate's file .pem or .crt");
    write_file(file_of_key, pem_of(key, password), for_the_owner);
  }
  write_file(file, pem_of(certificate), for_everybody);
}

}  // namespace windhover::hosting
