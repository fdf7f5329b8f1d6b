// websocket: a WebSocket connection (RFC 6455), to send and receive on.
//
//   wh::task<> echo(wh::websocket& socket) {
//     while (auto message = co_await socket.receive())
//       co_await socket.send(*message);
//   }
//
// The network failing is an outcome, not an exception: receive() ends without a message, send() yields false, and then
// close_status() says why. Misuse throws: another thread than the socket's, a socket whose handler has returned, a
// close code that must not be sent.
//
// Pings are answered and closes noticed by the library, whether or not anybody is receiving. What is said of handlers
// and their server holds for the sockets of a websocket_client too: its peer is the server.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <span>
#include <stop_token>
#include <string_view>
#include <type_traits>

#include <windhover/close_code.hpp>
#include <windhover/message.hpp>
#include <windhover/prepared_message.hpp>
#include <windhover/task.hpp>
#include <windhover/websocket_handle.hpp>

namespace windhover {

class topics;
class websocket_connection;
struct websocket_slot;

// RFC 6455, section 7.1, and ASP.NET Core's WebSocketState.
enum class websocket_state : std::uint8_t {
  open,
  close_sent,      // our close frame is queued, the peer's has not come
  close_received,  // the peer's has come, ours is not queued yet
  closed,          // both
  aborted,         // the connection has ended without
};

// Whether a sent piece ends its message, or more pieces (fragments) follow.
enum class end_of_message : std::uint8_t { no, yes };

// What receive(span) yields.
struct receive_result {
  received::outcome outcome = received::outcome::message;
  std::size_t count = 0;                     // bytes in the buffer
  message_type type = message_type::binary;  // of the message that they belong to
  end_of_message end = end_of_message::no;   // yes when they complete it

  // Bytes came, or an empty piece of a message; not when the socket has closed or waiting was cancelled.
  explicit operator bool() const noexcept { return outcome == received::outcome::message; }
  bool cancelled() const noexcept { return outcome == received::outcome::cancelled; }
};

// Contiguous bytes: vectors, arrays and spans of std::byte or unsigned char. Characters are text, not bytes.
template <class Range>
concept byte_range = std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range> &&
                     (std::is_same_v<std::ranges::range_value_t<Range>, std::byte> ||
                      std::is_same_v<std::ranges::range_value_t<Range>, unsigned char>);

class websocket {
 public:
  websocket(const websocket&) = delete;
  websocket& operator=(const websocket&) = delete;
  // A socket that goes out of scope while it is open is closed by the library: with 1000, with 1001 when the server is
  // stopping, or with 1011 during an exception.
  ~websocket();

  // ----- Receiving

  class [[nodiscard("receive does nothing until it is awaited")]] receive_awaiter {
   public:
    bool await_ready();
    void await_suspend(std::coroutine_handle<> waiter) noexcept;
    received await_resume() noexcept;

   private:
    friend class websocket;
    friend class websocket_connection;
    explicit receive_awaiter(websocket_connection& from) noexcept : from_(from) {}
    websocket_connection& from_;
    std::coroutine_handle<> waiter_;
    received result_{received::outcome::closed};
  };
  // The next whole message. None: the socket has closed, or receiving has ended because of an error. One receive at a
  // time: a second one throws std::logic_error. Costs no allocation and does not suspend when a message is there.
  receive_awaiter receive();
  // The same; when `stop` is stopped (from any thread) waiting ends as cancelled. The socket stays open, nothing is
  // lost, and receive() can be called again.
  task<received> receive(std::stop_token stop);

  class [[nodiscard("receive does nothing until it is awaited")]] receive_into_awaiter {
   public:
    bool await_ready();
    void await_suspend(std::coroutine_handle<> waiter) noexcept;
    receive_result await_resume() noexcept;

   private:
    friend class websocket;
    friend class websocket_connection;
    receive_into_awaiter(websocket_connection& from, std::span<std::byte> into) noexcept : from_(from), into_(into) {}
    websocket_connection& from_;
    std::span<std::byte> into_;
    std::coroutine_handle<> waiter_;
    receive_result result_;
  };
  // The data of at most one frame, at most as much as fits: waits until the buffer is full or the frame has ended. An
  // empty buffer waits for the next frame to begin, so that a waiting socket needs no buffer. After a part of a message
  // was read so, receive() yields the rest of it.
  receive_into_awaiter receive(std::span<std::byte> into);
  // The same with a stop token; bytes that are in the buffer already are returned, as a result that is not cancelled.
  task<receive_result> receive(std::span<std::byte> into, std::stop_token stop);

  // ----- Sending

