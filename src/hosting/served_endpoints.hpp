// The addresses that an application listens on, and the certificates of those that speak TLS: gathered from the
// configuration and the code, read from their files, and read again while connections live.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "hosting/settings.hpp"
#include "hosting/urls.hpp"
#include "net/tls_context.hpp"
#include <windhover/https_options.hpp>
#include <windhover/logger.hpp>

namespace windhover::hosting {

struct served_endpoint {
  listening_url url = {};
  http_protocols protocols = http_protocols::http1_and_http2;
  std::shared_ptr<const net::server_tls> tls = nullptr;  // null without TLS
};

class served_endpoints {
 public:
  // Endpoints of the configuration take the place of URLs; for each address, what the configuration says of it goes
  // before its defaults of endpoints and its default certificate, these before the options of the code, and those
  // before the development certificate. Reads the certificates. Throws configuration_error.
  served_endpoints(const settings& from, const https_options& in_code, logger& log);
  served_endpoints(const served_endpoints&) = delete;
  served_endpoints& operator=(const served_endpoints&) = delete;

  const std::vector<served_endpoint>& all() const noexcept { return endpoints_; }
  bool has_tls() const noexcept { return !sites_.empty(); }

  enum class reload { all, changed };
  // Reads the files again, and exchanges the certificates of those addresses whose files are sound; a line in the log
  // says so. Of `changed`, files that say what is served already are passed over in silence, and a complaint is made
  // once. False when an address had to keep its old ones. Connections live on. Any thread.
  bool reload_certificates(reload which);
  // The files that are read.
  std::vector<std::filesystem::path> files() const;

 private:
  using digest = std::array<std::byte, 20>;
  struct certificate_source {
    certificate_files files;  // absolute, or from the current folder
    std::string host;         // empty: any
  };
  // An address that speaks TLS.
  struct tls_site {
    std::string url;
    std::vector<certificate_source> certificates;  // the default one first
    std::string client_certificate_authority;
    net::server_tls_options options;  // without what is in files
    std::shared_ptr<net::server_tls> tls;
    digest seen{};          // of what the files said that are served
    std::string complaint;  // about what they have said since
  };

  void add(endpoint_settings endpoint, const settings& from, const https_options& in_code);
  tls_site site_of(const endpoint_settings& endpoint, const settings& from, const https_options& in_code) const;
  static net::server_tls_options read(const tls_site& site, digest& said);
  template <class Text>
  void say(log_level level, Text&& text) noexcept;

  logger& log_;
  std::vector<served_endpoint> endpoints_;
  std::mutex mutex_;
  std::vector<tls_site> sites_;
};

}  // namespace windhover::hosting
