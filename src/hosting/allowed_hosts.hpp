// Which hosts a server answers for: the filter of the Host field (RFC 9110, section 7.2). A page whose name an attacker
// has made to resolve to this server (DNS rebinding) is of the same origin as what it asks for; only the name it uses
// tells it apart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace windhover::hosting {

class allowed_hosts {
 public:
  // "example.com", "*.example.com" (its subdomains, not itself), "127.0.0.1", "[::1]", "*" (any). Without ports;
  // letters compare without regard to case. None: any host. Throws std::invalid_argument that names the entry.
  explicit allowed_hosts(std::vector<std::string> entries);

  // Nothing is refused: there is no entry, or "*" among them.
  bool any() const noexcept { return any_; }
  // `host` is the value of a Host field, with its port. An empty one is allowed, as in ASP.NET Core: only old clients
  // send none, and no browser.
  bool allows(std::string_view host) const noexcept;

 private:
  std::vector<std::string> entries_;
  bool any_ = false;
};

}  // namespace windhover::hosting
