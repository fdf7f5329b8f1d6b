// Why a WebSocket ended, as a number: the status codes of RFC 6455, section 7.4 and of the registry it founded
// (https://www.iana.org/assignments/websocket).
#pragma once

#include <cstdint>

namespace windhover {

// The code of a close frame. Codes without a name here are values of this type as well: 3000 to 3999 belong to
// libraries and frameworks (registered with IANA), 4000 to 4999 to applications:
//
//   constexpr auto room_is_full = static_cast<windhover::close_code>(4001);
enum class close_code : std::uint16_t {
  // The purpose of the connection was fulfilled.
  normal_closure = 1000,
  // The endpoint goes away: a server stops, a browser leaves the page.
  going_away = 1001,
  // The peer broke the protocol.
  protocol_error = 1002,
  // The endpoint cannot handle this kind of data, for example binary where it understands only text.
  unsupported_data = 1003,
  // Never on the wire: the peer's close frame had no code.
  no_status_received = 1005,
  // Never on the wire: the connection ended without a close frame.
  abnormal_closure = 1006,
  // The data does not fit the type of the message, for example text that is not UTF-8.
  invalid_payload_data = 1007,
  // The peer broke a rule of the endpoint for which no other code is made.
  policy_violation = 1008,
  // The message is larger than the endpoint wants to take.
  message_too_big = 1009,
  // Sent by a client only: the server did not negotiate an extension that the client needs.
  mandatory_extension = 1010,
  // The endpoint met a condition that keeps it from going on.
  internal_error = 1011,
  // The service restarts; the client may connect again after a random delay.
  service_restart = 1012,
  // The service is overloaded; the client may try again later.
  try_again_later = 1013,
  // A gateway got no valid answer from the server behind it.
  bad_gateway = 1014,
  // Never on the wire: the TLS handshake failed.
  tls_handshake = 1015,
};

// Whether a close frame may carry the code: 1000-1003, 1007-1014 and 3000-4999 (RFC 6455, sections 7.4.1 and 7.4.2, and
// the IANA registry for 1012 to 1014). The same rule holds for what is received.
[[nodiscard]] constexpr bool may_be_sent(close_code code) noexcept {
  const auto number = static_cast<std::uint16_t>(code);
  return (number >= 1000 && number <= 1003) || (number >= 1007 && number <= 1014) || (number >= 3000 && number <= 4999);
}

}  // namespace windhover
