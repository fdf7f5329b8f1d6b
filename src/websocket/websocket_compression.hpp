// permessage-deflate (RFC 7692) on one WebSocket that has negotiated it: what is kept for it, and how messages pass
// through. Frames are the connection's business; here payloads become other payloads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "websocket/compression_pool.hpp"
#include "websocket/prepared_frames.hpp"
#include "wire/utf8.hpp"
#include "wire/websocket/deflate_negotiation.hpp"
#include "wire/websocket/error.hpp"
#include "wire/websocket/frame.hpp"
#include <windhover/message.hpp>
#include <windhover/websocket.hpp>

namespace windhover {

// What the options say about compression, checked.
struct compression_settings {
  bool enabled = false;
  wire::deflate_options wanted;
  std::size_t threshold = 256;                     // bytes; a shorter message is sent as it is
  std::size_t max_memory = std::size_t{64} << 20;  // for the contexts of all connections of a loop
};

// Arriving messages. Their contents come in portions, so that a few octets that stand for many cost no more memory than
// is wanted.
class inbound_compression {
 public:
  // `kept` is for the context between messages, where there is one.
  inbound_compression(std::shared_ptr<compression_pool> pool, compression_pool::reservation kept, int window_bits,
                      bool context_takeover, std::uint64_t max_message_size) noexcept
      : pool_(std::move(pool)),
        kept_(std::move(kept)),
        max_message_size_(max_message_size),
        window_bits_(static_cast<std::uint8_t>(window_bits)),
        context_takeover_(context_takeover) {}

  struct portion {
    std::span<const std::byte> bytes = {};  // valid until the next call of anybody on this thread
    bool more = false;                      // more is certain to follow
    wire::websocket_error error = wire::websocket_error::none;
  };

  // A message whose payload is compressed begins.
  void begin_message(message_type type) noexcept;
  // A message whose payload is as it is, or a further frame of it; an error when it is too big.
  wire::websocket_error count_plain(bool first, std::uint64_t payload_length) noexcept;
  // Takes octets of the payload. To be called again while there is more; then all of `in` has been taken. When all has
  // been taken and there is more, this is little: the rest of a length code or two. Throws std::bad_alloc.
  portion inflate(std::span<const std::byte>& in);
  // Behind the last octet, likewise.
  portion end_message();

  // How many bytes were inflated in that turn of the loop.
  std::size_t inflated_in(std::uint64_t turn) const noexcept { return turn == turn_ ? inflated_in_turn_ : 0; }
  void count_inflated(std::size_t bytes, std::uint64_t turn) noexcept {
    inflated_in_turn_ = inflated_in(turn) + bytes;
    turn_ = turn;
  }

 private:
  wire::inflater& engine();
  template <class Work>
  portion next_portion(const Work& work);

  std::shared_ptr<compression_pool> pool_;
  compression_pool::reservation kept_;
  std::unique_ptr<wire::inflater> engine_;  // the socket's own, or lent while a message is arriving
  std::uint64_t max_message_size_;
  std::uint64_t size_ = 0;  // of the message that is arriving, as far as it has come
  std::uint64_t turn_ = 0;
  std::size_t inflated_in_turn_ = 0;
  wire::utf8_validator text_;
  std::uint8_t window_bits_;
  bool context_takeover_;
  bool is_text_ = false;
};

// Leaving messages.
class outbound_compression {
 public:
  outbound_compression(std::shared_ptr<compression_pool> pool, int window_bits, bool context_takeover,
                       const compression_settings& settings) noexcept
      : pool_(std::move(pool)),
        threshold_(settings.threshold),
        max_memory_(settings.max_memory),
        window_bits_(static_cast<std::uint8_t>(window_bits)),
        context_takeover_(context_takeover) {}

