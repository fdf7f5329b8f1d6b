// tls_connection: what the handshake of a connection has agreed on.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace windhover {

// The certificate that a client has shown.
struct client_certificate {
  std::string subject;        // as in RFC 2253: "CN=Anna,O=Example"
  std::string issuer;         // the same
  std::string serial_number;  // hexadecimal
  std::string fingerprint;    // SHA-256 of the certificate, hexadecimal in capital letters
  std::chrono::system_clock::time_point valid_from;
  std::chrono::system_clock::time_point valid_until;
  std::string pem;
};

struct tls_connection {
  std::string version;      // "TLSv1.3"
  std::string cipher;       // "TLS_AES_256_GCM_SHA384"
  std::string protocol;     // what ALPN has chosen: "http/1.1", "h2"; empty without ALPN
  std::string server_name;  // the host that the client asked for (SNI); empty for none
  // Of a client that has one and was asked for it. It was verified: a client with an invalid one is not served.
  std::optional<windhover::client_certificate> client_certificate;
};

}  // namespace windhover
