// Looks at the headers of the frames that arrive, before nghttp2 gets them, for what nghttp2 lets pass although RFC
// 9113 calls it an error: frames on streams that are over (section 5.1), on streams that were passed over
// (section 5.1.1), and malformed PRIORITY frames (section 6.3), which it ignores as a whole.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "wire/http2/error_code.hpp"

namespace windhover::wire::http2 {

class frame_watch {
 public:
  // `before`: octets that come before the first frame.
  explicit frame_watch(std::size_t before) noexcept : payload_left_(before) {}

  // How the session sees a stream.
  enum class standing : std::uint8_t { unknown, open };

  struct piece {
    std::span<const std::byte> bytes;                // for nghttp2; of the input, or of this object until the next call
    std::optional<error_code> error = std::nullopt;  // instead: the connection is in error
    bool is_idle = false;                            // a frame of which nghttp2 will not tell: it asks for nothing
  };
  // Takes the next piece off `in`. A header that is not complete is kept. Before each frame `look_up` is asked how the
  // session, which has had everything before, sees its stream.
  template <class LookUp>
  piece next(std::span<const std::byte>& in, LookUp&& look_up) {
    if (payload_left_ > 0) return {take(in, payload_left_)};
    if (!complete_header(in)) return {};
    const std::optional<error_code> error = judge(look_up(stream()));
    const std::size_t size = std::exchange(held_, 0);
    payload_left_ = length() - (size - header_size);
    return {std::span(header_).first(size), error, is_idle()};
  }

  // The session has reset a stream: what the peer had sent before it knew is no error.
  void note_reset(std::int32_t stream);
  // No more streams are begun: what is sent on further ones is ignored.
  void note_shut_down() noexcept { shut_down_ = true; }

 private:
  static constexpr std::size_t header_size = 9;
  static constexpr std::size_t priority_size = 5;

  static std::span<const std::byte> take(std::span<const std::byte>& in, std::size_t& left) noexcept;
  std::size_t wanted() const noexcept;
  bool complete_header(std::span<const std::byte>& in) noexcept;
  std::optional<error_code> judge(standing stream);
  std::optional<error_code> judge_priority() const noexcept;
  std::uint32_t number(std::size_t at) const noexcept;
  std::size_t length() const noexcept { return number(0) >> 8; }
  std::uint8_t type() const noexcept { return std::to_integer<std::uint8_t>(header_[3]); }
  std::int32_t stream() const noexcept { return static_cast<std::int32_t>(number(5) & 0x7FFFFFFF); }
  bool is_idle() const noexcept;
  bool was_passed_over(std::int32_t stream) const noexcept;
  bool was_reset(std::int32_t stream) const noexcept;

  std::array<std::byte, header_size + priority_size> header_{};
  std::size_t held_ = 0;
  std::size_t payload_left_;
  std::int32_t highest_ = 0;                                        // stream that was begun
  std::vector<std::pair<std::int32_t, std::int32_t>> passed_over_;  // first and last
  std::vector<std::int32_t> reset_;                                 // the latest, in a circle
  std::size_t next_reset_ = 0;
  bool shut_down_ = false;
};

}  // namespace windhover::wire::http2
