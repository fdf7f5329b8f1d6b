// permessage-deflate's compression (RFC 7692, section 7.2). What no compressor has written gives the same octets and
// the same outcome wherever it and the room for it are cut; what our compressor writes is what went in. Input: how the
// input is cut, how the room is cut, windows and context takeover, the octets.
#include "wire/websocket/deflate.hpp"

#include <algorithm>
#include <vector>

#include "input.hpp"
#include "pieces.hpp"

namespace windhover::fuzz {
namespace {

using wire::deflater;
using wire::inflater;
using octets = std::vector<std::byte>;

// More than this nobody has to wait for: a few octets may stand for many.
constexpr std::size_t most_inflated = std::size_t{1} << 18;

struct inflated_message {
  octets content;
  inflater::step outcome = inflater::step::end;  // needs_room: there is more than the limit

  bool operator==(const inflated_message&) const = default;
};

// One step after the other with rooms of the given sizes, until it needs something else than room or the limit is met.
template <typename Step>
inflater::step write_all(inflated_message& to, cutter& rooms, Step&& step) {
  for (;;) {
    const std::size_t left = most_inflated - to.content.size();
    octets room(std::min({rooms.next(), left, std::size_t{4096}}));
    const inflater::progress progress = step(std::span(room));
    require(progress.produced <= room.size(), "no more is written than there is room for");
    to.content.insert(to.content.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(progress.produced));
    if (progress.next != inflater::step::needs_room) return progress.next;
    require(progress.produced == room.size(), "room is asked for when there is none left");
    if (left == progress.produced) return inflater::step::needs_room;
  }
}

inflated_message inflate_message(inflater& inflation, std::span<const std::byte> payload, std::uint8_t cut,
                                 std::uint8_t room_cut) {
  inflated_message made;
  cutter rooms(room_cut);
  for_each_piece(payload, cut, [&](std::span<const std::byte> piece) {
    made.outcome = write_all(made, rooms, [&](std::span<std::byte> room) { return inflation.inflate(piece, room); });
    require(made.outcome != inflater::step::needs_input || piece.empty(), "input is asked for when all was taken");
    require(made.outcome != inflater::step::end, "a message ends with end_of_message");
    return made.outcome == inflater::step::needs_input;
  });
  if (made.outcome == inflater::step::error || made.outcome == inflater::step::needs_room) return made;
  made.outcome = write_all(made, rooms, [&](std::span<std::byte> room) { return inflation.end_of_message(room); });
  require(made.outcome != inflater::step::needs_input, "there is no input behind the end");
  return made;
}

// With windows of 15 bits only: see the note at the constructor.
void try_foreign(std::span<const std::byte> payload, std::uint8_t cut, std::uint8_t room_cut) {
  inflater whole(15, false);
  const inflated_message expected = inflate_message(whole, payload, 0, 0);
  inflater pieces(15, false);
  const inflated_message seen = inflate_message(pieces, payload, cut, room_cut);
  require(seen.outcome == expected.outcome, "the outcome does not depend on the cuts");
  // In case of an error it depends on the cuts how far the output came.
  const std::size_t common = std::min(seen.content.size(), expected.content.size());
  require(std::equal(seen.content.begin(), seen.content.begin() + static_cast<std::ptrdiff_t>(common),
                     expected.content.begin()),
          "the octets do not depend on the cuts");
  if (expected.outcome != inflater::step::error) require(seen == expected, "all octets are there");
  whole.reset();
  require(inflate_message(whole, payload, 0, 0) == expected, "after a reset nothing is known of what was");
}

octets deflate_frame(deflater& deflation, std::span<const std::byte> payload, std::uint8_t room_cut,
                     deflater::boundary end) {
  octets frame;
  cutter rooms(room_cut);
  for (;;) {
    octets room(std::min<std::size_t>(rooms.next(), 4096));
    const deflater::progress progress = deflation.deflate(payload, room, end);
    require(progress.produced <= room.size(), "no more is written than there is room for");
    frame.insert(frame.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(progress.produced));
    if (progress.complete) return frame;
  }
}

// The octets as a message in two frames, twice, so that the second one may refer to the first.
void try_own(std::span<const std::byte> content, std::uint8_t cut, std::uint8_t room_cut, int window_bits,
             bool context_takeover) {
  deflater deflation(window_bits, context_takeover);
  inflater inflation(window_bits, context_takeover);
  const std::size_t first = content.size() / 3;
  for (int times = 0; times < 2; ++times) {
    octets payload = deflate_frame(deflation, content.first(first), room_cut, deflater::boundary::fragment);
    require(payload.size() <= wire::deflate_bound(first), "a frame has a bound");
    const octets rest = deflate_frame(deflation, content.subspan(first), room_cut, deflater::boundary::message);
    payload.insert(payload.end(), rest.begin(), rest.end());
    const inflated_message seen = inflate_message(inflation, payload, cut, room_cut);
    require(seen.outcome == inflater::step::end, "what we have deflated is a message");
    require(std::equal(seen.content.begin(), seen.content.end(), content.begin(), content.end()),
            "what comes out is what went in");
  }
}

}  // namespace

void try_input(input in) {
  const std::uint8_t cut = in.octet();
  const std::uint8_t room_cut = in.octet();
  const std::uint8_t choices = in.octet();
  try_foreign(in.bytes(), cut, room_cut);
  try_own(in.bytes(), cut, room_cut, 9 + choices % 7, (choices & 0x80) == 0);
}

}  // namespace windhover::fuzz
