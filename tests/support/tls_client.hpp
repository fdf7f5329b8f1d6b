// A client that blocks and speaks TLS, for tests against a running server: one connection, on which bytes are written
// and read. What the server shows is told; nothing of it is verified.
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.hpp"
#include "net/openssl_handles.hpp"
#include "net/self_signed_certificate.hpp"
#include "net/tls_certificate.hpp"
#include "support/http_client.hpp"

namespace windhover::test {

struct tls_client_options {
  std::string server_name = {};  // SNI; empty for none
  std::string protocols = {};    // ALPN, on the wire: "\x08http/1.1"
  std::optional<net::made_certificate> certificate = {};
  int least_version = TLS1_2_VERSION;
  int most_version = TLS1_3_VERSION;
  SSL_SESSION* session = nullptr;                                     // to resume, of a client that still exists
  std::uint8_t largest_record = TLSEXT_max_fragment_length_DISABLED;  // RFC 6066, section 4
};

class tls_client {
 public:
  // A URL as a server announces it: https://127.0.0.1:40000. Throws std::runtime_error when there is no connection.
  explicit tls_client(std::string_view url, const tls_client_options& with = {})
      : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_.get(), with.least_version);
    SSL_CTX_set_max_proto_version(context_.get(), with.most_version);
    if (with.certificate) use(*with.certificate);
    session_.reset(SSL_new(context_.get()));
    if (!with.server_name.empty()) net::openssl::ask_for_server_name(session_.get(), with.server_name.c_str());
    if (with.session != nullptr) SSL_set_session(session_.get(), with.session);
    SSL_set_tlsext_max_fragment_length(session_.get(), with.largest_record);
    SSL_set_alpn_protos(session_.get(), reinterpret_cast<const unsigned char*>(with.protocols.data()),
                        static_cast<unsigned>(with.protocols.size()));
    connect(url);
    SSL_set_fd(session_.get(), descriptor_);
    if (patiently([&] { return SSL_connect(session_.get()); }) != 1) {
      ::close(descriptor_);
      throw std::runtime_error("the handshake failed: " + std::string(net::openssl::last_error()));
    }
  }
  tls_client(const tls_client&) = delete;
  tls_client& operator=(const tls_client&) = delete;
  ~tls_client() { ::close(descriptor_); }

  // What the handshake has agreed on.
  std::string version() const { return SSL_get_version(session_.get()); }
  std::string protocol() const {
    const unsigned char* bytes = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(session_.get(), &bytes, &size);
    return {reinterpret_cast<const char*>(bytes), size};
  }
  SSL_SESSION* session() const { return SSL_get_session(session_.get()); }
  bool resumed() const { return SSL_session_reused(session_.get()) == 1; }
  certificate_info certificate() const { return net::describe(SSL_get0_peer_certificate(session_.get())); }

  void send(std::string_view text) {
    const int size = static_cast<int>(text.size());
    if (patiently([&] { return SSL_write(session_.get(), text.data(), size); }) != size)
      throw std::runtime_error("sending failed: " + std::string(net::openssl::last_error()));
  }
  std::string read(std::size_t count) {
    while (received_.size() < count) fill();
    return take(count);
  }
  http_answer read_answer() {
    http_answer answer;
    std::size_t end = 0;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) fill();
    answer.head = take(end + 4);
    answer.status = std::stoi(answer.head.substr(9, 3));
    if (const auto length = answer.header("Content-Length")) answer.body = read(std::stoul(*length));
    return answer;
  }
  // Asks for new keys on both sides (RFC 8446, section 4.6.3). False when the connection is over.
  bool change_keys() {
    return SSL_key_update(session_.get(), SSL_KEY_UPDATE_REQUESTED) == 1 &&
           patiently([&] { return SSL_do_handshake(session_.get()); }) == 1;
  }
  http_answer get(std::string_view target, std::string_view host = "localhost", std::string_view further = {}) {
    send("GET " + std::string(target) + " HTTP/1.1\r\nHost: " + std::string(host) + "\r\n" + std::string(further) +
         "\r\n");
    return read_answer();
  }

 private:
  void use(const net::made_certificate& own) {
    const net::openssl::bio certificate = net::openssl::reader_of(own.certificate);
    const net::openssl::bio key = net::openssl::reader_of(own.key);
    const net::openssl::certificate leaf(PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr));
    const net::openssl::private_key its_key(PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr));
    if (SSL_CTX_use_certificate(context_.get(), leaf.get()) != 1 ||
        SSL_CTX_use_PrivateKey(context_.get(), its_key.get()) != 1)
      throw std::runtime_error("the client's certificate cannot be used");
  }
  // A system call that something interrupts is made again.
  template <class Call>
  int patiently(Call&& call) const {
    for (;;) {
      errno = 0;
      const int outcome = call();
      if (outcome > 0 || errno != EINTR || SSL_get_error(session_.get(), outcome) == SSL_ERROR_SSL) return outcome;
    }
  }
  void connect(std::string_view url) {
    const std::size_t port = url.rfind(':') + 1;
    const net::address to =
        net::make_ip_address("127.0.0.1", static_cast<std::uint16_t>(std::stoi(std::string(url.substr(port)))));
    descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{.tv_sec = patience_in_seconds, .tv_usec = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (::connect(descriptor_, &to.value.any, to.size) == 0) return;
    int error = errno;
    if (error == EINTR) {
      // What was interrupted goes on by itself.
      pollfd waiting{.fd = descriptor_, .events = POLLOUT, .revents = 0};
      while (::poll(&waiting, 1, patience_in_seconds * 1000) < 0 && errno == EINTR) {
      }
      socklen_t size = sizeof error;
      ::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error == 0) return;
    }
    ::close(descriptor_);
    throw std::system_error(error, std::generic_category(), "connecting to " + std::string(url));
  }
  void fill() {
    std::array<char, 16384> piece;
    const int size = static_cast<int>(piece.size());
    const int count = patiently([&] { return SSL_read(session_.get(), piece.data(), size); });
    if (count <= 0)
      throw std::runtime_error("the server ended the connection: " + std::string(net::openssl::last_error()) +
                               "; left over: '" + received_.substr(0, 500) + "'");
    received_.append(piece.data(), static_cast<std::size_t>(count));
  }
  std::string take(std::size_t count) {
    std::string taken = received_.substr(0, count);
    received_.erase(0, count);
    return taken;
  }

  net::openssl::context context_;
  net::openssl::session session_;
  int descriptor_ = -1;
  std::string received_;
};

}  // namespace windhover::test
