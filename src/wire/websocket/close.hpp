// The payload of a close frame (RFC 6455, section 5.5.1): nothing, or a code and a reason in UTF-8.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "wire/websocket/error.hpp"
#include "wire/websocket/frame.hpp"
#include <windhover/close_code.hpp>

namespace windhover::wire {

constexpr std::size_t maximum_close_reason = maximum_control_payload - 2;

// `reason` points into the payload that was parsed.
struct close_payload {
  std::optional<close_code> code;  // none: the frame was empty, close_code::no_status_received to the application
  std::string_view reason;
  websocket_error error = websocket_error::none;
};

[[nodiscard]] close_payload parse_close_payload(std::span<const std::byte> payload) noexcept;

struct encoded_close_payload {
  std::size_t size = 0;
  websocket_error error = websocket_error::none;
};

// Writes code and reason to `out`. A code that may not be sent, or a reason that is longer than 123 octets or no UTF-8,
// is an error, and nothing is written. (A close frame without a code has an empty payload: nothing to encode.)
[[nodiscard]] encoded_close_payload encode_close_payload(std::span<std::byte, maximum_control_payload> out,
                                                         close_code code, std::string_view reason) noexcept;

// The longest prefix of a text that may be a reason: at most 123 octets, never cut within a character, and ending
// before the first octet that is no UTF-8. For texts from elsewhere, for example an exception's.
[[nodiscard]] std::string_view truncate_reason(std::string_view text) noexcept;

}  // namespace windhover::wire
