#include "websocket/websocket_compression.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace windhover {

using wire::websocket_error;

// ----- Arriving

void inbound_compression::begin_message(message_type type) noexcept {
  is_text_ = type == message_type::text;
  size_ = 0;
}

// The decoder lets more pass than a message may have, for those that compression has made longer.
websocket_error inbound_compression::count_plain(bool first, std::uint64_t payload_length) noexcept {
  if (first) size_ = 0;
  if (payload_length > max_message_size_ - size_) return websocket_error::message_too_big;
  size_ += payload_length;
  return websocket_error::none;
}

wire::inflater& inbound_compression::engine() {
  if (!engine_) {
    // A sender that agreed to 8 often uses 9, because its zlib cannot deflate with 8: it is understood.
    constexpr int smallest = 9;
    const int window_bits = std::max<int>(window_bits_, smallest);
    engine_ = context_takeover_ ? std::make_unique<wire::inflater>(window_bits, true) : pool_->lend_inflater();
  }
  return *engine_;
}

// A message that has reached the limit gets no room: then the inflater either has nothing more, or asks for some.
template <class Work>
inbound_compression::portion inbound_compression::next_portion(const Work& work) {
  std::span<std::byte> room = pool_->room_for_inflated();
  room = room.first(static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), max_message_size_ - size_)));
  const auto [next, produced] = work(engine(), room);
  const bool more = next == wire::inflater::step::needs_room;
  if (more && room.empty()) return {.error = websocket_error::message_too_big};
  const std::span<const std::byte> bytes = room.first(produced);
  size_ += produced;
  if (is_text_ && !text_.feed(bytes)) return {.error = websocket_error::invalid_utf8};
  if (next == wire::inflater::step::error) return {.error = websocket_error::invalid_compressed_data};
  return {.bytes = bytes, .more = more};
}

inbound_compression::portion inbound_compression::inflate(std::span<const std::byte>& in) {
  return next_portion([&](wire::inflater& with, std::span<std::byte> room) { return with.inflate(in, room); });
}

inbound_compression::portion inbound_compression::end_message() {
  const portion last =
      next_portion([](wire::inflater& with, std::span<std::byte> room) { return with.end_of_message(room); });
  if (last.more || last.error != websocket_error::none) return last;
  if (!context_takeover_) pool_->take_back(std::move(engine_));
  if (is_text_ && !text_.complete()) return {.error = websocket_error::invalid_utf8};
  return last;
}

// ----- Leaving

// The context is kept where it was agreed and there is memory for it. Nobody is obliged to refer to earlier octets, so
// the shared compressor serves as well, and the peer does not notice.
wire::deflater& outbound_compression::engine() {
  if (context_takeover_ && !own_) {
    kept_ = compression_pool::reserve(pool_, wire::deflater_memory(window_bits_), max_memory_);
    if (kept_) own_.emplace(window_bits_, true);
    short_of_memory_ = !kept_;
  }
  return own_ ? *own_ : pool_->fresh_deflater(window_bits_);
}

// The length of a message that is sent in fragments is not known when it begins.
bool outbound_compression::worth_compressing(std::size_t size, end_of_message end) const noexcept {
  constexpr int smallest_of_zlib = 9;  // a server may have given a client 8
  return window_bits_ >= smallest_of_zlib && (end == end_of_message::no || size >= threshold_);
}

// Into the room of the thread.
std::span<const std::byte> outbound_compression::deflate_with(wire::deflater& with, std::span<const std::byte> payload,
                                                              wire::deflater::boundary boundary) {
  std::vector<std::byte>& out = pool_->room_for_deflated();
  std::size_t size = 0;
  try {
    out.resize(compression_pool::kept_room);
    std::span<const std::byte> in = payload;
    for (;;) {
      const auto [produced, complete] = with.deflate(in, std::span(out).subspan(size), boundary);
      size += produced;
      if (complete) break;
      out.resize(2 * out.size());
    }
  } catch (...) {
    with.reset();
    throw;
  }
  return std::span<const std::byte>(out).first(size);
}

std::optional<std::span<const std::byte>> outbound_compression::deflate(std::span<const std::byte> payload, bool first,
                                                                        end_of_message end,
                                                                        disable_compression disabled) {
  const bool allowed = disabled == disable_compression::no;
  if (first) compressing_ = allowed && worth_compressing(payload.size(), end);
  if (!compressing_) return std::nullopt;
  if (!allowed) {
    throw std::invalid_argument(
        "a fragment is not to be compressed, but its message has begun compressed: say so with its first fragment");
  }
  const auto boundary =
      end == end_of_message::yes ? wire::deflater::boundary::message : wire::deflater::boundary::fragment;
  const std::span<const std::byte> deflated = deflate_with(engine(), payload, boundary);
  // Without a context nothing is lost when a message that does not get smaller goes as it is.
  if (first && end == end_of_message::yes && !own_ && deflated.size() >= payload.size()) {
    compressing_ = false;
    return std::nullopt;
  }
  return deflated;
}

