// A stream that a client begins with a request to leave HTTP for another protocol on it (extended CONNECT, RFC 8441).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/http2_stream.hpp"
#include <windhover/headers.hpp>

namespace windhover::http {

class http2_client_connection;
class http2_client_request;

// What an extended CONNECT asks for.
struct connect_request {
  std::string protocol;  // "websocket"
  std::string scheme;
  std::string authority;
  std::string path;
  headers fields;
};

class http2_client_stream final : public http2_stream {
 public:
  explicit http2_client_stream(http2_client_connection& of);

  // Leaves with the next flush; once. The heads of the answer go to `asking`, until it has been answered. Throws
  // std::bad_alloc.
  void ask(connect_request request, http2_client_request& asking);
  void answered() noexcept { asking_ = nullptr; }

  // For the connection: what its session tells of heads. Behind the answer's there are only trailers.
  void add_field(std::string_view name, std::string_view value);
  void take_head(bool ends) noexcept;

  // The server has not looked at the request (RFC 9113, section 8.7).
  bool refused() const noexcept { return closed_with() == wire::http2::error_code::refused_stream; }

 private:
  // http2_stream
  bool send_head(wire::http2::session& to) override;
  void forget_head() noexcept override { request_.reset(); }

  http2_client_request* asking_ = nullptr;
  std::unique_ptr<connect_request> request_;  // until it has been handed to the session
};

}  // namespace windhover::http
