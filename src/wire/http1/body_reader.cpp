// The two ways to find the end of a body (RFC 9112, section 6.3). Nothing in the chunked coding is forgiven: no
// whitespace around a size, no bare LF, no data that runs beyond its chunk.
#include "wire/http1/body_reader.hpp"

#include <algorithm>
#include <string_view>

#include "wire/http1/field_line.hpp"
#include "wire/http1/grammar.hpp"

namespace windhover::wire::http1 {
namespace {

// Sixteen digits hold every size there can be, with leading zeros.
constexpr std::size_t chunk_size_digits = 16;
// The bytes of all chunk extensions of one body, which serve nobody: without a bound, a body of one byte per chunk
// could make the server read gigabytes.
constexpr std::size_t chunk_extension_bytes = 4096;

}  // namespace

void body_reader::start(body_framing framing, std::uint64_t length) noexcept {
  chunked_ = framing == body_framing::chunked;
  remaining_ = framing == body_framing::content_length ? length : 0;
  total_ = 0;
  extension_bytes_ = 0;
  trailer_bytes_ = 0;
  trailer_count_ = 0;
  state_ = chunked_ ? state::chunk_size : remaining_ == 0 ? state::finished : state::data;
}

body_step body_reader::read(std::span<const std::byte>& in, const limits& bounds) {
  while (state_ != state::finished) {
    if (state_ == state::data) return read_data(in);
    const auto outcome = lines_.next(in, line_limit(bounds));
    if (outcome == line_reader::outcome::needs_more) return {};
    if (outcome != line_reader::outcome::line) return {.data = {}, .finished = false, .error = refuse(outcome)};
    if (const auto error = read_line(bounds)) return {.data = {}, .finished = false, .error = error};
  }
  return {.data = {}, .finished = true, .error = std::nullopt};
}

body_step body_reader::read_data(std::span<const std::byte>& in) noexcept {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(in.size(), remaining_));
  const auto data = in.first(size);
  in = in.subspan(size);
  remaining_ -= size;
  if (remaining_ == 0) state_ = chunked_ ? state::data_end : state::finished;
  return {.data = data, .finished = state_ == state::finished, .error = std::nullopt};
}

std::size_t body_reader::line_limit(const limits& bounds) const noexcept {
  constexpr std::size_t line_end = 2;
  switch (state_) {
    case state::chunk_size:
      return chunk_size_digits + chunk_extension_bytes - extension_bytes_ + line_end;
    case state::trailers:
      return bounds.header_bytes - trailer_bytes_;
    default:
      return line_end;
  }
}

request_error body_reader::refuse(line_reader::outcome outcome) const noexcept {
  if (state_ != state::trailers) return request_error::malformed_chunk;
  return outcome == line_reader::outcome::too_long ? request_error::headers_too_large
                                                   : request_error::malformed_line_end;
}

std::optional<request_error> body_reader::read_line(const limits& bounds) {
  const std::string_view line = lines_.line();
  switch (state_) {
    case state::chunk_size:
      return read_chunk_size(line, bounds);
    case state::trailers:
      return read_trailer(line, bounds);
    default:
      if (!line.empty()) return request_error::malformed_chunk;
      state_ = state::chunk_size;
      return std::nullopt;
  }
}

std::optional<request_error> body_reader::read_chunk_size(std::string_view line, const limits& bounds) {
  std::size_t digits = 0;
  std::uint64_t size = 0;
  while (digits != line.size() && hexadecimal_value(line[digits]) >= 0) {
    if (digits == chunk_size_digits) return request_error::malformed_chunk;
    size = size << 4 | static_cast<std::uint64_t>(hexadecimal_value(line[digits]));
    ++digits;
  }
  const std::string_view extensions = line.substr(digits);
  if (digits == 0 || (!extensions.empty() && extensions.front() != ';') || !is_field_value(extensions))
    return request_error::malformed_chunk;
  extension_bytes_ += extensions.size();
  if (extension_bytes_ > chunk_extension_bytes) return request_error::malformed_chunk;
  if (size > bounds.body - total_) return request_error::body_too_large;
  total_ += size;
  remaining_ = size;
  state_ = size == 0 ? state::trailers : state::data;
  return std::nullopt;
}

std::optional<request_error> body_reader::read_trailer(std::string_view line, const limits& bounds) {
  if (line.empty()) {
    finish();
    return std::nullopt;
  }
  trailer_bytes_ += line.size() + 2;
  if (++trailer_count_ > bounds.header_count) return request_error::too_many_headers;
  headers::field dropped;
  return parse_field_line(line, dropped);
}

void body_reader::finish() noexcept {
  lines_.release();
  state_ = state::finished;
}

}  // namespace windhover::wire::http1
