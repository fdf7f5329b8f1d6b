// http_request: what the client asked for.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include <windhover/headers.hpp>
#include <windhover/task.hpp>

namespace windhover {

namespace http {
class exchange;
class exchange_backend;
}  // namespace http

// A request that cannot be served. Its body is malformed (400), too large (413) or too slow (408), the client has gone
// (499, which is never sent), or it would be one WebSocket too many (503). Left uncaught, the exception becomes the
// response.
class bad_http_request : public std::runtime_error {
 public:
  bad_http_request(int status, const std::string& text) : std::runtime_error(text), status_(status) {}
  int status() const noexcept { return status_; }

 private:
  int status_;
};

// One request. It belongs to the server and lives as long as the handler runs. Thread: the handler's. Views stay valid
// for as long, with one exception: with `retain_request_headers = false` the headers are gone after a WebSocket was
// accepted.
class http_request {
 public:
  http_request(const http_request&) = delete;
  http_request& operator=(const http_request&) = delete;
  ~http_request() = default;

  // "GET", "POST" ...: methods are case-sensitive (RFC 9110, section 9.1).
  std::string_view method() const noexcept { return method_; }
  // As on the wire: "/chat/room%201?user=a".
  std::string_view target() const noexcept { return target_; }
  // Percent-decoded, dot segments resolved, "%2F" left as it is: "/chat/room 1".
  std::string_view path() const noexcept {
    return decoded_path_.empty() ? path_part() : std::string_view(decoded_path_);
  }
  // Without the question mark, as on the wire: "user=a".
  std::string_view query() const noexcept;
  // The first parameter of that name in the query, decoded; names compare without regard to case.
  std::optional<std::string> query_value(std::string_view name) const;
  // "http", or "https" over TLS.
  std::string_view scheme() const noexcept { return is_encrypted_ ? "https" : "http"; }
  // "HTTP/1.1" and so on.
  std::string_view protocol() const noexcept { return protocol_; }

  const windhover::headers& headers() const noexcept { return headers_; }
  // The first header of that name.
  std::optional<std::string_view> header(std::string_view name) const noexcept { return headers_.find(name); }
  // From Content-Length; none for a chunked body; 0 for none.
  std::optional<std::uint64_t> content_length() const noexcept { return content_length_; }
  bool has_body() const noexcept { return has_body_; }

  class [[nodiscard("read does nothing until it is awaited")]] read_awaiter {
   public:
    bool await_ready() const noexcept;
    bool await_suspend(std::coroutine_handle<> waiter);
    std::size_t await_resume() const;

   private:
    friend class http_request;
    read_awaiter(http::exchange_backend& from, std::span<std::byte> into) noexcept : from_(from), into_(into) {}
    http::exchange_backend& from_;
    std::span<std::byte> into_;
  };
  // Reads at least one byte of the body into `into`, and returns how many; 0 at the end of the body. One read at a
  // time. A client that waits for it is told to continue (RFC 9110, section 10.1.1). Throws bad_http_request. Ends when
  // the connection is aborted; cannot be cancelled otherwise.
  read_awaiter read(std::span<std::byte> into) noexcept;
  // The whole body, at most `limit` bytes: a longer one throws bad_http_request (413).
  task<std::string> read_all(std::size_t limit = std::size_t{1} << 20);

 private:
  friend class http::exchange;
  explicit http_request(http::exchange_backend& backend) noexcept : backend_(&backend) {}
  std::string_view path_part() const noexcept;

  http::exchange_backend* backend_;
  std::string method_;
  std::string target_;
  std::string decoded_path_;  // empty when the target says the same
  windhover::headers headers_;
  std::string_view protocol_;
  std::optional<std::uint64_t> content_length_;
  bool has_body_ = false;
  bool is_encrypted_ = false;
};

}  // namespace windhover
