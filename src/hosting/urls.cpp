#include "hosting/urls.hpp"

#include <charconv>
#include <system_error>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <sys/un.h>

#include "base/text.hpp"
#include "hosting/printable_text.hpp"
#include <windhover/configuration.hpp>

namespace windhover::hosting {
namespace {

constexpr std::uint16_t default_http_port = 80;
constexpr std::uint16_t default_https_port = 443;
// The kernel's field for a socket's path holds the path and a zero.
constexpr std::size_t longest_socket_path = sizeof(sockaddr_un::sun_path) - 1;

[[noreturn]] void refuse(std::string_view url, std::string_view reason) {
  throw configuration_error("cannot listen on '" + printable(url) + "': " + std::string(reason));
}

bool starts_with_ignoring_case(std::string_view text, std::string_view start) {
  return text.size() >= start.size() && base::equals_ignoring_case(text.substr(0, start.size()), start);
}

listening_url unix_socket(std::string_view url, std::string_view scheme, std::string_view path) {
  if (!path.starts_with('/'))
    refuse(url, "the path of a Unix-domain socket must be absolute, as in unix:/run/app.sock");
  if (path.find('\0') != std::string_view::npos) refuse(url, "the path of a Unix-domain socket has a zero byte");
  if (path.size() > longest_socket_path)
    refuse(url, "the path of a Unix-domain socket has at most " + std::to_string(longest_socket_path) +
                    " bytes; this one has " + std::to_string(path.size()));
  return {.scheme = std::string(scheme), .kind = listening_kind::unix_path, .host = {}, .path = std::string(path)};
}

// ASP.NET Core ends the socket's path at a colon; behind it a path base would stand, of which only "/" is possible.
std::string_view socket_path_of_http_url(std::string_view url, std::string_view path) {
  const std::size_t colon = path.find(':');
  if (colon == std::string_view::npos) return path;
  const std::string_view rest = path.substr(colon + 1);
  if (!rest.empty() && rest != "/") refuse(url, "a path behind the socket is not possible; write unix:/run/app.sock");
  return path.substr(0, colon);
}

// "http" or "https".
std::string_view scheme_of(std::string_view url) {
  if (starts_with_ignoring_case(url, "http://")) return "http";
  if (starts_with_ignoring_case(url, "https://")) return "https";
  if (url.find("://") != std::string_view::npos)
    refuse(url, "the scheme must be http, https or unix, as in http://localhost:5000");
  refuse(url, "the scheme is missing; write http://localhost:5000 or unix:/run/app.sock");
}

std::uint16_t port_of(std::string_view url, std::string_view scheme, const boost::urls::url_view& parts) {
  if (!parts.has_port()) return scheme == "https" ? default_https_port : default_http_port;
  const std::string_view digits(parts.port().data(), parts.port().size());
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size())
    refuse(url, "the port must be a number from 0 to 65535, as in http://localhost:5000");
  return port;
}

// RFC 1123 names, and '_' and '*', which ASP.NET Core takes as well. A name whose last label is a number is a mistyped
// address.
bool is_host_name(std::string_view host) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._*";
  if (host.find_first_not_of(allowed) != std::string_view::npos) return false;
  if (host.ends_with('.')) host.remove_suffix(1);
  const std::string_view last_label = host.substr(host.rfind('.') + 1);
  return !last_label.empty() && last_label.find_first_not_of("0123456789") != std::string_view::npos;
}

listening_kind kind_of(std::string_view url, const boost::urls::url_view& parts, std::string_view host) {
  switch (parts.host_type()) {
    case boost::urls::host_type::ipv4:
    case boost::urls::host_type::ipv6:
      return listening_kind::ip_address;
    case boost::urls::host_type::name:
      break;
    default:
      refuse(url, "the host is no address; write localhost, *, an IPv4 address or an IPv6 address in brackets");
  }
  if (host.empty()) refuse(url, "the host is missing; write http://localhost:5000 or http://*:5000");
  if (base::equals_ignoring_case(host, "localhost")) return listening_kind::localhost;
  if (host == "+" || is_host_name(host)) return listening_kind::any;
  refuse(url,
         "the host is neither a name nor an address; write localhost, *, an IPv4 address such as 127.0.0.1 or an "
         "IPv6 address in brackets");
}

}  // namespace

listening_url parse_listening_url(std::string_view url) {
  constexpr std::string_view unix_scheme = "unix:";
  constexpr std::string_view unix_host = "unix:/";
  if (starts_with_ignoring_case(url, unix_scheme)) return unix_socket(url, "http", url.substr(unix_scheme.size()));
  const std::string_view scheme = scheme_of(url);
  const std::string_view behind_scheme = url.substr(scheme.size() + std::string_view("://").size());
  if (starts_with_ignoring_case(behind_scheme, unix_host))
    return unix_socket(url, scheme, socket_path_of_http_url(url, behind_scheme.substr(unix_host.size() - 1)));

  const auto parsed = boost::urls::parse_uri({url.data(), url.size()});
  if (!parsed) refuse(url, "it is no URL; write it as http://localhost:5000 or http://[::1]:5000");
  const boost::urls::url_view& parts = *parsed;
  if (parts.has_userinfo()) refuse(url, "a user name is not possible here; write http://localhost:5000");
  if (parts.has_query() || parts.has_fragment()) refuse(url, "a query or fragment is not possible here");
  // The library takes what follows a host and is no port, as in localhost:abc and ::1:5000, for a path.
  if (!parts.encoded_path().empty() && parts.encoded_path().front() != '/')
    refuse(url,
           "the port must be a number, and an IPv6 address stands in brackets; write http://localhost:5000 or "
           "http://[::1]:5000");
  if (!parts.encoded_path().empty() && parts.encoded_path() != "/")
    refuse(url, "a path is not possible here; end the URL behind the port and map the path in the application");

  listening_url result;
  result.scheme = scheme;
  result.host = parts.host_address();
  result.kind = kind_of(url, parts, result.host);
  result.port = port_of(url, scheme, parts);
  if (result.kind == listening_kind::localhost && result.port == 0)
    refuse(url,
           "localhost has two addresses, which would get two different ports; write http://127.0.0.1:0 or "
           "http://[::1]:0");
  return result;
}

std::vector<listening_url> parse_listening_urls(std::string_view urls) {
  std::vector<listening_url> parsed;
  base::for_each_part(urls, ';', [&](std::string_view url) { parsed.push_back(parse_listening_url(url)); });
  if (parsed.empty()) refuse(urls, "there is no URL; write one, such as http://localhost:5000");
  return parsed;
}

std::string to_string(const listening_url& url) {
  if (url.kind == listening_kind::unix_path) return url.scheme + "://unix:" + url.path;
  std::string host = url.host;
  if (url.kind == listening_kind::localhost) host = "localhost";
  if (url.kind == listening_kind::any) host = "::";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return url.scheme + "://" + host + ":" + std::to_string(url.port);
}

}  // namespace windhover::hosting
