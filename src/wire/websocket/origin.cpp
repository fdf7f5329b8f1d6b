#include "wire/websocket/origin.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"
#include "wire/http1/grammar.hpp"

namespace windhover::wire {

namespace {

constexpr std::string_view opaque_origin = "null";
constexpr std::string_view any_origin = "*";

bool is_letter(char character) noexcept {
  const char lower = base::to_lower(character);
  return lower >= 'a' && lower <= 'z';
}

// RFC 3986, section 3.1.
bool is_scheme(std::string_view text) noexcept {
  return !text.empty() && is_letter(text.front()) && std::all_of(text.begin(), text.end(), [](char character) {
    return is_letter(character) || (character >= '0' && character <= '9') ||
           std::string_view("+-.").find(character) != std::string_view::npos;
  });
}

std::uint16_t default_port(std::string_view scheme) noexcept {
  const auto is = [scheme](std::string_view name) { return base::equals_ignoring_case(scheme, name); };
  if (is("http") || is("ws")) return 80;
  if (is("https") || is("wss")) return 443;
  return 0;
}

// host [ ":" port ]. Only schemes without a port of their own can do without a host ("file://").
std::optional<origin> make_origin(std::string_view scheme, std::string_view authority) noexcept {
  origin result{.scheme = scheme, .host = authority, .port = default_port(scheme)};
  if (!http1::is_host(authority)) return std::nullopt;
  // The last colon begins the port, unless it stands within the brackets of an IPv6 address.
  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    result.host = authority.substr(0, colon);
    const std::string_view port = authority.substr(colon + 1);
    if (!port.empty()) std::from_chars(port.data(), port.data() + port.size(), result.port);
  }
  if (result.host.empty() && default_port(scheme) != 0) return std::nullopt;
  return result;
}

}  // namespace

bool operator==(const origin& left, const origin& right) noexcept {
  return left.port == right.port && base::equals_ignoring_case(left.scheme, right.scheme) &&
         base::equals_ignoring_case(left.host, right.host);
}

std::optional<origin> parse_origin(std::string_view text) noexcept {
  constexpr std::string_view separator = "://";
  const std::size_t end_of_scheme = text.find(separator);
  if (end_of_scheme == std::string_view::npos || !is_scheme(text.substr(0, end_of_scheme))) return std::nullopt;
  return make_origin(text.substr(0, end_of_scheme), text.substr(end_of_scheme + separator.size()));
}

bool is_origin_entry(std::string_view entry) noexcept {
  return entry == any_origin || entry == opaque_origin || parse_origin(entry).has_value();
}

bool origin_allowed(std::string_view value, std::span<const std::string> allowed) noexcept {
  if (value.empty() || allowed.empty()) return true;
  const std::optional<origin> asking = parse_origin(value);
  return std::any_of(allowed.begin(), allowed.end(), [&](std::string_view entry) {
    if (entry == any_origin) return true;
    if (entry == opaque_origin) return value == opaque_origin;
    return asking && parse_origin(entry) == asking;
  });
}

bool same_origin(std::string_view value, std::string_view host, std::string_view scheme) noexcept {
  if (value.empty()) return true;
  const std::optional<origin> asking = parse_origin(value);
  return asking && asking == make_origin(scheme, host);
}

}  // namespace windhover::wire
