// The addresses to listen on, as `--urls` and `Windhover:Urls` name them. A URL is only read here: no name is resolved
// and no socket opened.
//
//   http://localhost:5000      both loopback addresses, 127.0.0.1 and [::1]
//   http://*:80  http://+:80   every address, IPv4 and IPv6
//   http://name:80             every address too: as in ASP.NET Core, a name does not choose an interface
//   http://0.0.0.0:5000        an IPv4 address
//   http://[::1]:5001          an IPv6 address
//   http://127.0.0.1:0         any free port; localhost has none: its two addresses would get two different ones
//   unix:/run/app.sock         a Unix-domain socket, also http://unix:/run/app.sock
//   https://localhost:5001     the same with TLS, for each of these; https://unix:/run/app.sock for a socket
//
// Without a port it is 80, or 443 with https. What ASP.NET Core takes silently for a name, and so for every address, is
// an error here: a mistyped address (127.0.0.256, [::g]), a port that is no number, a user name, a query.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace windhover::hosting {

enum class listening_kind {
  localhost,   // both loopback addresses
  any,         // every address, IPv4 and IPv6
  ip_address,  // the one in `host`
  unix_path,   // the socket file in `path`
};

struct listening_url {
  std::string scheme = "http";  // or "https"
  listening_kind kind = listening_kind::any;
  std::string host;        // as written; an IPv6 address without brackets; empty for a Unix-domain socket
  std::uint16_t port = 0;  // 0: any free port (never with localhost); meaningless for a Unix-domain socket
  std::string path;        // of a Unix-domain socket, absolute
};

// Throws configuration_error with one line that names the URL and what to write instead.
listening_url parse_listening_url(std::string_view url);

// URLs separated by ';', blanks around them and empty ones ignored. Throws as above, and when there is none.
std::vector<listening_url> parse_listening_urls(std::string_view urls);

inline bool is_https(const listening_url& url) noexcept { return url.scheme == "https"; }

// As the server announces it: http://localhost:5000, http://[::]:80 for every address, http://unix:/run/app.sock.
std::string to_string(const listening_url& url);

}  // namespace windhover::hosting
