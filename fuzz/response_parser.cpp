// The parser of heads of responses (RFC 9112): any cut of a stream gives the same heads and error, what follows the
// last head stays untouched, and a head that was taken says the same when it is written down plainly and read again.
// Input: limits, how the stream is cut, how many heads are read, the stream.
#include "wire/http1/response_parser.hpp"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "input.hpp"
#include "pieces.hpp"
#include "wire/http1/grammar.hpp"

namespace windhover::fuzz {

namespace {

using wire::http1::http_version;
using wire::http1::limits;
using wire::http1::response_error;
using wire::http1::response_head;
using wire::http1::response_parser;

struct taken_head {
  int status;
  std::string reason;
  std::vector<std::pair<std::string, std::string>> fields;
  http_version version;
  std::optional<response_error> framing_error;
  wire::http1::body_framing framing;
  std::uint64_t content_length;

  bool operator==(const taken_head&) const = default;
};

struct reading {
  std::vector<taken_head> heads;
  std::optional<response_error> error;
  bool nothing_read = true;  // behind the last head
  std::string left;

  bool operator==(const reading&) const = default;
};

taken_head from_head(response_head head) {
  taken_head taken{head.status, head.reason, {}, head.version, read_framing(head), head.framing, head.content_length};
  for (const headers::field each : head.fields) taken.fields.emplace_back(each.name, each.value);
  return taken;
}

reading read_in_pieces(std::span<const std::byte> stream, const limits& bounds, std::size_t heads, std::uint8_t cut) {
  response_parser parser(bounds);
  reading read;
  for_each_piece(stream, cut, [&](std::span<const std::byte> in) {
    while (!in.empty() && read.heads.size() < heads) {
      switch (parser.read_head(in)) {
        case response_parser::step::needs_more:
          require(in.empty(), "a parser that needs more has taken all there is");
          break;
        case response_parser::step::error:
          read.error = parser.error();
          require(parser.read_head(in) == response_parser::step::error, "after an error there is nothing but errors");
          return false;
        case response_parser::step::head:
          read.heads.push_back(from_head(parser.take_head()));
      }
    }
    read.left.append(reinterpret_cast<const char*>(in.data()), in.size());
    return true;
  });
  read.nothing_read = parser.nothing_read();
  return read;
}

void judge(const taken_head& taken, const limits& bounds) {
  require(taken.status >= 100 && taken.status <= 999, "a status has three digits");
  require(wire::http1::is_field_value(taken.reason), "a reason has no control characters");
  require(taken.fields.size() <= bounds.header_count, "there are no more fields than allowed");
  for (const auto& [name, value] : taken.fields)
    require(base::is_token(name) && wire::http1::is_field_value(value) && base::trim(value) == value,
            "fields are well-formed");
}

void read_again(const taken_head& taken) {
  std::string text = taken.version == http_version::http_1_0 ? "HTTP/1.0 " : "HTTP/1.1 ";
  text += std::to_string(taken.status) + " " + taken.reason + "\r\n";
  for (const auto& [name, value] : taken.fields) text += name + ": " + value + "\r\n";
  text += "\r\n";
  const limits wide{.header_bytes = 1U << 20, .header_count = 10'000};
  const reading again = read_in_pieces(std::as_bytes(std::span(text)), wide, 1, 0);
  require(again.heads.size() == 1 && !again.error && again.left.empty(), "written down, it is one head");
  require(again.heads.front() == taken, "and the same one");
}

}  // namespace

void try_input(input in) {
  constexpr std::array<std::size_t, 4> byte_limits{32768, 16, 64, 128};
  constexpr std::array<std::size_t, 4> count_limits{100, 0, 1, 4};
  const std::uint8_t options = in.octet();
  const limits bounds{.header_bytes = byte_limits[options & 3], .header_count = count_limits[options >> 2 & 3]};
  const std::size_t heads = 1U + (options >> 4 & 3);
  const std::uint8_t cut = in.octet();

  const reading whole = read_in_pieces(in.bytes(), bounds, heads, 0);
  require(read_in_pieces(in.bytes(), bounds, heads, cut) == whole, "a cut makes no difference");
  require(read_in_pieces(in.bytes(), bounds, heads, 1) == whole, "wherever it is");
  if (whole.heads.size() == heads) require(in.text().ends_with(whole.left), "what follows is left as it is");
  for (const taken_head& each : whole.heads) {
    judge(each, bounds);
    read_again(each);
  }
}

}  // namespace windhover::fuzz
