// RFC 6455, sections 5.1, 5.3 and 5.7: frames on their way out.
#include "wire/websocket/encoder.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "wire/websocket/frame_events.hpp"

namespace windhover::wire {
namespace {

using testing::bytes;
using testing::from_text;
using testing::to_hex;
using testing::to_text;

constexpr masking_key rfc_key{{std::byte{0x37}, std::byte{0xfa}, std::byte{0x21}, std::byte{0x3d}}};

// Gives 1, 2, 3 ...
class counting_source final : public base::random_source {
 public:
  void fill(std::span<std::byte> octets) noexcept override {
    for (std::byte& octet : octets) octet = static_cast<std::byte>(++last_);
  }

 private:
  int last_ = 0;
};

std::string encoded(const frame_header& header, std::string_view payload) {
  bytes out(maximum_frame_header + payload.size());
  out.resize(encode_frame(out.data(), header, std::as_bytes(std::span(payload))));
  return to_hex(out);
}

std::string encoded_in_place(const frame_header& header, std::string_view payload) {
  bytes buffer(maximum_frame_header);
  const bytes octets = from_text(payload);
  buffer.insert(buffer.end(), octets.begin(), octets.end());
  return to_hex(encode_frame_in_place(std::span(buffer).subspan(maximum_frame_header), header));
}

std::string encoded_control(opcode code, std::string_view payload, const std::optional<masking_key>& mask) {
  std::array<std::byte, maximum_control_frame> out{};
  const std::size_t size = encode_control_frame(out, code, std::as_bytes(std::span(payload)), mask);
  return to_hex(std::span(out).first(size));
}

TEST(encoder, writes_the_frames_of_rfc_6455_section_5_7) {
  for (const auto write : {encoded, encoded_in_place}) {
    EXPECT_EQ(write({.code = opcode::text}, "Hello"), "810548656c6c6f");
    EXPECT_EQ(write({.code = opcode::text, .mask = rfc_key}, "Hello"), "818537fa213d7f9f4d5158");
    EXPECT_EQ(write({.code = opcode::text, .fin = false}, "Hel"), "010348656c");
    EXPECT_EQ(write({.code = opcode::continuation}, "lo"), "80026c6f");
  }
  EXPECT_EQ(encoded_control(opcode::ping, "Hello", std::nullopt), "890548656c6c6f");
  EXPECT_EQ(encoded_control(opcode::pong, "Hello", rfc_key), "8a8537fa213d7f9f4d5158");
}

TEST(encoder, writes_frames_without_payload) {
  for (const auto write : {encoded, encoded_in_place}) {
    EXPECT_EQ(write({.code = opcode::binary}, ""), "8200");
    EXPECT_EQ(write({.code = opcode::binary, .mask = rfc_key}, ""), "828037fa213d");
  }
  EXPECT_EQ(encoded_control(opcode::close, "", std::nullopt), "8800");
}

TEST(encoder, writes_what_a_decoder_of_the_other_role_reads) {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 65535U, 65536U, 100000U}) {
    std::string payload(size, 'x');
    for (std::size_t at = 0; at < size; at += 3) payload[at] = static_cast<char>('a' + at % 26);
    for (const role reader : {role::server, role::client}) {
      const auto mask = reader == role::server ? std::optional(rfc_key) : std::nullopt;
      for (const auto write : {encoded, encoded_in_place}) {
        const bytes stream = testing::from_hex(write({.code = opcode::text, .mask = mask}, payload));
        const auto result = testing::decode_as(reader, {stream});
        ASSERT_EQ(result.frames.size(), 1U);
        EXPECT_TRUE(to_text(result.frames[0].payload) == payload) << size;
      }
    }
  }
}

TEST(encoder, takes_a_new_masking_key_from_the_source_each_time) {
  counting_source random;
  EXPECT_EQ(to_hex(make_masking_key(random).bytes), "01020304");
  EXPECT_EQ(to_hex(make_masking_key(random).bytes), "05060708");
}

TEST(encoder, writes_control_frames_of_up_to_125_octets_and_no_longer_ones) {
  const std::string longest(maximum_control_payload, 'x');
  EXPECT_EQ(encoded_control(opcode::ping, longest, rfc_key).size(), 2 * maximum_control_frame);
  EXPECT_EQ(encoded_control(opcode::ping, longest + "x", rfc_key), "");
}

}  // namespace
}  // namespace windhover::wire
