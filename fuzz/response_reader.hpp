// Reads what a server has sent as strictly as can be (RFC 9112): each response must be well-formed, framed in one way,
// and whole.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "input.hpp"
#include "wire/http1/grammar.hpp"
#include <windhover/headers.hpp>

namespace windhover::fuzz {

struct response {
  int status = 0;
  headers fields;
  std::string body;
  bool closes = false;  // says that nothing comes behind it, or ends with the connection
  bool whole = false;
};

class response_reader {
 public:
  // `received` is all that came from the server. Only what `was_cut`, by a reset, may end within a response.
  response_reader(std::string_view received, bool was_cut) : rest_(received), was_cut_(was_cut) {}

  bool at_end() const { return rest_.empty(); }
  // What stands behind the last response that was read.
  std::string_view rest() const { return rest_; }

  // The next final response; interim ones before it are passed over. `to_head`: it answers HEAD, so it has no body.
  response next(bool to_head) {
    for (;;) {
      response read = read_head();
      if (!read.whole) return read;
      if (read.status != 100) {
        read_body(read, to_head);
        return read;
      }
      require(read.fields.empty(), "an interim response has no fields here");
    }
  }

 private:
  // Not whole: the connection was cut within it.
  response read_head() {
    response read;
    const std::size_t end = rest_.find("\r\n\r\n");
    if (end == std::string_view::npos) {
      require(was_cut_, "a head is whole");
      rest_ = {};
      return read;
    }
    std::string_view head = rest_.substr(0, end + 2);
    rest_.remove_prefix(end + 4);
    read.status = read_status_line(take_line(head));
    while (!head.empty()) read_field(take_line(head), read.fields);
    read.whole = true;
    return read;
  }

  static std::string_view take_line(std::string_view& head) {
    const std::size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 2);
    require(wire::http1::is_field_value(line), "a line of a head has no control characters");
    return line;
  }

  static int read_status_line(std::string_view line) {
    constexpr std::string_view version = "HTTP/1.1 ";
    require(line.starts_with(version) && line.size() > 12 && line[12] == ' ', "a response has a status line");
    int status = 0;
    for (const char each : line.substr(version.size(), 3)) {
      require(each >= '0' && each <= '9', "a status is a number");
      status = status * 10 + (each - '0');
    }
    require(status >= 100 && status <= 599, "of a known class");
    return status;
  }

  static void read_field(std::string_view line, headers& fields) {
    const std::size_t colon = line.find(": ");
    require(colon != std::string_view::npos && base::is_token(line.substr(0, colon)), "a field has a name");
    fields.add(line.substr(0, colon), line.substr(colon + 2));
  }

  void read_body(response& read, bool to_head) {
    const bool chunked = read.fields.contains("Transfer-Encoding");
    const auto length = read.fields.find("Content-Length");
    require(!chunked || !length, "a response is framed in one way");
    require(read.fields.count("Date") == 1 && read.fields.count("Content-Length") <= 1, "its fields come once");
    read.closes = base::list_contains(read.fields.joined("Connection"), "close");
    const bool has_none = read.status < 200 || read.status == 204 || read.status == 304;
    require(!has_none || !chunked, "a response without a body is not chunked");
    if (has_none || to_head) return;
    if (chunked) return read_chunks(read);
    if (length) return read_length(read, *length);
    require(read.closes, "a body without a length ends with the connection");
    read.body = rest_;
    read.whole = !was_cut_;
    rest_ = {};
  }

  void read_length(response& read, std::string_view text) {
    std::uint64_t length = 0;
    for (const char each : text) {
      require(each >= '0' && each <= '9', "a length is a number");
      length = length * 10 + static_cast<std::uint64_t>(each - '0');
    }
    take_data(read, length);
  }

  void take_data(response& read, std::uint64_t length) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(length, rest_.size()));
    read.body += rest_.substr(0, size);
    rest_.remove_prefix(size);
    if (size < length) cut(read);
  }

  void cut(response& read) {
    require(was_cut_, "a body is whole");
    read.whole = false;
    rest_ = {};
  }

  void read_chunks(response& read) {
    require(base::equals_ignoring_case(read.fields.joined("Transfer-Encoding"), "chunked"),
            "chunked is the only coding");
    while (read.whole) {
      const std::size_t end = rest_.find("\r\n");
      if (end == std::string_view::npos) return cut(read);
      std::uint64_t size = 0;
      for (const char each : rest_.substr(0, end)) {
        const int digit = wire::http1::hexadecimal_value(each);
        require(digit >= 0, "the size of a chunk is a number");
        size = size * 16 + static_cast<std::uint64_t>(digit);
      }
      rest_.remove_prefix(end + 2);
      take_data(read, size);
      if (!read.whole) return;
      if (!rest_.starts_with("\r\n")) {
        require(rest_.size() < 2, "a chunk ends where it should");
        return cut(read);
      }
      rest_.remove_prefix(2);
      if (size == 0) return;
    }
  }

  std::string_view rest_;
  bool was_cut_;
};

}  // namespace windhover::fuzz
