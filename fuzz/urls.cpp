// The URLs to listen on: one is either understood, and then says the same when it is announced, or refused in one line
// that can be shown. Input: URLs as in --urls.
#include "hosting/urls.hpp"

#include <string>

#include <sys/un.h>

#include "hosting/printable_text.hpp"
#include "input.hpp"
#include <windhover/configuration.hpp>

namespace windhover::fuzz {

namespace {

using hosting::listening_kind;
using hosting::listening_url;

void judge(const listening_url& url) {
  const bool is_path = url.kind == listening_kind::unix_path;
  require(url.scheme == "http" || url.scheme == "https", "there is no other scheme");
  require(is_path == !url.path.empty() && is_path == url.host.empty(), "a URL has a host or a path");
  if (is_path) {
    require(url.path.starts_with('/') && url.path.size() < sizeof(sockaddr_un::sun_path), "a path can be bound");
    require(url.path.find('\0') == std::string::npos, "as it is");
  }
  require(url.kind != listening_kind::localhost || url.port != 0, "localhost has a port");
}

void announce(const listening_url& url) {
  const std::string shown = hosting::to_string(url);
  // A colon ends the path of a socket in this form.
  if (url.kind == listening_kind::unix_path && url.path.find(':') != std::string::npos) return;
  const listening_url again = hosting::parse_listening_url(shown);
  require(again.path == url.path && (again.port == url.port || !url.path.empty()),
          "what is announced can be listened on");
  require(again.kind == url.kind || url.kind == listening_kind::any, "in the same way");
  require(again.scheme == url.scheme, "with TLS or without");
  require(hosting::to_string(again) == shown, "and is announced the same");
}

}  // namespace

void try_input(input in) {
  try {
    for (const listening_url& each : hosting::parse_listening_urls(in.text())) {
      judge(each);
      announce(each);
    }
  } catch (const configuration_error& error) {
    const std::string_view what = error.what();
    require(!what.empty() && hosting::printable(what) == what, "an error is one line");
  }
}

}  // namespace windhover::fuzz
