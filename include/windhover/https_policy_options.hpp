// Options of web_application::use_https_redirection and use_hsts.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace windhover {

struct https_redirection_options {
  // 307 and 308 keep the method of the request, 301 to 303 need not. Browsers remember 301 and 308.
  int status = 307;
  // Where https is served. Nothing: the port of the application's own https addresses.
  std::optional<std::uint16_t> port = {};
};

struct hsts_options {
  // How long browsers shall remember to use https. Begin with little: what they remember cannot be taken back before
  // they come again.
  std::chrono::seconds max_age = std::chrono::days(30);
  bool include_sub_domains = false;
  // Allows a host to be put into the lists that browsers are delivered with (https://hstspreload.org).
  bool preload = false;
  // Hosts that never get the field: one port of localhost would decide for all of them.
  std::vector<std::string> excluded_hosts = {"localhost", "127.0.0.1", "[::1]"};
};

}  // namespace windhover
