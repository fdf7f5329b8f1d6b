#include "hosting/allowed_hosts.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "base/text.hpp"
#include "hosting/host_name.hpp"
#include "hosting/printable_text.hpp"
#include "wire/http1/grammar.hpp"

namespace windhover::hosting {
namespace {

constexpr std::string_view any_host = "*";
constexpr std::string_view any_subdomain = "*.";

bool is_entry(std::string_view entry) noexcept {
  if (entry == any_host) return true;
  if (entry.starts_with(any_subdomain)) entry.remove_prefix(any_subdomain.size());
  return !entry.empty() && wire::http1::is_host(entry) && without_port(entry) == entry &&
         entry.find('*') == std::string_view::npos;
}

bool fits(std::string_view entry, std::string_view host) noexcept {
  if (!entry.starts_with(any_subdomain)) return base::equals_ignoring_case(entry, host);
  entry.remove_prefix(1);
  return host.size() > entry.size() && base::equals_ignoring_case(host.substr(host.size() - entry.size()), entry);
}

}  // namespace

allowed_hosts::allowed_hosts(std::vector<std::string> entries) : entries_(std::move(entries)) {
  for (const std::string& each : entries_) {
    if (is_entry(each)) continue;
    throw std::invalid_argument("'" + printable(each) +
                                "' is no host to be allowed: write example.com, *.example.com, an address (IPv6 in "
                                "brackets) or *, without a port");
  }
  any_ = entries_.empty() || std::find(entries_.begin(), entries_.end(), any_host) != entries_.end();
}

bool allowed_hosts::allows(std::string_view host) const noexcept {
  if (any_ || host.empty()) return true;
  return std::any_of(entries_.begin(), entries_.end(),
                     [name = without_port(host)](const std::string& entry) { return fits(entry, name); });
}

}  // namespace windhover::hosting
