// A certificate with its chain and its private key, as a file or a configuration gives them.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "net/time.hpp"
#include <windhover/certificate_files.hpp>
#include <windhover/tls_info.hpp>

struct x509_st;  // OpenSSL's X509

namespace windhover::net {

// Certificates or options of TLS that cannot be used; the text names the certificate, the cause and the remedy.
struct tls_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Where one comes from.
struct tls_certificate {
  std::string certificate;  // PEM, the server's first and those of its chain behind it; or the bytes of a PKCS#12 file
  std::string key;          // PEM; empty when it is in `certificate`
  std::string password;     // of the key or of the PKCS#12 file
  std::string name;         // for texts of errors, such as the name of the file
  // The names it is shown for (SNI), "example.com" or "*.example.com". Empty: those that the certificate itself has.
  std::vector<std::string> server_names;
};

// The whole file; nothing for no name. Throws tls_error.
std::string read_certificate_file(const std::string& path);
tls_certificate read_certificate(const certificate_files& files);

// One that has been read, and whose key belongs to it.
class loaded_certificate {
 public:
  // Throws tls_error.
  explicit loaded_certificate(const tls_certificate& from);
  loaded_certificate(loaded_certificate&&) noexcept;
  loaded_certificate& operator=(loaded_certificate&&) = delete;
  ~loaded_certificate();

  // The names that it is valid for: of subjectAltName, or else the common name.
  std::vector<std::string> names() const;
  wall_time not_before() const;
  wall_time not_after() const;

  struct parts;
  const parts& openssl() const noexcept { return *parts_; }

 private:
  std::unique_ptr<parts> parts_;
};

// What a peer's certificate says.
certificate_info describe(x509_st* certificate);

}  // namespace windhover::net
