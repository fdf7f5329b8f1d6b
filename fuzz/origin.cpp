// Web origins (RFC 6454): what compares equal, and what a list allows. Input: lines (two origins, the value of a Host
// field).
#include "wire/websocket/origin.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "input.hpp"

namespace windhover::fuzz {

namespace {

bool lies_in(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void try_one(std::string_view text) {
  const auto parsed = wire::parse_origin(text);
  const std::vector<std::string> itself{std::string(text)};
  require(wire::is_origin_entry(text) == (parsed || text == "*" || text == "null"), "an entry is an origin or a word");
  require(wire::origin_allowed(text, itself) == (text.empty() || wire::is_origin_entry(text)),
          "an origin allows itself");
  if (!parsed) return;
  require(lies_in(parsed->scheme, text) && lies_in(parsed->host, text), "the parts are views of the text");
  require(!parsed->scheme.empty() && *parsed == *parsed, "an origin has a scheme and equals itself");

  std::string again = std::string(parsed->scheme) + "://" + std::string(parsed->host);
  if (!parsed->host.empty()) again += ":" + std::to_string(parsed->port);
  require(wire::parse_origin(again) == parsed, "an origin made of its parts is the same");
  std::transform(again.begin(), again.end(), again.begin(),
                 [](char each) { return each >= 'a' && each <= 'z' ? static_cast<char>(each - 'a' + 'A') : each; });
  require(wire::parse_origin(again) == parsed, "and in capitals as well");
}

}  // namespace

void try_input(input in) {
  const std::string first(in.line());
  const std::string second(in.line());
  const std::string host(in.line());
  try_one(first);
  try_one(second);

  const auto one = wire::parse_origin(first);
  const auto other = wire::parse_origin(second);
  if (one && other) {
    require((*one == *other) == (*other == *one), "being the same is mutual");
    require(wire::origin_allowed(first, std::vector{second}) == (*one == *other),
            "an entry allows its own origin only");
  }
  for (const std::string_view scheme : {"http", "https"}) {
    const std::string own = std::string(scheme) + "://" + host;
    const auto server = wire::parse_origin(own);
    require(wire::same_origin(first, host, scheme) == (first.empty() || (one && one == server)),
            "the origin of a request is its scheme and host");
  }
}

}  // namespace windhover::fuzz
