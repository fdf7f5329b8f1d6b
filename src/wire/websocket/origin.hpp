// Web origins (RFC 6454): which page's script asks. A browser names its page's origin in the Origin field of the
// opening handshake and lets a script connect anywhere, so only the server can refuse (RFC 6455, section 10.2).
// Programs that are no browsers send what they like, or nothing: the check protects a browser's user, not the server.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace windhover::wire {

// Scheme, host and port: what two URLs must share to be of the same origin (RFC 6454, section 5).
struct origin {
  std::string_view scheme;
  std::string_view host;   // an IPv6 address with its brackets
  std::uint16_t port = 0;  // the scheme's own if none is named; 0 if the scheme has none

  // Scheme and host are compared without regard to case.
  friend bool operator==(const origin& left, const origin& right) noexcept;
};

// Reads "scheme://host" or "scheme://host:port" (RFC 6454, section 6.2). Nothing for any other text, so also for one
// with a path ("http://example.com/"), for "null" and for an empty one. The views point into the text.
[[nodiscard]] std::optional<origin> parse_origin(std::string_view text) noexcept;

// Whether an entry makes sense in a list of allowed origins: an origin, "null", or "*" for all.
[[nodiscard]] bool is_origin_entry(std::string_view entry) noexcept;

// Whether a list allows the value of an Origin field. It does when the list is empty or holds "*", when the value is
// empty (no such field: no page asks), or when an entry is the same origin. "null", the origin of sandboxed pages and
// local files, is allowed by an entry "null" only. Entries that are none allow nothing.
[[nodiscard]] bool origin_allowed(std::string_view value, std::span<const std::string> allowed) noexcept;

// Whether the value of an Origin field is the origin of the request itself: `scheme` is "http" or "https", as the
// client used it, `host` the value of its Host field. An empty value is allowed here as well; "null" is not.
[[nodiscard]] bool same_origin(std::string_view value, std::string_view host, std::string_view scheme) noexcept;

}  // namespace windhover::wire
