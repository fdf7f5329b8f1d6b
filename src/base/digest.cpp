// SHA-1 through OpenSSL.
#include "base/digest.hpp"

#include <stdexcept>

#include <openssl/evp.h>

namespace windhover::base {
namespace {

// Looked up once, for the process: EVP_sha1() has OpenSSL look it up, with locks and allocations, for every digest.
const EVP_MD* sha1_algorithm() {
  static EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  return found;
}

}  // namespace

std::array<std::byte, 20> sha1(std::span<const std::byte> data) {
  std::array<std::byte, 20> digest{};
  const EVP_MD* const algorithm = sha1_algorithm();
  auto* const output = reinterpret_cast<unsigned char*>(digest.data());
  if (algorithm == nullptr || EVP_Digest(data.data(), data.size(), output, nullptr, algorithm, nullptr) != 1) {
    throw std::runtime_error("OpenSSL refuses to compute a SHA-1 digest");
  }
  return digest;
}

}  // namespace windhover::base
