// tls_info: what is known of an encrypted connection (TLS 1.2 or 1.3).
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace windhover {

// An X.509 certificate (RFC 5280), as the peer has shown it.
struct certificate_info {
  std::string subject;             // a distinguished name as in RFC 2253: "CN=client,O=Example"
  std::string issuer;              // likewise
  std::string serial_number;       // hexadecimal, upper case
  std::string sha256_fingerprint;  // of the whole certificate: 64 hexadecimal digits, upper case
  std::string pem;
  std::chrono::system_clock::time_point not_before;
  std::chrono::system_clock::time_point not_after;
};

struct tls_info {
  std::string protocol;              // "TLSv1.3"
  std::string cipher_suite;          // as in the registry of IANA: "TLS_AES_128_GCM_SHA256"
  std::string server_name;           // that the client asked for (SNI, RFC 6066 section 3); empty when it did not
  std::string application_protocol;  // that was agreed on (ALPN, RFC 7301): "h2", "http/1.1"; empty without one
  bool session_resumed = false;      // by a ticket, without a new exchange of certificates
  // The peer's, whose private key it has proved to have, and whose chain was verified. None when it has shown none.
  std::optional<certificate_info> peer_certificate;
};

}  // namespace windhover
