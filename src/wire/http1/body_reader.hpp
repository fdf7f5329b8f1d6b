// Finds the body of a message in the bytes of the connection: by its length, or chunk by chunk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "wire/http1/limits.hpp"
#include "wire/http1/line_reader.hpp"
#include "wire/http1/request_error.hpp"
#include "wire/http1/request_head.hpp"

namespace windhover::wire::http1 {

// A step through a body. When it has neither data nor an end nor an error, more input is needed.
struct body_step {
  // The next piece of the body: a view of the input.
  std::span<const std::byte> data;
  // Whether the body ends behind this piece.
  bool finished = false;
  std::optional<request_error> error;
};

// Reads one body after the other. Of the chunked coding (RFC 9112, section 7.1), extensions are ignored and trailers
// are checked and dropped; both are bounded.
class body_reader {
 public:
  // `length` counts for a body with a Content-Length.
  void start(body_framing framing, std::uint64_t length) noexcept;
  void start(const request_head& head) noexcept { start(head.framing, head.content_length); }

  // Takes the next piece and advances `in` behind it. After the end, finished without data and without taking anything.
  body_step read(std::span<const std::byte>& in, const limits& bounds);

 private:
  enum class state : std::uint8_t { finished, data, chunk_size, data_end, trailers };

  body_step read_data(std::span<const std::byte>& in) noexcept;
  std::optional<request_error> read_line(const limits& bounds);
  std::optional<request_error> read_chunk_size(std::string_view line, const limits& bounds);
  std::optional<request_error> read_trailer(std::string_view line, const limits& bounds);
  std::size_t line_limit(const limits& bounds) const noexcept;
  request_error refuse(line_reader::outcome outcome) const noexcept;
  void finish() noexcept;

  line_reader lines_;
  // What is left of the data: of the whole body, or of the chunk.
  std::uint64_t remaining_ = 0;
  // What the chunks have announced so far.
  std::uint64_t total_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::size_t trailer_count_ = 0;
  bool chunked_ = false;
  state state_ = state::finished;
};

}  // namespace windhover::wire::http1
