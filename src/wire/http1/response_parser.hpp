// Reads the heads of responses from bytes that arrive in any pieces.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "wire/http1/limits.hpp"
#include "wire/http1/line_reader.hpp"
#include "wire/http1/response_head.hpp"

namespace windhover::wire::http1 {

// As strict as the parser of requests: lines end with CR LF, fields are not folded. Takes only the bytes of the head
// from `in`, so that what follows, a body or another protocol, is still there. The results do not depend on how the
// stream was cut, and no view of the input is kept.
//
// The limits hold for all heads that one parser reads together, so that a server cannot go on sending interim responses
// for ever: header_bytes counts status lines as well.
class response_parser {
 public:
  enum class step { needs_more, head, error };

  explicit response_parser(const limits& bounds) noexcept : bounds_(bounds) {}

  // Reads up to the end of the next head and advances `in` behind it. After an error it goes on saying so.
  step read_head(std::span<const std::byte>& in);

  // After `head`, until the next read_head().
  response_head take_head() noexcept { return std::move(head_); }
  // After `error`.
  response_error error() const noexcept { return error_.value_or(response_error::malformed_status_line); }

  // Whether nothing of a response has come.
  bool nothing_read() const noexcept { return bytes_ == 0 && !lines_.under_way(); }

 private:
  std::optional<response_error> read_line();
  step fail(response_error error) noexcept;

  limits bounds_;
  line_reader lines_;
  response_head head_;
  std::size_t bytes_ = 0;
  std::size_t fields_ = 0;
  std::optional<response_error> error_;
  bool in_fields_ = false;
  bool ended_ = false;
};

}  // namespace windhover::wire::http1
