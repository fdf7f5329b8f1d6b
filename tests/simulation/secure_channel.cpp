#include "secure_channel.hpp"

#include <array>
#include <cstdlib>
#include <new>
#include <span>
#include <utility>

#include <openssl/rand.h>

namespace windhover::simulation {
namespace {

// Of no use to anybody: it stands here so that every run sends the same bytes. Signatures with Ed25519 have one length.
constexpr const char* certificate = R"(-----BEGIN CERTIFICATE-----
MIIBVTCCAQegAwIBAgIUSfo4ZIIVykyl5WIhqPj1ahpPPaQwBQYDK2VwMBUxEzAR
BgNVBAMMCnNpbXVsYXRpb24wIBcNMjYxMTI2MjAwMTQ5WhgPMjEyNjExMDIyMDAx
NDlaMBUxEzARBgNVBAMMCnNpbXVsYXRpb24wKjAFBgMrZXADIQAHeYw7bMarQM0X
z9O+C9eUi7CsgEAMO4UHaJ5FmtAz86NnMGUwHQYDVR0OBBYEFK9dBkV+sQSTy+gh
eqDj5FZR3D04MB8GA1UdIwQYMBaAFK9dBkV+sQSTy+gheqDj5FZR3D04MBUGA1Ud
EQQOMAyCCnNpbXVsYXRpb24wDAYDVR0TAQH/BAIwADAFBgMrZXADQQBGciH6Tnjc
tPquiesIPkEpDWvbVMpcQJQfgPMfUw09h9hgsTshgTtNGyudNiV0w23pjwKQK/58
JrYmDodUDgQK
-----END CERTIFICATE-----
)";
constexpr const char* key = R"(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIM1TrtfTIST668kH5dpQMkJ2l0FGPIhiAnRsA7qeukmB
-----END PRIVATE KEY-----
)";

thread_local net::seeded_random* seeded = nullptr;

int fill(unsigned char* into, int size) noexcept {
  if (seeded == nullptr) std::abort();  // only simulated worlds speak TLS in such a program
  seeded->fill(std::as_writable_bytes(std::span(into, static_cast<std::size_t>(size))));
  return 1;
}

// OpenSSL 3 wants a provider instead, which is much ado for a number.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
void replace_random_numbers() {
  static const RAND_METHOD method = {nullptr, &fill, nullptr, nullptr, &fill, [] { return 1; }};
  static const bool replaced = RAND_set_rand_method(&method) == 1;
  if (!replaced) throw std::bad_alloc();
}
#pragma GCC diagnostic pop

// TLS 1.2 without tickets: those hold the time of the machine.
SSL_CTX* client_context() {
  static const net::openssl::context made = [] {
    net::openssl::context context(SSL_CTX_new(TLS_client_method()));
    if (!context) throw std::bad_alloc();
    SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
    return context;
  }();
  return made.get();
}

}  // namespace

seeded_openssl::seeded_openssl(std::uint64_t seed) : random_(seed) {
  replace_random_numbers();
  seeded = &random_;
  // What is made once uses up numbers once.
  static_cast<void>(client_context());
  random_ = net::seeded_random(seed);
}

seeded_openssl::~seeded_openssl() { seeded = nullptr; }

std::shared_ptr<const net::server_tls> make_server() {
  net::server_tls_options options;
  options.certificates.push_back(
      {.certificate = certificate, .key = key, .password = {}, .name = "simulation", .server_names = {}});
  return std::make_shared<const net::server_tls>(options);
}

secure_channel::secure_channel()
    : session_(SSL_new(client_context())), input_(BIO_new(BIO_s_mem())), output_(BIO_new(BIO_s_mem())) {
  if (!session_ || input_ == nullptr || output_ == nullptr) throw std::bad_alloc();
  SSL_set_bio(session_.get(), input_, output_);
  SSL_set_connect_state(session_.get());
  go_on();
}

void secure_channel::say(std::string_view plain) {
  waiting_ += plain;
  go_on();
}

void secure_channel::end() {
  ends_ = true;
  go_on();
}

void secure_channel::go_on() {
  net::openssl::forget_errors();
  if (SSL_do_handshake(session_.get()) != 1) return;
  if (!waiting_.empty()) SSL_write(session_.get(), waiting_.data(), static_cast<int>(waiting_.size()));
  waiting_.clear();
  if (ends_ && !std::exchange(ended_, true)) SSL_shutdown(session_.get());
}

channel::heard secure_channel::hear(std::string_view sealed, std::string& plain) {
  BIO_write(input_, sealed.data(), static_cast<int>(sealed.size()));
  go_on();
  std::array<char, 16384> buffer;
  for (;;) {
    net::openssl::forget_errors();
    const int count = SSL_read(session_.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (count <= 0) {
      const int why = SSL_get_error(session_.get(), count);
      return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_ZERO_RETURN ? heard::fine : heard::broken;
    }
    plain.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

std::string secure_channel::take_output() {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(output_, &bytes);
  std::string taken(bytes, static_cast<std::size_t>(size));
  static_cast<void>(BIO_reset(output_));
  return taken;
}

}  // namespace windhover::simulation
