#include "hosting/served_endpoints.hpp"

#include <algorithm>
#include <new>
#include <span>
#include <stdexcept>
#include <utility>

#include "base/digest.hpp"
#include "hosting/certificate_text.hpp"
#include "hosting/development_certificate.hpp"
#include "hosting/printable_text.hpp"

namespace windhover::hosting {
namespace {

constexpr std::string_view any_host = "*";

// What a client may choose over TLS, the best first.
std::vector<std::string> application_protocols_of(http_protocols spoken) {
  switch (spoken) {
    case http_protocols::http1:
      return {"http/1.1"};
    case http_protocols::http2:
      return {"h2"};
    case http_protocols::http1_and_http2:
      break;
  }
  return {"h2", "http/1.1"};
}

// For the log; empty for a certificate that cannot be read.
std::string described(const net::tls_certificate& certificate) {
  try {
    return short_description(details_of(net::loaded_certificate(certificate)));
  } catch (const net::tls_error&) {
    return {};
  }
}

// Relative paths start at the content root. Empty ones stay empty.
std::string located(const std::string& path, const std::filesystem::path& content_root) {
  return path.empty() ? path : std::filesystem::absolute(content_root / path).string();
}

certificate_files located(const certificate_files& files, const std::filesystem::path& content_root) {
  return {.certificate = located(files.certificate, content_root),
          .key = located(files.key, content_root),
          .password = files.password};
}

// Empty when there is nothing to complain about.
std::string complaint_about_time(const net::tls_certificate& certificate) {
  const net::loaded_certificate loaded(certificate);
  const char* const complaint = has_expired(loaded)    ? " has expired: "
                                : is_premature(loaded) ? " is not valid yet: "
                                                       : "";
  if (*complaint == '\0') return {};
  return "the certificate '" + certificate.name + "'" + complaint + described(certificate);
}

certificate_files development_files(const std::string& url, logger& log) {
  const development_certificate certificate;
  const std::string remedy = "make one with 'windhover dev-certs'";
  switch (certificate.state()) {
    case development_certificate::condition::valid:
      log.write(log_level::information, "hosting",
                url + " is served with the development certificate, " + certificate.certificate_file().string());
      return certificate.files();
    case development_certificate::condition::expired:
      throw configuration_error(url + " has no certificate, and the one for development has expired: " + remedy);
    case development_certificate::condition::unusable:
      throw configuration_error(url + " has no certificate, and the one for development is unusable: " + remedy);
    case development_certificate::condition::missing:
      break;
  }
  throw configuration_error(url +
                            " has no certificate: name its files (Windhover:Certificates:Default:Path and KeyPath, or "
                            "use_https in the code); for development, " +
                            remedy);
}

}  // namespace

served_endpoints::served_endpoints(const settings& from, const https_options& in_code, logger& log) : log_(log) {
  if (from.endpoints.empty()) {
    for (const listening_url& each : from.urls) {
      endpoint_settings endpoint;
      endpoint.url = each;
      add(std::move(endpoint), from, in_code);
    }
    return;
  }
  if (from.has_own_urls) {
    std::string urls;
    for (const listening_url& each : from.urls) urls += (urls.empty() ? "'" : ", '") + to_string(each) + "'";
    log.write(log_level::warning, "hosting",
              "Overriding address(es) " + urls + ": binding to the endpoints of the configuration instead");
  }
  for (const endpoint_settings& each : from.endpoints) add(each, from, in_code);
}

void served_endpoints::add(endpoint_settings endpoint, const settings& from, const https_options& in_code) {
  take_defaults(endpoint, from.endpoint_defaults);
  served_endpoint served{.url = endpoint.url.value(), .protocols = endpoint.protocols.value_or(in_code.protocols)};
  if (is_https(served.url)) {
    tls_site site = site_of(endpoint, from, in_code);
    try {
      const net::server_tls_options options = read(site, site.seen);
      site.tls = std::make_shared<net::server_tls>(options);
      log_.write(log_level::debug, "hosting",
                 site.url + " is served with the certificate " + described(options.certificates.front()));
      // There is nothing better to serve.
      for (const net::tls_certificate& each : options.certificates)
        if (const std::string complaint = complaint_about_time(each); !complaint.empty())
          log_.write(log_level::warning, "hosting", complaint);
    } catch (const net::tls_error& error) {
      throw configuration_error(site.url + ": " + error.what());
    }
    served.tls = site.tls;
    sites_.push_back(std::move(site));
  }
  endpoints_.push_back(std::move(served));
}

served_endpoints::tls_site served_endpoints::site_of(const endpoint_settings& endpoint, const settings& from,
                                                     const https_options& in_code) const {
  tls_site site;
  site.url = to_string(endpoint.url.value());
  certificate_files first = endpoint.certificate;
  std::vector<host_certificate> hosts;
  hosts.reserve(endpoint.hosts.size());
  for (const host_certificate_settings& each : endpoint.hosts) hosts.push_back({each.host, each.certificate});
  if (first.certificate.empty() && hosts.empty()) hosts = in_code.host_certificates;
  if (first.certificate.empty()) first = from.default_certificate;
  if (first.certificate.empty()) first = in_code.certificate;
  // A certificate for any host is what clients see that no other one is for.
  const auto any = std::ranges::find(hosts, any_host, &host_certificate::host);
  if (any != hosts.end()) {
    first = any->files;
    hosts.erase(any);
  }
  if (first.certificate.empty() && hosts.empty()) first = development_files(site.url, log_);
  site.certificates.reserve(hosts.size() + 1);
  if (!first.certificate.empty()) site.certificates.push_back({located(first, from.content_root), ""});
  for (const host_certificate& each : hosts)
    site.certificates.push_back({located(each.files, from.content_root), each.host});

  site.client_certificate_authority =
      located(endpoint.client_certificate_authority.value_or(in_code.client_certificate_authority), from.content_root);
  site.options.client_certificates = endpoint.client_certificates.value_or(in_code.client_certificates);
  site.options.application_protocols = application_protocols_of(endpoint.protocols.value_or(in_code.protocols));
  const tls_versions versions = endpoint.versions.value_or(tls_versions{in_code.least_version, in_code.most_version});
  site.options.least = versions.least;
  site.options.most = versions.most;
  site.options.handshake_timeout = in_code.handshake_timeout;
  return site;
}

net::server_tls_options served_endpoints::read(const tls_site& site, digest& said) {
  net::server_tls_options options = site.options;
  std::string everything;
  for (const certificate_source& each : site.certificates) {
    net::tls_certificate& certificate = options.certificates.emplace_back(net::read_certificate(each.files));
    // Not the names in the certificate: the configuration says which host gets which. The first one gets the rest.
    certificate.server_names = {each.host.empty() ? std::string(any_host) : each.host};
    everything += certificate.certificate + '\n' + certificate.key + '\n';
  }
  options.client_authorities = net::read_certificate_file(site.client_certificate_authority);
  everything += options.client_authorities;
  said = base::sha1(std::as_bytes(std::span(everything)));
  return options;
}

// What there is no memory for is not said.
template <class Text>
void served_endpoints::say(log_level level, Text&& text) noexcept {
  try {
    log_.write(level, "hosting", text());
  } catch (const std::bad_alloc&) {
  }
}

bool served_endpoints::reload_certificates(reload which) {
  const std::lock_guard lock(mutex_);
  bool all_well = true;
  for (tls_site& each : sites_) {
    digest found = each.seen;
    try {
      const net::server_tls_options options = read(each, found);
      if (which == reload::changed && found == each.seen && each.complaint.empty()) continue;
      // At the start there is nothing better to serve; here there is.
      for (const net::tls_certificate& certificate : options.certificates)
        if (const std::string complaint = complaint_about_time(certificate); !complaint.empty())
          throw net::tls_error(complaint);
      each.tls->replace(options);
      each.seen = found;
      each.complaint.clear();
      say(log_level::information, [&] {
        return "The certificates of " + each.url + " were read again: " + described(options.certificates.front());
      });
    } catch (const std::bad_alloc&) {
      all_well = false;  // the next look finds the same change
      say(log_level::error, [&] { return "The certificates of " + each.url + " stay what they were: out of memory"; });
    } catch (const std::exception& error) {
      all_well = false;
      // What nobody has mended since it was said is not said again, and is tried again.
      if (which == reload::changed && each.complaint == error.what()) continue;
      say(log_level::error, [&] {
        std::string text = "The certificates of " + each.url + " stay what they were: " + error.what();
        each.complaint = error.what();
        return text;
      });
    }
  }
  return all_well;
}

std::vector<std::filesystem::path> served_endpoints::files() const {
  std::vector<std::filesystem::path> found;
  const auto add_file = [&](const std::string& path) {
    if (!path.empty() && std::ranges::find(found, std::filesystem::path(path)) == found.end()) found.emplace_back(path);
  };
  for (const tls_site& each : sites_) {
    for (const certificate_source& source : each.certificates) {
      add_file(source.files.certificate);
      add_file(source.files.key);
    }
    add_file(each.client_certificate_authority);
  }
  return found;
}

}  // namespace windhover::hosting
