// The server's side of an HTTP/2 connection: its streams begin with requests, and it has a time for each thing that a
// client should do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/http2_connection.hpp"
#include "http/server_options.hpp"

namespace windhover::http {

class http2_server_connection final : public http2_connection {
 public:
  enum class preface : std::uint8_t { expected, read };  // read: by somebody who then knew what this is

  // Throws std::bad_alloc.
  http2_server_connection(net::transport& below, server_context& shared, preface from_client);

  // net::driver
  void drain() noexcept override;
  std::string describe() const override;

  // For its requests.
  server_context& shared() noexcept { return shared_; }
  bool draining() const noexcept { return draining_ != drain_step::none; }

 private:
  // wanted: the end is to be announced. announced: requests may still arrive that were under way. final: none any more.
  enum class drain_step : std::uint8_t { none, wanted, announced, final_wanted, final };

  // http2_connection
  void update_session() override;
  awaited what_is_awaited() const noexcept override;
  net::duration time_for(awaited what) const noexcept override;
  void timed_out(awaited what) noexcept override;
  void on_stream_added() noexcept override;
  void on_stream_removed() noexcept override;
  void on_flood() noexcept override;

  // session_events
  bool on_headers_begin(wire::http2::stream_id id) override;
  void on_header(wire::http2::session_stream& of, std::string_view name, std::string_view value) override;
  void on_headers_end(wire::http2::session_stream& of, bool ends) override;
  void on_stream_closed(wire::http2::session_stream& of, wire::http2::error_code why) override;
  void on_ping_answered() override;

  server_context& shared_;
  std::optional<wire::http2::stream_id> head_;  // of the stream whose head arrives
  drain_step draining_ = drain_step::none;
};

}  // namespace windhover::http
