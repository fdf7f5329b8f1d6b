// What nghttp2 lets pass and RFC 9113 does not. The session's streams are numbers in a set here.
#include "wire/http2/frame_watch.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "support/fragment_sweep.hpp"

namespace windhover::wire::http2 {
namespace {

constexpr std::uint8_t data = 0;
constexpr std::uint8_t headers = 1;
constexpr std::uint8_t priority = 2;
constexpr std::uint8_t ping = 6;

std::string frame(std::uint8_t type, std::uint32_t stream, std::string_view payload = {}) {
  std::string text{'\0', static_cast<char>(payload.size() >> 8), static_cast<char>(payload.size()),
                   static_cast<char>(type), '\0'};
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(stream >> shift);
  return text.append(payload);
}

struct outcome {
  std::string passed;
  std::optional<error_code> error;
  int idle = 0;
};

// Feeds the watch as a session does.
outcome watch(frame_watch& watched, const windhover::testing::byte_pieces& pieces, const std::set<std::int32_t>& open) {
  outcome seen;
  const auto look_up = [&open](std::int32_t stream) {
    return open.contains(stream) ? frame_watch::standing::open : frame_watch::standing::unknown;
  };
  for (const auto& piece : pieces) {
    std::span<const std::byte> in(piece);
    while (!in.empty()) {
      const frame_watch::piece next = watched.next(in, look_up);
      seen.idle += next.is_idle ? 1 : 0;
      if (next.error) {
        seen.error = next.error;
        return seen;
      }
      seen.passed.append(reinterpret_cast<const char*>(next.bytes.data()), next.bytes.size());
    }
  }
  return seen;
}

// In pieces of every size; `before` is passed over without a look.
void expect(std::string_view stream, std::optional<error_code> error, const std::set<std::int32_t>& open = {},
            std::size_t before = 0) {
  windhover::testing::for_each_cut(stream, [&](const windhover::testing::byte_pieces& pieces) {
    frame_watch watched(before);
    const outcome seen = watch(watched, pieces, open);
    EXPECT_EQ(seen.error, error);
    if (!error) {
      EXPECT_EQ(seen.passed, stream);
    }
  });
}

TEST(frame_watch, passes_everything_on_that_is_in_order) {
  expect("", std::nullopt);
  expect(frame(headers, 1, "fields") + frame(data, 1, "data") + frame(data, 1) + frame(ping, 0, "01234567") +
             frame(headers, 3) + frame(99, 7, "unknown") + frame(priority, 5, std::string(5, '\0')),
         std::nullopt, {1});
}

TEST(frame_watch, does_not_look_at_the_preface) {
  expect("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(headers, 1), std::nullopt, {}, 24);
}

TEST(frame_watch, frames_on_streams_that_are_over_are_errors) {
  expect(frame(headers, 1) + frame(data, 1, "x"), error_code::stream_closed);
  expect(frame(headers, 1) + frame(headers, 1), error_code::stream_closed);
  expect(frame(headers, 1) + frame(data, 1, "x"), std::nullopt, {1});
}

TEST(frame_watch, streams_that_were_passed_over_cannot_be_begun) {
  expect(frame(headers, 5) + frame(headers, 3), error_code::protocol_error);
  expect(frame(headers, 1) + frame(headers, 7) + frame(headers, 3), error_code::protocol_error, {1});
  expect(frame(headers, 1) + frame(headers, 3), std::nullopt);
}

TEST(frame_watch, what_nghttp2_judges_by_itself_is_left_to_it) {
  expect(frame(data, 1, "on an idle stream"), std::nullopt);
  expect(frame(headers, 2), std::nullopt);
  expect(frame(data, 0), std::nullopt);
}

TEST(frame_watch, what_comes_for_a_stream_that_was_reset_here_is_no_error) {
  frame_watch watched(0);
  const std::string stream = frame(headers, 1) + frame(data, 1, "x");
  watched.note_reset(1);
  EXPECT_FALSE(watch(watched, windhover::testing::cut(std::as_bytes(std::span(stream)), 1000), {}).error);
}

TEST(frame_watch, remembers_a_thousand_resets) {
  frame_watch watched(0);
  const std::string begun = frame(headers, 2 * 2000 + 1);
  watch(watched, windhover::testing::cut(std::as_bytes(std::span(begun)), 1000), {});
  for (std::int32_t i = 0; i < 1500; ++i) watched.note_reset(2 * i + 1);
  const auto error_of = [&watched](std::uint32_t id) {
    const std::string late = frame(data, id, "x");
    return watch(watched, windhover::testing::cut(std::as_bytes(std::span(late)), 1000), {}).error;
  };
  EXPECT_FALSE(error_of(2 * 1499 + 1));
  EXPECT_FALSE(error_of(2 * 476 + 1));
}

TEST(frame_watch, behind_the_last_goaway_streams_are_not_judged) {
  frame_watch watched(0);
  watched.note_shut_down();
  const std::string stream = frame(headers, 1) + frame(data, 1, "x") + frame(headers, 1);
  EXPECT_FALSE(watch(watched, windhover::testing::cut(std::as_bytes(std::span(stream)), 1000), {}).error);
}

TEST(frame_watch, malformed_priorities_are_errors) {
  using namespace std::string_view_literals;
  expect(frame(priority, 0, "\0\0\0\1x"sv), error_code::protocol_error);
  expect(frame(priority, 3, "\0\0\0\3x"sv), error_code::protocol_error);
  expect(frame(priority, 3, "\x80\0\0\3x"sv), error_code::protocol_error);
  expect(frame(priority, 3, "\0\0\0\1x"sv), std::nullopt);
  expect(frame(priority, 3, "four"sv), std::nullopt);  // the size is nghttp2's to judge
}

// In two pieces, with more behind the frame than fits where a header is kept.
TEST(frame_watch, a_priority_may_be_cut_anywhere) {
  const std::string stream = frame(priority, 3, std::string(5, '\0')) + frame(data, 1, std::string(1000, 'x'));
  const auto bytes = std::as_bytes(std::span(stream));
  for (std::size_t at = 0; at <= stream.size(); ++at) {
    frame_watch watched(0);
    const auto first = bytes.first(at);
    const auto second = bytes.subspan(at);
    const outcome seen = watch(watched, {{first.begin(), first.end()}, {second.begin(), second.end()}}, {1});
    EXPECT_EQ(seen.passed, stream) << at;
    EXPECT_EQ(seen.idle, 1) << at;
  }
}

TEST(frame_watch, tells_of_frames_that_ask_for_nothing) {
  frame_watch watched(0);
  const std::string stream = frame(priority, 3, std::string(5, '\0')) + frame(99, 0) + frame(headers, 1) +
                             frame(ping, 0, "01234567") + frame(200, 1, "x");
  EXPECT_EQ(watch(watched, windhover::testing::cut(std::as_bytes(std::span(stream)), 1000), {}).idle, 3);
}

}  // namespace
}  // namespace windhover::wire::http2
