// What happens to a request on the server, whichever version of HTTP brought it: its handler runs, reads the body and
// writes the response; what nobody caught is answered; and the connection becomes something else. How a request comes
// and how its answer leaves is the business of a version: http1_connection, http2_request.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/exchange.hpp"
#include "http/server_options.hpp"
#include "net/limit.hpp"
#include "net/timer.hpp"
#include "net/transport.hpp"
#include "wire/http1/request_head.hpp"
#include <windhover/task.hpp>

namespace windhover::http {

class request_driver : public net::driver, protected exchange_backend {
 public:
  // net::driver. What comes, and its end, are a version's, and so is the stop of the server.
  void on_writable() noexcept override;
  void on_failure(const net::failure& why) noexcept override;
  bool finished() const noexcept override;
  std::string describe() const override;

 protected:
  // idle: between requests. head: within one. handling: the handler runs. draining: over the rest of a body that nobody
  // read, and of the answer where a stream brings one request. lingering: our end is sent, the client's awaited.
  // upgraded: not ours any more. Such a stream begins with handling, and knows neither idle, head nor lingering.
  enum class state : std::uint8_t { idle, head, handling, draining, lingering, upgraded, dead };

  // Larger pieces of a body are queued as a slice of their own, whichever way they leave.
  static constexpr std::size_t gathered_piece = 16384;

  request_driver(net::transport& stream, server_context& shared, state first) noexcept;
  ~request_driver() override;

  // ----- What a version does

  // What it is before there is a request: "a connection".
  virtual std::string_view kind() const noexcept = 0;
  // The answer is complete.
  virtual void end_request() noexcept = 0;
  // An answer without a handler, and the end of the request.
  virtual void refuse(int status, std::string_view text);
  // Tells a client that holds its body back to send it.
  virtual void send_continue() = 0;
  // What the timer was armed for has not happened. May throw std::bad_alloc.
  virtual void timed_out() = 0;

  // ----- What is done for it

  // For its destructor: the handler's frame, ended or not, goes while the version is whole.
  void release_handler() noexcept { handler_ = {}; }
  // Runs the handler, or refuses what cannot be handled.
  void handle(wire::http1::request_head head);
  void enter(state next) noexcept;
  // Nothing is called from the outside that may throw. What lacks memory ends.
  template <class Act>
  void end_without_memory(Act&& act) noexcept {
    try {
      act();
    } catch (const std::bad_alloc&) {
      break_off();
      if (!handler_running_) stream_.driver_finished();
    }
  }
  // The handler waits for bytes of the body, which go into read_into().
  bool reads() const noexcept { return reader_ != nullptr; }
  std::span<std::byte> read_into() const noexcept { return read_into_; }
  // So many are there; none is the end of the body.
  void body_arrived(std::size_t count) noexcept;
  void fail_reading(int status, std::string text);
  bool reading_failed() const noexcept { return read_failure_ != nullptr; }
  // The handler runs, and what it reads or writes does not move.
  void handling_timed_out();
  // Whether the transport has got rid of output since the timer was armed.
  bool output_has_moved() noexcept;
  // The handler's task is asked to stop, if it listens.
  void note_aborted() noexcept;

  // exchange_backend
  net::transport& transport() noexcept override { return stream_; }
  bool wants_body() const noexcept override { return !is_head_request_; }
  // Only a handler is told that there is room again.
  bool writable() const noexcept override {
    return state_ != state::handling || stream_.closing() || !stream_.above_high_water();
  }
  void wait_writable(std::coroutine_handle<> waiter) override;
  bool connected() const noexcept override { return state_ != state::dead && !stream_.closing(); }
  bool start_reading(std::span<std::byte> into, std::coroutine_handle<> waiter) override;
  bool reading_is_done() const noexcept override;
  std::size_t body_read() override;
  bool upgradable() const noexcept override { return wants_upgrade_ && state_ == state::handling; }
  std::optional<net::place> enter_upgraded() override;
  void upgrade(std::unique_ptr<net::driver> successor) override;

 private:
  void handler_has_ended(std::exception_ptr failure);
  void answer_failure(const std::exception_ptr& failure);
  void resume_reader() noexcept;
  void watch_handler() noexcept;
  static std::coroutine_handle<> handler_ended(void* self) noexcept;

 protected:
  net::transport& stream_;
  server_context& shared_;

 private:
  std::unique_ptr<exchange> exchange_;

 protected:
  std::unique_ptr<net::driver> successor_;  // since the upgrade, until it takes the transport over

 private:
  task<> handler_;  // its frame may hold objects that refer to the two above

  std::span<std::byte> read_into_;
  std::coroutine_handle<> reader_;
  std::coroutine_handle<> writer_;
  struct read_failure {
    int status;
    std::string text;
  };
  std::unique_ptr<read_failure> read_failure_;
  std::size_t read_count_ = 0;

 protected:
  net::timer timer_;
  std::size_t queued_ = 0;  // when the timer was armed
  state state_;
  bool is_head_request_ = false;
  bool wants_upgrade_ = false;
  bool awaits_continue_ = false;
  bool body_ended_ = true;
  bool draining_server_ = false;
  bool peer_ended_ = false;

 private:
  bool handler_running_ = false;
};

}  // namespace windhover::http
