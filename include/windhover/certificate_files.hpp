// certificate_files: a certificate with its private key, as it stands in files.
#pragma once

#include <string>

namespace windhover {

struct certificate_files {
  // PEM (the certificate, then those that lead to its authority) or PKCS#12 (.pfx, .p12).
  std::string certificate;
  // PEM. Empty: the key is in the file of the certificate.
  std::string key = {};
  // Of the key, or of the PKCS#12 file. Empty: none.
  std::string password = {};
};

}  // namespace windhover
