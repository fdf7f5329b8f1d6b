#include "testing/response_reader.hpp"

#include <charconv>
#include <stdexcept>
#include <utility>

#include "base/text.hpp"

namespace windhover::testing {
namespace {

constexpr std::string_view line_end = "\r\n";

[[noreturn]] void fail(std::string_view what) { throw std::runtime_error("no HTTP response: " + std::string(what)); }

std::size_t number_of(std::string_view digits, int base) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (error != std::errc() || end != digits.data() + digits.size()) fail(digits);
  return number;
}

read_response head_of(std::string_view head) {
  constexpr std::string_view version = "HTTP/1.1 ";
  const std::size_t first_end = head.find(line_end);
  std::string_view line = head.substr(0, first_end);
  if (!line.starts_with(version) || line.size() < version.size() + 3) fail(line);
  read_response made;
  made.status = static_cast<int>(number_of(line.substr(version.size(), 3), 10));
  for (std::size_t at = first_end; at != std::string_view::npos && at + 2 < head.size();) {
    const std::size_t end = head.find(line_end, at + 2);
    line = head.substr(at + 2, end == std::string_view::npos ? end : end - at - 2);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) fail(line);
    made.fields.add(line.substr(0, colon), base::trim(line.substr(colon + 1)));
    at = end;
  }
  return made;
}

}  // namespace

std::string response_reader::take_rest() { return std::exchange(buffer_, {}); }

std::optional<read_response> response_reader::next(bool to_head, bool at_end) {
  const std::size_t head_end = buffer_.find("\r\n\r\n");
  if (head_end == std::string::npos) return std::nullopt;
  read_response found = head_of(std::string_view(buffer_).substr(0, head_end));
  if (to_head || found.status < 200 || found.status == 204 || found.status == 304) {
    buffer_.erase(0, head_end + 4);
    return found;
  }
  if (!take_body(found, head_end + 4, at_end)) return std::nullopt;
  return found;
}

bool response_reader::take_body(read_response& into, std::size_t from, bool at_end) {
  if (into.fields.find("Transfer-Encoding")) return take_chunks(into, from);
  std::size_t size = buffer_.size() - from;
  if (const auto length = into.fields.find("Content-Length")) {
    const std::size_t announced = number_of(*length, 10);
    if (size < announced) return false;
    size = announced;
  } else if (!at_end) {
    return false;
  }
  into.body = buffer_.substr(from, size);
  buffer_.erase(0, from + size);
  return true;
}

bool response_reader::take_chunks(read_response& into, std::size_t from) {
  std::size_t at = from;
  for (;;) {
    const std::size_t end = buffer_.find(line_end, at);
    if (end == std::string::npos) return false;
    const std::size_t size = number_of(std::string_view(buffer_).substr(at, end - at), 16);
    if (buffer_.size() < end + 2 + size + 2) return false;
    into.body.append(buffer_, end + 2, size);
    at = end + 2 + size + 2;
    if (size == 0) break;
  }
  buffer_.erase(0, at);
  return true;
}

}  // namespace windhover::testing
