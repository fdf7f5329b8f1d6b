// RFC 6455, section 5: framing, masking, fragmentation, control frames, and the order of mistakes.
#include "wire/websocket/decoder.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "wire/websocket/encoder.hpp"
#include "wire/websocket/frame_events.hpp"

namespace windhover::wire {
namespace {

using testing::byte_pieces;
using testing::bytes;
using testing::cut;
using testing::decode;
using testing::decode_as;
using testing::decoding;
using testing::for_each_cut;
using testing::frame_event;
using testing::from_hex;
using testing::from_text;
using testing::generous;
using testing::joined;
using step = frame_decoder::step;

constexpr masking_key some_key{{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}}};

// A frame as the client sends it.
bytes from_client(opcode code, bool fin, const bytes& payload, bool rsv1 = false) {
  bytes frame(maximum_frame_header + payload.size());
  frame.resize(encode_frame(frame.data(), {.code = code, .fin = fin, .rsv1 = rsv1, .mask = some_key}, payload));
  return frame;
}

bytes from_client(opcode code, bool fin, std::string_view payload) {
  return from_client(code, fin, from_text(payload));
}

void expect_frames(role own_role, const bytes& stream, const std::vector<frame_event>& expected) {
  for_each_cut(stream, [&](const byte_pieces& pieces) {
    const decoding result = decode_as(own_role, pieces);
    EXPECT_EQ(result.error, websocket_error::none);
    EXPECT_EQ(result.frames, expected);
  });
}

// The first `harmless` octets are taken without complaint, the next one brings the error, whatever comes with them.
void expect_error_after(frame_decoder decoder, const bytes& stream, std::size_t harmless, websocket_error expected) {
  EXPECT_EQ(decode(decoder, cut(stream, 1)).taken, harmless + 1);
  for_each_cut(stream, [&](const byte_pieces& pieces) { EXPECT_EQ(decode(decoder, pieces).error, expected); });
}

TEST(decoder, reads_the_frames_of_rfc_6455_section_5_7) {
  const frame_event hello{opcode::text, true, true, from_text("Hello")};
  expect_frames(role::client, from_hex("81 05 48 65 6c 6c 6f"), {hello});
  expect_frames(role::server, from_hex("81 85 37 fa 21 3d 7f 9f 4d 51 58"), {hello});
  expect_frames(role::client, from_hex("01 03 48 65 6c 80 02 6c 6f"),
                {{opcode::text, false, true, from_text("Hel")}, {opcode::text, true, false, from_text("lo")}});
  expect_frames(role::client, from_hex("89 05 48 65 6c 6c 6f"), {{opcode::ping, true, false, from_text("Hello")}});
  expect_frames(role::server, from_hex("8a 85 37 fa 21 3d 7f 9f 4d 51 58"),
                {{opcode::pong, true, false, from_text("Hello")}});
  const bytes of_256(256, std::byte{7});
  expect_frames(role::client, joined({from_hex("82 7e 01 00"), of_256}), {{opcode::binary, true, true, of_256}});
  const bytes of_64_ki(65536, std::byte{8});
  expect_frames(role::client, joined({from_hex("82 7f 00 00 00 00 00 01 00 00"), of_64_ki}),
                {{opcode::binary, true, true, of_64_ki}});
}

TEST(decoder, reads_payloads_of_every_length_form) {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 65535U, 65536U, 65537U}) {
    bytes payload(size);
    for (std::size_t at = 0; at < size; ++at) payload[at] = static_cast<std::byte>(at * 31);
    expect_frames(role::server, from_client(opcode::binary, true, payload), {{opcode::binary, true, true, payload}});
  }
}

TEST(decoder, reads_control_frames_between_fragments_without_losing_the_message) {
  const bytes stream =
      joined({from_client(opcode::text, false, "k\xce"), from_client(opcode::ping, true, "\xff"),
              from_client(opcode::continuation, false, ""), from_client(opcode::pong, true, ""),
              from_client(opcode::continuation, true, "\xba"), from_client(opcode::binary, true, "\xff")});
  expect_frames(role::server, stream,
                {{opcode::text, false, true, from_text("k\xce")},
                 {opcode::ping, true, false, from_text("\xff")},
                 {opcode::text, false, false, {}},
                 {opcode::pong, true, false, {}},
                 {opcode::text, true, false, from_text("\xba")},
                 {opcode::binary, true, true, from_text("\xff")}});
}

