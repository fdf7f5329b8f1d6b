// What an HTTP client in memory reads: the responses of a stream of bytes (RFC 9112), however it is cut. It reads what
// our own server sends; what no server of ours sends is an error.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <windhover/headers.hpp>

namespace windhover::testing {

struct read_response {
  int status = 0;
  windhover::headers fields;
  std::string body;
};

class response_reader {
 public:
  void feed(std::string_view bytes) { buffer_.append(bytes); }
  // The next whole response. `to_head`: it answers a HEAD request. `at_end`: nothing more will come, so that a body
  // without a length is whole. None: it is not whole yet. Throws std::runtime_error when it is no response.
  std::optional<read_response> next(bool to_head, bool at_end);
  // What was fed and belongs to no response that was given out.
  std::string_view rest() const noexcept { return buffer_; }
  std::string take_rest();

 private:
  bool take_body(read_response& into, std::size_t from, bool at_end);
  bool take_chunks(read_response& into, std::size_t from);

  std::string buffer_;
};

}  // namespace windhover::testing
