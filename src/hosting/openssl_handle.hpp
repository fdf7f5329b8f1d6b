// Owners of what OpenSSL hands out, for the source files of this room that make and read certificates.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

namespace windhover::hosting {

template <auto Free>
struct openssl_free {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

using bio_handle = std::unique_ptr<BIO, openssl_free<BIO_free>>;
using certificate_handle = std::unique_ptr<X509, openssl_free<X509_free>>;
using key_handle = std::unique_ptr<EVP_PKEY, openssl_free<EVP_PKEY_free>>;

// "<what>: <OpenSSL's first reason>", and forgets the rest of its reasons.
inline std::runtime_error openssl_error(const std::string& what) {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return std::runtime_error(reason == nullptr ? what : what + ": " + reason);
}

// What was written to a memory BIO.
inline std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

}  // namespace windhover::hosting
