// Certificates of one's own: signed by themselves, as on a developer's machine, or by an authority that was made here
// as well, as in tests. Keys are on P-256.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace windhover::net {

struct certificate_request {
  std::string common_name = {};
  std::string organization = {};
  // What it is valid for: host names, with a wildcard or without, and addresses.
  std::vector<std::string> names = {};
  enum class use { server, client, authority };
  use used_by = use::server;
  // From now. A little earlier than now, for clocks that lag.
  std::chrono::seconds begins = std::chrono::minutes(-5);
  std::chrono::seconds ends = std::chrono::days(365);
};

// Both in PEM.
struct made_certificate {
  std::string certificate;
  std::string key;
};

// Throws tls_error.
made_certificate make_self_signed(const certificate_request& wanted);
made_certificate make_signed_by(const made_certificate& authority, const certificate_request& wanted);

// The key encrypted with a password, still in PEM. Throws tls_error.
std::string encrypted_key(const std::string& key, const std::string& password);
// A PKCS#12 file; without a key when that is empty. Throws tls_error.
std::string pkcs12_file(const made_certificate& of, const std::string& password, const std::string& friendly_name);

}  // namespace windhover::net
