// What stands in a certificate.
#pragma once

#include <string>
#include <string_view>

#include <windhover/tls_connection.hpp>

namespace windhover::hosting {

// Reads the first certificate of a PEM text. Throws std::runtime_error when there is none.
client_certificate read_certificate(std::string_view pem);

// "CN=example.com, valid until 2027-03-01", for the log.
std::string short_description(const client_certificate& certificate);

}  // namespace windhover::hosting
