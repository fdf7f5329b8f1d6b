// The client's side of an HTTP/1.1 connection, as far as leaving HTTP needs it: a request without a body, the answer,
// and then another protocol on the same transport, after an upgrade or through a proxy's tunnel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>

#include "http/client_answer.hpp"
#include "net/timer.hpp"
#include "net/tls_context.hpp"
#include "net/transport.hpp"
#include "wire/http1/body_reader.hpp"
#include "wire/http1/response_parser.hpp"
#include <windhover/task.hpp>

namespace windhover::http {

class client_connection final : public client_driver {
 public:
  // What ends HTTP: 101, or 2xx as the answer to CONNECT.
  enum class expected : std::uint8_t { upgrade, tunnel };

  client_connection(net::transport& on, const client_limits& limits) noexcept;

  // Where TLS is below: waits for its handshake, before anything is asked.
  task<client_outcome> secured(std::stop_token stop);
  // Sends a whole request and waits for its final response; interim ones are passed over. A body is awaited as far as
  // the limits say; when it does not come, because the connection has ended or waiting is stopped, what there is of it
  // is given. One at a time, and the next one only after HTTP has ended for a tunnel. Thread: the loop's.
  task<client_outcome> ask(std::string request, expected what, std::stop_token stop);

  // net::driver
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override;
  void on_writable() noexcept override;
  void on_end() noexcept override;
  void on_failure(const net::failure& why) noexcept override;
  void drain() noexcept override {
    // One that lingers ends soon by itself.
    if (state_ != state::lingering) stream_.abort();
  }
  std::string describe() const override;

  // client_driver
  void stopped() noexcept override;

 private:
  // idle: nothing was asked, or HTTP has ended; bytes wait for whoever takes them. securing: TLS is below, and its
  // handshake awaited. lingering: the answer was the last one, our end is sent, the server's awaited.
  enum class state : std::uint8_t { idle, securing, head, body, lingering, dead };

  // client_driver
  bool under_way() const noexcept override { return state_ != state::dead && state_ != state::lingering; }

  void read_head(std::span<const std::byte>& bytes);
  void read_body(std::span<const std::byte>& bytes);
  void begin_body();
  void respond(bool body_is_complete) noexcept;

  wire::http1::response_parser parser_;
  wire::http1::body_reader body_;
  std::string lost_;  // why the connection is dead
  client_outcome::failure lost_how_ = client_outcome::failure::connection_lost;
  net::timer timer_;  // while lingering
  expected expected_ = expected::upgrade;
  state state_ = state::idle;
  bool until_end_ = false;  // the body goes on to the end of the connection
};

using client_connection_owner = client_owner<client_connection>;

// Puts TLS between a transport and HTTP, before anything was asked or behind a proxy's tunnel: what asks from now on,
// and the transport that it stands on. Throws std::bad_alloc.
struct secured_client {
  client_connection_owner connection;
  net::transport* stream;
};
secured_client secure(client_connection_owner plain, net::transport& below, const net::client_tls& with,
                      const std::string& host, const client_limits& limits);

}  // namespace windhover::http
