// The frame decoder, in both roles, against RFC 6455, section 5, read slowly: any cut of a stream gives the same frames
// and the same error, the error is noticed with the octet that makes it one, and what was read is written again octet
// by octet. Input: options, limits, how the stream is cut, how much room there is for payload, the stream.
#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "input.hpp"
#include "pieces.hpp"
#include "reference_utf8.hpp"
#include "wire/websocket/decoder.hpp"
#include "wire/websocket/encoder.hpp"

namespace windhover::fuzz {

namespace {

using wire::frame_decoder;
using wire::opcode;
using wire::role;
using wire::websocket_error;
using octets = std::vector<std::byte>;

struct setup {
  role own_role;
  bool compression;
  frame_decoder::limits bounds;
};

struct frame {
  opcode code;
  bool fin;
  bool first;
  bool compressed;
  octets payload;

  bool operator==(const frame&) const = default;
};

// What there is in a stream.
struct reading {
  std::vector<frame> frames;
  octets partial;  // the payload of the last frame when that is not complete
  websocket_error error = websocket_error::none;
};

// ----- The reference

class slow_reader {
 public:
  slow_reader(const setup& with, std::span<const std::byte> stream) : with_(with), stream_(stream) {
    while (at_ < stream_.size() && read_frame()) continue;
  }

  reading result;
  std::size_t error_at = 0;  // how many octets it takes to see the error
  struct place {
    std::size_t begin;
    std::size_t end;
    std::optional<wire::masking_key> key;
  };
  std::vector<place> places;  // of the frames in the stream

 private:
  bool fail(websocket_error error) {
    result.error = error;
    error_at = at_;
    return false;
  }

  // The next octet of a header; none when it has not arrived.
  std::optional<unsigned> take() {
    if (at_ == stream_.size()) return std::nullopt;
    return std::to_integer<unsigned>(stream_[at_++]);
  }

  websocket_error judge_first(unsigned octet) const {
    const unsigned code = octet & 0xf;
    const bool data = code == 1 || code == 2;
    const bool control = code >= 8;
    if ((octet & 0x30) != 0) return websocket_error::reserved_bit;
    if ((octet & 0x40) != 0 && !(with_.compression && data)) return websocket_error::reserved_bit;
    if ((code > 2 && code < 8) || code > 10) return websocket_error::reserved_opcode;
    if (control && (octet & 0x80) == 0) return websocket_error::fragmented_control_frame;
    if (code == 0 && fragments_ == 0) return websocket_error::continuation_of_nothing;
    if (data && fragments_ != 0) return websocket_error::message_interleaved;
    if (code == 0 && fragments_ >= with_.bounds.fragments) return websocket_error::too_many_fragments;
    return websocket_error::none;
  }

  websocket_error judge_second(bool control, unsigned octet) const {
    const bool masked = (octet & 0x80) != 0;
    if (masked && with_.own_role == role::client) return websocket_error::masked_server_frame;
    if (!masked && with_.own_role == role::server) return websocket_error::unmasked_client_frame;
    return control && (octet & 0x7f) > 125 ? websocket_error::control_frame_too_long : websocket_error::none;
  }