TEST(decoder, takes_a_close_frame_as_any_control_frame) {
  expect_frames(role::server, from_client(opcode::close, true, "\x03\xe8 bye"),
                {{opcode::close, true, false, from_text("\x03\xe8 bye")}});
}

TEST(decoder, takes_no_octet_beyond_the_header) {
  const bytes stream = from_client(opcode::binary, true, "abc");
  for (std::size_t available = 0; available <= stream.size(); ++available) {
    frame_decoder decoder(role::server, generous);
    std::span<const std::byte> in = std::span(stream).first(available);
    const bool complete = available >= 6;
    EXPECT_EQ(decoder.read_header(in), complete ? step::frame : step::needs_more);
    EXPECT_EQ(in.size(), complete ? available - 6 : 0);
    EXPECT_EQ(decoder.payload_remaining(), complete ? 3U : 0U);
  }
}

TEST(decoder, fills_the_room_it_is_given_and_no_more) {
  bytes payload(1000);
  for (std::size_t at = 0; at < payload.size(); ++at) payload[at] = static_cast<std::byte>(at * 13);
  const bytes stream = from_client(opcode::binary, true, payload);
  for (const std::size_t room : {1U, 2U, 3U, 7U, 64U, 257U, 1000U, 5000U}) {
    for_each_cut(stream, [&](const byte_pieces& pieces) {
      const decoding result = decode(frame_decoder(role::server, generous), pieces, room);
      ASSERT_EQ(result.frames.size(), 1U);
      EXPECT_EQ(result.frames[0].payload, payload);
    });
  }
}

TEST(decoder, reads_nothing_into_no_room) {
  frame_decoder decoder(role::server, generous);
  const bytes stream = from_client(opcode::text, true, "abc");
  std::span<const std::byte> in = stream;
  ASSERT_EQ(decoder.read_header(in), step::frame);
  EXPECT_EQ(decoder.read_payload(in, {}), 0U);
  EXPECT_EQ(in.size(), 3U);
  EXPECT_EQ(decoder.payload_remaining(), 3U);
}

TEST(decoder, gives_octets_back_that_come_again) {
  const bytes payload = from_text("the mask goes on where it was");
  const bytes stream = from_client(opcode::binary, true, payload);
  for (std::size_t back = 0; back <= payload.size(); ++back) {
    SCOPED_TRACE(back);
    frame_decoder decoder(role::server, generous);
    std::span<const std::byte> in = stream;
    ASSERT_EQ(decoder.read_header(in), step::frame);
    bytes room(payload.size());
    ASSERT_EQ(decoder.read_payload(in, room), payload.size());
    decoder.unread_payload(in, back);
    EXPECT_EQ(decoder.payload_remaining(), back);
    EXPECT_EQ(in.size(), back);
    bytes again(back);
    ASSERT_EQ(decoder.read_payload(in, again), back);
    EXPECT_EQ(again, bytes(payload.end() - static_cast<std::ptrdiff_t>(back), payload.end()));
    EXPECT_TRUE(decoder.end_frame());
  }
}

TEST(decoder, leaves_the_next_frame_in_the_input) {
  frame_decoder decoder(role::server, generous);
  const bytes stream = joined({from_client(opcode::binary, true, "abc"), from_client(opcode::binary, true, "d")});
  std::span<const std::byte> in = stream;
  bytes room(100);
  ASSERT_EQ(decoder.read_header(in), step::frame);
  EXPECT_EQ(decoder.read_payload(in, room), 3U);
  EXPECT_EQ(in.size(), 7U);
}

struct mistake {
  const char* name;
  const char* stream;
  std::size_t harmless;  // octets before the one that shows the mistake
  websocket_error error;
};

