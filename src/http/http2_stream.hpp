// One stream of an HTTP/2 connection, as a transport: what a request's body and its answer, or a WebSocket, run over.
//
// It never calls the session but in flush(), where nghttp2 is not under way: what is asked of it before is noted. Its
// window is the bound of what its sink may leave unread, and is given back as the sink takes bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "net/layered_transport.hpp"
#include "wire/http2/session.hpp"

namespace windhover::http {

class http2_connection;

class http2_stream : public net::layered_transport, public wire::http2::session_stream {
 public:
  ~http2_stream() override;

  wire::http2::stream_id id() const noexcept { return id_; }

  // transport
  endpoint local_endpoint() const override;
  endpoint remote_endpoint() const override;
  const tls_info* tls() const noexcept override;

  // loop_object
  void serve() noexcept override;
  void flush() noexcept override;

  // For what stands on it: ends it at once.
  void reset(wire::http2::error_code why) noexcept;

  // For the connection: what its session tells.
  void take(std::span<const std::byte> bytes) noexcept;
  void take_end() noexcept;
  void closed_by_session(wire::http2::error_code why) noexcept;
  void connection_failed(const net::failure& why) noexcept;
  wire::http2::session_events::data next_data(std::size_t most) noexcept;
  void write_data(std::size_t size) noexcept;
  // The connection has gone, which happens only where the whole loop ends.
  void orphan() noexcept { connection_ = nullptr; }

 protected:
  // 0: it is not begun yet.
  http2_stream(http2_connection& of, wire::http2::stream_id id);

  // At the flush: hands the head to the session when there is one that it has not got. True when it did.
  virtual bool send_head(wire::http2::session& to) = 0;
  // The stream is dead.
  virtual void forget_head() noexcept = 0;
  void begun(wire::http2::stream_id id) noexcept {
    id_ = id;
    open_in_session_ = true;
  }
  bool open_in_session() const noexcept { return open_in_session_; }
  bool head_sent() const noexcept { return head_sent_; }
  void note_head_sent() noexcept { head_sent_ = true; }
  // Our end has left. A sink that has paused before, such as a request whose body nobody reads, may go on now.
  void note_end_sent() noexcept;
  // How the peer has ended it, or the session for what the peer did.
  std::optional<wire::http2::error_code> closed_with() const noexcept { return closed_with_; }

 private:
  friend class http2_connection;

  // layered_transport
  void died(const net::failure* why) noexcept override;
  std::string kind() const override { return "an HTTP/2 stream"; }

  void update_session();
  void return_window();

  http2_connection* connection_;
  http2_stream* previous_ = nullptr;  // the connection's list
  http2_stream* next_ = nullptr;
  std::optional<wire::http2::error_code> reset_;  // due
  std::optional<wire::http2::error_code> closed_with_;
  wire::http2::stream_id id_;
  std::size_t received_ = 0;  // octets since the beginning
  std::size_t returned_ = 0;  // of them, to the peer's window
  bool head_sent_ = false;
  bool open_in_session_;
  bool end_received_ = false;
  bool end_offered_ = false;  // the session sends it with what it was offered last
};

}  // namespace windhover::http
