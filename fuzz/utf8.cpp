// UTF-8 validation against a slow decoder that follows the definition, for any cut of a text; and what becomes of a
// text from outside in a log. Input: how the text is cut, how much plain text stands before it (long texts go another
// way than short ones), the text.
#include "wire/utf8.hpp"

#include <array>
#include <string>

#include "hosting/printable_text.hpp"
#include "input.hpp"
#include "pieces.hpp"
#include "reference_utf8.hpp"

namespace windhover::fuzz {

namespace {

void try_pieces(std::span<const std::byte> text, std::uint8_t cut, const utf8_verdict& expected) {
  const bool possible = expected.possible == text.size();
  wire::utf8_validator validator;
  std::size_t taken = 0;
  bool good = true;
  for_each_piece(text, cut, [&](std::span<const std::byte> piece) {
    good = validator.feed(piece);
    taken += piece.size();
    require(good == (taken <= expected.possible), "a piece is refused when it holds the first octet that is wrong");
    return good;
  });
  require(good == possible, "a text is refused when it cannot be the beginning of one");
  require(validator.complete() == expected.valid, "a text is complete when it ends behind a character");
  if (good) return;
  const std::array<std::byte, 1> more{std::byte{'a'}};
  require(!validator.feed(more) && !validator.complete(), "a failure stays");
}

// The text behind a complete one is judged anew.
void try_second_text(std::span<const std::byte> text, const utf8_verdict& expected) {
  wire::utf8_validator validator;
  require(validator.feed(std::as_bytes(std::span("\xe2\x82\xac", 3))) && validator.complete(),
          "the euro sign is valid");
  require(validator.feed(text) == (expected.possible == text.size()), "a second text is judged as the first");
}

void try_printable(std::string_view text) {
  const std::string shown = hosting::printable(text);
  require(judge_utf8(shown).valid, "what is shown is valid");
  for (const char each : shown) {
    const auto octet = static_cast<unsigned char>(each);
    require(octet >= 0x20 && octet != 0x7f, "what is shown has no control characters");
  }
  require(shown.find("\xe2\x80\xa8") == std::string::npos && shown.find("\xe2\x80\xae") == std::string::npos &&
              shown.find("\xc2\x9b") == std::string::npos,
          "what is shown neither breaks nor turns the line");
  require(hosting::printable(shown) == shown, "what is shown can be shown");
}

}  // namespace

void try_input(input in) {
  const std::uint8_t cut = in.octet();
  std::string text(in.octet(), 'a');
  text += in.text();
  const auto octets = std::as_bytes(std::span(text));

  const utf8_verdict expected = judge_utf8(text);
  require(wire::valid_utf8(octets) == expected.valid, "a whole text is judged right");
  require(wire::valid_utf8_prefix(text) == expected.whole, "the valid prefix is the longest one");
  for (const std::uint8_t each : std::array<std::uint8_t, 3>{0, cut, 1}) try_pieces(octets, each, expected);
  try_second_text(octets, expected);
  try_printable(in.text());
}

}  // namespace windhover::fuzz
