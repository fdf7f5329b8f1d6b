// client_certificate_mode: what a client is asked for in the handshake of TLS.
#pragma once

#include <cstdint>

namespace windhover {

enum class client_certificate_mode : std::uint8_t {
  none,     // nothing
  allow,    // a certificate, which it need not have; one that it has must be valid
  require,  // a valid certificate
};

}  // namespace windhover