  class [[nodiscard("await a send, so that a slow peer is not buried")]] send_awaiter {
   public:
    bool await_ready() const noexcept;
    void await_suspend(std::coroutine_handle<> waiter) noexcept;
    // True: queued on a live connection. False: it can no longer be delivered.
    bool await_resume() const noexcept { return queued_; }

   private:
    friend class websocket;
    friend class websocket_connection;
    send_awaiter(websocket_connection& to, bool queued) noexcept : to_(&to), queued_(queued) {}
    websocket_connection* to_;
    std::coroutine_handle<> waiter_;
    send_awaiter* next_ = nullptr;
    bool queued_;
  };
  // All of these encode and queue at the call; the payload may be changed as soon as it returns. The awaiter is ready
  // at once while less than max_queued_bytes wait, and otherwise when half of that has gone. The order is that of the
  // calls.
  //
  // Text must be UTF-8, in fragments too, which may cut a character: the call that breaks this throws
  // std::invalid_argument and sends nothing, and the message can go on.
  //
  // Where compression was negotiated a message is compressed unless it is short or `compression` disables it. Of a
  // message in fragments the first one decides; a later one that disables what has begun compressed throws
  // std::invalid_argument.
  send_awaiter send(std::string_view text, end_of_message end = end_of_message::yes,
                    disable_compression compression = disable_compression::no);
  send_awaiter send(std::string_view text, disable_compression compression) {
    return send(text, end_of_message::yes, compression);
  }
  template <byte_range Bytes>
  send_awaiter send(const Bytes& bytes, end_of_message end = end_of_message::yes,
                    disable_compression compression = disable_compression::no) {
    return send_bytes(std::as_bytes(std::span(std::ranges::data(bytes), std::ranges::size(bytes))), end, compression);
  }
  template <byte_range Bytes>
  send_awaiter send(const Bytes& bytes, disable_compression compression) {
    return send(bytes, end_of_message::yes, compression);
  }
  // Kept by reference, not copied, unless it is compressed (a client's frames are masked, which is a copy).
  send_awaiter send(const message& whole, disable_compression compression = disable_compression::no);
  // As it was prepared.
  send_awaiter send(const prepared_message& shared);

  // ----- Closing

  class [[nodiscard("close does nothing until it is awaited")]] close_awaiter {
   public:
    bool await_ready() const noexcept;
    void await_suspend(std::coroutine_handle<> waiter) noexcept;
    void await_resume() const noexcept {}

   private:
    friend class websocket;
    friend class websocket_connection;
    explicit close_awaiter(websocket_connection& of) noexcept : of_(of) {}
    websocket_connection& of_;
    std::coroutine_handle<> waiter_;
    close_awaiter* next_ = nullptr;
  };
  // Sends a close frame at the call and waits for the peer's, at most close_timeout; messages that still arrive are
  // dropped. On a socket that is closing or closed it only waits for the end. The code is one of 1000-1003, 1007-1014,
  // 3000-4999, the reason has at most 123 bytes of UTF-8: otherwise std::invalid_argument is thrown.
  close_awaiter close(close_code code = close_code::normal_closure, std::string_view reason = {});
  // Sends a close frame; receive() goes on until the peer's comes. False: it was sent before.
  bool close_output(close_code code = close_code::normal_closure, std::string_view reason = {});
  // Ends the connection at once, without a close frame (the peer sees a reset).
  void abort();

  // ----- What it is

  websocket_state state() const;
  // None while open. The peer's code, 1005 when its close frame had none, 1006 when the connection ended without one,
  // or the code with which an error of the peer was answered.
  std::optional<close_code> close_status() const;
  // The reason that came with it. Valid until the socket is destroyed.
  std::string_view close_reason() const;
  // What both ends have agreed on, as the client spelt it; empty for none. Valid until the socket is destroyed.
  std::string_view sub_protocol() const;
  // What was agreed beyond RFC 6455, as in Sec-WebSocket-Extensions: "permessage-deflate; server_no_context_takeover"
  // where compression was negotiated; empty for nothing. Valid until the socket is destroyed.
  std::string_view extensions() const;
  // For other threads, and for whoever may outlive the socket.
  websocket_handle handle() const;
  // Output that the kernel has not taken.
  std::size_t queued_bytes() const;

 private:
  friend class topics;
  friend class websocket_connection;
  websocket(websocket_slot& slot, std::uint32_t generation) noexcept : slot_(&slot), generation_(generation) {}
  websocket_connection& connection() const;
  send_awaiter send_bytes(std::span<const std::byte> bytes, end_of_message end, disable_compression compression);

  websocket_slot* slot_;
  std::uint32_t generation_;
};

}  // namespace windhover
