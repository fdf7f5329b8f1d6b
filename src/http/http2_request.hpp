// One request on an HTTP/2 stream, until its answer is complete or it has become something else: the driver that stands
// on the stream first. What http1_connection is to a connection, for one request.
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
#include "net/timer.hpp"
#include "net/transport.hpp"
#include "wire/http1/request_head.hpp"

namespace windhover::http {

class http2_server_connection;
class http2_server_stream;

class http2_request final : public net::driver, private exchange_backend {
 public:
  // The head has arrived: the stream gets its request, and the handler starts. `ends`: there is no body. Throws
  // std::bad_alloc.
  static void begin(http2_server_stream& on, http2_server_connection& of, bool ends);

  http2_request(http2_server_stream& on, http2_server_connection& of, bool ends) noexcept;
  ~http2_request() override;

  // net::driver
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override;
  void on_writable() noexcept override;
  void on_end() noexcept override;
  void on_failure(const net::failure& why) noexcept override;
  bool finished() const noexcept override;
  void drain() noexcept override;
  std::string describe() const override;

 private:
  // draining: the answer is complete, the rest of a body that nobody read passes by. upgraded: not ours any more.
  enum class state : std::uint8_t { handling, draining, upgraded, dead };

  // exchange_backend
  net::transport& transport() noexcept override;
  void write_head(int status, const headers& fields, response_framing framing) override;
  void write_upgrade_head(int status, const headers& fields) override;
  void write_body(std::span<const std::byte> bytes) override;
  void end_body() override;
  void break_off() noexcept override;
  bool wants_body() const noexcept override { return !is_head_request_; }
  bool may_have_body(int status) const noexcept override { return !wants_upgrade_ || status < 200 || status > 299; }
  bool writable() const noexcept override;
  void wait_writable(std::coroutine_handle<> waiter) override;
  bool connected() const noexcept override;
  bool start_reading(std::span<std::byte> into, std::coroutine_handle<> waiter) override;
  bool reading_is_done() const noexcept override;
  std::size_t body_read() override;
  bool upgradable() const noexcept override { return wants_upgrade_ && state_ == state::handling; }
  std::optional<net::place> enter_upgraded() override;
  void upgrade(std::unique_ptr<net::driver> successor) override;

  template <class Act>
  void end_without_memory(Act&& act) noexcept;
  void start(wire::http1::request_head head);
  void handler_has_ended(std::exception_ptr failure);
  void answer_failure(const std::exception_ptr& failure);
  void refuse(int status, std::string_view text);
  void end_request() noexcept;
  std::size_t drain_body(std::size_t bytes) noexcept;
  std::size_t read_body(std::span<const std::byte> bytes);
  void fail_reading(int status, std::string text);
  void resume_reader() noexcept;
  void watch_handler() noexcept;
  void time_out() noexcept;
  void time_out_draining() noexcept;
  static std::coroutine_handle<> handler_ended(void* self) noexcept;

  http2_server_stream& stream_;
  server_context& shared_;
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
  std::size_t queued_ = 0;        // when the timer was armed
  std::uint64_t body_bytes_ = 0;  // that have been read
  std::size_t drained_ = 0;

  state state_ = state::handling;
  bool is_head_request_ = false;
  bool wants_upgrade_ = false;
  bool awaits_continue_ = false;
  bool body_ended_;
  bool handler_running_ = false;
  bool draining_server_ = false;
  bool peer_ended_ = false;
};

}  // namespace windhover::http
