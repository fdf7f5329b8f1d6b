// One request on an HTTP/2 stream, until its answer is complete or it has become something else: the driver that stands
// on the stream first. What http1_connection is to a connection, for one request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "http/request_driver.hpp"

namespace windhover::http {

class http2_server_connection;
class http2_server_stream;

class http2_request final : public request_driver {
 public:
  // The head has arrived: the stream gets its request, and the handler starts. `ends`: there is no body. Throws
  // std::bad_alloc.
  static void begin(http2_server_stream& on, http2_server_connection& of, bool ends);

  http2_request(http2_server_stream& on, http2_server_connection& of, bool ends) noexcept;
  ~http2_request() override;

  // net::driver
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override;
  void on_end() noexcept override;
  void drain() noexcept override;

 private:
  // request_driver
  std::string_view kind() const noexcept override { return "an HTTP/2 stream"; }
  void end_request() noexcept override;
  void send_continue() override;
  void timed_out() override;

  // exchange_backend
  void write_head(int status, const headers& fields, response_framing framing) override;
  void write_upgrade_head(int status, const headers& fields) override;
  void write_body(std::span<const std::byte> bytes) override;
  void end_body() override;
  void break_off() noexcept override;
  bool may_have_body(int status) const noexcept override { return !wants_upgrade_ || status < 200 || status > 299; }

  http2_server_stream& stream() const noexcept;
  void start(wire::http1::request_head head);
  std::size_t drain_body(std::size_t bytes) noexcept;
  std::size_t read_body(std::span<const std::byte> bytes);
  void time_out_draining() noexcept;

  std::uint64_t body_bytes_ = 0;  // that have been read
  std::size_t drained_ = 0;
};

}  // namespace windhover::http
