// Certificates as the log and the tool speak of them.
#pragma once

#include <string>

#include "net/tls_certificate.hpp"
#include <windhover/tls_info.hpp>

namespace windhover::hosting {

// "CN=example.com, valid until 2027-03-01".
std::string short_description(const certificate_info& certificate);

certificate_info details_of(const net::loaded_certificate& certificate);

// Whether its time is over, or has not come.
bool has_expired(const net::loaded_certificate& certificate);
bool is_premature(const net::loaded_certificate& certificate);

}  // namespace windhover::hosting
