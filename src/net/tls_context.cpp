#include "net/tls_context.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <new>
#include <optional>
#include <span>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "base/text.hpp"
#include "net/event_loop.hpp"
#include "net/loaded_certificate_parts.hpp"
#include "net/tls_sessions.hpp"
#include "net/tls_ticket_keys.hpp"

namespace windhover::net {
namespace {

// TLS 1.2 with forward secrecy and authenticated encryption; the suites of 1.3 are all like that.
constexpr const char* suites_of_1_2 = "ECDHE+AESGCM:ECDHE+CHACHA20";
// The server's choice: 128 bits are as safe as the curves are, and cheaper. A client that has no AES in its hardware
// says so by wanting ChaCha20 most, and gets it.
constexpr const char* suites_of_1_3 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* groups = "X25519:P-256:P-384";
// Tickets are good at whichever of a server's certificates they were issued.
constexpr std::array<unsigned char, 9> session_scope = {'w', 'i', 'n', 'd', 'h', 'o', 'v', 'e', 'r'};

int number_of(tls_version version) noexcept {
  return version == tls_version::tls_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

// OpenSSL takes such bounds, and then every handshake fails.
void check_versions(tls_version least, tls_version most) {
  if (least > most) throw tls_error("no version of TLS is allowed: the least one is newer than the most");
}

openssl::context make_context(const SSL_METHOD* method, tls_version least, tls_version most) {
  ERR_clear_error();
  openssl::context made(SSL_CTX_new(method));
  if (!made) throw std::bad_alloc();
  SSL_CTX* const context = made.get();
  const bool set = SSL_CTX_set_min_proto_version(context, number_of(least)) == 1 &&
                   SSL_CTX_set_max_proto_version(context, number_of(most)) == 1 &&
                   SSL_CTX_set_cipher_list(context, suites_of_1_2) == 1 &&
                   SSL_CTX_set_ciphersuites(context, suites_of_1_3) == 1 &&
                   SSL_CTX_set1_groups_list(context, groups) == 1;
  if (!set) throw tls_error("TLS cannot be set up: " + std::string(openssl::last_error()));
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  return made;
}

void use(SSL_CTX* context, const tls_certificate& from, const loaded_certificate& loaded) {
  const loaded_certificate::parts& parts = loaded.openssl();
  bool taken =
      SSL_CTX_use_certificate(context, parts.leaf.get()) == 1 && SSL_CTX_use_PrivateKey(context, parts.key.get()) == 1;
  for (const openssl::certificate& each : parts.chain) {
    taken = taken && SSL_CTX_add1_chain_cert(context, each.get()) == 1;
  }
  if (!taken) {
    throw tls_error("the certificate '" + from.name + "' cannot be used: " + std::string(openssl::last_error()) +
                    "; issue one with a key of at least 2048 bits (RSA) or 256 bits (ECDSA)");
  }
}

// Nothing means those that the system trusts.
void trust(SSL_CTX* context, const std::string& authorities, bool name_them) {
  if (authorities.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return;
  }
  const openssl::pem_certificates read = openssl::certificates_of(authorities);
  if (!read.broken.empty()) {
    throw tls_error("the certificate authorities cannot be used: " + std::string(read.broken) +
                    "; write each certificate in PEM, as it was issued");
  }
  if (read.all.empty()) {
    throw tls_error(
        "the certificate authorities cannot be used: there is no certificate among them; write them in PEM, with "
        "blocks BEGIN CERTIFICATE");
  }
  for (const openssl::certificate& each : read.all) {
    const bool added = X509_STORE_add_cert(SSL_CTX_get_cert_store(context), each.get()) == 1 &&
                       (!name_them || SSL_CTX_add_client_CA(context, each.get()) == 1);
    if (!added) throw std::bad_alloc();
  }
}

std::string protocol_list(const std::vector<std::string>& protocols) {
  std::string list;
  for (const std::string& each : protocols) {
    if (each.empty() || each.size() > 255) throw tls_error("the name of an application protocol has 1 to 255 bytes");
    list += static_cast<char>(each.size());
    list += each;
  }
  return list;
}

int verification_of(client_certificate_mode mode) noexcept {
  switch (mode) {
    case client_certificate_mode::none:
      return SSL_VERIFY_NONE;
    case client_certificate_mode::allow:
      return SSL_VERIFY_PEER;
    case client_certificate_mode::require:
      return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  return SSL_VERIFY_NONE;
}

// ----- Session tickets

bool use_mac_key(EVP_MAC_CTX* mac, std::array<unsigned char, 32>& key) noexcept {
  std::array<char, 7> digest = {"SHA256"};
  const std::array<OSSL_PARAM, 3> parameters = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.data(), key.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0), OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters.data()) == 1;
}

// As OpenSSL asks for it: 1 done, 2 done and a new ticket is wanted, 0 the ticket is not ours, below 0 failed.
int use_ticket_key(SSL* of, unsigned char* name, unsigned char* initial, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                   int issuing) noexcept {
  auto& keys = *static_cast<tls_ticket_keys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(of)));
  event_loop& loop = *static_cast<event_loop*>(SSL_get_app_data(of));
  try {
    std::optional<tls_ticket_keys::key> key;
    if (issuing == 1) {
      key = keys.newest(loop.now(), loop.random());
      std::copy(key->name.begin(), key->name.end(), name);
      const auto size = static_cast<std::size_t>(EVP_CIPHER_get_iv_length(EVP_aes_256_cbc()));
      loop.random().fill(std::as_writable_bytes(std::span(initial, size)));
    } else {
      key = keys.find(std::span<const unsigned char, 16>(name, 16), loop.now());
      if (!key) return 0;
    }
    const bool set = EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(), initial, issuing) == 1 &&
                     use_mac_key(mac, key->mac);
    if (!set) return -1;
    return issuing == 1 || tls_ticket_keys::is_newest(*key, loop.now()) ? 1 : 2;
  } catch (const std::bad_alloc&) {
    return -1;
  }
}

}  // namespace

