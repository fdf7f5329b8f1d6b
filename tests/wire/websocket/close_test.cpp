// RFC 6455, sections 5.5.1 and 7.4.
#include "wire/websocket/close.hpp"

#include <array>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "wire/websocket/frame_events.hpp"

namespace windhover::wire {
namespace {

using testing::from_hex;
using testing::to_hex;

constexpr auto first_error = websocket_error::reserved_bit;
constexpr auto last_error = websocket_error::invalid_close_reason;

struct encoding {
  std::string hex;
  websocket_error error;
};

encoding encoded(close_code code, std::string_view reason) {
  std::array<std::byte, maximum_control_payload> out{};
  const auto result = encode_close_payload(out, code, reason);
  return {to_hex(std::span(out).first(result.size)), result.error};
}

TEST(close_code, may_be_sent_only_from_the_three_ranges_of_the_registry) {
  for (int number = 0; number <= 0xffff; ++number) {
    const bool expected =
        (number >= 1000 && number <= 1003) || (number >= 1007 && number <= 1014) || (number >= 3000 && number <= 4999);
    ASSERT_EQ(may_be_sent(static_cast<close_code>(number)), expected) << number;
  }
}

TEST(close_payload, is_read_as_code_and_reason) {
  const auto octets = from_hex("03e8 ceba c3a9");
  const close_payload payload = parse_close_payload(octets);
  EXPECT_EQ(payload.error, websocket_error::none);
  EXPECT_EQ(payload.code, close_code::normal_closure);
  EXPECT_EQ(payload.reason, "\xce\xba\xc3\xa9");
}

TEST(close_payload, has_no_code_when_it_is_empty) {
  const close_payload payload = parse_close_payload({});
  EXPECT_EQ(payload.error, websocket_error::none);
  EXPECT_EQ(payload.code, std::nullopt);
  EXPECT_EQ(payload.reason, "");
}

TEST(close_payload, is_refused_with_an_error_that_says_why) {
  EXPECT_EQ(parse_close_payload(from_hex("03")).error, websocket_error::close_payload_truncated);
  EXPECT_EQ(parse_close_payload(from_hex("03ed")).error, websocket_error::invalid_close_code);
  EXPECT_EQ(parse_close_payload(from_hex("03ed 41")).error, websocket_error::invalid_close_code);
  EXPECT_EQ(parse_close_payload(from_hex("03e8 ff")).error, websocket_error::invalid_close_reason);
  EXPECT_EQ(parse_close_payload(from_hex("03e8 ce")).error, websocket_error::invalid_close_reason);
}

TEST(close_payload, carries_exactly_the_codes_that_may_be_sent) {
  for (int number = 0; number <= 0xffff; ++number) {
    const auto code = static_cast<close_code>(number);
    const std::array octets{static_cast<std::byte>(number >> 8), static_cast<std::byte>(number & 0xff)};
    const close_payload payload = parse_close_payload(octets);
    const encoding written = encoded(code, "");
    if (may_be_sent(code)) {
      ASSERT_EQ(payload.code, code);
      ASSERT_EQ(written.hex, to_hex(octets));
    } else {
      ASSERT_EQ(payload.error, websocket_error::invalid_close_code) << number;
      ASSERT_EQ(written.error, websocket_error::invalid_close_code) << number;
      ASSERT_EQ(written.hex, "");
    }
  }
}

TEST(close_payload, is_written_as_code_and_reason) {
  EXPECT_EQ(encoded(close_code::going_away, "").hex, "03e9");
  EXPECT_EQ(encoded(close_code::normal_closure, "bye").hex, "03e8627965");
  EXPECT_EQ(encoded(static_cast<close_code>(4001), "\xce\xba").hex, "0fa1ceba");
}

TEST(close_payload, takes_a_reason_of_123_octets_and_no_longer_one) {
  const std::string longest(123, 'x');
  EXPECT_EQ(encoded(close_code::normal_closure, longest).hex.size(), 2U * 125U);
  const encoding refused = encoded(close_code::normal_closure, longest + "x");
  EXPECT_EQ(refused.error, websocket_error::invalid_close_reason);
  EXPECT_EQ(refused.hex, "");
}

TEST(close_payload, takes_no_reason_that_is_not_utf8) {
  EXPECT_EQ(encoded(close_code::normal_closure, "\xff").error, websocket_error::invalid_close_reason);
  EXPECT_EQ(encoded(close_code::normal_closure, "a\xce").error, websocket_error::invalid_close_reason);
}

TEST(close_reason, is_truncated_between_characters) {
  EXPECT_EQ(truncate_reason("short"), "short");
  EXPECT_EQ(truncate_reason(std::string(200, 'x')), std::string(123, 'x'));
  const std::string two_octets = std::string(122, 'x') + "\xce\xba";
  EXPECT_EQ(truncate_reason(two_octets), std::string(122, 'x'));
  const std::string fits = std::string(121, 'x') + "\xce\xba";
  EXPECT_EQ(truncate_reason(fits), fits);
}

TEST(close_reason, is_truncated_before_what_is_not_utf8) {
  EXPECT_EQ(truncate_reason("caf\xe9 closed"), "caf");
  EXPECT_EQ(truncate_reason("\xff"), "");
}

TEST(websocket_error, leads_to_the_close_code_of_its_kind) {
  for (auto error = first_error; error <= last_error;
       error = static_cast<websocket_error>(static_cast<int>(error) + 1)) {
    close_code expected = close_code::protocol_error;
    if (error == websocket_error::invalid_utf8 || error == websocket_error::invalid_close_reason ||
        error == websocket_error::invalid_compressed_data)
      expected = close_code::invalid_payload_data;
    if (error == websocket_error::message_too_big) expected = close_code::message_too_big;
    if (error == websocket_error::too_many_fragments || error == websocket_error::too_many_control_frames)
      expected = close_code::policy_violation;
    EXPECT_EQ(close_code_of(error), expected) << describe(error);
  }
}

TEST(websocket_error, is_described_by_a_sentence_of_its_own_that_fits_a_close_frame) {
  std::set<std::string_view> sentences;
  for (auto error = first_error; error <= last_error;
       error = static_cast<websocket_error>(static_cast<int>(error) + 1)) {
    EXPECT_EQ(encoded(close_code_of(error), describe(error)).error, websocket_error::none);
    EXPECT_FALSE(describe(error).empty());
    EXPECT_TRUE(sentences.insert(describe(error)).second) << describe(error);
  }
}

}  // namespace
}  // namespace windhover::wire
