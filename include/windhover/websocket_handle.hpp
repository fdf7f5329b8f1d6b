// websocket_handle: sends to a socket from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <windhover/close_code.hpp>
#include <windhover/message.hpp>
#include <windhover/prepared_message.hpp>

namespace windhover {

// Copyable and weak: it does not keep the socket open, and may outlive it, its handler and the application. Any thread.
// Sends never wait: they are queued for the socket's event loop, in the order of each sender. While the socket's
// handler is within a message that it sends in fragments, they are kept until that has ended (RFC 6455, section 5.4),
// and a close behind them too. Throws std::bad_alloc.
class websocket_handle {
 public:
  enum class outcome : std::uint8_t {
    queued,  // on its way to a socket that was open at the call
    full,    // dropped: more than the socket's max_queued_bytes, or max_queued_messages, wait already
    closed,  // dropped: the socket is closing, or has gone
  };

  // A handle of no socket: everything is closed.
  websocket_handle() noexcept = default;

  outcome send(std::string_view text, disable_compression compression = disable_compression::no) const;
  outcome send(message whole, disable_compression compression = disable_compression::no) const;
  outcome send(const prepared_message& shared) const;
  // Starts the closing handshake; `full` never happens. Throws std::invalid_argument for a code that must not be sent
  // or a reason of more than 123 bytes.
  outcome close(close_code code = close_code::normal_closure, std::string_view reason = {}) const;
  // Ends the connection at once.
  outcome abort() const;

  // Whether it was open a moment ago.
  bool open() const noexcept;
  // What waits: sent through handles or by the handler, and not yet taken by the kernel. A moment ago.
  std::size_t queued_bytes() const noexcept;

  friend bool operator==(const websocket_handle&, const websocket_handle&) noexcept = default;

  struct shared_state;

 private:
  friend class websocket_connection;
  explicit websocket_handle(std::shared_ptr<shared_state> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<shared_state> state_;
};

}  // namespace windhover
