// RFC 6455, section 5.2: the header on its way out.
#include "wire/websocket/frame.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include <gtest/gtest.h>

#include "wire/websocket/frame_events.hpp"

namespace windhover::wire {
namespace {

using testing::to_hex;

constexpr masking_key some_key{{std::byte{0x37}, std::byte{0xfa}, std::byte{0x21}, std::byte{0x3d}}};

std::string encoded(const frame_header& header, std::uint64_t payload_length) {
  std::array<std::byte, maximum_frame_header> out{};
  const std::size_t size = encode_frame_header(out.data(), header, payload_length);
  EXPECT_EQ(size, frame_header_size(payload_length, header.mask.has_value()));
  return to_hex(std::span(out).first(size));
}

TEST(frame_header, writes_lengths_in_their_shortest_form) {
  struct row {
    std::uint64_t length;
    std::string unmasked;
    std::string masked;
  };
  const row rows[]{
      {0, "8200", "828037fa213d"},
      {125, "827d", "82fd37fa213d"},
      {126, "827e007e", "82fe007e37fa213d"},
      {256, "827e0100", "82fe010037fa213d"},
      {65535, "827effff", "82feffff37fa213d"},
      {65536, "827f0000000000010000", "82ff000000000001000037fa213d"},
      {0x7fffffffffffffff, "827f7fffffffffffffff", "82ff7fffffffffffffff37fa213d"},
  };
  for (const row& each : rows) {
    EXPECT_EQ(encoded({.code = opcode::binary}, each.length), each.unmasked);
    EXPECT_EQ(encoded({.code = opcode::binary, .mask = some_key}, each.length), each.masked);
  }
}

TEST(frame_header, writes_opcode_fin_and_rsv1) {
  EXPECT_EQ(encoded({.code = opcode::continuation, .fin = false}, 0), "0000");
  EXPECT_EQ(encoded({.code = opcode::continuation}, 0), "8000");
  EXPECT_EQ(encoded({.code = opcode::text, .fin = false}, 3), "0103");
  EXPECT_EQ(encoded({.code = opcode::text, .rsv1 = true}, 3), "c103");
  EXPECT_EQ(encoded({.code = opcode::close}, 2), "8802");
  EXPECT_EQ(encoded({.code = opcode::ping}, 0), "8900");
  EXPECT_EQ(encoded({.code = opcode::pong}, 0), "8a00");
}

TEST(frame_header, writes_no_octet_beyond_its_size) {
  for (const std::uint64_t length : {0U, 126U, 65536U}) {
    std::array<std::byte, maximum_frame_header + 1> out;
    out.fill(std::byte{0xee});
    const std::size_t size = encode_frame_header(out.data(), {.code = opcode::text}, length);
    for (std::size_t at = size; at < out.size(); ++at) EXPECT_EQ(out[at], std::byte{0xee}) << length << " at " << at;
  }
}

TEST(opcode, knows_which_are_control_frames) {
  for (const opcode code : {opcode::continuation, opcode::text, opcode::binary}) EXPECT_FALSE(is_control(code));
  for (const opcode code : {opcode::close, opcode::ping, opcode::pong}) EXPECT_TRUE(is_control(code));
}

}  // namespace
}  // namespace windhover::wire
