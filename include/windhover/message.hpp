// message: one whole WebSocket message, as it was received or to be sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace windhover {

namespace base {
class buffer;
}

// RFC 6455, section 5.6: text is valid UTF-8, binary is any bytes.
enum class message_type : std::uint8_t { text = 1, binary = 2 };

// Whether a message is sent as it is, although the connection has negotiated compression (RFC 7692): for secrets, and
// for what would not get smaller.
enum class disable_compression : std::uint8_t { no, yes };

// Move-only: a message is its bytes. They are immutable, so sending one keeps a reference instead of a copy. A message
// may be destroyed on any thread. Views are valid while the message lives and is not moved from, so they are not to be
// had from a temporary.
class message {
 public:
  message(message&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        type_(other.type_) {}
  message& operator=(message&& other) noexcept {
    std::swap(owner_, other.owner_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(type_, other.type_);
    return *this;
  }
  message(const message&) = delete;
  message& operator=(const message&) = delete;
  ~message() {
    if (owner_ != nullptr) release();
  }

  // Messages to be sent: copies of their argument. Throws std::invalid_argument for a text that is not UTF-8.
  static message from_text(std::string_view text);
  static message from_bytes(std::span<const std::byte> bytes);

  message_type type() const noexcept { return type_; }
  bool is_text() const noexcept { return type_ == message_type::text; }
  bool is_binary() const noexcept { return type_ == message_type::binary; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  // The bytes as characters; of a text message they are valid UTF-8.
  std::string_view text() const& noexcept { return {reinterpret_cast<const char*>(data_), size_}; }
  std::string_view text() const&& = delete;
  std::span<const std::byte> bytes() const& noexcept { return {data_, size_}; }
  std::span<const std::byte> bytes() const&& = delete;

 private:
  friend struct message_access;
  message(base::buffer* owner, std::byte* data, std::size_t size, message_type type) noexcept
      : owner_(owner), data_(data), size_(size), type_(type) {}
  void release() noexcept;

  base::buffer* owner_;
  std::byte* data_;
  std::size_t size_;
  message_type type_;
};

// What receive() yields: a message, or the end of them. Tested like a bool. `*` on a variable is the message; on a
// temporary it moves the message out.
//
//   while (auto message = co_await socket.receive()) use(message->text());
class received {
 public:
  // No message: the socket has closed (see websocket::close_status), or waiting was cancelled.
  enum class outcome : std::uint8_t { message, closed, cancelled };

  explicit received(message&& content) noexcept : message_(std::move(content)), outcome_(outcome::message) {}
  explicit received(outcome without_message) noexcept : none_(), outcome_(without_message) {}
  received(received&& other) noexcept : none_(), outcome_(other.outcome_) {
    if (outcome_ == outcome::message) ::new (&message_) message(std::move(other.message_));
  }
  received& operator=(received&& other) noexcept {
    if (this != &other) {
      this->~received();
      ::new (this) received(std::move(other));
    }
    return *this;
  }
  received(const received&) = delete;
  received& operator=(const received&) = delete;
  ~received() {
    if (outcome_ == outcome::message) message_.~message();
  }

  explicit operator bool() const noexcept { return outcome_ == outcome::message; }
  // The socket is still open; waiting was stopped by a token, and receive() can be called again.
  bool cancelled() const noexcept { return outcome_ == outcome::cancelled; }
  bool closed() const noexcept { return outcome_ == outcome::closed; }

  // Only when there is a message.
  message& operator*() & noexcept { return message_; }
  const message& operator*() const& noexcept { return message_; }
  message operator*() && noexcept { return std::move(message_); }
  message* operator->() & noexcept { return &message_; }
  const message* operator->() const& noexcept { return &message_; }
  message* operator->() && = delete;

 private:
  friend struct message_access;
  struct nothing {};
  union {
    nothing none_;
    message message_;
  };
  outcome outcome_;
};

}  // namespace windhover
