// What a peer can do wrong after the opening handshake, and the close code that each mistake leads to.
#pragma once

#include <cstdint>
#include <string_view>

#include <windhover/close_code.hpp>

namespace windhover::wire {

enum class websocket_error : std::uint8_t {
  none,
  reserved_bit,              // a reserved bit without an extension that gives it a meaning (section 5.2)
  reserved_opcode,           // section 5.2
  fragmented_control_frame,  // section 5.5
  control_frame_too_long,    // more than 125 octets (section 5.5)
  unmasked_client_frame,     // section 5.1
  masked_server_frame,       // section 5.1
  length_not_minimal,        // section 5.2
  length_top_bit,            // a 64-bit length of 2^63 or more (section 5.2)
  continuation_of_nothing,   // section 5.4
  message_interleaved,       // a new message within a fragmented one (section 5.4)
  message_too_big,           // our own limit
  too_many_fragments,        // our own limit
  too_many_control_frames,   // our own limit
  invalid_utf8,              // section 8.1
  invalid_compressed_data,   // no DEFLATE, or a message that ends within a block (RFC 7692, section 7.2.2)
  close_payload_truncated,   // a payload of one octet (section 5.5.1)
  invalid_close_code,        // section 7.4
  invalid_close_reason,      // not UTF-8 (section 5.5.1); for our own ones also longer than 123 octets
};

// The code to close with; no_status_received when there is no error.
[[nodiscard]] constexpr close_code close_code_of(websocket_error error) noexcept {
  switch (error) {
    case websocket_error::none:
      return close_code::no_status_received;
    case websocket_error::invalid_utf8:
    case websocket_error::invalid_compressed_data:
    case websocket_error::invalid_close_reason:
      return close_code::invalid_payload_data;
    case websocket_error::message_too_big:
      return close_code::message_too_big;
    case websocket_error::too_many_fragments:
    case websocket_error::too_many_control_frames:
      return close_code::policy_violation;
    default:
      return close_code::protocol_error;
  }
}

// A short sentence for logs, fit to be the reason in a close frame.
[[nodiscard]] constexpr std::string_view describe(websocket_error error) noexcept {
  switch (error) {
    case websocket_error::none:
      return "no error";
    case websocket_error::reserved_bit:
      return "a reserved bit is set";
    case websocket_error::reserved_opcode:
      return "the opcode is reserved";
    case websocket_error::fragmented_control_frame:
      return "a control frame is fragmented";
    case websocket_error::control_frame_too_long:
      return "the payload of a control frame is longer than 125 bytes";
    case websocket_error::unmasked_client_frame:
      return "a frame from the client is not masked";
    case websocket_error::masked_server_frame:
      return "a frame from the server is masked";
    case websocket_error::length_not_minimal:
      return "the payload length is not in its shortest form";
    case websocket_error::length_top_bit:
      return "the top bit of the payload length is set";
    case websocket_error::continuation_of_nothing:
      return "a continuation frame continues no message";
    case websocket_error::message_interleaved:
      return "a message begins before the one before it has ended";
    case websocket_error::message_too_big:
      return "the message is too big";
    case websocket_error::too_many_fragments:
      return "the message has too many fragments";
    case websocket_error::too_many_control_frames:
      return "too many control frames within a second";
    case websocket_error::invalid_utf8:
      return "the text is not valid UTF-8";
    case websocket_error::invalid_compressed_data:
      return "the compressed data is not valid";
    case websocket_error::close_payload_truncated:
      return "the payload of a close frame is cut within its code";
    case websocket_error::invalid_close_code:
      return "the close code may not be on the wire";
    case websocket_error::invalid_close_reason:
      return "the close reason is not valid";
  }
  return "";
}

}  // namespace windhover::wire
