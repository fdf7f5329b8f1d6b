// How https:// URLs are served: the options of web_application::use_https.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <windhover/certificate_files.hpp>
#include <windhover/client_certificate_mode.hpp>
#include <windhover/http_protocols.hpp>
#include <windhover/tls_version.hpp>

namespace windhover {

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
  // Older and newer versions are refused; with the same one twice it is that one alone. A least version that is newer
  // than the most is refused by use_https, with std::invalid_argument.
  tls_version least_version = tls_version::tls_1_2;
  tls_version most_version = tls_version::tls_1_3;
  // How long a handshake may take.
  std::chrono::milliseconds handshake_timeout = std::chrono::seconds(10);
};

}  // namespace windhover
