// What connections with TLS share: certificates, keys of session tickets, what is allowed and what is verified.
//
// TLS 1.2 and 1.3, or one of them; of 1.2 only the suites with forward secrecy and authenticated encryption. No
// compression, no renegotiation, no early data.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "net/time.hpp"
#include "net/tls_certificate.hpp"
#include <windhover/client_certificate_mode.hpp>
#include <windhover/tls_version.hpp>

namespace windhover::net {

class tls_ticket_keys;

struct server_tls_options {
  // One at least. The first is shown to clients that name no server, or one that no other is for.
  std::vector<tls_certificate> certificates;
  // A certificate that is shown must be good in each mode but none, in which clients are not asked for one.
  client_certificate_mode client_certificates = client_certificate_mode::none;
  std::string client_authorities;  // PEM: who may have issued them; empty: whom the system trusts
  // ALPN (RFC 7301), the best first. A client that offers none of them is refused; one that does not offer is not.
  std::vector<std::string> application_protocols = {"http/1.1"};
  // A handshake agrees on the newest one that both sides allow.
  tls_version least = tls_version::tls_1_2;
  tls_version most = tls_version::tls_1_3;
  duration handshake_timeout = std::chrono::seconds(10);  // 0: none
};

class server_tls {
 public:
  // Reads and checks everything. Throws tls_error.
  explicit server_tls(const server_tls_options& options);
  server_tls(const server_tls&) = delete;
  server_tls& operator=(const server_tls&) = delete;
  ~server_tls();

  // For connections from now on; those that are open are not touched, and their tickets stay good. Throws tls_error
  // and leaves everything as it was. Any thread.
  void replace(const server_tls_options& options);

  // OpenSSL's contexts, kept by each connection that was made with them.
  class contexts;
  std::shared_ptr<const contexts> current() const;

 private:
  std::shared_ptr<tls_ticket_keys> keys_;
  mutable std::mutex lock_;
  std::shared_ptr<const contexts> current_;
};

struct client_tls_options {
  bool verify = true;           // the server's certificate, its chain and its name
  std::string authorities;      // PEM: whom to trust; empty: whom the system trusts
  std::string expected_name;    // that the certificate must be for; empty: the host that is connected to
  tls_certificate certificate;  // the client's own; none without a text
  std::vector<std::string> application_protocols = {"http/1.1"};
  tls_version least = tls_version::tls_1_2;
  tls_version most = tls_version::tls_1_3;
  duration handshake_timeout = std::chrono::seconds(10);  // 0: none
};

class client_tls {
 public:
  // Reads what the options hold. Whom the system trusts is read by the first connection: that is much, and many
  // clients never connect with TLS. Throws tls_error.
  explicit client_tls(client_tls_options options);
  client_tls(const client_tls&) = delete;
  client_tls& operator=(const client_tls&) = delete;
  ~client_tls();

  class context;
  // Any thread. Throws tls_error.
  const context& current() const;

 private:
  client_tls_options options_;
  mutable std::once_flag made_;
  mutable std::unique_ptr<const context> context_;
};

}  // namespace windhover::net
