// The client's side of an HTTP/2 connection, on which streams become other protocols (RFC 8441). It stays as long as
// somebody waits for it or one of its streams lives, and then ends by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "http/client_answer.hpp"
#include "http/http2_connection.hpp"
#include <windhover/task.hpp>

namespace windhover::http {

class http2_client_pool;

struct http2_client_options {
  std::size_t header_bytes = 32U << 10;     // of a head, which the server is told
  std::uint32_t stream_window = 64U << 10;  // bytes that the reader of a stream may leave unread
  std::size_t max_streams = std::numeric_limits<std::size_t>::max();  // if the server allows as many
  net::duration ping_delay{};    // without a byte, before a ping is sent; 0: none is sent
  net::duration ping_timeout{};  // for its answer
};

class http2_client_connection final : public http2_connection {
 public:
  // Throws std::bad_alloc.
  http2_client_connection(net::transport& below, const http2_client_options& options);
  ~http2_client_connection() override;

  // Waits for the server's settings, at once after it was made; afterwards a stream is to be begun in the same step, or
  // the connection ends. Thread: the loop's.
  task<client_outcome> opened(std::stop_token stop);
  // After that: whether the server takes extended CONNECT, and how many more streams there is room for.
  bool takes_connects() const noexcept { return session().peer_takes_extended_connect(); }
  bool has_room() const noexcept { return room() > 0; }
  std::size_t room() const noexcept;

  // It can be found in the pool until it ends.
  void join(std::shared_ptr<http2_client_pool> pool, std::string destination);

  // net::driver
  bool finished() const noexcept override { return http2_connection::finished() && !waited_for_; }
  void drain() noexcept override;
  std::string describe() const override;

  // For the stop of opened().
  void stopped() noexcept { answer_.fail(client_outcome::failure::stopped, "stopped"); }

 private:
  class waiting;

  // http2_connection
  void update_session() override;
  void on_over(const net::failure& why) noexcept override;

  // session_events
  bool on_headers_begin(wire::http2::stream_id) override { return false; }
  void on_header(wire::http2::session_stream& of, std::string_view name, std::string_view value) override;
  void on_headers_end(wire::http2::session_stream& of, bool ends) override;
  void on_settings() override;
  void on_stream_closed(wire::http2::session_stream& of, wire::http2::error_code why) override;

  void leave_pool() noexcept;

  std::size_t max_streams_;
  bool leaving_ = false;
  client_answer answer_;
  std::shared_ptr<http2_client_pool> pool_;
  std::string destination_;
  bool waited_for_ = false;
};

}  // namespace windhover::http
