#include "websocket/inbound_messages.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "websocket/message_access.hpp"

namespace windhover {
namespace {

constexpr std::size_t headroom = message_access::headroom;
// Up to here a buffer is made for the whole announced length at once; beyond it grows with what arrives, so that an
// announcement alone costs nothing.
constexpr std::size_t trusted_length = std::size_t{64} << 10;

}  // namespace

void inbound_messages::begin_message(message_type type) noexcept {
  current_ = incoming{};
  current_.type = type;
  current_.begun = true;
  held_ += current_.overhead();
}

// By how much the buffer of the current message grows: by all that is missing where that is known and trusted,
// otherwise so that it doubles.
std::size_t inbound_messages::growth(const rest_of_frame& rest, std::size_t chunk) const noexcept {
  const bool trusted = rest.expected <= std::max({trusted_length, rest.available, chunk});
  const std::uint64_t known = trusted ? rest.expected : std::min<std::uint64_t>(rest.expected, rest.available);
  if (trusted && rest.ends_message) return static_cast<std::size_t>(known);
  const std::uint64_t doubled = std::max<std::uint64_t>({known, chunk, current_.size});
  return static_cast<std::size_t>(rest.ends_message ? std::min(rest.expected, doubled) : doubled);
}

std::size_t inbound_messages::capacity() const noexcept {
  return current_.buffer ? current_.buffer->capacity() - headroom : 0;
}

void inbound_messages::grow(std::size_t by) {
  base::buffer_ref larger = base::buffer_ref::allocate(headroom + current_.size + by);
  if (current_.size > 0) std::memcpy(larger->data() + headroom, current_.buffer->data() + headroom, current_.size);
  current_.buffer = std::move(larger);
}

std::span<std::byte> inbound_messages::room(const rest_of_frame& rest, std::size_t chunk) {
  if (current_.size == capacity()) grow(growth(rest, chunk));
  const std::size_t free = capacity() - current_.size;
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(rest.expected, free));
  return {current_.buffer->data() + headroom + current_.size, count};
}

void inbound_messages::wrote(std::size_t count) noexcept {
  current_.size += count;
  held_ += count;
}

void inbound_messages::append(std::span<const std::byte> bytes, std::uint64_t most, bool last) {
  if (bytes.empty()) return;
  if (bytes.size() > capacity() - current_.size) {
    // Doubles, but not beyond what the message may have.
    const std::uint64_t doubled = std::min<std::uint64_t>(current_.size, most - current_.size);
    grow(static_cast<std::size_t>(std::max<std::uint64_t>(bytes.size(), last ? 0 : doubled)));
  }
  std::memcpy(current_.buffer->data() + headroom + current_.size, bytes.data(), bytes.size());
  wrote(bytes.size());
}

void inbound_messages::end_frame(bool final_frame) {
  frame_open_ = false;
  if (!final_frame && !current_.frame_ends) current_.frame_ends = std::make_unique<std::vector<std::size_t>>();
  if (current_.frame_ends) {
    current_.frame_ends->push_back(current_.size);
    held_ += cost_of_frame_end;
  }
  if (!final_frame) return;
  drop_received();
  current_.complete = true;
  current_.begun = false;
  ready_.push_back(std::move(current_));
  current_ = incoming{};
}

// Places whose messages have been received are used again before the queue grows, also where it is never empty.
void inbound_messages::drop_received() {
  if (first_ready_ == 0 || ready_.size() < ready_.capacity() || first_ready_ < ready_.size() / 2) return;
  ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(first_ready_));
  first_ready_ = 0;
}

message inbound_messages::take_message() noexcept {
  incoming& first = ready_[first_ready_];
  const std::size_t size = first.size - first.taken;
  message taken = message_access::make(std::move(first.buffer), headroom + first.taken, size, first.type);
  held_ -= size;
  pop_front();
  return taken;
}

void inbound_messages::pop_front() noexcept {
  held_ -= ready_[first_ready_].overhead();
  ready_[first_ready_] = incoming{};
  if (++first_ready_ < ready_.size()) return;
  // Keeps room for one: an echo never has more.
  if (ready_.capacity() > 1) {
    std::vector<incoming>().swap(ready_);
  } else {
    ready_.clear();
  }
  first_ready_ = 0;
}

std::optional<inbound_messages::piece> inbound_messages::read(std::span<std::byte> into) noexcept {
  const bool whole = has_message();
  if (!whole && !current_.begun) return std::nullopt;
  incoming& from = whole ? ready_[first_ready_] : current_;
  const bool has_end = from.has_frame_end();
  if (!whole && !has_end && !frame_open_) return std::nullopt;  // between two frames
  const std::size_t end = has_end ? (*from.frame_ends)[from.frames_read] : from.size;
  const bool frame_complete = has_end || from.complete;

  piece result;
  result.type = from.type;
  result.count = std::min(into.size(), end - from.taken);
  if (result.count > 0) {
    std::memcpy(into.data(), from.buffer->data() + headroom + from.taken, result.count);
    from.taken += result.count;
    held_ -= result.count;
  }
  if (frame_complete && from.taken == end) {
    result.done = true;
    if (has_end) ++from.frames_read;
    result.ends_message = from.complete && !from.has_frame_end();
    if (result.ends_message) pop_front();
  } else {
    result.done = result.count == into.size();
  }
  if (!whole && from.taken == from.size && !from.has_frame_end()) {
    // Everything was read: what follows starts at the beginning of a new buffer.
    from.buffer = {};
    from.size = from.taken = 0;
    held_ -= from.overhead();
    if (from.frame_ends) from.frame_ends->clear();
    held_ += from.overhead();
    from.frames_read = 0;
  }
  return result;
}

bool inbound_messages::drained_within_frame() const noexcept {
  return !has_message() && frame_open_ && current_.size == 0 && !current_.has_frame_end();
}

void inbound_messages::clear() noexcept {
  ready_.clear();
  first_ready_ = 0;
  current_ = incoming{};
  held_ = 0;
  frame_open_ = false;
}

}  // namespace windhover
