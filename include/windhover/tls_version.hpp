// tls_version: versions of TLS that may be agreed on.
#pragma once

#include <cstdint>

namespace windhover {

enum class tls_version : std::uint8_t {
  tls_1_2,  // RFC 5246
  tls_1_3,  // RFC 8446
};

}  // namespace windhover
