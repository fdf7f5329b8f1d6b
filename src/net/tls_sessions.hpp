// Where sessions of OpenSSL come from. Included by implementations only.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/openssl_handles.hpp"
#include "net/tls_context.hpp"

namespace windhover::net {

class event_loop;
class tls_ticket_keys;

class server_tls::contexts {
 public:
  // Throws tls_error.
  contexts(const server_tls_options& options, std::shared_ptr<tls_ticket_keys> keys);

  // For one connection, which keeps this object for as long as it lives. Throws std::bad_alloc.
  openssl::session new_session(event_loop& loop) const;
  duration handshake_timeout() const noexcept { return handshake_timeout_; }

 private:
  void add(const tls_certificate& certificate, const server_tls_options& options);
  SSL_CTX* find(std::string_view server_name) const noexcept;
  static int choose_certificate(SSL* of, int* alert, void* self) noexcept;
  static int choose_protocol(SSL* of, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                             unsigned offered_size, void* self) noexcept;

  std::shared_ptr<tls_ticket_keys> keys_;
  std::vector<openssl::context> all_;
  std::vector<std::pair<std::string, SSL_CTX*>> by_name_;  // "example.com" or "*.example.com"
  std::string application_protocols_;                      // as on the wire
  duration handshake_timeout_;
};

class client_tls::context {
 public:
  // Throws tls_error.
  explicit context(const client_tls_options& options);

  // For one connection to that host, a name or an address. Throws std::bad_alloc.
  openssl::session new_session(const std::string& host) const;
  duration handshake_timeout() const noexcept { return handshake_timeout_; }

 private:
  openssl::context context_;
  std::string expected_name_;
  duration handshake_timeout_;
};

}  // namespace windhover::net