// 81 fe 007e ... : a header of a client ends with the key 01020304.
constexpr mistake client_mistakes[]{
    {"RSV1", "c1", 0, websocket_error::reserved_bit},
    {"RSV2", "a1", 0, websocket_error::reserved_bit},
    {"RSV3", "91", 0, websocket_error::reserved_bit},
    {"RSV1 on a control frame", "c9", 0, websocket_error::reserved_bit},
    {"opcode 3", "83", 0, websocket_error::reserved_opcode},
    {"opcode 7, not final", "07", 0, websocket_error::reserved_opcode},
    {"opcode 11", "8b", 0, websocket_error::reserved_opcode},
    {"opcode 15", "8f", 0, websocket_error::reserved_opcode},
    {"fragmented close", "08", 0, websocket_error::fragmented_control_frame},
    {"fragmented ping", "09", 0, websocket_error::fragmented_control_frame},
    {"fragmented pong", "0a", 0, websocket_error::fragmented_control_frame},
    {"continuation first", "80", 0, websocket_error::continuation_of_nothing},
    {"continuation first, not final", "00", 0, websocket_error::continuation_of_nothing},
    {"continuation after a whole message", "81 80 01020304 80", 6, websocket_error::continuation_of_nothing},
    {"continuation after the last fragment", "01 80 01020304 80 80 01020304 80", 12,
     websocket_error::continuation_of_nothing},
    {"text within a message", "01 80 01020304 81", 6, websocket_error::message_interleaved},
    {"binary within a message", "02 80 01020304 02", 6, websocket_error::message_interleaved},
    {"text within a message after a ping", "01 80 01020304 89 80 01020304 01", 12,
     websocket_error::message_interleaved},
    {"no mask", "81 05", 1, websocket_error::unmasked_client_frame},
    {"no mask and a long length", "82 7e", 1, websocket_error::unmasked_client_frame},
    {"ping of 126 octets", "89 fe", 1, websocket_error::control_frame_too_long},
    {"close with a length of 64 bits", "88 ff", 1, websocket_error::control_frame_too_long},
    {"16 bits for 125", "82 fe 00 7d", 3, websocket_error::length_not_minimal},
    {"16 bits for 0", "82 fe 00 00", 3, websocket_error::length_not_minimal},
    {"64 bits for 65535", "82 ff 00 00 00 00 00 00 ff ff", 9, websocket_error::length_not_minimal},
    {"64 bits for 5", "82 ff 00 00 00 00 00 00 00 05", 9, websocket_error::length_not_minimal},
    {"top bit of the length", "82 ff 80 00 00 00 00 00 00 00", 9, websocket_error::length_top_bit},
    {"all bits of the length", "82 ff ff ff ff ff ff ff ff ff", 9, websocket_error::length_top_bit},
    {"the largest length", "82 ff 7f ff ff ff ff ff ff ff", 9, websocket_error::message_too_big},
};

TEST(decoder, finds_each_mistake_of_a_client_at_the_octet_that_shows_it) {
  for (const mistake& each : client_mistakes) {
    SCOPED_TRACE(each.name);
    expect_error_after(frame_decoder(role::server, generous), from_hex(each.stream), each.harmless, each.error);
    // The same with more behind it.
    const bytes more = joined({from_hex(each.stream), bytes(40, std::byte{0xff})});
    expect_error_after(frame_decoder(role::server, generous), more, each.harmless, each.error);
  }
}

// Nothing but the mask is different in this direction.
constexpr mistake server_mistakes[]{
    {"RSV1", "c1", 0, websocket_error::reserved_bit},
    {"RSV2 on a continuation", "01 00 a0", 2, websocket_error::reserved_bit},
    {"RSV3 on a control frame", "99", 0, websocket_error::reserved_bit},
    {"opcode 3", "83", 0, websocket_error::reserved_opcode},
    {"opcode 15", "8f", 0, websocket_error::reserved_opcode},
    {"fragmented close", "08", 0, websocket_error::fragmented_control_frame},
    {"continuation first", "80", 0, websocket_error::continuation_of_nothing},
    {"continuation after a whole message", "81 00 80", 2, websocket_error::continuation_of_nothing},
    {"text within a message after a ping", "01 00 89 00 81", 4, websocket_error::message_interleaved},
    {"pong of 126 octets", "8a 7e", 1, websocket_error::control_frame_too_long},
    {"16 bits for 125", "82 7e 00 7d", 3, websocket_error::length_not_minimal},
    {"64 bits for 65535", "82 7f 00 00 00 00 00 00 ff ff", 9, websocket_error::length_not_minimal},
    {"top bit of the length", "82 7f 80 00 00 00 00 00 00 00", 9, websocket_error::length_top_bit},
    {"the largest length", "82 7f 7f ff ff ff ff ff ff ff", 9, websocket_error::message_too_big},
};

