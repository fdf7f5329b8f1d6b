// The sections `Windhover:Endpoints`, `Windhover:EndpointDefaults` and `Windhover:Certificates`: addresses with names,
// each with its URL and, for https, its certificates. Names and meaning are those of Kestrel.
//
// Here stands what the configuration says, and nothing more: no file is read. What is not said is left empty, so that
// the options in the code can say it instead.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hosting/urls.hpp"
#include <windhover/https_options.hpp>

namespace windhover::hosting {

// An SNI host and its certificate.
struct host_certificate_settings {
  std::string host;
  certificate_files certificate;
};

// The oldest and the newest one that may be agreed on.
struct tls_versions {
  tls_version least = tls_version::tls_1_2;
  tls_version most = tls_version::tls_1_3;
  bool operator==(const tls_versions&) const = default;
};

struct endpoint_settings {
  std::string name;
  std::optional<listening_url> url;
  std::optional<http_protocols> protocols;
  certificate_files certificate;
  std::vector<host_certificate_settings> hosts;
  std::optional<client_certificate_mode> client_certificates;
  std::optional<std::string> client_certificate_authority;  // empty: the system's
  std::optional<tls_versions> versions;
};

// The one of that name, in any case; made when it is not there. The same for the host of an endpoint.
endpoint_settings& endpoint_named(std::vector<endpoint_settings>& all, std::string_view name);
host_certificate_settings& host_named(endpoint_settings& endpoint, std::string_view host);

// The list SslProtocols: Tls12, Tls13 or both. Throws configuration_error.
tls_versions versions_of(std::span<const std::string> names);

// What an endpoint does not say is taken from the defaults; those of https do nothing without it.
void take_defaults(endpoint_settings& endpoint, const endpoint_settings& defaults);

// Throws configuration_error for an endpoint without a URL, a certificate without the path of its file, and what
// belongs to https at an endpoint without it.
void check_endpoint(const endpoint_settings& endpoint);
// The same for one certificate; `key` is the configuration's.
void check_certificate(const certificate_files& certificate, std::string_view key);

}  // namespace windhover::hosting
