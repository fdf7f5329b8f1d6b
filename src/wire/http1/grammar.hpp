// The character classes and small rules of HTTP's grammar that no other protocol shares (RFC 9110, section 5.5;
// RFC 9112, section 3; RFC 3986, section 3.2). What is common to text protocols stands in base/text.hpp.
#pragma once

#include <string_view>

namespace windhover::wire::http1 {

// The value of a hexadecimal digit, or -1.
int hexadecimal_value(char character) noexcept;

// field-value (RFC 9110, section 5.5): visible characters, SP, HTAB and bytes above 0x7F; no control characters.
bool is_field_value(std::string_view text) noexcept;

// The characters a request target may have: visible ASCII but for '#', as a fragment is never sent (RFC 9112, section
// 3.2). More than RFC 3986 allows in a URI ('"', '<', '>', '\', '^', '`', '{', '|', '}'), because browsers send some
// of these in queries as they were typed, and none of them ends a target.
bool is_request_target(std::string_view text) noexcept;

// uri-host [ ":" port ] (RFC 9110, section 7.2; RFC 3986, section 3.2.2): a registered name, an IPv4 address or an IPv6
// address in brackets; the port may be empty and is at most 65535. Empty text is a valid Host field, but no authority
// of an http URI.
bool is_host(std::string_view text) noexcept;

}  // namespace windhover::wire::http1
