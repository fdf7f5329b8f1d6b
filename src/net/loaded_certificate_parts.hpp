// What a loaded certificate is made of, for those who hand it to OpenSSL.
#pragma once

#include <vector>

#include "net/openssl_handles.hpp"
#include "net/tls_certificate.hpp"

namespace windhover::net {

struct loaded_certificate::parts {
  openssl::certificate leaf;
  openssl::private_key key;
  std::vector<openssl::certificate> chain;
};

}  // namespace windhover::net
