// SHA-1 through OpenSSL.
#include "base/digest.hpp"

#include <stdexcept>

#include <openssl/evp.h>

namespace windhover::base {

std::array<std::byte, 20> sha1(std::span<const std::byte> data) {
  std::array<std::byte, 20> digest{};
  auto* const output = reinterpret_cast<unsigned char*>(digest.data());
  if (EVP_Digest(data.data(), data.size(), output, nullptr, EVP_sha1(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL refuses to compute a SHA-1 digest");
  }
  return digest;
}

}  // namespace windhover::base
