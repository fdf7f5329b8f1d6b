// The exchange: one request and its response, and the way out of HTTP.
//
// This is where the room ends. Above it, people's code sees a request and a response; below it, a backend speaks a
// version of HTTP (one implementation a version). An upgrade hands the transport, and with it what was already read, to
// a new driver.
#pragma once

#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "net/limit.hpp"
#include "net/transport.hpp"
#include "wire/http1/limits.hpp"
#include "wire/http1/request_head.hpp"
#include <windhover/endpoint.hpp>
#include <windhover/http_request.hpp>
#include <windhover/http_response.hpp>
#include <windhover/logger.hpp>
#include <windhover/task.hpp>

namespace windhover::http {

// How the length of a response's body is known to the client.
enum class response_framing : std::uint8_t { none, content_length, streamed };

// A version of HTTP, seen from an exchange. Its functions keep the rules of transports: they mark and queue, and call
// nobody back.
class exchange_backend {
 public:
  virtual net::transport& transport() noexcept = 0;

  // Queues the head; `framing` says what follows. The backend adds Date, Server, Connection and its own framing fields.
  virtual void write_head(int status, const headers& fields, response_framing framing) = 0;
  // The head that answers an upgrade: 101 in HTTP/1.1, where the status of the response does not count; the status in
  // HTTP/2. Throws std::logic_error for a status that cannot answer one.
  virtual void write_upgrade_head(int status, const headers& fields) = 0;
  virtual void write_body(std::span<const std::byte> bytes) = 0;
  virtual void end_body() = 0;
  // The response was cut short: the client must notice.
  virtual void break_off() noexcept = 0;
  // Whether the client sees bodies at all: not after HEAD.
  virtual bool wants_body() const noexcept = 0;
  // Whether a response with this status may have one: not where what follows belongs to another protocol.
  virtual bool may_have_body(int status) const noexcept = 0;

  // Ready at once, or resumed when the queue has fallen to the low mark or the connection has died.
  virtual bool writable() const noexcept = 0;
  virtual void wait_writable(std::coroutine_handle<> waiter) = 0;
  virtual bool connected() const noexcept = 0;

  // Body bytes into `into`; resumes `waiter` with body_read(). False: the outcome is known already.
  virtual bool start_reading(std::span<std::byte> into, std::coroutine_handle<> waiter) = 0;
  virtual bool reading_is_done() const noexcept = 0;
  // The outcome; throws bad_http_request.
  virtual std::size_t body_read() = 0;

  virtual bool upgradable() const noexcept = 0;
  // A place among the connections that may have left HTTP; nothing when there is none. Throws std::bad_alloc.
  virtual std::optional<net::place> enter_upgraded() = 0;
  virtual void upgrade(std::unique_ptr<net::driver> successor) = 0;

 protected:
  ~exchange_backend() = default;
};

class exchange {
 public:
  exchange(exchange_backend& backend, wire::http1::request_head head);
  exchange(const exchange&) = delete;
  exchange& operator=(const exchange&) = delete;
  ~exchange();

  // A pointer to this exchange, held by somebody who may outlive it, that becomes null with its end; null to forget it.
  void watch_end(exchange** pointer) noexcept { watched_ = pointer; }

  http_request& request() noexcept { return request_; }
  const http_request& request() const noexcept { return request_; }
  http_response& response() noexcept { return response_; }

  net::transport& transport() noexcept { return backend_.transport(); }
  // Captured when first asked for, so that they are known after the connection has died.
  const endpoint& remote_endpoint();
  const endpoint& local_endpoint();

  // Whether the request asks to leave HTTP, in a form in which that is possible (HTTP/1.1, Connection: upgrade, no
  // body; HTTP/2, CONNECT with :protocol), and nobody has done so yet.
  bool upgradable() const noexcept { return !upgraded_ && backend_.upgradable(); }
  // What a CONNECT request of HTTP/2 asks for, such as "websocket" (RFC 8441); empty for all others.
  std::string_view connect_protocol() const noexcept { return connect_protocol_; }
  // Sends the head that answers it, with the response's headers, and puts the successor on the transport; it gets every
  // byte from now on, those that came with the request too. Throws std::logic_error when the request is not upgradable,
  // was upgraded already, or the response has started; bad_http_request (499) when the client has gone, which is
  // nobody's mistake, and (503) when as many connections have been upgraded as may be.
  void upgrade(std::unique_ptr<net::driver> successor);
  bool upgraded() const noexcept { return upgraded_; }
  // Drops the headers of the request, or moves them to one block, for a long life.
  void shrink(bool keep_headers);

  // Stopped when the connection has failed or was aborted, or the client has ended it.
  std::stop_token aborted();
  void note_aborted() noexcept;
  void abort() noexcept { transport().abort(); }

  // Sends what is left of the response. Called once, after the handler.
  void finish();

 private:
  exchange_backend& backend_;
  http_request request_;
  http_response response_;
  std::string connect_protocol_;
  std::optional<std::stop_source> aborted_;
  std::unique_ptr<endpoint> remote_;
  std::unique_ptr<endpoint> local_;
  exchange** watched_ = nullptr;
  bool was_aborted_ = false;
  bool upgraded_ = false;
};

// What serves requests: the pipeline.
using request_handler = std::function<task<>(exchange&)>;

}  // namespace windhover::http