TEST(decoder, finds_each_mistake_of_a_server_at_the_octet_that_shows_it) {
  for (const mistake& each : server_mistakes) {
    SCOPED_TRACE(each.name);
    const bytes more = joined({from_hex(each.stream), bytes(40, std::byte{0xff})});
    expect_error_after(frame_decoder(role::client, generous), more, each.harmless, each.error);
  }
}

TEST(decoder, refuses_masked_frames_of_a_server) {
  expect_error_after(frame_decoder(role::client, generous), from_hex("81 85 37fa213d 7f9f4d5158"), 1,
                     websocket_error::masked_server_frame);
}

TEST(decoder, decodes_nothing_more_after_an_error) {
  frame_decoder decoder(role::server, generous);
  const bytes wrong = from_hex("83");
  const bytes right = from_client(opcode::binary, true, "abc");
  std::span<const std::byte> in = wrong;
  EXPECT_EQ(decoder.read_header(in), step::error);
  in = right;
  EXPECT_EQ(decoder.read_header(in), step::error);
  bytes room(10);
  EXPECT_EQ(decoder.read_payload(in, room), 0U);
  EXPECT_FALSE(decoder.end_frame());
  EXPECT_EQ(decoder.error(), websocket_error::reserved_opcode);
}

TEST(decoder, takes_a_message_of_exactly_the_limit_and_refuses_a_larger_one_by_its_header) {
  const frame_decoder decoder(role::server, {.message_size = 300, .fragments = 10});
  const bytes fits = from_client(opcode::binary, true, std::string(300, 'x'));
  // Twice, as the count starts again with each message.
  for_each_cut(joined({fits, fits}), [&](const byte_pieces& pieces) {
    EXPECT_EQ(decode(decoder, pieces).error, websocket_error::none);
    EXPECT_EQ(decode(decoder, pieces).frames.size(), 2U);
  });
  expect_error_after(decoder, from_client(opcode::binary, true, std::string(301, 'x')), 3,
                     websocket_error::message_too_big);
}

TEST(decoder, counts_the_octets_of_all_fragments_and_none_of_control_frames) {
  const frame_decoder decoder(role::server, {.message_size = 100, .fragments = 10});
  const bytes begin = joined(
      {from_client(opcode::text, false, std::string(60, 'x')), from_client(opcode::ping, true, std::string(125, 'x'))});
  EXPECT_EQ(decode(decoder, {joined({begin, from_client(opcode::continuation, true, std::string(40, 'x'))})}).error,
            websocket_error::none);
  expect_error_after(decoder, joined({begin, from_client(opcode::continuation, true, std::string(41, 'x'))}),
                     begin.size() + 1, websocket_error::message_too_big);
}

TEST(decoder, allows_only_empty_messages_with_a_limit_of_0) {
  const frame_decoder decoder(role::server, {.message_size = 0, .fragments = 1});
  EXPECT_EQ(decode(decoder, {from_client(opcode::text, true, "")}).error, websocket_error::none);
  EXPECT_EQ(decode(decoder, {from_client(opcode::ping, true, "abc")}).error, websocket_error::none);
  EXPECT_EQ(decode(decoder, {from_client(opcode::text, true, "a")}).error, websocket_error::message_too_big);
}