  websocket_error judge_length(bool control, std::uint64_t length, std::size_t extended) const {
    if ((extended == 2 && length < 126) || (extended == 8 && length < 65536))
      return websocket_error::length_not_minimal;
    if (length > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return websocket_error::length_top_bit;
    const std::uint64_t most = with_.bounds.message_size;
    if (!control && (length > most || message_size_ > most - length)) return websocket_error::message_too_big;
    return websocket_error::none;
  }

  bool read_frame() {
    const std::size_t begin = at_;
    const auto first = take();
    if (const auto error = judge_first(*first); error != websocket_error::none) return fail(error);
    const auto second = take();
    if (!second) return false;
    const bool control = (*first & 0x8) != 0;
    if (const auto error = judge_second(control, *second); error != websocket_error::none) return fail(error);
    std::uint64_t length = *second & 0x7f;
    const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (extended != 0) length = 0;
    for (std::size_t each = 0; each < extended; ++each) {
      const auto octet = take();
      if (!octet) return false;
      length = length * 256 + *octet;
    }
    if (const auto error = judge_length(control, length, extended); error != websocket_error::none) return fail(error);
    std::optional<wire::masking_key> key;
    if (with_.own_role == role::server) {
      key.emplace();
      for (std::byte& each : key->bytes) {
        const auto octet = take();
        if (!octet) return false;
        each = static_cast<std::byte>(*octet);
      }
    }
    if (!read_payload(begin_frame(*first), length, key)) return false;
    places.push_back({begin, at_, key});
    return true;
  }

  frame begin_frame(unsigned first) {
    const unsigned code = first & 0xf;
    if (code >= 8) return {static_cast<opcode>(code), true, false, false, {}};
    if (code != 0) message_ = first;
    ++fragments_;
    return {static_cast<opcode>(message_ & 0xf), (first & 0x80) != 0, code != 0, (message_ & 0x40) != 0, {}};
  }

  bool read_payload(frame read, std::uint64_t length, const std::optional<wire::masking_key>& key) {
    const bool control = is_control(read.code);
    const bool is_text = read.code == opcode::text && !read.compressed;
    if (!control) message_size_ += length;
    for (std::uint64_t each = 0; each < length; ++each) {
      const auto octet = take();
      if (octet) read.payload.push_back(static_cast<std::byte>(*octet) ^ (key ? key->bytes[each % 4] : std::byte{0}));
      if (octet && is_text) text_.push_back(read.payload.back());
      const bool impossible = octet && is_text && judge_tail().possible < text_.size();
      if (octet && !impossible) continue;
      result.partial = std::move(read.payload);
      return impossible ? fail(websocket_error::invalid_utf8) : false;
    }
    if (read.fin && !control) {
      if (is_text && !judge_tail().valid) {
        result.partial = std::move(read.payload);
        return fail(websocket_error::invalid_utf8);
      }
      text_.clear();
      message_size_ = 0;
      fragments_ = 0;
    }
    result.frames.push_back(std::move(read));
    return true;
  }

  // The text so far, of which only what does not belong to a whole character is kept.
  utf8_verdict judge_tail() {
    const utf8_verdict verdict = judge_utf8(text_);
    if (verdict.whole == text_.size()) {
      text_.clear();
      return {0, 0, true};
    }
    return verdict;
  }

  setup with_;
  std::span<const std::byte> stream_;
  std::size_t at_ = 0;
  unsigned message_ = 0;
  std::uint64_t message_size_ = 0;
  std::uint64_t fragments_ = 0;
  octets text_;
};

// ----- The decoder

class fast_reader {
 public:
  // Messages that lie whole in a piece are taken at once if wanted.
  fast_reader(const setup& with, std::uint8_t room, bool takes_whole_messages)
      : decoder_(with.own_role, with.bounds, with.compression),
        room_(room),
        takes_whole_messages_(takes_whole_messages) {}

  // False once there is an error.
  bool take(std::span<const std::byte> in) {
    while (!in.empty()) {
      if (!in_frame_ && takes_whole_messages_) {
        if (const auto found = decoder_.find_whole_message(in)) {
          if (!take_message(in, *found)) return note_error();
          continue;
        }
      }
      if (!in_frame_) {
        const auto step = decoder_.read_header(in);
        if (step == frame_decoder::step::error) return note_error();
        if (step == frame_decoder::step::needs_more) {
          require(in.empty(), "a decoder that needs more has taken all there is");
          return true;
        }
        begin();
      }
      if (!take_payload(in)) return note_error();
      if (decoder_.payload_remaining() == 0 && !end()) return note_error();
    }
    return true;
  }

  reading result;

 private:
  bool take_message(std::span<const std::byte>& in, const frame_decoder::whole_message& found) {
    const std::size_t size = found.payload.size();
    const auto block = std::make_unique_for_overwrite<std::byte[]>(size);
    if (!decoder_.take_message(in, found, block.get())) return false;
    result.frames.push_back({found.code, true, true, false, octets(block.get(), block.get() + size)});
    return true;
  }

  void begin() {
    in_frame_ = true;
    const auto described = decoder_.frame();
    require(described.payload_length == decoder_.payload_remaining(), "a frame begins with all of its payload ahead");
    current_ = {described.code, described.fin, described.first, described.compressed, {}};
  }

  bool take_payload(std::span<const std::byte>& in) {
    // A block of its own, so that a write beyond the room is seen.
    const auto block = std::make_unique_for_overwrite<std::byte[]>(room_.next_room());
    const std::span<std::byte> room(block.get(), room_.last_room);
    const std::size_t count = decoder_.read_payload(in, room);
    require(count <= room.size(), "a decoder writes no more than there is room");
    current_.payload.insert(current_.payload.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(count));
    return decoder_.error() == websocket_error::none;
  }

  bool end() {
    if (!decoder_.end_frame()) return false;
    in_frame_ = false;
    result.frames.push_back(std::move(current_));
    current_ = {};
    return true;
  }

  bool note_error() {
    result.error = decoder_.error();
    require(result.error != websocket_error::none, "an error has a reason");
    std::array<std::byte, 2> more{};
    std::span<const std::byte> in(more);
    if (!in_frame_)
      require(decoder_.read_header(in) == frame_decoder::step::error, "after an error there is nothing but errors");
    require(decoder_.read_payload(in, more) == 0 && decoder_.error() == result.error, "an error stays");
    return false;
  }

