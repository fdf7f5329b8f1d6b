// The request on a client's HTTP/2 stream, until it has become another protocol or its answer is there. What
// client_connection is to a connection of HTTP/1.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "http/client_answer.hpp"
#include "http/http2_client_stream.hpp"
#include "wire/http2/response_fields.hpp"
#include <windhover/task.hpp>

namespace windhover::http {

class http2_client_request final : public client_driver {
 public:
  // Makes a stream for it. Throws std::bad_alloc.
  static client_owner<http2_client_request> begin(http2_client_connection& on, const client_limits& limits);

  http2_client_request(http2_client_stream& on, const client_limits& limits) noexcept;

  // Sends the request and waits for its final response; interim ones are passed over. An answer of 2xx switches; a body
  // of another one is awaited as far as the limits say. Once. Thread: the loop's.
  task<client_outcome> ask(connect_request request, std::stop_token stop);

  // For the stream, until answered() is called: the heads that come.
  void add_field(std::string_view name, std::string_view value) { fields_.add(name, value); }
  void take_head(bool ends) noexcept;

  net::transport& stream() noexcept { return stream_; }

  // net::driver
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override;
  void on_end() noexcept override;
  void on_failure(const net::failure& why) noexcept override;
  void drain() noexcept override { stream_.abort(); }
  std::string describe() const override;

  // client_driver
  void stopped() noexcept override;

 private:
  // idle: nothing was asked. switched: what comes waits for whoever takes it. over: the answer is complete.
  enum class state : std::uint8_t { idle, head, switched, body, over };

  // client_driver
  bool under_way() const noexcept override { return state_ != state::over; }

  void respond(bool body_is_complete) noexcept;

  http2_client_stream& on_;
  wire::http2::response_fields fields_;
  state state_ = state::idle;
};

}  // namespace windhover::http
