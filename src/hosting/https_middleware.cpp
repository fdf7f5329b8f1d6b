#include "hosting/https_middleware.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <utility>

#include "base/text.hpp"
#include "hosting/host_name.hpp"
#include "hosting/pipeline.hpp"
#include "hosting/urls.hpp"

namespace windhover::hosting {
namespace {

constexpr std::uint16_t usual_https_port = 443;

bool is_https(const http_context& context) { return context.request().scheme() == "https"; }

// Once, at the first request that needs it: an address that has no port may never be asked for over http.
class missing_port_warning {
 public:
  void say(logger& log) {
    if (said_.exchange(true)) return;
    log.write(log_level::warning, "hosting",
              "Failed to determine the https port for redirect: there is no https address, or several with different "
              "ports; name one in https_redirection_options");
  }

 private:
  std::atomic<bool> said_{false};
};

}  // namespace

std::optional<std::uint16_t> https_port_of(const std::vector<std::string>& urls) {
  std::optional<std::uint16_t> found;
  for (const std::string& each : urls) {
    const listening_url url = parse_listening_url(each);
    if (!hosting::is_https(url) || url.kind == listening_kind::unix_path) continue;
    if (found && *found != url.port) return std::nullopt;
    found = url.port;
  }
  return found;
}

std::string https_location(std::string_view host, std::uint16_t port, std::string_view target) {
  std::string location = "https://" + std::string(without_port(host));
  if (port != usual_https_port) location += ":" + std::to_string(port);
  // OPTIONS * asks about the server as a whole.
  location += target.starts_with('/') ? target : "/";
  return location;
}

middleware https_redirection(const https_redirection_options& options,
                             std::function<std::optional<std::uint16_t>()> port_of_server,
                             std::function<logger&()> log) {
  if (options.status < 301 || options.status > 308 || (options.status > 303 && options.status < 307))
    throw std::invalid_argument("a redirection to https has the status 301, 302, 303, 307 or 308");
  return [options, port_of_server = std::move(port_of_server), log = std::move(log),
          warning = std::make_shared<missing_port_warning>()](http_context& context, next_middleware next) {
    if (is_https(context)) return next();
    const std::optional<std::uint16_t> port = options.port ? options.port : port_of_server();
    if (!port) {
      warning->say(log());
      return next();
    }
    const std::string_view host = context.request().header("Host").value_or("");
    http_response& response = context.response();
    // HTTP/1.0 may leave its host unsaid; nobody can be sent there.
    if (host.empty()) {
      response.status(400);
      return done();
    }
    response.status(options.status);
    response.header("Location", https_location(host, *port, context.request().target()));
    return done();
  };
}

std::string hsts_field(const hsts_options& options) {
  std::string field = "max-age=" + std::to_string(options.max_age.count());
  if (options.include_sub_domains) field += "; includeSubDomains";
  if (options.preload) field += "; preload";
  return field;
}

middleware hsts(hsts_options options) {
  if (options.max_age < std::chrono::seconds(0)) throw std::invalid_argument("the age of hsts_options is negative");
  return [field = hsts_field(options), excluded = std::move(options.excluded_hosts)](http_context& context,
                                                                                     next_middleware next) {
    if (!is_https(context)) return next();
    const std::string_view host = without_port(context.request().header("Host").value_or(""));
    const bool is_excluded =
        std::ranges::any_of(excluded, [&](const std::string& each) { return base::equals_ignoring_case(each, host); });
    if (!is_excluded) context.response().header("Strict-Transport-Security", field);
    return next();
  };
}

}  // namespace windhover::hosting
