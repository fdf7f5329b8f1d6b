// Owners of OpenSSL's objects, and its errors as text. Included by implementations only.
#pragma once

#include <algorithm>
#include <climits>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace windhover::net::openssl {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

using bio = std::unique_ptr<BIO, freed_by<BIO_free_all>>;
using certificate = std::unique_ptr<X509, freed_by<X509_free>>;
using private_key = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using context = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;
using session = std::unique_ptr<SSL, freed_by<SSL_free>>;

// Some of OpenSSL's functions are macros with casts of C.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
inline void set_server_name_callback(SSL_CTX* of, int (*callback)(SSL*, int*, void*), void* argument) noexcept {
  SSL_CTX_set_tlsext_servername_callback(of, callback);
  SSL_CTX_set_tlsext_servername_arg(of, argument);
}
inline bool ask_for_server_name(SSL* of, const char* name) noexcept { return SSL_set_tlsext_host_name(of, name) == 1; }
#pragma GCC diagnostic pop

// Reads from the text, which must live as long. Throws std::bad_alloc.
inline bio reader_of(std::string_view text) {
  bio made(BIO_new_mem_buf(text.data(), static_cast<int>(std::min<std::size_t>(text.size(), INT_MAX))));
  if (!made) throw std::bad_alloc();
  return made;
}

// Collects what is written. Throws std::bad_alloc.
inline bio make_writer() {
  bio made(BIO_new(BIO_s_mem()));
  if (!made) throw std::bad_alloc();
  return made;
}

// What was written to it.
inline std::string text_of(BIO* writer) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(writer, &bytes);
  return size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : std::string();
}

// Whether a host is an address, and no name.
inline bool is_address(const std::string& host) noexcept {
  const std::unique_ptr<ASN1_OCTET_STRING, freed_by<ASN1_OCTET_STRING_free>> address(a2i_IPADDRESS(host.c_str()));
  ERR_clear_error();
  return address != nullptr;
}

// Before a call whose outcome is judged by the thread's queue of errors. Clearing one that is empty takes its time.
inline void forget_errors() noexcept {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

// Why the last call failed, as OpenSSL says it; a text of its own that lives for ever. Empties the thread's queue.
inline const char* last_error() noexcept {
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  const char* const text = code == 0 ? nullptr : ERR_reason_error_string(code);
  return text == nullptr ? "unknown" : text;
}

// The certificates of a text in PEM. Whatever else is in it is passed over; `broken` says why one of them, and with it
// what is behind it, cannot be read.
struct pem_certificates {
  std::vector<certificate> all;
  std::string_view broken;  // empty when all could be read
};
inline pem_certificates certificates_of(std::string_view text) {
  pem_certificates found;
  const bio from = reader_of(text);
  while (certificate each{PEM_read_bio_X509(from.get(), nullptr, nullptr, nullptr)}) {
    found.all.push_back(std::move(each));
  }
  // The last look ends at the end of the text, or at something that is no certificate.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string_view why = last_error();
  if (!at_end) found.broken = why;
  return found;
}

}  // namespace windhover::net::openssl
