// The compression of permessage-deflate (RFC 7692, section 7.2): the payloads of a message's frames are one stream of
// DEFLATE blocks (RFC 1951), whose last four octets, 00 00 ff ff, are not sent.
//
// Neither class owns a buffer: both take octets from a span and write to another one, as much as fits, and go on where
// they stopped. Neither holds memory before it has something to do, and both give it back when they are told to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

// zlib's own name for its state. Its header stays out of ours.
struct z_stream_s;

namespace windhover::wire {

// Decompresses the messages of one direction of one connection, in order.
//
//   for (;;) {  // for each piece of the payload
//     const auto [next, produced] = inflation.inflate(piece, room);
//     if (next == inflater::step::error) return fail();
//     room = room.subspan(produced);
//     if (next == inflater::step::needs_input) break;
//     room = more_room();  // or fail: the message is too big
//   }
//
// Behind the last piece comes the same with end_of_message(room) until it says step::end.
//
// Memory, measured with zlib 1.2.13: 7,272 octets when the first octet comes, and the window of 2^window_bits octets
// when the first piece of a message has been inflated: 39 KiB in all with 15 bits, 7.4 KiB with 8. A connection that
// agreed to do without context takeover needs it only within a message: it may release() between messages, or borrow an
// inflater that is shared by a whole event loop, whose window must be no smaller than the one agreed, from the first
// octet of a message to its end.
//
// Thread: an ordinary object; one thread at a time.
class inflater {
 public:
  enum class step : std::uint8_t {
    needs_input,  // all of the input has been taken, and all that it stands for has been written
    needs_room,   // the output is full, and at least one more octet is certain to follow
    end,          // the message is complete
    error,        // this is no DEFLATE; nothing more can be inflated before reset()
  };

  struct progress {
    step next;
    std::size_t produced;  // octets written; in case of an error, those that came before it
  };

  // `window_bits` is what was agreed for the sender, 8 to 15. Without context takeover each message stands alone.
  //
  // zlib sees a reference beyond the window only when it reaches beyond the octets written by the same call too. So
  // with less than 15 bits it depends on how input and output were cut whether a peer that uses a larger window than it
  // agreed to gets an error or is understood; the octets written are right in either case.
  inflater(int window_bits, bool context_takeover) noexcept;

  // Takes octets of a message from `in` and writes what they stand for to `out`. Since needs_room is never a guess, a
  // limit is enforced by the size of `out`: a message that has exactly the size of the limit passes, and one that is
  // longer costs no more memory than the limit. `out` may be empty. Throws std::bad_alloc.
  progress inflate(std::span<const std::byte>& in, std::span<std::byte> out);

  // Ends the message whose payload has been taken. To be called again while it says needs_room; then comes the first
  // octet of the next message. An error if the payload ends within a block. Throws std::bad_alloc.
  progress end_of_message(std::span<std::byte> out);

  // Back to the beginning: the next octet is the first one of a message, and nothing from earlier messages is known.
  // Does not release memory.
  void reset() noexcept;

  // The same, and gives all memory back. With context takeover a peer may refer to what is lost by this, so it is for
  // connections without, and for those that have ended.
  void release() noexcept;

  [[nodiscard]] bool holds_memory() const noexcept { return stream_ != nullptr; }

 private:
  struct closer {
    void operator()(z_stream_s* stream) const noexcept;
  };

  void open();
  bool advance(std::span<const std::byte>& in, std::span<std::byte>& out);
  void note_outcome(int outcome);
  void forget_position() noexcept;

