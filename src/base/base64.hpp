// Base64 with the standard alphabet (RFC 4648, section 4), as it stands in HTTP header fields.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace windhover::base {

// Whether it is one of the 64 characters; the padding is not.
[[nodiscard]] bool is_base64_character(char character) noexcept;

// Always padded, never broken into lines.
[[nodiscard]] std::string base64_encode(std::span<const std::byte> data);

// The inverse, and nothing more: every text that base64_encode cannot have produced is refused. So there is no white
// space, the padding is complete, and the bits that the last character has too many of are zero (RFC 4648,
// section 3.5).
[[nodiscard]] std::optional<std::vector<std::byte>> base64_decode(std::string_view text);

}  // namespace windhover::base
