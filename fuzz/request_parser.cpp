// The parser of HTTP/1.1 requests (RFC 9112): any cut of a stream gives the same requests, bodies and error, what is
// behind an upgrade stays untouched, and a request that was taken says the same when it is written down plainly and
// read again, so that nobody behind this server can read another one out of it. Input: limits, how the stream is cut,
// the stream.
#include "wire/http1/request_parser.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "input.hpp"
#include "pieces.hpp"
#include "wire/http1/grammar.hpp"
#include "wire/http1/serializer.hpp"

namespace windhover::fuzz {

namespace {

using wire::http1::body_framing;
using wire::http1::http_version;
using wire::http1::limits;
using wire::http1::request_error;
using wire::http1::request_head;
using wire::http1::request_parser;
using field_texts = std::vector<std::pair<std::string, std::string>>;

struct request {
  std::string method;
  std::string target;
  field_texts fields;
  http_version version;
  body_framing framing;
  std::uint64_t content_length;
  bool keep_alive;
  bool expects_continue;
  bool wants_upgrade;
  std::string body;
  bool whole;

  bool operator==(const request&) const = default;
};

struct reading {
  std::vector<request> requests;
  std::optional<request_error> error;
  bool between_requests = true;
  std::string left;  // behind an upgrade

  bool operator==(const reading&) const = default;
};

request from_head(const request_head& head) {
  field_texts fields;
  for (const headers::field each : head.fields) fields.emplace_back(each.name, each.value);
  return {head.method,     head.target,           std::move(fields),  head.version, head.framing, head.content_length,
          head.keep_alive, head.expects_continue, head.wants_upgrade, {},           false};
}

class reader {
 public:
  explicit reader(const limits& bounds) : parser_(bounds) {}

  // False once nothing more can be read.
  bool take(std::span<const std::byte> in) {
    if (upgraded_) return keep(in);
    // A head that is complete is followed by its body at once, even when that is empty.
    while (!in.empty() || in_body_) {
      const std::size_t before = in.size();
      if (!(in_body_ ? read_body(in) : read_head(in))) return false;
      if (upgraded_) return keep(in);
      if (in.empty() && in.size() == before) break;
    }
    return true;
  }

  reading finish() {
    result_.between_requests = parser_.between_requests();
    return std::move(result_);
  }

 private:
  bool keep(std::span<const std::byte> in) {
    result_.left.append(reinterpret_cast<const char*>(in.data()), in.size());
    return true;
  }

  bool fail() {
    result_.error = parser_.error();
    require(result_.error.has_value(), "an error has a reason");
    std::span<const std::byte> nothing;
    require(parser_.read_head(nothing) == request_parser::step::error, "after an error there is nothing but errors");
    return false;
  }

  bool read_head(std::span<const std::byte>& in) {
    switch (parser_.read_head(in)) {
      case request_parser::step::needs_more:
        require(in.empty(), "a parser that needs more has taken all there is");
        return true;
      case request_parser::step::error:
        return fail();
      case request_parser::step::head:
        break;
    }
    result_.requests.push_back(from_head(parser_.head()));
    in_body_ = true;
    return true;
  }

  bool read_body(std::span<const std::byte>& in) {
    const auto step = parser_.read_body(in);
    request& current = result_.requests.back();
    current.body.append(reinterpret_cast<const char*>(step.data.data()), step.data.size());
    if (step.error) {
      require(parser_.error() == step.error, "the error of a body is the parser's");
      return fail();
    }
    if (!step.finished) {
      require(in.empty() || !step.data.empty(), "a body that needs more has taken all there is");
      return true;
    }
    current.whole = true;
    in_body_ = false;
    upgraded_ = current.wants_upgrade && current.framing == body_framing::none;
    return true;
  }

