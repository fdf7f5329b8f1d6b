// Message digests. OpenSSL computes them; its headers stay in the source file.
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace windhover::base {

// The SHA-1 digest of `data`. The opening handshake of WebSockets asks for it (RFC 6455, section 4.2.2); it is no
// protection against anybody and must not be used as one. Throws std::runtime_error where OpenSSL is configured to
// refuse SHA-1.
[[nodiscard]] std::array<std::byte, 20> sha1(std::span<const std::byte> data);

}  // namespace windhover::base
