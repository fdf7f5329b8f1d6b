// prepared_message: a message encoded once, to be sent to many sockets.
//
//   const auto news = wh::prepared_message::from_text("{\"score\":3}");
//   for (auto& handle : viewers) handle.send(news);
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <windhover/message.hpp>

namespace windhover {

// A whole frame, ready for the wire. Copies share it; any thread may use and release it.
class prepared_message {
 public:
  // Throws std::invalid_argument for a text that is not UTF-8.
  static prepared_message from_text(std::string_view text);
  static prepared_message from_bytes(std::span<const std::byte> bytes);

  prepared_message(const prepared_message& other) noexcept;
  prepared_message(prepared_message&& other) noexcept;
  prepared_message& operator=(prepared_message other) noexcept;
  ~prepared_message();

  message_type type() const noexcept { return type_; }
  // Of the payload.
  std::size_t size() const noexcept { return size_; }

 private:
  friend struct message_access;
  prepared_message(message_type type, std::span<const std::byte> payload);

  base::buffer* frame_;
  std::size_t size_;
  std::size_t header_size_;
  message_type type_;
};

}  // namespace windhover