  // Calls queue(payload) with the payload of a frame, compressed; or returns false: the message goes as it is. `first`:
  // the frame begins a message. Throws std::invalid_argument when a message that has begun compressed is not to be
  // compressed any more, and std::bad_alloc.
  template <class Queue>
  bool send(std::span<const std::byte> payload, bool first, end_of_message end, disable_compression disabled,
            Queue&& queue) {
    const auto deflated = deflate(payload, first, end, disabled);
    if (!deflated) return false;
    try {
      queue(*deflated);
    } catch (...) {
      // The peer has not seen it: nothing that follows may refer to it.
      if (own_) own_->reset();
      throw;
    }
    pool_->trim_room();
    return true;
  }

  // Whether there was no memory for a context when one was wanted.
  bool short_of_memory() const noexcept { return short_of_memory_; }

  // Instead, for a message that many sockets send: the frame that this one is to send. Throws std::bad_alloc.
  const prepared_frames::frame& frame_of(const prepared_frames& shared);

 private:
  std::span<const std::byte> deflate_with(wire::deflater& with, std::span<const std::byte> payload,
                                          wire::deflater::boundary boundary);
  std::optional<std::span<const std::byte>> deflate(std::span<const std::byte> payload, bool first, end_of_message end,
                                                    disable_compression disabled);
  wire::deflater& engine();
  bool worth_compressing(std::size_t size, end_of_message end) const noexcept;

  std::shared_ptr<compression_pool> pool_;
  compression_pool::reservation kept_;
  std::optional<wire::deflater> own_;  // from the first compressed message on, where there is a context
  std::size_t threshold_;
  std::size_t max_memory_;
  std::uint8_t window_bits_;
  bool context_takeover_;
  bool compressing_ = false;  // the message that is being sent
  bool short_of_memory_ = false;
};

class websocket_compression {
 public:
  websocket_compression(wire::role own_role, const wire::deflate_agreement& agreed,
                        const compression_settings& settings, std::uint64_t max_message_size);

  // What a server answers to these offers (the value of Sec-WebSocket-Extensions). None: no compression. When the
  // memory for contexts is used up, the client is told to keep none. Throws std::bad_alloc.
  static std::unique_ptr<websocket_compression> negotiate(std::string_view offers, const compression_settings& settings,
                                                          std::uint64_t max_message_size);

  // A client's part, in two steps: what it offers, and what follows from the server's answer.
  struct offer {
    compression_settings settings;
    std::shared_ptr<compression_pool> pool;
    compression_pool::reservation kept;  // for the server's context
    bool short_of_memory = false;        // there was none for it
  };
  // When the memory for contexts is used up, the server is asked to keep none. Throws std::bad_alloc.
  static offer make_offer(const compression_settings& settings);
  // `agreed` is what the answer was read as, `response` its text. Throws std::bad_alloc.
  static std::unique_ptr<websocket_compression> answered(offer offered, const wire::deflate_parameters& agreed,
                                                         std::string response, std::uint64_t max_message_size);

  // How many octets the payload of a message within these limits may have on the wire: compression may make a message
  // longer, a little for each frame.
  static std::uint64_t wire_limit(std::uint64_t max_message_size, std::uint32_t max_fragments) noexcept;

  // Whether a context that was wanted had to be left out because the memory for contexts is used up. Said once.
  bool notice_shortage() noexcept {
    return (short_of_memory_ || outbound_.short_of_memory()) && !std::exchange(shortage_noticed_, true);
  }

  std::string_view agreed() const noexcept { return agreed_; }

  inbound_compression& inbound() noexcept { return inbound_; }
  outbound_compression& outbound() noexcept { return outbound_; }

 private:
  websocket_compression(wire::role own_role, const wire::deflate_agreement& agreed,
                        const compression_settings& settings, std::uint64_t max_message_size,
                        const std::shared_ptr<compression_pool>& pool, compression_pool::reservation kept);

  std::string agreed_;
  inbound_compression inbound_;
  outbound_compression outbound_;
  bool short_of_memory_ = false;  // for the context of what arrives
  bool shortage_noticed_ = false;
};

}  // namespace windhover