TEST(decoder, counts_fragments_and_no_control_frames) {
  const frame_decoder decoder(role::server, {.message_size = 100, .fragments = 3});
  const bytes first = from_client(opcode::text, false, "a");
  const bytes ping = from_client(opcode::ping, true, "");
  const bytes next = from_client(opcode::continuation, false, "a");
  const bytes last = from_client(opcode::continuation, true, "a");
  const bytes whole = joined({first, ping, next, ping, ping, last});
  EXPECT_EQ(decode(decoder, {joined({whole, whole})}).error, websocket_error::none);
  const bytes too_many = joined({first, ping, next, ping, next});
  expect_error_after(decoder, joined({too_many, last}), too_many.size(), websocket_error::too_many_fragments);
}

TEST(decoder, refuses_text_at_the_first_octet_that_can_not_be_continued) {
  // Autobahn's case 6.4: the surrogate begins with ed a0.
  const bytes stream = from_client(opcode::text, true,
                                   "\xce\xba\xe1\xbd\xb9\xed\xa0\x80"
                                   "edited");
  expect_error_after(frame_decoder(role::server, generous), stream, 6 + 6, websocket_error::invalid_utf8);
}

TEST(decoder, refuses_text_whose_character_goes_wrong_in_the_next_fragment) {
  const bytes begin = joined({from_client(opcode::text, false, "\xf4"), from_client(opcode::ping, true, "\x80")});
  const bytes stream = joined({begin, from_client(opcode::continuation, false, "\x90\x80\x80")});
  expect_error_after(frame_decoder(role::server, generous), stream, begin.size() + 6, websocket_error::invalid_utf8);
}

TEST(decoder, refuses_text_that_ends_within_a_character) {
  const bytes stream = from_client(opcode::text, true, "a\xce");
  expect_error_after(frame_decoder(role::server, generous), stream, stream.size() - 1, websocket_error::invalid_utf8);
  const bytes empty_end =
      joined({from_client(opcode::text, false, "a\xce"), from_client(opcode::continuation, true, "")});
  expect_error_after(frame_decoder(role::server, generous), empty_end, empty_end.size() - 1,
                     websocket_error::invalid_utf8);
}

TEST(decoder, refuses_invalid_text_from_a_server_too) {
  expect_error_after(frame_decoder(role::client, generous), from_hex("81 03 61 ff 62"), 3,
                     websocket_error::invalid_utf8);
}

TEST(decoder, validates_long_texts_in_whatever_pieces) {
  std::string text;
  while (text.size() < 3000) text += "aé\xe6\xb0\xb4\xf0\x9d\x84\x9e";
  expect_frames(role::server, from_client(opcode::text, true, text), {{opcode::text, true, true, from_text(text)}});
  text[1500] = '\xff';
  for_each_cut(from_client(opcode::text, true, text), [](const byte_pieces& pieces) {
    EXPECT_EQ(decode_as(role::server, pieces).error, websocket_error::invalid_utf8);
  });
}

TEST(decoder, does_not_look_into_binary_messages_and_their_continuations) {
  expect_frames(
      role::server,
      joined({from_client(opcode::binary, false, "\xff\xfe"), from_client(opcode::continuation, true, "\xce")}),
      {{opcode::binary, false, true, from_text("\xff\xfe")}, {opcode::binary, true, false, from_text("\xce")}});
}

TEST(decoder, allows_rsv1_on_the_first_frame_of_a_message_when_compression_was_negotiated) {
  const frame_decoder decoder(role::server, generous, true);
  const bytes deflated = from_hex("f2 48 cd ff");
  const bytes stream =
      joined({from_client(opcode::text, false, deflated, true), from_client(opcode::continuation, true, deflated),
              from_client(opcode::text, true, from_text("plain"))});
  for_each_cut(stream, [&](const byte_pieces& pieces) {
    const decoding result = decode(decoder, pieces);
    EXPECT_EQ(result.error, websocket_error::none);
    EXPECT_EQ(result.frames.size(), 3U);
  });
  const bytes begin = from_client(opcode::text, false, deflated, true);
  expect_error_after(decoder, joined({begin, from_hex("c0")}), begin.size(), websocket_error::reserved_bit);
  expect_error_after(decoder, from_hex("c9"), 0, websocket_error::reserved_bit);
  expect_error_after(decoder, from_hex("a1"), 0, websocket_error::reserved_bit);
  EXPECT_EQ(decode(decoder, {from_client(opcode::text, true, "\xff")}).error, websocket_error::invalid_utf8);
}

