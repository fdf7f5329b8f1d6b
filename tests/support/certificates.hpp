// Certificates for tests: an authority, and what it issues.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "net/self_signed_certificate.hpp"
#include "net/tls_certificate.hpp"
#include "net/tls_context.hpp"

namespace windhover::test {

class issued_certificate {
 public:
  // Signed by `by`, or by itself.
  explicit issued_certificate(const net::certificate_request& wanted, const issued_certificate* by = nullptr)
      : made_(by != nullptr ? net::make_signed_by(by->made_, wanted) : net::make_self_signed(wanted)) {}

  std::string certificate() const { return made_.certificate; }
  std::string key(const std::string& password = {}) const {
    return password.empty() ? made_.key : net::encrypted_key(made_.key, password);
  }
  std::string pkcs12(const std::string& password) const { return net::pkcs12_file(made_, password, "test"); }
  net::tls_certificate pair(const std::string& name = "test.pem") const {
    return {.certificate = made_.certificate, .key = made_.key, .password = {}, .name = name, .server_names = {}};
  }

 private:
  net::made_certificate made_;
};

// Everything that a server on this machine and its clients need.
struct test_certificates {
  issued_certificate authority{{.common_name = "Test Authority", .used_by = net::certificate_request::use::authority}};
  issued_certificate server{{.common_name = "localhost", .names = {"localhost", "127.0.0.1", "::1"}}, &authority};

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
