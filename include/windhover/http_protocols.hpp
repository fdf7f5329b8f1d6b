// http_protocols: the versions of HTTP that an address, or a client, speaks.
#pragma once

#include <cstdint>

namespace windhover {

// Over TLS the client chooses among them (ALPN, RFC 7301). Without TLS a client that begins with the preface of HTTP/2
// (RFC 9113, section 3.3: prior knowledge) gets that, and others HTTP/1.1.
enum class http_protocols : std::uint8_t { http1, http2, http1_and_http2 };

}  // namespace windhover
