// Payloads of close frames, against RFC 6455, sections 5.5.1 and 7.4. Input: a payload, which is also tried as a text
// that somebody wants to be a reason.
#include <algorithm>
#include <array>

#include "input.hpp"
#include "reference_utf8.hpp"
#include "wire/websocket/close.hpp"

namespace windhover::fuzz {

namespace {

using wire::websocket_error;

// By the ranges of the sections and of the registry.
bool is_on_the_wire(unsigned code) {
  if (code >= 3000 && code <= 4999) return true;
  constexpr std::array<unsigned, 12> registered{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014};
  return std::find(registered.begin(), registered.end(), code) != registered.end();
}

websocket_error judge(std::span<const std::byte> payload) {
  if (payload.empty()) return websocket_error::none;
  if (payload.size() == 1) return websocket_error::close_payload_truncated;
  const unsigned code = std::to_integer<unsigned>(payload[0]) * 256 + std::to_integer<unsigned>(payload[1]);
  if (!is_on_the_wire(code)) return websocket_error::invalid_close_code;
  return judge_utf8(payload.subspan(2)).valid ? websocket_error::none : websocket_error::invalid_close_reason;
}

void try_parsing(std::span<const std::byte> payload) {
  const wire::close_payload parsed = wire::parse_close_payload(payload);
  require(parsed.error == judge(payload), "a payload is judged right");
  require(parsed.code.has_value() == (parsed.error == websocket_error::none && !payload.empty()),
          "a code is there when the payload is good and not empty");
  if (!parsed.code) return require(parsed.reason.empty(), "without a code there is no reason");
  require(parsed.reason.size() == payload.size() - 2, "all behind the code is the reason");

  std::array<std::byte, wire::maximum_control_payload> written;
  const auto encoded = wire::encode_close_payload(written, *parsed.code, parsed.reason);
  require(encoded.error == websocket_error::none, "what was received can be sent");
  require(std::equal(payload.begin(), payload.end(), written.begin(), written.begin() + encoded.size),
          "it is written as it was read");
}

void try_reason(std::string_view text) {
  const std::string_view cut = wire::truncate_reason(text);
  require(text.starts_with(cut) && cut.size() <= wire::maximum_close_reason, "a reason is cut at its end");
  require(judge_utf8(cut).valid, "never within a character");
  require(cut.size() == judge_utf8(text.substr(0, wire::maximum_close_reason)).whole, "and no shorter than it must be");

  std::array<std::byte, wire::maximum_control_payload> written;
  const auto good = wire::encode_close_payload(written, close_code::normal_closure, cut);
  require(good.error == websocket_error::none && good.size == 2 + cut.size(), "what is left can be sent");
  const auto whole = wire::encode_close_payload(written, close_code::normal_closure, text);
  const bool fits = text.size() <= wire::maximum_close_reason && judge_utf8(text).valid;
  require((whole.error == websocket_error::none) == fits, "a reason that is too long or no text is refused");
}

}  // namespace

void try_input(input in) {
  const auto all = in.bytes();
  try_parsing(all.first(std::min(all.size(), wire::maximum_control_payload)));
  try_reason(in.text());
  const auto code = static_cast<close_code>(in.number(2));
  std::array<std::byte, wire::maximum_control_payload> written;
  const auto encoded = wire::encode_close_payload(written, code, {});
  require((encoded.error == websocket_error::none) == is_on_the_wire(static_cast<unsigned>(code)),
          "a code is judged right");
}

}  // namespace windhover::fuzz
