// What all HTTP connections of a server share on one loop.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/exchange.hpp"
#include "http/http2_options.hpp"
#include "http/http_counters.hpp"
#include "net/limit.hpp"
#include "net/time.hpp"
#include "wire/http1/limits.hpp"
#include <windhover/logger.hpp>

namespace windhover::http {

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