const prepared_frames::frame& outbound_compression::frame_of(const prepared_frames& shared) {
  const std::span<const std::byte> payload = shared.plain().payload();
  const bool allowed = shared.compression() == disable_compression::no;
  if (!allowed || !worth_compressing(payload.size(), end_of_message::yes)) return shared.plain();
  const prepared_frames::frame& frame = shared.compressed(window_bits_, [&] {
    return deflate_with(pool_->fresh_deflater(window_bits_), payload, wire::deflater::boundary::message);
  });
  pool_->trim_room();
  // The peer's window holds now what ours has never seen.
  if (&frame != &shared.plain() && own_) own_->reset();
  return frame;
}

// ----- Both

namespace {

struct direction {
  int window_bits;
  bool context_takeover;
};

direction from(wire::role sender, const wire::deflate_parameters& agreed) noexcept {
  return sender == wire::role::server ? direction{agreed.server_max_window_bits, !agreed.server_no_context_takeover}
                                      : direction{agreed.client_max_window_bits, !agreed.client_no_context_takeover};
}

constexpr wire::role other_than(wire::role role) noexcept {
  return role == wire::role::server ? wire::role::client : wire::role::server;
}

}  // namespace

websocket_compression::websocket_compression(wire::role own_role, const wire::deflate_agreement& agreed,
                                             const compression_settings& settings, std::uint64_t max_message_size)
    : websocket_compression(own_role, agreed, settings, max_message_size, compression_pool::of_this_thread(), {}) {}

websocket_compression::websocket_compression(wire::role own_role, const wire::deflate_agreement& agreed,
                                             const compression_settings& settings, std::uint64_t max_message_size,
                                             const std::shared_ptr<compression_pool>& pool,
                                             compression_pool::reservation kept)
    : agreed_(agreed.response),
      inbound_(pool, std::move(kept), from(other_than(own_role), agreed.parameters).window_bits,
               from(other_than(own_role), agreed.parameters).context_takeover, max_message_size),
      outbound_(pool, from(own_role, agreed.parameters).window_bits, from(own_role, agreed.parameters).context_takeover,
                settings) {}

std::unique_ptr<websocket_compression> websocket_compression::negotiate(std::string_view offers,
                                                                        const compression_settings& settings,
                                                                        std::uint64_t max_message_size) {
  auto agreed = wire::negotiate_deflate(offers, settings.wanted);
  if (!agreed) return nullptr;
  const std::shared_ptr<compression_pool> pool = compression_pool::of_this_thread();
  compression_pool::reservation kept;
  bool is_short = false;
  if (!agreed->parameters.client_no_context_takeover) {
    kept = compression_pool::reserve(pool, wire::inflater_memory(agreed->parameters.client_max_window_bits),
                                     settings.max_memory);
    is_short = !kept;
    if (is_short) {
      // Which a server may demand whatever was offered (RFC 7692, section 7.1.1.2).
      wire::deflate_options without = settings.wanted;
      without.client_context_takeover = false;
      agreed = wire::negotiate_deflate(offers, without);
    }
  }
  std::unique_ptr<websocket_compression> made(
      new websocket_compression(wire::role::server, *agreed, settings, max_message_size, pool, std::move(kept)));
  made->short_of_memory_ = is_short;
  return made;
}

websocket_compression::offer websocket_compression::make_offer(const compression_settings& settings) {
  offer made{settings, compression_pool::of_this_thread(), {}, false};
  wire::deflate_options& wanted = made.settings.wanted;
  if (!wanted.server_context_takeover) return made;
  made.kept =
      compression_pool::reserve(made.pool, wire::inflater_memory(wanted.server_max_window_bits), settings.max_memory);
  made.short_of_memory = !made.kept;
  wanted.server_context_takeover = static_cast<bool>(made.kept);
  return made;
}

std::unique_ptr<websocket_compression> websocket_compression::answered(offer offered,
                                                                       const wire::deflate_parameters& agreed,
                                                                       std::string response,
                                                                       std::uint64_t max_message_size) {
  // The server may want less than it was allowed.
  offered.kept = {};
  if (!agreed.server_no_context_takeover) {
    offered.kept = compression_pool::reserve(offered.pool, wire::inflater_memory(agreed.server_max_window_bits),
                                             offered.settings.max_memory);
  }
  const wire::deflate_agreement agreement{agreed, std::move(response)};
  std::unique_ptr<websocket_compression> made(new websocket_compression(
      wire::role::client, agreement, offered.settings, max_message_size, offered.pool, std::move(offered.kept)));
  made->short_of_memory_ = offered.short_of_memory;
  return made;
}

std::uint64_t websocket_compression::wire_limit(std::uint64_t max_message_size, std::uint32_t max_fragments) noexcept {
  constexpr std::uint64_t for_each_frame = 16;
  constexpr std::uint64_t large = std::uint64_t{1} << 62;
  if (max_message_size > large) return max_message_size;
  return wire::deflate_bound(max_message_size) + for_each_frame * max_fragments;
}

}  // namespace windhover
