// One stream of an HTTP/2 connection, as a transport: what a request's body and its answer, or a WebSocket, run over.
//
// It never calls the session but in flush(), where nghttp2 is not under way: what is asked of it before is noted. Its
// window is the bound of what its sink may leave unread, and is given back as the sink takes bytes.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/layered_transport.hpp"
#include "wire/http2/request_fields.hpp"
#include "wire/http2/session.hpp"
#include <windhover/headers.hpp>

namespace windhover::http {

class http2_connection;

class http2_stream final : public net::layered_transport, public wire::http2::session_stream {
 public:
  http2_stream(http2_connection& of, wire::http2::stream_id id, const wire::http1::limits& bounds);
  ~http2_stream() override;

  // transport
  endpoint local_endpoint() const override;
  endpoint remote_endpoint() const override;
  const tls_info* tls() const noexcept override;

  // loop_object
  void serve() noexcept override;
  void flush() noexcept override;

  // For the request on it. The head of the answer leaves with the next flush, an interim one before it.
  void write_head(int status, headers fields);
  void inform(int status) noexcept;
  // The whole answer has been handed to the session.
  bool answered() const noexcept { return shut_down(); }
  // Ends it at once.
  void reset(wire::http2::error_code why) noexcept;

  // For the connection: what its session tells.
  void add_field(std::string_view name, std::string_view value) { fields_->add(name, value); }
  std::unique_ptr<wire::http2::request_fields> take_fields() noexcept { return std::move(fields_); }
  void take(std::span<const std::byte> bytes) noexcept;
  void take_end() noexcept;
  void closed_by_session(wire::http2::error_code why) noexcept;
  void connection_failed(const net::failure& why) noexcept;
  wire::http2::session_events::data next_data(std::size_t most) noexcept;
  void write_data(std::size_t size) noexcept;
  // The connection has gone, which happens only where the whole loop ends.
  void orphan() noexcept { connection_ = nullptr; }

 private:
  friend class http2_connection;
  struct answer_head {
    int status;
    headers fields;
  };

  // layered_transport
  void died(const net::failure* why) noexcept override;
  std::string kind() const override { return "an HTTP/2 stream"; }

  void update_session();
  void return_window();

  http2_connection* connection_;
  http2_stream* previous_ = nullptr;  // the connection's list
  http2_stream* next_ = nullptr;
  std::unique_ptr<wire::http2::request_fields> fields_;  // while the head arrives
  std::unique_ptr<answer_head> head_;                    // until it has been handed to the session
  std::optional<wire::http2::error_code> reset_;         // due
  wire::http2::stream_id id_;
  int informing_ = 0;         // the status of an interim answer that is due
  std::size_t received_ = 0;  // octets since the beginning
  std::size_t returned_ = 0;  // of them, to the client's window
  bool responded_ = false;
  bool open_in_session_ = true;
  bool end_received_ = false;
  bool end_offered_ = false;  // the session sends it with what it was offered last
};

}  // namespace windhover::http
