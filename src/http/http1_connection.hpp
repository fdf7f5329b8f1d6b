// The server's side of an HTTP/1.1 connection (RFC 9112): one request after the other, answers in order, and the
// upgrade. A client that speaks HTTP/2 from the first byte, where that is allowed, is handed to
// http2_server_connection.
//
// While a handler runs, what the client has sent beyond its request stays in the transport. Bodies are not buffered:
// bytes go from the transport to the reader, and without a reader the transport is paused.
#pragma once

#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "http/exchange.hpp"
#include "http/server_options.hpp"
#include "net/event_loop.hpp"
#include "net/timer.hpp"
#include "net/transport.hpp"
#include "wire/http1/request_parser.hpp"
#include <windhover/http_protocols.hpp>

namespace windhover::http {

class http1_connection final : public net::driver, private exchange_backend {
 public:
  // Where HTTP/2 is spoken as well, a client that begins with its preface gets it, unless TLS has agreed on something.
  http1_connection(net::transport& on, server_context& shared, http_protocols spoken = http_protocols::http1_and_http2);
  ~http1_connection() override;

  // net::driver
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override;
  void on_writable() noexcept override;
  void on_end() noexcept override;
  void on_failure(const net::failure& why) noexcept override;
  bool finished() const noexcept override;
  void drain() noexcept override;
  std::string describe() const override;

 private:
  // idle: between requests. head: within one. handling: the handler runs. draining: over the rest of a body that nobody
  // read. lingering: our end is sent, the client's awaited. upgraded: not ours any more.
  enum class state : std::uint8_t { idle, head, handling, draining, lingering, upgraded, dead };

  // exchange_backend
  net::transport& transport() noexcept override { return stream_; }
  void write_head(int status, const headers& fields, response_framing framing) override;
  void write_upgrade_head(int, const headers& fields) override { write_head(101, fields, response_framing::none); }
  void write_body(std::span<const std::byte> bytes) override;
  void end_body() override;
  void break_off() noexcept override { stream_.abort(); }
  bool wants_body() const noexcept override { return !is_head_request_; }
  bool may_have_body(int) const noexcept override { return true; }
  bool writable() const noexcept override { return !connected() || !stream_.above_high_water(); }
  void wait_writable(std::coroutine_handle<> waiter) override;
  bool connected() const noexcept override { return state_ != state::dead && !stream_.closing(); }
  bool start_reading(std::span<std::byte> into, std::coroutine_handle<> waiter) override;
  bool reading_is_done() const noexcept override;
  std::size_t body_read() override;
  bool upgradable() const noexcept override { return wants_upgrade_ && state_ == state::handling; }
  std::optional<net::place> enter_upgraded() override;
  void upgrade(std::unique_ptr<net::driver> successor) override;

  std::size_t take(std::span<const std::byte> bytes);
  bool is_http2(std::span<const std::byte>& bytes);
  template <class Act>
  void end_without_memory(Act&& act) noexcept;
  bool read_head(std::span<const std::byte>& bytes);
  void start_handler();
  void handler_has_ended(std::exception_ptr failure);
  void answer_failure(const std::exception_ptr& failure);
  void read_body(std::span<const std::byte>& bytes);
  void drain_body(std::span<const std::byte>& bytes);
  void end_request();
  void refuse(int status, std::string_view text);
  void fail_reading(int status, std::string text);
  void resume_reader() noexcept;
  void watch_handler() noexcept;
  bool output_has_moved() noexcept;
  void close_politely() noexcept;
  void enter(state next) noexcept;
  void time_out() noexcept;
  void act_on_time_out();
  void time_out_lingering() noexcept;
  static std::coroutine_handle<> handler_ended(void* self) noexcept;

  net::transport& stream_;
  server_context& shared_;
  std::unique_ptr<wire::http1::request_parser> parser_;  // from the first byte of a request to its end
  std::unique_ptr<exchange> exchange_;
  std::unique_ptr<net::driver> successor_;
  task<> handler_;  // its frame may hold objects that refer to the two above
  net::timer timer_;

  std::span<std::byte> read_into_;
  std::coroutine_handle<> reader_;
  std::coroutine_handle<> writer_;
  struct read_failure {
    int status;
    std::string text;
  };
  std::unique_ptr<read_failure> read_failure_;
  std::size_t read_count_ = 0;
  std::size_t drained_ = 0;
  std::size_t preface_ = 0;  // octets of HTTP/2's that have come
  std::size_t queued_ = 0;   // when the timer was armed

  state state_ = state::idle;
  bool keep_alive_ = true;
  bool chunked_response_ = false;
  bool response_ended_ = false;
  bool is_head_request_ = false;
  bool is_http_1_0_ = false;
  bool wants_upgrade_ = false;
  bool awaits_continue_ = false;
  bool body_ended_ = true;
  bool handler_running_ = false;
  bool draining_server_ = false;
  bool peer_ended_ = false;
  bool may_be_http2_;  // nothing has come yet that a client of HTTP/2 would not send
  bool speaks_both_;
};

}  // namespace windhover::http
