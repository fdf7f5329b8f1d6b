// The requests in a stream, as the parser reads them when nothing is cut: what a server that is given the same stream
// has to answer.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "wire/http1/request_parser.hpp"

namespace windhover::fuzz {

struct asked_request {
  wire::http1::request_head head;
  std::string body;
  bool whole = false;
};

struct asked_requests {
  std::vector<asked_request> requests;
  std::optional<wire::http1::request_error> error;
  bool next_is_head = false;  // what comes behind the last one has the method HEAD

  bool is_head(std::size_t each) const {
    return each < requests.size() ? requests[each].head.method == "HEAD" : next_is_head;
  }
};

inline asked_requests read_requests(std::span<const std::byte> stream, const wire::http1::limits& bounds) {
  using wire::http1::request_parser;
  asked_requests read;
  request_parser parser(bounds);
  while (!stream.empty() && parser.read_head(stream) == request_parser::step::head) {
    read.requests.push_back({parser.take_head(), {}, false});
    asked_request& current = read.requests.back();
    for (;;) {
      const auto step = parser.read_body(stream);
      current.body.append(reinterpret_cast<const char*>(step.data.data()), step.data.size());
      current.whole = step.finished;
      if (step.finished || step.error || step.data.empty()) break;
    }
    if (!current.whole) break;
  }
  read.error = parser.error();
  read.next_is_head = parser.head().method == "HEAD";
  return read;
}

}  // namespace windhover::fuzz
