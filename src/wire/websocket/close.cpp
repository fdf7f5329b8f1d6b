#include "wire/websocket/close.hpp"

#include <cstdint>
#include <cstring>

#include "wire/utf8.hpp"

namespace windhover::wire {

close_payload parse_close_payload(std::span<const std::byte> payload) noexcept {
  if (payload.empty()) return {};
  if (payload.size() == 1) return {std::nullopt, {}, websocket_error::close_payload_truncated};
  const auto high = std::to_integer<unsigned>(payload[0]);
  const auto low = std::to_integer<unsigned>(payload[1]);
  const auto code = static_cast<close_code>(high << 8 | low);
  if (!may_be_sent(code)) return {std::nullopt, {}, websocket_error::invalid_close_code};
  const auto reason = payload.subspan(2);
  if (!valid_utf8(reason)) return {std::nullopt, {}, websocket_error::invalid_close_reason};
  return {code, {reinterpret_cast<const char*>(reason.data()), reason.size()}, websocket_error::none};
}

encoded_close_payload encode_close_payload(std::span<std::byte, maximum_control_payload> out, close_code code,
                                           std::string_view reason) noexcept {
  if (!may_be_sent(code)) return {0, websocket_error::invalid_close_code};
  if (reason.size() > maximum_close_reason || !valid_utf8(reason)) return {0, websocket_error::invalid_close_reason};
  const auto number = static_cast<std::uint16_t>(code);
  out[0] = static_cast<std::byte>(number >> 8);
  out[1] = static_cast<std::byte>(number);
  if (!reason.empty()) std::memcpy(out.data() + 2, reason.data(), reason.size());
  return {2 + reason.size(), websocket_error::none};
}

std::string_view truncate_reason(std::string_view text) noexcept {
  return text.substr(0, valid_utf8_prefix(text.substr(0, maximum_close_reason)));
}

}  // namespace windhover::wire
