// Reads the requests of an HTTP/1.1 connection, one after the other, from bytes that arrive in any pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "wire/http1/body_reader.hpp"
#include "wire/http1/limits.hpp"
#include "wire/http1/line_reader.hpp"
#include "wire/http1/request_error.hpp"
#include "wire/http1/request_head.hpp"

namespace windhover::wire::http1 {

// A strict parser of RFC 9112: a request about which two parsers could disagree is refused. For each request: call
// read_head() until it says `head`, then read_body() until it says `finished`, then read_head() for the next one. Both
// take only the bytes of this request from `in`, so that after the head of an upgrade what belongs to the other
// protocol is still there. The results do not depend on how the stream was cut, and no view of the input is kept.
//
// After an error the parser is spent: read_head() goes on saying `error`, and the connection should be closed behind
// the answer. A line that is not complete yet is kept, bounded by the limits; between requests nothing is.
class request_parser {
 public:
  enum class step { needs_more, head, error };

  explicit request_parser(const limits& bounds = limits()) noexcept : bounds_(bounds) {}

  // Reads up to the end of the head and advances `in` behind what it took. One or two empty lines before the request
  // are skipped (RFC 9112, section 2.2). Throws std::logic_error while a body has not been read to its end.
  step read_head(std::span<const std::byte>& in);

  // The head, after `head` and until the next read_head().
  const request_head& head() const noexcept { return head_; }
  request_head take_head() noexcept { return std::move(head_); }

  // Takes the next piece of the body and advances `in` behind it. A request without a body is finished at once.
  body_step read_body(std::span<const std::byte>& in);

  // The reason, after an error.
  std::optional<request_error> error() const noexcept { return error_; }

  // Whether the connection may end here, or be idle, without cutting a request off.
  bool between_requests() const noexcept {
    return state_ == state::request_line && empty_lines_ == 0 && !lines_.under_way();
  }

 private:
  enum class state : std::uint8_t { request_line, fields, body, failed };

  std::optional<request_error> read_request_line(std::size_t input_size);
  std::optional<request_error> read_field();
  std::optional<request_error> finish_head();
  request_error refuse(line_reader::outcome outcome) const noexcept;
  void fail(request_error error) noexcept;

  limits bounds_;
  line_reader lines_;
  request_head head_;
  body_reader body_;
  std::size_t header_bytes_ = 0;
  std::optional<request_error> error_;
  std::uint8_t empty_lines_ = 0;
  state state_ = state::request_line;
};

}  // namespace windhover::wire::http1
