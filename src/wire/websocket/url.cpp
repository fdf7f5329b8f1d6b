// The URLs are split by hand: what matters is a good answer to a mistyped one.
#include "wire/websocket/url.hpp"

#include <algorithm>
#include <charconv>
#include <span>
#include <stdexcept>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "wire/http1/grammar.hpp"

namespace windhover::wire {
namespace {

constexpr std::uint16_t default_port = 80;
constexpr std::uint16_t default_secure_port = 443;

[[noreturn]] void refuse(std::string_view kind, std::string_view url, std::string_view reason) {
  // A URL may come from anywhere, and the text ends up in a log or on a terminal.
  std::string shown(url);
  for (char& each : shown) {
    if (static_cast<unsigned char>(each) < ' ' || each == 0x7F) each = '?';
  }
  throw std::invalid_argument("'" + shown + "' is no URL of a " + std::string(kind) + ": " + std::string(reason));
}
[[noreturn]] void refuse(std::string_view url, std::string_view reason) { refuse("WebSocket server", url, reason); }

bool starts_with_ignoring_case(std::string_view text, std::string_view start) {
  return text.size() >= start.size() && base::equals_ignoring_case(text.substr(0, start.size()), start);
}

// Takes the scheme off; whether it is the one with TLS.
bool take_scheme(std::string_view& rest) {
  const std::string_view url = rest;
  for (const std::string_view scheme : {"ws://", "wss://"}) {
    if (!starts_with_ignoring_case(url, scheme)) continue;
    rest.remove_prefix(scheme.size());
    return scheme == "wss://";
  }
  if (url.find("://") == std::string_view::npos)
    refuse(url, "the scheme is missing; write it as ws://example.com/path");
  refuse(url, "the scheme must be ws or wss; write it as ws://example.com/path");
}

// Host and port of a URL, taken apart: the last colon begins the port, unless it stands within brackets.
struct host_and_port {
  std::string_view host;  // with its brackets
  std::uint16_t port;
};
host_and_port split_authority(std::string_view authority, std::uint16_t default_of_scheme) {
  host_and_port parts{authority, default_of_scheme};
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos || authority.find(']', colon) != std::string_view::npos) return parts;
  parts.host = authority.substr(0, colon);
  const std::string_view port = authority.substr(colon + 1);
  if (!port.empty()) std::from_chars(port.data(), port.data() + port.size(), parts.port);
  return parts;
}
std::string without_brackets(std::string_view host) {
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return std::string(host);
}

// What follows the authority: "", "/path?query", "?query".
std::string target_of(std::string_view url, std::string_view rest) {
  if (rest.find('#') != std::string_view::npos)
    refuse(url, "it has a fragment, which no server would see; write a '#' that belongs to the path as %23");
  std::string target(rest.starts_with('/') ? "" : "/");
  target += rest;
  if (!http1::is_request_target(target))
    refuse(url, "the path or the query has a blank, a control character or a letter beyond ASCII; percent-encode it");
  return target;
}

websocket_url on_unix_socket(std::string_view url, std::string_view rest, bool secure) {
  const std::size_t colon = rest.find(':');
  const std::string_view path = rest.substr(0, colon);
  if (path.size() < 2 || path.find('\0') != std::string_view::npos)
    refuse(url, "the path of the Unix socket is missing; write it as ws://unix:/run/app.sock:/path");
  const std::string_view behind = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
  if (!behind.empty() && !behind.starts_with('/') && !behind.starts_with('?'))
    refuse(url, "what follows the Unix socket must be a path; write it as ws://unix:/run/app.sock:/path");
  websocket_url made;
  made.secure = secure;
  made.host = "localhost";
  made.socket_path = path;
  made.authority = made.host;
  made.target = target_of(url, behind);
  return made;
}

int hexadecimal_pair(std::string_view text) {
  if (text.size() < 2) return -1;
  const int high = http1::hexadecimal_value(text[0]);
  const int low = http1::hexadecimal_value(text[1]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// Nothing when an escape is malformed.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded += text[at];
      continue;
    }
    const int value = hexadecimal_pair(text.substr(at + 1));
    if (value < 0) return std::nullopt;
    decoded += static_cast<char>(value);
    at += 2;
  }
  return decoded;
}

}  // namespace

websocket_url parse_websocket_url(std::string_view url) {
  constexpr std::string_view unix_host = "unix:/";
  std::string_view rest = url;
  const bool secure = take_scheme(rest);
  if (starts_with_ignoring_case(rest, unix_host)) return on_unix_socket(url, rest.substr(unix_host.size() - 1), secure);

  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  if (authority.find('@') != std::string_view::npos)
    refuse(url, "a user name is not possible here; set an Authorization header");
  if (authority.empty() || (authority.starts_with(':') && !authority.starts_with("::")))
    refuse(url, "the host is missing; write it as ws://example.com/path");
  if (!http1::is_host(authority))
    refuse(url,
           "the host must be a name in ASCII, an IPv4 address, or an IPv6 address in brackets, and the port a number "
           "up to 65535");
  const std::uint16_t port_of_scheme = secure ? default_secure_port : default_port;
  const host_and_port parts = split_authority(authority, port_of_scheme);
  if (parts.port == 0) refuse(url, "nobody listens on port 0");
  websocket_url made;
  made.secure = secure;
  made.host = without_brackets(parts.host);
  made.port = parts.port;
  made.authority = parts.host;
  if (parts.port != port_of_scheme) made.authority.append(":").append(std::to_string(parts.port));
  made.target = target_of(url, rest.substr(end));
  return made;
}

proxy_url parse_proxy_url(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  std::string_view rest = url;
  if (!starts_with_ignoring_case(url, scheme)) {
    // What is not understood may hold a password.
    refuse("proxy", rest.substr(0, rest.find(':')), "write it as http://proxy.example.com:3128");
  }
  rest.remove_prefix(scheme.size());
  std::string_view user;
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    user = rest.substr(0, at);
    rest.remove_prefix(at + 1);
  }
  const std::string shown = std::string(scheme) + std::string(rest);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.empty() || rest.starts_with(':') || !http1::is_host(rest))
    refuse("proxy", shown, "it must have a host, may have a port and no path, as in http://proxy.example.com:3128");
  const host_and_port parts = split_authority(rest, default_port);
  if (parts.port == 0) refuse("proxy", shown, "nobody listens on port 0");
  proxy_url made{.host = without_brackets(parts.host), .port = parts.port, .authorization = std::nullopt};
  if (user.empty()) return made;
  auto decoded = percent_decoded(user);
  if (!decoded) refuse("proxy", shown, "the user name or the password has a '%' that begins no escape");
  if (user.find(':') == std::string_view::npos) decoded->append(":");
  made.authorization = "Basic " + base::base64_encode(std::as_bytes(std::span(*decoded)));
  return made;
}

}  // namespace windhover::wire
