// A text that is to be sent, as bytes.
#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string_view>

#include "wire/utf8.hpp"

namespace windhover {

// Throws std::invalid_argument for what is not UTF-8 (RFC 6455, section 5.6).
inline std::span<const std::byte> checked_text(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  if (!wire::valid_utf8(bytes)) throw std::invalid_argument("the text of a message must be valid UTF-8");
  return bytes;
}

}  // namespace windhover
