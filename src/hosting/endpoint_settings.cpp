#include "hosting/endpoint_settings.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "hosting/printable_text.hpp"
#include <windhover/configuration.hpp>

namespace windhover::hosting {
namespace {

constexpr std::string_view endpoints_section = "Windhover:Endpoints:";

std::string key_of(const endpoint_settings& endpoint, std::string_view name) {
  return std::string(endpoints_section) + printable(endpoint.name) + ":" + std::string(name);
}

// The first key that only https can use.
std::optional<std::string_view> key_for_https(const endpoint_settings& endpoint) {
  const certificate_files& certificate = endpoint.certificate;
  if (!certificate.certificate.empty() || !certificate.key.empty() || !certificate.password.empty())
    return "Certificate";
  if (!endpoint.hosts.empty()) return "Sni";
  if (endpoint.client_certificates) return "ClientCertificateMode";
  if (endpoint.client_certificate_authority) return "ClientCertificateAuthority";
  if (endpoint.versions) return "SslProtocols";
  return std::nullopt;
}

}  // namespace

endpoint_settings& endpoint_named(std::vector<endpoint_settings>& all, std::string_view name) {
  const auto found = std::ranges::find_if(
      all, [&](const endpoint_settings& each) { return base::equals_ignoring_case(each.name, name); });
  if (found != all.end()) return *found;
  all.emplace_back().name = name;
  return all.back();
}

host_certificate_settings& host_named(endpoint_settings& endpoint, std::string_view host) {
  const auto found = std::ranges::find_if(endpoint.hosts, [&](const host_certificate_settings& each) {
    return base::equals_ignoring_case(each.host, host);
  });
  if (found != endpoint.hosts.end()) return *found;
  endpoint.hosts.emplace_back().host = host;
  return endpoint.hosts.back();
}

tls_versions versions_of(std::span<const std::string> names) {
  bool has_1_2 = false;
  bool has_1_3 = false;
  bool has_other = false;
  for (const std::string& name : names) {
    if (base::equals_ignoring_case(name, "Tls12")) {
      has_1_2 = true;
    } else if (base::equals_ignoring_case(name, "Tls13")) {
      has_1_3 = true;
    } else {
      has_other = true;
    }
  }
  if (has_other || (!has_1_2 && !has_1_3))
    throw configuration_error("expected a list of \"Tls12\", \"Tls13\" or both; older versions are not spoken");
  return {.least = has_1_2 ? tls_version::tls_1_2 : tls_version::tls_1_3,
          .most = has_1_3 ? tls_version::tls_1_3 : tls_version::tls_1_2};
}

void take_defaults(endpoint_settings& endpoint, const endpoint_settings& defaults) {
  if (!endpoint.protocols) endpoint.protocols = defaults.protocols;
  if (!endpoint.client_certificates) endpoint.client_certificates = defaults.client_certificates;
  if (!endpoint.client_certificate_authority)
    endpoint.client_certificate_authority = defaults.client_certificate_authority;
  if (!endpoint.versions) endpoint.versions = defaults.versions;
}

void check_certificate(const certificate_files& certificate, std::string_view key) {
  if (!certificate.certificate.empty() || (certificate.key.empty() && certificate.password.empty())) return;
  throw configuration_error(std::string(key) + ":Path is missing: the file of the certificate that " +
                            (certificate.key.empty() ? "Password" : "KeyPath") + " belongs to");
}

void check_endpoint(const endpoint_settings& endpoint) {
  if (!endpoint.url)
    throw configuration_error(key_of(endpoint, "Url") + " is missing; every endpoint needs one, such as " +
                              "https://localhost:5001");
  if (!is_https(*endpoint.url))
    if (const std::optional<std::string_view> key = key_for_https(endpoint))
      throw configuration_error(key_of(endpoint, *key) + " is for https, and the endpoint's URL is " +
                                printable(to_string(*endpoint.url)));
  check_certificate(endpoint.certificate, key_of(endpoint, "Certificate"));
  for (const host_certificate_settings& each : endpoint.hosts) {
    const std::string key = key_of(endpoint, "Sni:" + printable(each.host) + ":Certificate");
    check_certificate(each.certificate, key);
    if (each.certificate.certificate.empty()) throw configuration_error(key + ":Path is empty");
  }
}

}  // namespace windhover::hosting
