// testing: an application under test, in memory. No sockets, no ports, no threads, no sleeping: the application runs
// on the thread of the test, on a network and a clock of its own.
//
//   #include <windhover/testing.hpp>
//
//   wh::web_application app{sources};
//   configure(app);                                          // the same as main() calls
//   wh::testing::host host(app);
//   EXPECT_EQ(host.get("/health").status, 200);
//   auto socket = host.connect_websocket("/ws");
//   socket.send("hello");
//   EXPECT_EQ(socket.receive_text(), "hello");
//   host.advance(2min);                                      // takes no time
//
// Time is the application's own: it stands still while there is something to do. What waits, such as receive(), lets it
// jump to the next timer, at most by host_options::patience; advance() moves it on. Everything that is random follows
// from a seed, so a test does the same each time.
//
// The header is not part of windhover.hpp. Link windhover::windhover as for the application itself.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <windhover/close_code.hpp>
#include <windhover/headers.hpp>
#include <windhover/message.hpp>
#include <windhover/web_application.hpp>
#include <windhover/websocket.hpp>

namespace windhover::testing {

// What was waited for has not come, neither within the patience of the host nor ever: the connection has ended.
class nothing_came : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A response to a request of host::get and the like.
struct http_answer {
  int status = 0;
  windhover::headers headers;
  std::string body;
};

// The answer to a WebSocket request was not 101, or is none that a client may take (RFC 6455, section 4.1).
class handshake_refused : public std::runtime_error {
 public:
  handshake_refused(const std::string& why, http_answer with) : std::runtime_error(why), answer_(std::move(with)) {}
  const http_answer& answer() const noexcept { return answer_; }

 private:
  http_answer answer_;
};

// Any request. Host and Content-Length are added: `headers` may name neither.
struct http_question {
  std::string_view method = "GET";
  std::string_view target = "/";
  std::string_view host = "testing";
  windhover::headers headers = {};
  std::string_view body = {};
};

struct websocket_connect_options {
  std::vector<std::string_view> sub_protocols = {};  // in order of preference
  windhover::headers headers = {};                   // Origin, Cookie and the like
  std::string_view host = "testing";                 // by which the client knows the server
  // Off: a client that is connected and says nothing any more, to see what becomes of it.
  bool answers_pings = true;
};

class host;
struct host_state;
struct client_websocket_state;

// The client's end of a WebSocket, for tests: every function runs the application until it is done, or until nothing
// can happen any more. Pings and closes of the server are answered by themselves. Thread: the host's. Lifetime: not to
// be used after its host has gone (std::logic_error).
class client_websocket {
 public:
  client_websocket(client_websocket&&) noexcept;
  client_websocket& operator=(client_websocket&&) noexcept;
  client_websocket(const client_websocket&) = delete;
  client_websocket& operator=(const client_websocket&) = delete;
  // A connection that is open is reset, as by a browser that crashes.
  ~client_websocket();

  // Sends a frame, and lets the application see it. `end_of_message::no`: more fragments follow. Texts are not checked,
  // so that a test can send what is no UTF-8. Throws std::logic_error after close().
  void send(std::string_view text, end_of_message end = end_of_message::yes);
  void send(std::span<const std::byte> bytes, end_of_message end = end_of_message::yes);
  // Bytes as they are, which need not be frames.
  void send_raw(std::string_view bytes);

  // The next message. Closed: the server's close frame has come, or the connection has ended; close_status() says why.
  // Throws nothing_came when it is still open after the host's patience.
  received receive();
  // The next message, which must be a text: throws nothing_came when the socket closes instead, std::runtime_error
  // when it is binary.
  std::string receive_text();
  // Whether a message is there that was not received. Lets no time pass.
  bool has_message();

  // Begins the closing handshake and waits for its end. Messages that come before the server's close frame can be
  // received afterwards. The code may be one that must not be sent; 1005 sends a close frame without a code.
  void close(close_code code = close_code::normal_closure, std::string_view reason = {});
  // Goes away without a word (a reset).
  void abort();

  // None while open. The server's code, 1005 when its close frame had none, 1006 when the connection ended without one.
  // Lets no time pass.
  std::optional<close_code> close_status();
  std::string_view close_reason() const noexcept;
  // As the server chose it; empty for none.
  std::string_view sub_protocol() const noexcept;
  // How many pings the server has sent. Lets no time pass.
  std::size_t pings_seen();

 private:
  friend class host;
  explicit client_websocket(std::shared_ptr<client_websocket_state> state) noexcept;
  std::shared_ptr<client_websocket_state> state_;
};

struct host_options {
  // Of everything random: masking keys, handshake keys, what the application takes from its loop.
  std::uint64_t seed = 1;
  // The longest time, by the application's clock, that one call waits. More than 0.
  std::chrono::nanoseconds patience = std::chrono::minutes(1);
};

// Runs an application for a test. One at a time on a thread; every function is for that thread, and none may be called
// by a handler of the application (std::logic_error).
//
// Different from a server: one event loop; run_blocking runs its work in place; wait_readable and wait_writable throw
// std::system_error, because there are no descriptors; URLs of the configuration are not listened on. What other
// threads complete (completion, websocket_handle) is seen by the next call.
class host {
 public:
  // Starts the application, which must outlive the host and cannot be started again. Throws what
  // web_application::start() throws, std::invalid_argument for options out of range.
  explicit host(web_application& application, host_options options = {});
  host(const host&) = delete;
  host& operator=(const host&) = delete;
  // Stops the application, when it runs.
  ~host();

  // One request on a connection of its own. Throws nothing_came when the connection ends without a whole response, or
  // none comes within the patience.
  http_answer get(std::string_view target, const windhover::headers& further = {});
  http_answer post(std::string_view target, std::string_view body, const windhover::headers& further = {});
  http_answer send(const http_question& question);

  // An open WebSocket. Throws handshake_refused, nothing_came.
  client_websocket connect_websocket(std::string_view target, const websocket_connect_options& options = {});

  // Lets time pass: whatever is due in it happens, in its order.
  void advance(std::chrono::nanoseconds time);
  // Lets happen what can happen without time passing.
  void settle();
  // How much time has passed for the application since it was started.
  std::chrono::nanoseconds elapsed() const noexcept;

  // Stops the application as web_application::stop() and wait() do, and returns wait()'s exit code: 1 when handlers
  // were still running at the end. A second call returns the same.
  int stop();

 private:
  std::shared_ptr<host_state> state_;
};

}  // namespace windhover::testing
