// The two middleware that lead browsers to https: a redirection, and the word that next time they should come that way
// by themselves. Answers and fields are those of ASP.NET Core.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <windhover/https_policy_options.hpp>
#include <windhover/web_application.hpp>

namespace windhover::hosting {

// The port of the https addresses among those that are listened on. Nothing when there is none, or there are several.
std::optional<std::uint16_t> https_port_of(const std::vector<std::string>& urls);

// Where a request for `target` at `host` (the Host field) belongs.
std::string https_location(std::string_view host, std::uint16_t port, std::string_view target);

// The server's own https port and the log are asked for at the request. Throws std::invalid_argument for a status that
// redirects nobody.
middleware https_redirection(const https_redirection_options& options,
                             std::function<std::optional<std::uint16_t>()> port_of_server,
                             std::function<logger&()> log);

// "max-age=2592000; includeSubDomains; preload" (RFC 6797).
std::string hsts_field(const hsts_options& options);

// Throws std::invalid_argument for a negative age.
middleware hsts(hsts_options options);

}  // namespace windhover::hosting
