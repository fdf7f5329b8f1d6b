// prepared_message: a message encoded once, to be sent to many sockets.
//
//   const auto news = wh::prepared_message::from_text("{\"score\":3}");
//   for (auto& handle : viewers) handle.send(news);
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include <windhover/message.hpp>

namespace windhover {

class prepared_frames;

// A whole frame, ready for the wire. Copies share it; any thread may use and release it. One that was moved from may
// only be assigned to or destroyed.
//
// Where a server's socket has negotiated compression the message is compressed unless it is short or `compression`
// disables it: once for all sockets with the same window, and without reference to what they have sent before. The next
// message that such a socket compresses for itself cannot refer to earlier ones either, so a socket that mostly has
// messages of its own compresses best when what is shared disables compression.
class prepared_message {
 public:
  // Throws std::invalid_argument for a text that is not UTF-8.
  static prepared_message from_text(std::string_view text, disable_compression compression = disable_compression::no);
  static prepared_message from_bytes(std::span<const std::byte> bytes,
                                     disable_compression compression = disable_compression::no);
  // A copy of what was received, say.
  static prepared_message from_message(const message& whole, disable_compression compression = disable_compression::no);

  message_type type() const noexcept;
  // Of the payload.
  std::size_t size() const noexcept;

 private:
  friend struct message_access;
  explicit prepared_message(std::shared_ptr<const prepared_frames> frames) noexcept;

  std::shared_ptr<const prepared_frames> frames_;
};

}  // namespace windhover
