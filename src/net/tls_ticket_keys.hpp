// The keys of session tickets (RFC 5077, RFC 8446 section 4.6.1): a client that comes again with a ticket needs no full
// handshake. A new key is made every six hours, and a ticket is good for twelve; so whoever steals a key can read only
// what was resumed with it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/random.hpp"
#include "net/time.hpp"

namespace windhover::net {

class tls_ticket_keys {
 public:
  static constexpr std::chrono::hours renewed_after{6};
  static constexpr std::chrono::hours good_for{12};

  struct key {
    std::array<unsigned char, 16> name;
    std::array<unsigned char, 32> cipher;  // AES-256 in CBC mode
    std::array<unsigned char, 32> mac;     // HMAC with SHA-256
    time_point made;
  };

  // The newest one, made now if need be. Throws std::bad_alloc. Any thread.
  key newest(time_point now, base::random_source& random);
  // The one of that name, as long as it is good. Any thread.
  std::optional<key> find(std::span<const unsigned char, 16> name, time_point now);
  static bool is_newest(const key& found, time_point now) noexcept { return now < found.made + renewed_after; }

 private:
  std::mutex lock_;
  std::vector<key> keys_;  // the newest last
};

}  // namespace windhover::net
