// zlib does the work; this file does what RFC 7692 adds to DEFLATE. Two habits of zlib shape it: it does not say
// whether a full output is all that there is, and it repeats a flush that the output had no room for.
#include "wire/websocket/deflate.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <new>
#include <stdexcept>

#define ZLIB_CONST
#include <zlib.h>

namespace windhover::wire {

namespace {

// What a sender leaves out at the end of a message, and a receiver puts back (RFC 7692, sections 7.2.1 and 7.2.2): an
// empty stored block but for its header.
constexpr std::array<std::byte, 4> tail{std::byte{0x00}, std::byte{0x00}, std::byte{0xff}, std::byte{0xff}};

// The header of that block, when it begins at an octet.
constexpr std::byte empty_block{0x00};

// zlib counts with 32 bits.
uInt limited_size(std::size_t size) noexcept {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

void check_opened(int outcome) {
  if (outcome == Z_MEM_ERROR) throw std::bad_alloc();
  if (outcome != Z_OK) throw std::invalid_argument("permessage-deflate: zlib does not know these parameters");
}

// Shows zlib the spans for one call of `work`, and takes from them what it has used.
template <typename Work>
int with_spans(z_stream& stream, std::span<const std::byte>& in, std::span<std::byte>& out, const Work& work) {
  const uInt in_size = limited_size(in.size());
  const uInt out_size = limited_size(out.size());
  stream.next_in = reinterpret_cast<const Bytef*>(in.data());
  stream.avail_in = in_size;
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = out_size;
  const int outcome = work();
  in = in.subspan(in_size - stream.avail_in);
  out = out.subspan(out_size - stream.avail_out);
  return outcome;
}

}  // namespace

// ----- inflater

void inflater::closer::operator()(z_stream_s* stream) const noexcept {
  inflateEnd(stream);
  delete stream;
}

inflater::inflater(int window_bits, bool context_takeover) noexcept
    : window_bits_(static_cast<std::uint8_t>(window_bits)), context_takeover_(context_takeover) {
  assert(window_bits >= 8 && window_bits <= 15);
}

void inflater::open() {
  if (stream_) return;
  auto stream = std::make_unique<z_stream>();
  check_opened(inflateInit2(stream.get(), -window_bits_));  // negative: DEFLATE without a wrapper
  stream_.reset(stream.release());
}

inflater::progress inflater::inflate(std::span<const std::byte>& in, std::span<std::byte> out) {
  open();
  std::span<std::byte> room = out;
  if (held_ && !room.empty()) {
    room.front() = *held_;
    room = room.subspan(1);
    held_.reset();
  }
  if (!held_ && !room.empty() && !advance(in, room)) return {step::error, out.size() - room.size()};
  if (!room.empty()) return {step::needs_input, out.size() - room.size()};

  // The output is full. Whether that was all shows when zlib gets room for one more octet.
  if (!held_) {
    std::byte one_more{};
    std::span<std::byte> room_for_one(&one_more, 1);
    const bool advanced = advance(in, room_for_one);
    if (!room_for_one.empty()) return {advanced ? step::needs_input : step::error, out.size()};
    held_ = one_more;  // comes first even if zlib has met an error behind it
  }
  return {step::needs_room, out.size()};
}

// Lets zlib work until the input is used up and nothing more comes of it, or the output, which is not empty, is full.
// False on an error.
bool inflater::advance(std::span<const std::byte>& in, std::span<std::byte>& out) {
  while (!failed_) {
    const int outcome = with_spans(*stream_, in, out, [&] { return ::inflate(stream_.get(), Z_SYNC_FLUSH); });
    if (outcome == Z_BUF_ERROR) return true;  // nothing could be done, so nothing is known that was not known before
    note_outcome(outcome);
    if (in.empty() || out.empty()) break;
  }
  return !failed_;
}

// Takes a note of where in the stream of blocks zlib has got to.
void inflater::note_outcome(int outcome) {
  constexpr int after_block = 128;
  constexpr int unused_bits = 63;
  if (outcome == Z_STREAM_END) {
    // A block with BFINAL is no end here: other blocks follow, and may refer to what came before it (RFC 7692, section
    // 7.2.3.4). inflateReset() would clear the window, and copying that for each such block would let a peer that
    // sends nothing but empty ones burn our time.
    inflateResetKeep(stream_.get());
    between_blocks_ = behind_final_block_ = true;
    return;
  }
  if (outcome == Z_MEM_ERROR) throw std::bad_alloc();
  failed_ = outcome != Z_OK;
  between_blocks_ = (stream_->data_type & (after_block | unused_bits)) == after_block;
  behind_final_block_ = false;
}

inflater::progress inflater::end_of_message(std::span<std::byte> out) {
  std::span<const std::byte> nothing;
  const progress rest = inflate(nothing, out);
  if (rest.next != step::needs_input) return rest;
  // Some senders end a message right behind a final block and leave out the 00 that RFC 7692, section 7.2.1, wants
  // there. Nothing is missing then.
  if (behind_final_block_ && tail_taken_ == 0) tail_taken_ = tail.size();

  auto tail_left = std::span(tail).subspan(tail_taken_);
  progress last{step::needs_input, 0};
  if (!tail_left.empty()) {
    std::span<const std::byte> in = tail_left;
    last = inflate(in, out.subspan(rest.produced));
    tail_taken_ = static_cast<std::uint8_t>(tail.size() - in.size());
  }
  const std::size_t produced = rest.produced + last.produced;
  if (last.next != step::needs_input) return {last.next, produced};
  if (!between_blocks_) {
    failed_ = true;
    return {step::error, produced};
  }
  if (context_takeover_)
    forget_position();
  else
    reset();
  return {step::end, produced};
}

void inflater::reset() noexcept {
  if (stream_) inflateReset(stream_.get());
  forget_position();
}

void inflater::release() noexcept {
  stream_.reset();
  forget_position();
}

void inflater::forget_position() noexcept {
  held_.reset();
  tail_taken_ = 0;
  between_blocks_ = behind_final_block_ = failed_ = false;
}

// ----- deflater

void deflater::closer::operator()(z_stream_s* stream) const noexcept {
  deflateEnd(stream);
  delete stream;
}

deflater::deflater(int window_bits, bool context_takeover, int level, int memory_level) noexcept
    : window_bits_(static_cast<std::uint8_t>(window_bits)),
      level_(static_cast<std::uint8_t>(level)),
      memory_level_(static_cast<std::uint8_t>(memory_level)),
      context_takeover_(context_takeover) {
  assert(window_bits >= 9 && window_bits <= 15);
  assert(level >= 1 && level <= 9 && memory_level >= 1 && memory_level <= 9);
}

void deflater::open() {
  if (stream_) return;
  auto stream = std::make_unique<z_stream>();
  check_opened(deflateInit2(stream.get(), level_, Z_DEFLATED, -window_bits_, memory_level_, Z_DEFAULT_STRATEGY));
  stream_.reset(stream.release());
}

deflater::progress deflater::deflate(std::span<const std::byte>& in, std::span<std::byte> out, boundary end) {
  std::span<std::byte> room = out;
  const auto produced = [&] { return out.size() - room.size(); };
  if (!in.empty()) {
    open();
    frame_has_input_ = has_context_ = true;
  }
  if (frame_has_input_ && !advance(in, room, end == boundary::none ? Z_NO_FLUSH : Z_BLOCK)) return {produced(), false};
  if (end == boundary::none) return {produced(), true};

  if (!frame_ended_) end_frame(end);
  const auto ending = std::span(ending_).first(ending_size_).subspan(ending_written_);
  const std::size_t count = std::min(ending.size(), room.size());
  std::copy_n(ending.begin(), count, room.begin());
  room = room.subspan(count);
  ending_written_ = static_cast<std::uint8_t>(ending_written_ + count);
  if (ending_written_ != ending_size_) return {produced(), false};
  frame_ended_ = false;
  if (end == boundary::message && !context_takeover_) reset();
  return {produced(), true};
}

// Lets zlib work until the input is used up and, where it is to flush, all but the last bits of it has been written.
// False if the output is full before that.
bool deflater::advance(std::span<const std::byte>& in, std::span<std::byte>& out, int flush) {
  while (!out.empty()) {
    with_spans(*stream_, in, out, [&] { return ::deflate(stream_.get(), flush); });
    if (in.empty() && (flush == Z_NO_FLUSH || !out.empty())) return true;
  }
  return in.empty() && flush == Z_NO_FLUSH;
}

// Makes the last octets of a frame. All blocks are complete, at most seven bits of them are not written; what the flush
// adds has at most six octets. It gets all the room that it needs: zlib would begin it anew otherwise. And it stands
// alone, so that its tail can be left out, which it always ends with.
void deflater::end_frame(boundary end) noexcept {
  frame_ended_ = true;
  ending_written_ = 0;
  if (!frame_has_input_) {
    ending_.front() = empty_block;
    ending_size_ = end == boundary::message ? 1 : 0;
    return;
  }
  std::array<std::byte, 16> flushed{};
  std::span<const std::byte> nothing;
  std::span<std::byte> room = flushed;
  with_spans(*stream_, nothing, room, [&] { return ::deflate(stream_.get(), Z_SYNC_FLUSH); });
  const std::size_t size = flushed.size() - room.size() - (end == boundary::message ? tail.size() : 0);
  assert(size >= 1 && size <= ending_.size());
  std::copy_n(flushed.begin(), size, ending_.begin());
  ending_size_ = static_cast<std::uint8_t>(size);
  frame_has_input_ = false;
}

void deflater::reset() noexcept {
  if (has_context_) deflateReset(stream_.get());
  has_context_ = frame_has_input_ = frame_ended_ = false;
}

void deflater::release() noexcept {
  stream_.reset();
  has_context_ = frame_has_input_ = frame_ended_ = false;
}

}  // namespace windhover::wire
