// websocket_client: opens WebSockets to servers (RFC 6455). The socket is the same object as in a server's handler.
//
// In a program of its own, which blocks until the handler has returned:
//
//   int main() {
//     wh::websocket_client client;
//     client.run("ws://localhost:5000/ws", [](wh::websocket& socket) -> wh::task<> {
//       co_await socket.send("Hello");
//       if (auto message = co_await socket.receive()) std::cout << message->text() << '\n';
//     });
//   }
//
// In a coroutine, on the event loop that it runs on: in a handler of a web_application, or on an event_loop_thread:
//
//   wh::websocket socket = co_await client.connect("ws://example.com/chat");
//   co_await socket.send("Hello");
#pragma once

#include <coroutine>
#include <memory>
#include <stop_token>
#include <string_view>
#include <utility>

#include <windhover/event_loop_thread.hpp>
#include <windhover/task.hpp>
#include <windhover/websocket.hpp>
#include <windhover/websocket_client_options.hpp>
#include <windhover/websocket_connect_error.hpp>

namespace windhover {

// Settings, with which any number of WebSockets can be opened, one after the other or at once. Any thread may use it at
// the same time as others. It need not outlive the sockets, nor the waiting for them.
class websocket_client {
 public:
  // Throws std::invalid_argument that names the option, its value and its range.
  explicit websocket_client(websocket_client_options options);
  websocket_client() : websocket_client(websocket_client_options{}) {}

  class [[nodiscard("connect does nothing until it is awaited")]] connect_awaiter {
   public:
    connect_awaiter(connect_awaiter&&) = delete;
    connect_awaiter& operator=(connect_awaiter&&) = delete;
    ~connect_awaiter();
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> waiter);
    // The socket, made in place.
    websocket await_resume();

   private:
    friend class websocket_client;
    struct state;
    explicit connect_awaiter(std::unique_ptr<state> with) noexcept;
    std::unique_ptr<state> state_;
  };
  // Resolves the name, connects, and opens the WebSocket; the answer is checked as RFC 6455, section 4.1, asks for. The
  // URL is ws://host:port/path?query, or wss:// with TLS; without a port it is 80, or 443, and
  // ws://unix:/run/app.sock:/path is a path on a Unix socket. Throws std::invalid_argument at the call for another one,
  // websocket_connect_error when there is no WebSocket, std::runtime_error when the worker pool, which resolves names,
  // has no room; std::logic_error outside of an event loop's thread.
  //
  // Stopping `stop`, from any thread, ends the waiting, with cause::cancelled; it is of no meaning for the open socket.
  // The socket belongs to the loop of the calling coroutine. A socket that goes out of scope while it is open is
  // closed, as in a server, and the closing handshake goes on without it.
  connect_awaiter connect(std::string_view url, std::stop_token stop = {}) const;
  // The same; the answer of the server is put into `details`, which must live until the awaiting has ended, whether
  // there is a WebSocket or not.
  connect_awaiter connect(std::string_view url, http_response_details& details, std::stop_token stop = {}) const;

  // For programs without an event loop: connects on an event_loop_thread of its own, runs `handler(websocket&)`, a
  // callable that returns a task, and waits until it has returned and the socket is closed. Returns its value, throws
  // its exception or connect()'s. Throws std::logic_error on the thread of an event loop, which it would hold. For an
  // engine of your choice, or for several sockets, use an event_loop_thread and connect().
  template <class Handler>
  auto run(std::string_view url, Handler handler, std::stop_token stop = {}) const {
    event_loop_thread loop;
    return loop.run([&] { return connect_and_handle(*this, url, handler, stop); });
  }

 private:
  template <class Handler>
  static auto connect_and_handle(const websocket_client& client, std::string_view url, Handler& handler,
                                 std::stop_token stop) -> decltype(handler(std::declval<websocket&>())) {
    websocket socket = co_await client.connect(url, std::move(stop));
    co_return co_await handler(socket);
  }

  connect_awaiter connect_noting(std::string_view url, http_response_details* details, std::stop_token stop) const;

  std::shared_ptr<const struct websocket_client_settings> settings_;
};

}  // namespace windhover