  // How much room there is for the next piece of payload, with none at all now and then.
  struct rooms {
    explicit rooms(std::uint8_t choice) : sizes(choice) {}
    std::size_t next_room() {
      constexpr std::size_t most = 300;
      empty_now = !empty_now;
      last_room = empty_now ? 0 : std::min(sizes.next(), most);
      return last_room;
    }
    cutter sizes;
    std::size_t last_room = 0;
    bool empty_now = false;
  };

 public:
  const octets& partial() const { return current_.payload; }

 private:
  frame_decoder decoder_;
  rooms room_;
  frame current_{};
  bool in_frame_ = false;
  bool takes_whole_messages_;
};

void compare(const reading& expected, const fast_reader& got) {
  require(got.result.error == expected.error, "the error is the same");
  require(got.result.frames == expected.frames, "the frames are the same");
  const octets& partial = got.partial();
  // Of a piece with a text's fault in it nothing is given.
  const bool cut_short = expected.error == websocket_error::invalid_utf8;
  require(partial.size() == expected.partial.size() || (cut_short && partial.size() < expected.partial.size()),
          "as much as has arrived of a frame is given");
  require(std::equal(partial.begin(), partial.end(), expected.partial.begin()), "the payload is the same");
}

// Frames have one form only, so whoever writes them anew writes the same octets.
void write_again(const slow_reader& read, std::span<const std::byte> stream) {
  for (std::size_t each = 0; each < read.places.size(); ++each) {
    const frame& known = read.result.frames[each];
    const auto& [begin, end, key] = read.places[each];
    const auto expected = stream.subspan(begin, end - begin);
    const bool continues = !is_control(known.code) && !known.first;
    const wire::frame_header header{.code = continues ? opcode::continuation : known.code,
                                    .fin = known.fin,
                                    .rsv1 = known.first && known.compressed,
                                    .mask = key};
    octets written(wire::frame_header_size(known.payload.size(), key.has_value()) + known.payload.size());
    require(wire::encode_frame(written.data(), header, known.payload) == written.size(), "the size is known before");
    require(std::equal(written.begin(), written.end(), expected.begin(), expected.end()), "a frame is written as read");

    octets room(wire::maximum_frame_header + known.payload.size());
    std::copy(known.payload.begin(), known.payload.end(), room.begin() + wire::maximum_frame_header);
    const auto in_place = wire::encode_frame_in_place(std::span(room).subspan(wire::maximum_frame_header), header);
    require(std::equal(in_place.begin(), in_place.end(), expected.begin(), expected.end()), "in place as well");
  }
}

// A header says its length in one way only, also where no payload of that length could be tried.
void try_length(std::uint64_t length, role to) {
  std::array<std::byte, wire::maximum_frame_header> room;
  const std::optional<wire::masking_key> key = to == role::server ? std::optional(wire::masking_key{}) : std::nullopt;
  const std::size_t size = wire::encode_frame_header(room.data(), {.code = opcode::binary, .mask = key}, length);
  require(size == wire::frame_header_size(length, key.has_value()), "the size of a header is known before");
  frame_decoder decoder(to, {.message_size = std::numeric_limits<std::uint64_t>::max(), .fragments = 1});
  std::span<const std::byte> in(room.data(), size);
  require(decoder.read_header(in) == frame_decoder::step::frame && in.empty(), "every length can be said");
  require(decoder.frame().payload_length == length, "and is understood");
}

}  // namespace

void try_input(input in) {
  constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();
  constexpr std::array<std::uint64_t, 8> sizes{1U << 20, 0, 1, 5, 125, 126, 65536, unlimited};
  constexpr std::array<std::uint32_t, 4> fragments{131'072, 1, 2, 3};
  const std::uint8_t options = in.octet();
  setup with{
      .own_role = (options & 1) == 0 ? role::server : role::client, .compression = (options & 2) != 0, .bounds = {}};
  with.bounds.message_size = in.one_of(sizes);
  with.bounds.fragments = in.one_of(fragments);
  const std::uint8_t cut = in.octet();
  const std::uint8_t room = in.octet();
  const auto stream = in.bytes();
  try_length(in.number(8) >> (1 + options / 4 % 63), with.own_role);

  const slow_reader slow(with, stream);
  struct way {
    std::uint8_t cut;
    bool takes_whole_messages;
  };
  for (const way each : std::array<way, 5>{{{0, false}, {0, true}, {cut, false}, {cut, true}, {1, false}}}) {
    fast_reader fast(with, room, each.takes_whole_messages);
    std::size_t taken = 0;
    for_each_piece(stream, each.cut, [&](std::span<const std::byte> piece) {
      taken += piece.size();
      return fast.take(piece);
    });
    compare(slow.result, fast);
    const bool octet_by_octet = each.cut == 1;
    if (octet_by_octet && slow.result.error != websocket_error::none)
      require(taken == slow.error_at, "the error is noticed as soon as it is one");
  }
  write_again(slow, stream);
}

}  // namespace windhover::fuzz
