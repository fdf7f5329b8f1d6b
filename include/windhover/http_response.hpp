// http_response: what the client gets.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <windhover/headers.hpp>

namespace windhover {

namespace http {
class exchange;
class exchange_backend;
}  // namespace http

// One response. Short ones are gathered and sent when the handler returns, with their Content-Length; from 16 KiB on,
// or after flush(), the head goes out and the body follows in pieces. It belongs to the server and lives as long as the
// handler runs. Thread: the handler's. Changing status or headers after the head has gone throws std::logic_error.
class http_response {
 public:
  http_response(const http_response&) = delete;
  http_response& operator=(const http_response&) = delete;
  ~http_response() = default;

  // 200 unless told otherwise. A request that came to the end of the pipeline without an endpoint, and for which nobody
  // has set a status or written a body, is answered with 404.
  int status() const noexcept { return status_; }
  // 200 to 599; throws std::invalid_argument otherwise.
  void status(int code);

  const windhover::headers& headers() const noexcept { return headers_; }
  // Replaces, or adds. Throws std::invalid_argument for a name or value that would break the message (line breaks).
  void header(std::string_view name, std::string_view value);
  void add_header(std::string_view name, std::string_view value);
  void remove_header(std::string_view name);
  // "text/plain; charset=utf-8" and the like.
  void content_type(std::string_view type) { header("Content-Type", type); }

  // The head has gone out.
  bool started() const noexcept { return started_; }
  // A status was set or a body written. Headers alone make no answer: middleware sets some on every response.
  bool touched() const noexcept { return touched_; }
  // Takes everything back that was set and written. Throws std::logic_error when the head has gone out.
  void reset();

  // Says whether more may be written without queuing without bound.
  class [[nodiscard("await a write, so that a slow client is not buried")]] write_awaiter {
   public:
    bool await_ready() const noexcept;
    void await_suspend(std::coroutine_handle<> waiter);
    // False when the client can no longer be reached.
    bool await_resume() const noexcept;

   private:
    friend class http_response;
    explicit write_awaiter(http::exchange_backend& to) noexcept : to_(to) {}
    http::exchange_backend& to_;
  };
  // Writes a piece of the body, at the call; the awaiter is ready at once while what is queued is below the high-water
  // mark, and waits for the low one above. True: written or queued. Throws std::logic_error when a Content-Length that
  // was set would be exceeded, or after an upgrade.
  write_awaiter write(std::string_view text);
  write_awaiter write(std::span<const std::byte> bytes);
  // Sends the head and what was written so far.
  write_awaiter flush();

 private:
  friend class http::exchange;
  explicit http_response(http::exchange_backend& backend) noexcept : backend_(&backend) {}
  void start(bool body_is_complete);
  void finish();
  void require_not_started(const char* what) const;
  void require_within_length(std::uint64_t written) const;
  std::optional<std::uint64_t> announced_length() const;

  static constexpr std::size_t gathered = std::size_t{16} << 10;

  http::exchange_backend* backend_;
  windhover::headers headers_;
  std::string body_;
  std::optional<std::uint64_t> announced_;  // the Content-Length that the handler has set
  std::uint64_t written_ = 0;
  int status_ = 200;
  bool started_ = false;
  bool finished_ = false;
  bool touched_ = false;
  bool upgraded_ = false;
  bool sends_body_ = true;
};

}  // namespace windhover
