// The server's side of an HTTP/1.1 connection (RFC 9112): one request after the other, answers in order, and the
// upgrade. A client that speaks HTTP/2 from the first byte, where that is allowed, is handed to
// http2_server_connection.
//
// While a handler runs, what the client has sent beyond its request stays in the transport. Bodies are not buffered:
// bytes go from the transport to the reader, and without a reader the transport is paused.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "http/request_driver.hpp"
#include "wire/http1/request_parser.hpp"
#include <windhover/http_protocols.hpp>

namespace windhover::http {

class http1_connection final : public request_driver {
 public:
  // Where HTTP/2 is spoken as well, a client that begins with its preface gets it, unless TLS has agreed on something.
  http1_connection(net::transport& on, server_context& shared, http_protocols spoken = http_protocols::http1_and_http2);
  ~http1_connection() override;

  // net::driver
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override;
  void on_end() noexcept override;
  void drain() noexcept override;

 private:
  // request_driver
  void refuse(int status, std::string_view text) override;
  std::string_view kind() const noexcept override { return "a connection"; }
  void end_request() noexcept override;
  void send_continue() override;
  void timed_out() override;

  // exchange_backend
  void write_head(int status, const headers& fields, response_framing framing) override;
  void write_upgrade_head(int, const headers& fields) override { write_head(101, fields, response_framing::none); }
  void write_body(std::span<const std::byte> bytes) override;
  void end_body() override;
  void break_off() noexcept override { stream_.abort(); }
  bool may_have_body(int) const noexcept override { return true; }
  void upgrade(std::unique_ptr<net::driver> successor) override;

  std::size_t take(std::span<const std::byte> bytes);
  bool is_http2(std::span<const std::byte>& bytes);
  bool read_head(std::span<const std::byte>& bytes);
  void start_handler();
  void read_body(std::span<const std::byte>& bytes);
  void drain_body(std::span<const std::byte>& bytes);
  void close_politely() noexcept;
  void wait_in(state next, net::duration time) noexcept;
  void time_out_lingering() noexcept;

  std::unique_ptr<wire::http1::request_parser> parser_;  // from the first byte of a request to its end
  std::size_t drained_ = 0;
  std::size_t preface_ = 0;  // octets of HTTP/2's that have come
  bool keep_alive_ = true;
  bool chunked_response_ = false;
  bool response_ended_ = false;
  bool is_http_1_0_ = false;
  bool may_be_http2_;  // nothing has come yet that a client of HTTP/2 would not send
  bool speaks_both_;
};

}  // namespace windhover::http