TEST(decoder, says_which_frames_belong_to_a_compressed_message) {
  frame_decoder decoder(role::server, generous, true);
  const auto next_is_compressed = [&](const bytes& frame) {
    std::span<const std::byte> in = frame;
    EXPECT_EQ(decoder.read_header(in), step::frame);
    EXPECT_TRUE(decoder.end_frame());
    return decoder.frame().compressed;
  };
  EXPECT_TRUE(next_is_compressed(from_client(opcode::text, false, bytes(), true)));
  EXPECT_FALSE(next_is_compressed(from_client(opcode::ping, true, bytes())));
  EXPECT_TRUE(next_is_compressed(from_client(opcode::continuation, true, bytes())));
  EXPECT_FALSE(next_is_compressed(from_client(opcode::text, true, bytes())));
}

// ----- Any split gives the same events

class random_stream {
 public:
  explicit random_stream(unsigned seed) : random_(seed) {}

  std::size_t up_to(std::size_t most) { return std::uniform_int_distribution<std::size_t>(0, most)(random_); }

  bytes frames(std::size_t count) {
    bytes stream;
    bool open = false;
    while (count-- > 0) {
      const bool control = up_to(3) == 0;
      const bool fin = control || up_to(1) == 0;
      const bytes payload = control ? random_payload(125) : random_payload(up_to(9) == 0 ? 70000 : 300);
      const opcode code = control ? static_cast<opcode>(8 + up_to(2)) : open ? opcode::continuation : data_opcode();
      const bytes frame = from_client(code, fin, payload);
      stream.insert(stream.end(), frame.begin(), frame.end());
      if (!control) open = !fin;
    }
    return stream;
  }

  void corrupt(bytes& stream) { stream[up_to(stream.size() - 1)] ^= static_cast<std::byte>(1U << up_to(7)); }

  byte_pieces split(const bytes& stream) {
    byte_pieces pieces;
    const std::size_t most = up_to(1) == 0 ? 20 : 5000;
    for (std::size_t at = 0; at < stream.size(); at += pieces.back().size()) {
      const std::size_t size = std::min(stream.size() - at, 1 + up_to(most));
      const auto begin = stream.begin() + static_cast<std::ptrdiff_t>(at);
      pieces.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(size));
    }
    return pieces;
  }

 private:
  opcode data_opcode() { return up_to(1) == 0 ? opcode::text : opcode::binary; }

  // Cyrillic letters: a message of them goes on in whole characters, whichever frames it consists of.
  bytes random_payload(std::size_t most) {
    std::string text;
    for (std::size_t letters = up_to(most) / 2; letters > 0; --letters) text += "\xd0\xb6";
    return from_text(text);
  }

  std::mt19937 random_;
};

// ----- Whole messages

std::size_t found_in(const bytes& stream, role own_role = role::server, std::uint64_t most = 1 << 20) {
  const auto found = frame_decoder(own_role, {most, 10}).find_whole_message(stream);
  return found ? found->payload.size() : 0;
}

TEST(decoder, finds_a_message_that_has_arrived_whole_and_takes_it) {
  for (const std::size_t size : {1U, 3U, 125U, 126U, 1024U, 65535U}) {
    bytes payload(size);
    for (std::size_t at = 0; at < size; ++at) payload[at] = static_cast<std::byte>(at * 7);
    const bytes stream = joined({from_client(opcode::binary, true, payload), from_text("the next")});
    frame_decoder decoder(role::server, generous);
    std::span<const std::byte> in = stream;
    const auto found = decoder.find_whole_message(in);
    ASSERT_TRUE(found) << size;
    EXPECT_EQ(found->code, opcode::binary);
    bytes taken(found->payload.size());
    EXPECT_TRUE(decoder.take_message(in, *found, taken.data()));
    EXPECT_EQ(taken, payload);
    EXPECT_EQ(in.size(), std::string_view("the next").size());
  }
}

TEST(decoder, finds_a_whole_message_of_a_server) {
  const bytes hello = from_hex("81 05 48 65 6c 6c 6f");
  EXPECT_EQ(found_in(hello, role::client), 5U);
  EXPECT_EQ(found_in(hello, role::server), 0U);
}