  std::unique_ptr<z_stream_s, closer> stream_;
  std::optional<std::byte> held_;  // the octet that proves that the last output was not all
  std::uint8_t window_bits_;
  std::uint8_t tail_taken_ = 0;  // of the four octets that end a message
  bool context_takeover_;
  bool between_blocks_ = false;      // a block has ended with the last octet taken, and no bit is left of that
  bool behind_final_block_ = false;  // the same, and the block was a final one
  bool failed_ = false;
};

// Compresses the messages of one direction of one connection, in order. What it writes is the payload of one frame
// after the other; between two frames everything that went in has come out.
//
//   for (;;) {
//     const auto [produced, complete] = deflation.deflate(payload, room, deflater::boundary::message);
//     if (complete) break;
//     room = more_room();
//   }
//
// Memory, measured with zlib 1.2.13, from the first octet on: 6,064 octets, 2^(window_bits + 2) and 2^(memory_level +
// 9): 150 KiB with 15 bits and the memory level below. Memory levels 1 to 9 are zlib's.
//
// reset() is allowed between any two frames, with context takeover as well: nobody is obliged to refer to earlier
// octets, and the peer does not notice. So one deflater can serve all connections of an event loop whose agreed windows
// are no smaller than its own: each frame (or each message, if no other begins before it ends) starts with reset().
// What one connection sends must not come out of another one's window.
//
// Thread: an ordinary object; one thread at a time.
class deflater {
 public:
  // What the end of the input is.
  enum class boundary : std::uint8_t {
    none,      // more of the same frame follows
    fragment,  // the end of a frame, but not of the message
    message,   // the end of the message
  };

  struct progress {
    std::size_t produced;  // octets written
    bool complete;         // if not, `out` was too small: the same is to be called again with what is left of `in`
  };

  // Compared with level 6, JSON messages of 1 KiB come out 1.09 times as large (1.04 without context takeover), in 0.55
  // times the time (0.9); and for a thread that serves thousands of connections time is the scarcer good. Less memory
  // for the hash table costs nothing at sizes such as these.
  static constexpr int default_level = 3;
  static constexpr int default_memory_level = 5;

  // `window_bits` is what was agreed for this end, 9 to 15: zlib cannot deflate with 8. Without context takeover the
  // deflater resets itself behind each message. `level` is 1 (fast) to 9 (small).
  deflater(int window_bits, bool context_takeover, int level = default_level,
           int memory_level = default_memory_level) noexcept;

  // Takes octets of a frame's payload from `in` and writes compressed ones to `out`. A frame is complete when a call
  // with boundary::fragment or boundary::message is. A message without any octet becomes a single 00 (RFC 7692, section
  // 7.2.3.6), and so does an empty last frame; an empty frame before that becomes an empty one. Throws std::bad_alloc.
  progress deflate(std::span<const std::byte>& in, std::span<std::byte> out, boundary end);

  // Forgets all octets so far, also those of a frame that is not complete. Does not release memory.
  void reset() noexcept;

  // The same, and gives all memory back. As with reset(), the peer does not notice it between two frames.
  void release() noexcept;

  [[nodiscard]] bool holds_memory() const noexcept { return stream_ != nullptr; }

 private:
  struct closer {
    void operator()(z_stream_s* stream) const noexcept;
  };

  void open();
  bool advance(std::span<const std::byte>& in, std::span<std::byte>& out, int flush);
  void end_frame(boundary end) noexcept;

  std::unique_ptr<z_stream_s, closer> stream_;
  std::array<std::byte, 6> ending_{};  // the last octets of the frame
  std::uint8_t ending_size_ = 0;
  std::uint8_t ending_written_ = 0;
  std::uint8_t window_bits_;
  std::uint8_t level_;
  std::uint8_t memory_level_;
  bool context_takeover_;
  bool frame_ended_ = false;      // what is left to write is in ending_
  bool frame_has_input_ = false;  // zlib knows octets that have not been flushed
  bool has_context_ = false;      // zlib knows octets
};

// What an inflater and a deflater hold at most, in octets: the figures above.
[[nodiscard]] constexpr std::size_t inflater_memory(int window_bits) noexcept {
  return 7'272 + (std::size_t{1} << window_bits);
}
[[nodiscard]] constexpr std::size_t deflater_memory(int window_bits,
                                                    int memory_level = deflater::default_memory_level) noexcept {
  return 6'064 + (std::size_t{1} << (window_bits + 2)) + (std::size_t{1} << (memory_level + 9));
}

// The largest size of a compressed frame whose payload has `size` octets, with whatever window and level.
[[nodiscard]] constexpr std::size_t deflate_bound(std::size_t size) noexcept {
  // Literals of nine bits where a small window rules out stored blocks, the headers of blocks as short as memory level
  // 1 makes them, and the flush.
  return size + size / 8 + size / 64 + 16;
}

}  // namespace windhover::wire