// ----- The server

server_tls::contexts::contexts(const server_tls_options& options, std::shared_ptr<tls_ticket_keys> keys)
    : keys_(std::move(keys)),
      application_protocols_(protocol_list(options.application_protocols)),
      handshake_timeout_(options.handshake_timeout) {
  if (options.certificates.empty()) throw tls_error("a server needs a certificate: name one");
  check_versions(options.least, options.most);
  for (const tls_certificate& each : options.certificates) add(each, options);
}

void server_tls::contexts::add(const tls_certificate& certificate, const server_tls_options& options) {
  const loaded_certificate loaded(certificate);
  openssl::context made = make_context(TLS_server_method(), options.least, options.most);
  SSL_CTX* const context = made.get();
  use(context, certificate, loaded);
  SSL_CTX_set_session_id_context(context, session_scope.data(), session_scope.size());
  SSL_CTX_set_timeout(context, std::chrono::seconds(tls_ticket_keys::good_for).count());
  const bool asks_for_certificates = options.client_certificates != client_certificate_mode::none;
  // A session that is resumed is not verified again: neither by other authorities than it began with, nor against the
  // date. So where clients show certificates, each handshake is a whole one.
  if (asks_for_certificates) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, asks_for_certificates ? 0 : 1);
  SSL_CTX_set_app_data(context, keys_.get());
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &use_ticket_key);
  openssl::set_server_name_callback(context, &contexts::choose_certificate, this);
  if (!application_protocols_.empty()) SSL_CTX_set_alpn_select_cb(context, &contexts::choose_protocol, this);
  SSL_CTX_set_verify(context, verification_of(options.client_certificates), nullptr);
  if (asks_for_certificates) trust(context, options.client_authorities, true);

  const std::vector<std::string> names = certificate.server_names.empty() ? loaded.names() : certificate.server_names;
  for (const std::string& each : names) by_name_.emplace_back(each, context);
  all_.push_back(std::move(made));
}

