// How https:// URLs are served: the options of web_application::use_https.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <windhover/certificate_files.hpp>

namespace windhover {

// What a client is asked for in the handshake.
enum class client_certificate_mode : std::uint8_t {
  none,     // nothing
  allow,    // a certificate, which it need not have; one that it has must be valid
  require,  // a valid certificate
};

// The versions of HTTP that an address speaks. Over TLS the client chooses (ALPN); without TLS, http1_and_http2 means
// HTTP/1.1.
enum class http_protocols : std::uint8_t { http1, http2, http1_and_http2 };

enum class tls_version : std::uint8_t { tls_1_2, tls_1_3 };

// A certificate for clients that ask for a certain host (SNI).
struct host_certificate {
  std::string host;  // "example.com" or "*.example.com"
  certificate_files files;
};

struct https_options {
  // Relative paths, here and below, start at the content root. What clients see that ask for no host, or for one that
  // no other certificate names. Empty: the development certificate that `windhover dev-certs` has made.
  certificate_files certificate = {};
  std::vector<host_certificate> host_certificates = {};
  client_certificate_mode client_certificates = client_certificate_mode::none;
  // The authorities that clients' certificates must come from, a PEM file. Empty: those of the system.
  std::string client_certificate_authority = {};
  http_protocols protocols = http_protocols::http1_and_http2;
  // Older versions are refused.
  tls_version least_version = tls_version::tls_1_2;
  // How long a handshake may take.
  std::chrono::milliseconds handshake_timeout = std::chrono::seconds(10);
};

}  // namespace windhover