TEST(decoder, takes_nothing_for_a_whole_message_that_is_less_or_breaks_a_rule) {
  const bytes hello = from_client(opcode::text, true, "Hello");
  for (std::size_t size = 0; size < hello.size(); ++size) {
    EXPECT_EQ(found_in(bytes(hello.begin(), hello.begin() + static_cast<std::ptrdiff_t>(size))), 0U) << size;
  }
  EXPECT_EQ(found_in(hello), 5U);
  EXPECT_EQ(found_in(hello, role::client), 0U) << "a mask where there is none";
  EXPECT_EQ(found_in(hello, role::server, 4), 0U) << "longer than the limit";
  EXPECT_EQ(found_in(from_client(opcode::text, true, "")), 0U) << "empty";
  EXPECT_EQ(found_in(from_client(opcode::text, false, "Hello")), 0U) << "the beginning of one";
  EXPECT_EQ(found_in(from_client(opcode::ping, true, "Hello")), 0U) << "a control frame";
  EXPECT_EQ(found_in(from_client(opcode::binary, true, from_text("Hello"), true)), 0U) << "compressed";
  EXPECT_EQ(found_in(from_client(opcode::binary, true, bytes(65536))), 0U) << "too long to be looked at so";
  EXPECT_EQ(found_in(from_hex("82 fe 00 05 01 02 03 04 00 00 00 00 00")), 0U) << "a length that is not minimal";
}

TEST(decoder, finds_no_whole_message_within_another_or_within_a_header) {
  const bytes hello = from_client(opcode::text, true, "Hello");
  frame_decoder within_message(role::server, generous);
  const bytes beginning = from_client(opcode::text, false, "");
  std::span<const std::byte> in = beginning;
  EXPECT_EQ(within_message.read_header(in), step::frame);
  EXPECT_TRUE(within_message.end_frame());
  EXPECT_FALSE(within_message.find_whole_message(hello));

  frame_decoder within_header(role::server, generous);
  in = std::span(hello).first(1);
  EXPECT_EQ(within_header.read_header(in), step::needs_more);
  EXPECT_FALSE(within_header.find_whole_message(hello));
}

TEST(decoder, refuses_a_whole_message_that_is_no_text_and_finds_nothing_more) {
  const bytes stream = from_client(opcode::text, true, from_hex("ce ba ed a0 80"));
  frame_decoder decoder(role::server, generous);
  std::span<const std::byte> in = stream;
  const auto found = decoder.find_whole_message(in);
  ASSERT_TRUE(found);
  bytes taken(found->payload.size());
  EXPECT_FALSE(decoder.take_message(in, *found, taken.data()));
  EXPECT_EQ(decoder.error(), websocket_error::invalid_utf8);
  EXPECT_FALSE(decoder.find_whole_message(stream));
}

TEST(decoder, finds_the_same_events_in_any_split_of_random_streams) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    random_stream random(seed);
    bytes stream = random.frames(12);
    const bool intact = seed % 3 == 0;
    if (!intact) random.corrupt(stream);
    const decoding expected = decode_as(role::server, {stream});
    if (intact) {
      EXPECT_EQ(expected.error, websocket_error::none);
      EXPECT_EQ(expected.frames.size(), 12U);
    }
    for (int split = 0; split < 5; ++split) {
      const decoding result =
          decode(frame_decoder(role::server, generous), random.split(stream), 1 + random.up_to(999));
      ASSERT_TRUE(result.same_events(expected))
          << "seed " << seed << ": " << describe(result.error) << " instead of " << describe(expected.error);
    }
    const byte_pieces pieces = seed % 2 == 0 ? byte_pieces{stream} : random.split(stream);
    const decoding whole =
        decode(frame_decoder(role::server, generous), pieces, SIZE_MAX, testing::whole_messages::first);
    ASSERT_TRUE(whole.same_events(expected)) << "seed " << seed << ", whole messages: " << describe(whole.error)
                                             << " instead of " << describe(expected.error);
  }
}

}  // namespace
}  // namespace windhover::wire
