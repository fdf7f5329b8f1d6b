// The client's side of the opening handshake (RFC 6455, section 4.1). Whatever a caller asks for, what is sent is one
// request for a WebSocket and nothing behind it; and no answer is taken that section 4.1 forbids. Input: lines (target,
// host, sub-protocols separated by blanks), header fields of the request, an empty line, the status of the answer, its
// header fields.
#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "fields.hpp"
#include "input.hpp"
#include "wire/http1/request_parser.hpp"
#include "wire/websocket/handshake.hpp"

namespace windhover::fuzz {

namespace {

using wire::handshake_failure;

constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> found;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    found.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return found;
}

void try_request(const wire::client_handshake& handshake, std::string_view sent) {
  wire::http1::request_parser parser({.request_line = 1U << 20, .header_bytes = 1U << 20, .header_count = 10'000});
  auto bytes = std::as_bytes(std::span(sent));
  require(parser.read_head(bytes) == wire::http1::request_parser::step::head, "what is sent is the head of a request");
  require(bytes.empty() && parser.read_body(bytes).finished, "and nothing else");

  const auto& head = parser.head();
  require(head.target == handshake.target && head.fields.find("Host") == handshake.host, "it goes where it should");
  require(head.wants_upgrade && head.framing == wire::http1::body_framing::none, "it asks to leave HTTP");
  require(wire::is_websocket_request({.method = head.method,
                                      .http_major = 1,
                                      .http_minor = head.version == wire::http1::http_version::http_1_1 ? 1 : 0,
                                      .fields = head.fields,
                                      .has_body = false}),
          "for a WebSocket");
  const auto requested = wire::requested_protocols(head.fields);
  require(std::equal(requested.begin(), requested.end(), handshake.protocols.begin(), handshake.protocols.end()),
          "with these sub-protocols");
  for (const headers::field each : *handshake.further_fields)
    require(head.fields.count(each.name) == handshake.further_fields->count(each.name), "and these fields");
}

// What must be true of an answer that is taken.
void try_taken(int status, const headers& answer, std::span<const std::string_view> offered,
               const wire::handshake_outcome& outcome) {
  require(status == 101, "only 101 is taken");
  require(base::equals_ignoring_case(answer.joined("Upgrade"), "websocket"), "only with Upgrade: websocket");
  bool upgrades = false;
  answer.for_each("Connection", [&upgrades](std::string_view value) {
    upgrades = upgrades || base::list_contains(value, "upgrade");
  });
  require(upgrades, "only with Connection: Upgrade");
  require(answer.joined("Sec-WebSocket-Accept") == accept, "only with the right accept value");
  auto extensions = answer.joined("Sec-WebSocket-Extensions");
  const bool chooses_extensions = extensions.find_first_not_of(", \t") != std::string::npos;
  require(chooses_extensions == outcome.compression.has_value(), "only with compression that was offered");
  require(base::equals_ignoring_case(answer.joined("Sec-WebSocket-Protocol"), outcome.protocol),
          "with the answered sub-protocol");
  const bool was_offered = std::find(offered.begin(), offered.end(), outcome.protocol) != offered.end();
  require(was_offered || !answer.contains("Sec-WebSocket-Protocol"), "only with a sub-protocol that was offered");
}

}  // namespace

void try_input(input in) {
  wire::client_handshake handshake{.target = in.line(), .host = in.line(), .key = key};
  const auto protocols = words(in.line());
  handshake.protocols = protocols;
  const headers fields = take_fields(in);
  handshake.further_fields = &fields;
  try {
    try_request(handshake, wire::encode_client_handshake(handshake));
  } catch (const std::invalid_argument&) {
    // It said what cannot be asked for.
  }

  int status = 0;
  const std::string_view number = in.line();
  std::from_chars(number.data(), number.data() + number.size(), status);
  const headers answer = take_fields(in);
  const wire::deflate_options compression;
  for (const wire::deflate_options* const offered :
       {static_cast<const wire::deflate_options*>(nullptr), &compression}) {
    const auto outcome = wire::verify_server_handshake(status, answer, key, protocols, offered);
    require(!wire::describe(outcome.failure).empty(), "every outcome has a description");
    require(offered != nullptr || !outcome.compression, "nothing is agreed that was not offered");
    if (outcome.failure == handshake_failure::none) try_taken(status, answer, protocols, outcome);
  }
}

}  // namespace windhover::fuzz
