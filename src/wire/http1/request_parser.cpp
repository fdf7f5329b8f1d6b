// The order of things in a request: empty lines, request line, fields, body. Each line is judged as soon as it is
// complete, so that nothing but a line under way is ever kept.
#include "wire/http1/request_parser.hpp"

#include <algorithm>
#include <stdexcept>
#include <string_view>

#include "base/text.hpp"
#include "wire/http1/field_line.hpp"
#include "wire/http1/request_line.hpp"

namespace windhover::wire::http1 {
namespace {

constexpr std::uint8_t tolerated_empty_lines = 2;

// Whether a request, or an empty line before it, may begin like this. Looking at the first byte tells a client that
// speaks TLS to a plain port at once, instead of waiting for a line that never ends.
bool may_begin(std::byte first) noexcept {
  const char character = static_cast<char>(first);
  return character == '\r' || base::is_token(std::string_view(&character, 1));
}

}  // namespace

request_parser::step request_parser::read_head(std::span<const std::byte>& in) {
  if (state_ == state::body) throw std::logic_error("the body of the request has not been read to its end");
  while (state_ != state::failed) {
    const bool in_fields = state_ == state::fields;
    if (!in_fields && !lines_.under_way() && !in.empty() && !may_begin(in.front())) {
      fail(request_error::malformed_request_line);
      break;
    }
    const auto outcome = lines_.next(in, in_fields ? bounds_.header_bytes - header_bytes_ : bounds_.request_line);
    if (outcome == line_reader::outcome::needs_more) return step::needs_more;
    if (outcome != line_reader::outcome::line) {
      fail(refuse(outcome));
      break;
    }
    const bool ends_head = in_fields && lines_.line().empty();
    const auto error = ends_head ? finish_head() : in_fields ? read_field() : read_request_line(in.size());
    if (error)
      fail(*error);
    else if (ends_head)
      return step::head;
  }
  return step::error;
}

body_step request_parser::read_body(std::span<const std::byte>& in) {
  if (state_ == state::failed) return {.data = {}, .finished = false, .error = error_};
  if (state_ != state::body) return {.data = {}, .finished = true, .error = std::nullopt};
  const body_step result = body_.read(in, bounds_);
  if (result.finished) state_ = state::request_line;
  if (result.error) fail(*result.error);
  return result;
}

std::optional<request_error> request_parser::read_request_line(std::size_t input_size) {
  const std::string_view line = lines_.line();
  if (line.empty()) {
    if (empty_lines_ == tolerated_empty_lines) return request_error::malformed_request_line;
    ++empty_lines_;
    return std::nullopt;
  }
  head_ = request_head();
  header_bytes_ = 0;
  state_ = state::fields;
  if (const auto error = parse_request_line(line, head_)) return error;
  // Mostly the whole head is there: room for it at once, guessed so that a body behind it does not inflate the guess.
  constexpr std::size_t usual_fields = 16;
  constexpr std::size_t most_text = 2048;
  if (input_size > 2) head_.fields.reserve(usual_fields, std::min({input_size, most_text, bounds_.header_bytes}));
  return std::nullopt;
}

std::optional<request_error> request_parser::read_field() {
  const std::string_view line = lines_.line();
  header_bytes_ += line.size() + 2;
  if (head_.fields.size() == bounds_.header_count) return request_error::too_many_headers;
  headers::field field;
  if (const auto error = parse_field_line(line, field)) return error;
  head_.fields.add(field.name, field.value);
  return std::nullopt;
}

std::optional<request_error> request_parser::finish_head() {
  lines_.release();
  empty_lines_ = 0;
  if (const auto error = complete(head_, bounds_)) return error;
  body_.start(head_);
  state_ = head_.framing == body_framing::none ? state::request_line : state::body;
  return std::nullopt;
}

request_error request_parser::refuse(line_reader::outcome outcome) const noexcept {
  if (outcome == line_reader::outcome::malformed) return request_error::malformed_line_end;
  return state_ == state::fields ? request_error::headers_too_large : request_error::request_line_too_long;
}

void request_parser::fail(request_error error) noexcept {
  lines_.release();
  error_ = error;
  state_ = state::failed;
}

}  // namespace windhover::wire::http1
