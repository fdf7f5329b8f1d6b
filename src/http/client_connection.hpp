// The client's side of an HTTP/1.1 connection, as far as leaving HTTP needs it: a request without a body, the answer,
// and then another protocol on the same transport, after an upgrade or through a proxy's tunnel.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "net/timer.hpp"
#include "net/tls_context.hpp"
#include "net/transport.hpp"
#include "wire/http1/body_reader.hpp"
#include "wire/http1/response_parser.hpp"
#include <windhover/headers.hpp>
#include <windhover/task.hpp>

namespace windhover::http {

struct client_limits {
  wire::http1::limits head;        // of all heads that one server sends
  std::size_t body_prefix = 4096;  // how much of a body is kept, and read at all
};

struct client_response {
  wire::http1::response_head head;
  std::string body;       // the beginning of it, decoded; always empty when HTTP has ended
  bool switched = false;  // HTTP has ended: what comes now belongs to the other protocol
};

// A response, or why there is none.
struct client_outcome {
  enum class failure : std::uint8_t { none, stopped, connection_lost, tls_failed, malformed };

  failure why = failure::none;
  client_response response;
  std::string text;  // of the failure
};

class client_connection final : public net::driver {
 public:
  // What ends HTTP: 101, or 2xx as the answer to CONNECT.
  enum class expected : std::uint8_t { upgrade, tunnel };

  client_connection(net::transport& on, const client_limits& limits) noexcept;

  // Sends a whole request and waits for its final response; interim ones are passed over. A body is awaited as far as
  // the limits say; when it does not come, because the connection has ended or waiting is stopped, what there is of it
  // is given. One at a time, and the next one only after HTTP has ended for a tunnel. Thread: the loop's.
  task<client_outcome> ask(std::string request, expected what, std::stop_token stop);

  // Before anything was asked, or after a response that has switched, at once, in the same step of the coroutine that
  // got it: the successor owns the transport from now on, and gets every byte behind the response. This object must not
  // be touched any more.
  void upgrade(std::unique_ptr<net::driver> successor) noexcept;
  // Instead: nobody needs it any more. Ends the connection, politely after a complete answer, so that no server notes
  // an error; the loop destroys it.
  void let_go() noexcept;

  // net::driver
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override;
  void on_writable() noexcept override {}
  void on_end() noexcept override;
  void on_failure(const net::failure& why) noexcept override;
  bool finished() const noexcept override { return !held_; }
  void drain() noexcept override {
    // One that lingers ends soon by itself.
    if (state_ != state::lingering) stream_.abort();
  }
  std::string describe() const override;

  // For the stop of ask().
  void stopped() noexcept;

 private:
  // idle: nothing was asked, or HTTP has ended; bytes wait for whoever takes them. lingering: the answer was the last
  // one, our end is sent, the server's awaited.
  enum class state : std::uint8_t { idle, head, body, lingering, dead };
  struct answer_awaiter;

  void read_head(std::span<const std::byte>& bytes);
  void read_body(std::span<const std::byte>& bytes);
  void begin_body();
  void keep(std::span<const std::byte> piece);
  void respond(bool body_is_complete) noexcept;
  void fail(client_outcome::failure why, std::string_view text) noexcept;
  void resume() noexcept;

  net::transport& stream_;
  client_limits limits_;
  wire::http1::response_parser parser_;
  wire::http1::body_reader body_;
  client_outcome outcome_;
  std::string lost_;  // why the connection is dead
  client_outcome::failure lost_how_ = client_outcome::failure::connection_lost;
  std::coroutine_handle<> waiter_;
  net::timer timer_;  // while lingering
  expected expected_ = expected::upgrade;
  state state_ = state::idle;
  bool until_end_ = false;  // the body goes on to the end of the connection
  bool answered_ = false;
  bool held_ = true;
};

// Lets go of a connection that was not handed over.
class client_connection_owner {
 public:
  explicit client_connection_owner(client_connection& of) noexcept : owned_(&of) {}
  client_connection_owner(client_connection_owner&& other) noexcept : owned_(std::exchange(other.owned_, nullptr)) {}
  client_connection_owner& operator=(client_connection_owner&& other) noexcept {
    std::swap(owned_, other.owned_);
    return *this;
  }
  ~client_connection_owner() {
    if (owned_ != nullptr) owned_->let_go();
  }

  client_connection& owned() const noexcept { return *owned_; }
  void upgrade(std::unique_ptr<net::driver> successor) noexcept {
    std::exchange(owned_, nullptr)->upgrade(std::move(successor));
  }

 private:
  client_connection* owned_;
};

// Puts TLS between a transport and HTTP, before anything was asked or behind a proxy's tunnel: what asks from now on,
// and the transport that it stands on. Throws std::bad_alloc.
struct secured_client {
  client_connection_owner connection;
  net::transport* stream;
};
secured_client secure(client_connection_owner plain, net::transport& below, const net::client_tls& with,
                      const std::string& host, const client_limits& limits);

}  // namespace windhover::http