// The name itself, then a wildcard for its first label (RFC 6125, section 6.4.3).
SSL_CTX* server_tls::contexts::find(std::string_view server_name) const noexcept {
  const auto named = [this](std::string_view prefix, std::string_view rest) -> SSL_CTX* {
    for (const auto& [name, context] : by_name_) {
      const std::string_view whole(name);
      if (whole.size() == prefix.size() + rest.size() && whole.starts_with(prefix) &&
          base::equals_ignoring_case(whole.substr(prefix.size()), rest)) {
        return context;
      }
    }
    return nullptr;
  };
  if (SSL_CTX* const found = named({}, server_name)) return found;
  const std::size_t dot = server_name.find('.');
  return dot == std::string_view::npos ? nullptr : named("*", server_name.substr(dot));
}

int server_tls::contexts::choose_certificate(SSL* of, int* /*alert*/, void* self) noexcept {
  const char* const name = SSL_get_servername(of, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_CTX* const found = static_cast<const contexts*>(self)->find(name);
  if (found != nullptr && found != SSL_get_SSL_CTX(of)) SSL_set_SSL_CTX(of, found);
  return SSL_TLSEXT_ERR_OK;
}

int server_tls::contexts::choose_protocol(SSL* /*of*/, const unsigned char** chosen, unsigned char* size,
                                          const unsigned char* offered, unsigned offered_size, void* self) noexcept {
  const std::string& ours = static_cast<const contexts*>(self)->application_protocols_;
  unsigned char* found = nullptr;
  const int outcome = SSL_select_next_proto(&found, size, reinterpret_cast<const unsigned char*>(ours.data()),
                                            static_cast<unsigned>(ours.size()), offered, offered_size);
  *chosen = found;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

openssl::session server_tls::contexts::new_session(event_loop& loop) const {
  openssl::session made(SSL_new(all_.front().get()));
  if (!made) throw std::bad_alloc();
  SSL_set_app_data(made.get(), &loop);
  SSL_set_accept_state(made.get());
  return made;
}

server_tls::server_tls(const server_tls_options& options)
    : keys_(std::make_shared<tls_ticket_keys>()), current_(std::make_shared<const contexts>(options, keys_)) {}

server_tls::~server_tls() = default;

void server_tls::replace(const server_tls_options& options) {
  auto made = std::make_shared<const contexts>(options, keys_);
  const std::lock_guard locked(lock_);
  current_ = std::move(made);
}

std::shared_ptr<const server_tls::contexts> server_tls::current() const {
  const std::lock_guard locked(lock_);
  return current_;
}

// ----- The client

client_tls::context::context(const client_tls_options& options)
    : context_(make_context(TLS_client_method(), options.least, options.most)),
      expected_name_(options.expected_name),
      handshake_timeout_(options.handshake_timeout) {
  SSL_CTX* const made = context_.get();
  SSL_CTX_set_verify(made, options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (options.verify) trust(made, options.authorities, false);
  if (!options.certificate.certificate.empty()) {
    use(made, options.certificate, loaded_certificate(options.certificate));
  }
  const std::string protocols = protocol_list(options.application_protocols);
  if (!protocols.empty()) {
    const bool failed = SSL_CTX_set_alpn_protos(made, reinterpret_cast<const unsigned char*>(protocols.data()),
                                                static_cast<unsigned>(protocols.size())) != 0;
    if (failed) throw std::bad_alloc();
  }
}

openssl::session client_tls::context::new_session(const std::string& host) const {
  openssl::session made(SSL_new(context_.get()));
  if (!made) throw std::bad_alloc();
  SSL* const session = made.get();
  SSL_set_connect_state(session);
  const std::string& name = expected_name_.empty() ? host : expected_name_;
  bool set = true;
  if (openssl::is_address(name)) {
    set = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), name.c_str()) == 1;
  } else {
    SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    set = openssl::ask_for_server_name(session, name.c_str()) && SSL_set1_host(session, name.c_str()) == 1;
  }
  if (!set) throw std::bad_alloc();
  return made;
}

client_tls::client_tls(client_tls_options options) : options_(std::move(options)) {
  check_versions(options_.least, options_.most);
  const bool trusts_the_system = options_.verify && options_.authorities.empty();
  if (!trusts_the_system || !options_.certificate.certificate.empty()) static_cast<void>(current());
}

const client_tls::context& client_tls::current() const {
  std::call_once(made_, [this] { context_ = std::make_unique<const context>(options_); });
  return *context_;
}

client_tls::~client_tls() = default;

}  // namespace windhover::net
