// From the fields of an HTTP/2 request (RFC 9113, section 8.3) to the head that HTTP/1.1 has as well, so that nobody
// above needs to know which of them carried a request.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "wire/http1/limits.hpp"
#include "wire/http1/request_error.hpp"
#include "wire/http1/request_head.hpp"

namespace windhover::wire::http2 {

// Takes the fields one after the other, within the same bounds as HTTP/1.1. What the session has checked (which
// pseudo-header fields there are, and where; characters; fields of a connection, section 8.2.2) is not checked again.
class request_fields {
 public:
  explicit request_fields(const http1::limits& bounds) noexcept : bounds_(bounds) {}

  // Throws std::bad_alloc. Beyond a bound fields are dropped, and the request will be refused.
  void add(std::string_view name, std::string_view value);
  // Judges the whole and fills in what follows from it. `ends`: there is no body. Returns the reason when the request
  // must be refused.
  std::optional<http1::request_error> finish(bool ends);
  // After finish().
  http1::request_head& head() noexcept { return head_; }

 private:
  void add_pseudo_header(std::string_view name, std::string_view value);
  void add_field(std::string_view name, std::string_view value);
  std::optional<http1::request_error> check_target() const;
  std::optional<http1::request_error> settle_host();
  std::optional<http1::request_error> read_framing();

  http1::limits bounds_;
  http1::request_head head_;
  std::string authority_;
  std::string cookies_;
  std::size_t line_bytes_ = 0;
  std::size_t header_bytes_ = 0;
  std::optional<http1::request_error> error_;
};

}  // namespace windhover::wire::http2
