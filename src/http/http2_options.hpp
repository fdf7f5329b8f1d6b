// The bounds and times of HTTP/2 connections, in either role.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "net/time.hpp"

namespace windhover::http {

struct http2_options {
  std::uint32_t max_streams = 100;             // of a connection, at the same time; of a server
  std::uint32_t stream_window = 64U << 10;     // bytes that a stream's reader may leave unread
  std::uint32_t connection_window = 1U << 20;  // bytes under way for all streams together
  std::uint32_t header_table_size = 4096;      // bytes of the peer's compression table
  std::uint32_t max_frame_size = 16384;        // bytes
  std::uint32_t max_resets_per_second = 200;   // of streams by the peer, or because of it; then GOAWAY
  std::uint32_t max_control_frames_per_second =
      1000;                    // that ask for nothing but an answer, or for nothing; then GOAWAY
  net::duration ping_delay{};  // without a byte, before a ping is sent; 0: none is sent
  net::duration ping_timeout = std::chrono::seconds(20);   // for its answer
  net::duration drain_timeout = std::chrono::seconds(1);   // for requests under way when the end was announced
  net::duration linger_timeout = std::chrono::seconds(5);  // for the peer's end, after ours
  net::duration write_timeout = std::chrono::seconds(60);  // without progress, while the end waits to be sent
};

}  // namespace windhover::http
