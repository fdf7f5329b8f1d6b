// The receiving half of the protocol (RFC 6455, section 5): a stream of bytes in, frames out, cut wherever the network
// cut it. The decoder owns no buffer. The caller says where the payload goes, so that unmasking happens while the
// octets are copied to where they stay.
//
//   while (!in.empty()) {
//     if (decoder.payload_remaining() == 0) {  // between two frames, or within a header
//       const auto step = decoder.read_header(in);
//       if (step == frame_decoder::step::needs_more) break;
//       if (step == frame_decoder::step::error) return fail(decoder.error());
//       make_room_for(decoder.frame());
//     }
//     room_left = room_left.subspan(decoder.read_payload(in, room_left));
//     if (decoder.payload_remaining() == 0 && decoder.end_frame()) take(decoder.frame());
//     if (decoder.error() != websocket_error::none) return fail(decoder.error());
//   }
//
// A frame without payload is complete with its header: end_frame() is due although no octet follows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "wire/utf8.hpp"
#include "wire/websocket/error.hpp"
#include "wire/websocket/frame.hpp"
#include "wire/websocket/mask.hpp"

namespace windhover::wire {

class frame_decoder {
 public:
  // Bounds for one message.
  struct limits {
    std::uint64_t message_size;  // octets of payload, all fragments together
    std::uint32_t fragments;     // frames that it may consist of, at least one
  };

  enum class step : std::uint8_t { needs_more, frame, error };

  // The frame whose header was read last.
  struct frame_description {
    opcode code;                   // for a continuation, the opcode of the message
    bool fin;                      // the last frame of its message; always set for control frames
    bool first;                    // begins a message; never set for control frames
    bool compressed;               // belongs to a message whose first frame had RSV1
    std::uint64_t payload_length;  // of this frame
  };

  // `own_role` is the role of the end that decodes: a server expects masked frames. With `compression`
  // (permessage-deflate was negotiated, RFC 7692) RSV1 may be set on the first frame of a message; the octets of such a
  // message are deflated, so its text is not validated here.
  frame_decoder(role own_role, const limits& bounds, bool compression = false) noexcept;

  // Takes octets of a header from `in`, at most those that belong to it.
  //   needs_more: `in` is used up and the header is not complete.
  //   frame: the header is complete, frame() describes it; its payload comes next.
  //   error: the header breaks a rule; error() says which. Each rule is checked as soon as the octets that it is about
  //   are there, so the peer's mistake is the same however the stream was cut. Nothing more can be decoded.
  // Not to be called between a header and the end_frame() that belongs to it.
  step read_header(std::span<const std::byte>& in) noexcept;

  // The current frame; from the read_header() that completed its header to the next one.
  [[nodiscard]] frame_description frame() const noexcept {
    return {.code = is_control(code()) ? code() : message_code(),
            .fin = (first_octet_ & fin_bit) != 0,
            .first = code() == opcode::text || code() == opcode::binary,
            .compressed = !is_control(code()) && (message_ & rsv1_bit) != 0,
            .payload_length = length_};
  }

  // A message that is one frame, neither empty nor compressed, and has arrived whole, as most messages have.
  struct whole_message {
    opcode code;
    std::span<const std::byte> payload;  // where it lies in the input, masked by a client
  };
  // Whether `in` begins with one of at most 65,535 octets, and the decoder is between two messages. Such a message
  // needs no read_header(): take_message() follows, or nothing has happened. Not to be called between a header and the
  // end_frame() that belongs to it.
  [[nodiscard]] std::optional<whole_message> find_whole_message(std::span<const std::byte> in) const noexcept;
  // Copies its payload, unmasked, to `out`, and advances `in` behind it. False on error: it is no valid text.
  bool take_message(std::span<const std::byte>& in, const whole_message& found, std::byte* out) noexcept;

  // Copies as many unmasked octets of the payload to `out` as are left of it, available in `in` and fit; advances `in`
  // and returns their number. Text is validated on the way, up to the last octet: on error nothing of this call is of
  // any use, 0 is returned and error() is set.
  std::size_t read_payload(std::span<const std::byte>& in, std::span<std::byte> out) noexcept;

  // Gives back the last octets that read_payload() took, at most those of its latest call: they come again. For a
  // compressed message, whose octets may stand for more than there is room for.
  void unread_payload(std::span<const std::byte>& in, std::size_t count) noexcept {
    in = {in.data() - count, in.size() + count};
    remaining_ += count;
  }

  // How many octets of the current frame's payload are still to be read.
  [[nodiscard]] std::uint64_t payload_remaining() const noexcept { return remaining_; }

  // Ends the frame; to be called once when its payload has been read. False on error: a text ends within a character.
  bool end_frame() noexcept;

  [[nodiscard]] websocket_error error() const noexcept { return error_; }

 private:
  static constexpr std::uint8_t fin_bit = 0x80;
  static constexpr std::uint8_t rsv1_bit = 0x40;

  // A first octet with FIN, no reserved bit, and the opcode of a message.
  static constexpr bool is_plain_message(std::uint8_t first_octet) noexcept {
    return first_octet == (fin_bit | static_cast<std::uint8_t>(opcode::text)) ||
           first_octet == (fin_bit | static_cast<std::uint8_t>(opcode::binary));
  }
  [[nodiscard]] opcode code() const noexcept { return static_cast<opcode>(first_octet_ & 0x0f); }
  [[nodiscard]] opcode message_code() const noexcept { return static_cast<opcode>(message_ & 0x0f); }
  [[nodiscard]] bool message_is_open() const noexcept { return fragments_ != 0; }
  [[nodiscard]] std::size_t mask_size() const noexcept { return own_role_ == role::server ? 4 : 0; }
  [[nodiscard]] bool validates_text() const noexcept;

  step read_header_by_octets(std::span<const std::byte>& in) noexcept;
  bool take_header_octet(std::byte octet) noexcept;
  bool take_first_octet(std::byte octet) noexcept;
  bool take_second_octet(std::byte octet) noexcept;
  bool check_length(std::uint64_t smallest) noexcept;
  void begin_frame() noexcept;
  bool fail(websocket_error error) noexcept;

  std::uint64_t remaining_ = 0;
  std::uint64_t length_ = 0;
  std::uint64_t message_received_ = 0;  // octets of payload announced by the frames of the open message
  std::uint64_t maximum_message_size_;
  std::uint32_t maximum_fragments_;
  std::uint32_t fragments_ = 0;  // of the open message; 0 between messages
  masking_key key_{};
  utf8_validator text_;
  std::uint8_t first_octet_ = 0;
  std::uint8_t message_ = 0;        // RSV1 and opcode of the first frame of the message that is open or came last
  std::uint8_t header_size_ = 0;    // known from the second octet on
  std::uint8_t header_octets_ = 0;  // how many of them were taken so far when they come in pieces
  role own_role_;
  bool compression_;
  websocket_error error_ = websocket_error::none;
};

// One per connection, and a million connections may be idle.
static_assert(sizeof(frame_decoder) <= 64);

}  // namespace windhover::wire
