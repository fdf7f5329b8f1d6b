// From the fields of an HTTP/2 response (RFC 9113, section 8.3.2) to the head that HTTP/1.1 has as well.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "wire/http1/limits.hpp"
#include "wire/http1/response_head.hpp"

namespace windhover::wire::http2 {

// Takes the fields of one head after the other, which share one bound. What the session has checked (that there is a
// status, where it is, characters) is not checked again.
class response_fields {
 public:
  explicit response_fields(const http1::limits& bounds) noexcept : bounds_(bounds) {}

  // Throws std::bad_alloc. Beyond a bound fields are dropped, and error() says so.
  void add(std::string_view name, std::string_view value);
  std::optional<http1::response_error> error() const noexcept { return error_; }
  // The head that is complete; the next field belongs to another one.
  http1::response_head take_head();

 private:
  http1::limits bounds_;
  http1::response_head head_;
  std::size_t bytes_ = 0;
  std::size_t fields_ = 0;
  std::optional<http1::response_error> error_;
};

}  // namespace windhover::wire::http2
