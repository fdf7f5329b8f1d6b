// What all HTTP connections of a server share on one loop.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/exchange.hpp"
#include "http/http_counters.hpp"
#include "net/limit.hpp"
#include "net/time.hpp"
#include "wire/http1/limits.hpp"
#include <windhover/logger.hpp>

namespace windhover::http {

struct http2_options {
  std::uint32_t max_streams = 100;             // of a connection, at the same time
  std::uint32_t stream_window = 64U << 10;     // bytes that a stream's reader may leave unread
  std::uint32_t connection_window = 1U << 20;  // bytes under way for all streams together
  std::uint32_t header_table_size = 4096;      // bytes of the client's compression table
  std::uint32_t max_frame_size = 16384;        // bytes
  std::uint32_t max_resets_per_second = 200;   // of streams by the client, or because of it; then GOAWAY
  std::uint32_t max_control_frames_per_second =
      1000;                    // that ask for nothing but an answer, or for nothing; then GOAWAY
  net::duration ping_delay{};  // without a byte, before a ping is sent; 0: none is sent
  net::duration ping_timeout = std::chrono::seconds(20);  // for its answer
  net::duration drain_timeout = std::chrono::seconds(1);  // for requests that were under way when the end was announced
};

struct server_options {
  http2_options http2;
  wire::http1::limits limits;
  net::duration headers_timeout = std::chrono::seconds(30);      // from the first byte to the end of the head: 408
  net::duration keep_alive_timeout = std::chrono::seconds(130);  // idle between requests
  net::duration body_timeout = std::chrono::seconds(30);         // without a byte of a body that is waited for: 408
  net::duration write_timeout = std::chrono::seconds(60);        // without progress, while the queue is above the mark
  net::duration linger_timeout = std::chrono::seconds(5);        // for the client's end, after ours
  std::size_t drained_body = std::size_t{256} << 10;  // of a body that nobody read, before the connection is given up
  std::size_t high_water = std::size_t{64} << 10;     // of queued output
  std::string server_name = "Windhover";              // the Server header; none when empty
  std::shared_ptr<net::limit> upgrades = nullptr;     // connections that have left HTTP, on all loops
  logger* log = nullptr;
};

// The Date header, made once a second.
class date_header {
 public:
  std::string_view at(net::wall_time now);

 private:
  std::chrono::sys_seconds second_{};
  std::string text_;
};

// What a connection refers to: lives as long as the loop.
struct server_context {
  server_options options;
  request_handler handler;
  date_header date;
  std::shared_ptr<http_counters> counters = std::make_shared<http_counters>();
};

}  // namespace windhover::http
