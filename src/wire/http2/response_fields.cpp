#include "wire/http2/response_fields.hpp"

#include <charconv>
#include <utility>

namespace windhover::wire::http2 {

using http1::response_error;

void response_fields::add(std::string_view name, std::string_view value) {
  constexpr std::size_t separators = 4;  // as a line of HTTP/1.1 has them
  if (error_) return;
  bytes_ += name.size() + value.size() + separators;
  if (bytes_ > bounds_.header_bytes) {
    error_ = response_error::head_too_large;
  } else if (name == ":status") {
    std::from_chars(value.data(), value.data() + value.size(), head_.status);
  } else if (++fields_ > bounds_.header_count) {
    error_ = response_error::too_many_headers;
  } else {
    head_.fields.add(name, value);
  }
}

http1::response_head response_fields::take_head() {
  head_.version = http1::http_version::http_2;
  return std::exchange(head_, {});
}

}  // namespace windhover::wire::http2
