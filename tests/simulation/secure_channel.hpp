// TLS in the client's role between strings, for the clients of the simulation; and the server's end of it, whose random
// numbers follow from the seed as well, so that a world lives through the same bytes again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "channel.hpp"
#include "net/openssl_handles.hpp"
#include "net/seeded_random.hpp"
#include "net/tls_context.hpp"

namespace windhover::simulation {

// OpenSSL's random numbers on this thread, while it lives.
class seeded_openssl {
 public:
  explicit seeded_openssl(std::uint64_t seed);
  seeded_openssl(const seeded_openssl&) = delete;
  seeded_openssl& operator=(const seeded_openssl&) = delete;
  ~seeded_openssl();

 private:
  net::seeded_random random_;
};

// A server with a certificate that nobody vouches for.
std::shared_ptr<const net::server_tls> make_server();

class secure_channel final : public channel {
 public:
  secure_channel();

  // Sealed as soon as the handshake has succeeded.
  void say(std::string_view plain) override;
  void end() override;
  heard hear(std::string_view sealed, std::string& plain) override;
  std::string take_output() override;
  // Something waits for the handshake.
  bool waits() const noexcept override { return !waiting_.empty() || (ends_ && !ended_); }

 private:
  void go_on();

  net::openssl::session session_;
  BIO* input_;   // the session's
  BIO* output_;  // likewise
  std::string waiting_;
  bool ends_ = false;
  bool ended_ = false;
};

}  // namespace windhover::simulation