  request_parser parser_;
  reading result_;
  bool in_body_ = false;
  bool upgraded_ = false;
};

reading read_in_pieces(std::span<const std::byte> stream, const limits& bounds, std::uint8_t cut) {
  reader reads(bounds);
  for_each_piece(stream, cut, [&](std::span<const std::byte> piece) { return reads.take(piece); });
  return reads.finish();
}

// What a handler may rely on.
void judge(const request& taken, const limits& bounds) {
  require(base::is_token(taken.method), "a method is a token");
  require(taken.target.starts_with('/') || (taken.target == "*" && taken.method == "OPTIONS"), "a target is a path");
  require(wire::http1::is_request_target(taken.target), "of characters that a target may have");
  require(taken.fields.size() <= bounds.header_count + 1, "there are no more fields than allowed");
  std::size_t hosts = 0;
  std::size_t framings = 0;
  for (const auto& [name, value] : taken.fields) {
    require(base::is_token(name) && wire::http1::is_field_value(value) && base::trim(value) == value,
            "fields are well-formed");
    hosts += base::equals_ignoring_case(name, "Host");
    framings +=
        base::equals_ignoring_case(name, "Content-Length") || base::equals_ignoring_case(name, "Transfer-Encoding");
  }
  require(hosts == 1 || (hosts == 0 && taken.version == http_version::http_1_0), "it is known which host is asked");
  require(framings == (taken.framing == body_framing::none ? 0U : 1U), "there is one way to find the end of the body");
  if (taken.framing == body_framing::none) require(taken.body.empty(), "without framing there is no body");
  if (taken.framing == body_framing::content_length)
    require(taken.whole ? taken.body.size() == taken.content_length : taken.body.size() < taken.content_length,
            "a body is as long as was said");
  require(taken.body.size() <= bounds.body, "no body is longer than allowed");
}

std::string written_plainly(const request& taken) {
  std::string text;
  headers fields;
  for (const auto& [name, value] : taken.fields) fields.add(name, value);
  wire::http1::append_request_head(text, taken.method, taken.target, fields);
  if (taken.framing != body_framing::chunked) return text + taken.body;
  if (!taken.body.empty()) {
    wire::http1::append_chunk_header(text, taken.body.size());
    text.append(taken.body).append(wire::http1::chunk_end);
  }
  return text.append(wire::http1::last_chunk);
}

void read_again(const request& taken) {
  const limits wide{.request_line = 1U << 20, .header_bytes = 1U << 20, .header_count = 10'000};
  const std::string text = written_plainly(taken);
  const reading again = read_in_pieces(std::as_bytes(std::span(text)), wide, 0);
  require(again.requests.size() == 1 && !again.error && again.left.empty(), "written down, it is one request");
  require(again.requests.front() == taken, "and the same one");
}

}  // namespace

void try_input(input in) {
  constexpr std::array<std::size_t, 4> line_limits{8192, 16, 32, 64};
  constexpr std::array<std::size_t, 4> header_limits{32768, 2, 64, 128};
  constexpr std::array<std::size_t, 4> count_limits{100, 0, 1, 4};
  constexpr std::array<std::uint64_t, 4> body_limits{30'000'000, 0, 8, wire::http1::unlimited_body};
  const std::uint8_t options = in.octet();
  const limits bounds{.request_line = line_limits[options & 3],
                      .header_bytes = header_limits[options >> 2 & 3],
                      .header_count = count_limits[options >> 4 & 3],
                      .body = body_limits[options >> 6 & 3]};
  const std::uint8_t cut = in.octet();

  const reading whole = read_in_pieces(in.bytes(), bounds, 0);
  require(read_in_pieces(in.bytes(), bounds, cut) == whole, "a cut makes no difference");
  require(read_in_pieces(in.bytes(), bounds, 1) == whole, "wherever it is");
  for (const request& each : whole.requests) {
    judge(each, bounds);
    if (each.whole && each.version == http_version::http_1_1) read_again(each);
  }
}

}  // namespace windhover::fuzz
