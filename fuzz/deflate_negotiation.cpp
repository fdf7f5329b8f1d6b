// What both ends make of Sec-WebSocket-Extensions (RFC 7692, section 7.1): whatever a client offers, our answer is
// valid and keeps to our options; whatever a server answers, what the client takes for agreed keeps to what it offered.
// Input: the options of either role, the field.
#include "wire/websocket/deflate_negotiation.hpp"

#include <algorithm>
#include <string>

#include "input.hpp"

namespace windhover::fuzz {
namespace {

wire::deflate_options options_of(std::uint8_t choice, std::uint8_t windows) {
  return {.server_context_takeover = (choice & 1) == 0,
          .client_context_takeover = (choice & 2) == 0,
          .server_max_window_bits = 9 + (windows & 0x0f) % 7,
          .client_max_window_bits = 8 + (windows >> 4) % 8};
}

void try_server(std::string_view offers, const wire::deflate_options& options) {
  const auto agreed = wire::negotiate_deflate(offers, options);
  if (!agreed) return;
  const wire::deflate_parameters& parameters = agreed->parameters;
  require(wire::parse_extensions(offers).has_value(), "what breaks the grammar offers nothing");
  require(parameters.server_max_window_bits >= 9 && parameters.server_max_window_bits <= options.server_max_window_bits,
          "our window is not larger than the options say");
  require(parameters.client_max_window_bits >= 8 && parameters.client_max_window_bits <= options.client_max_window_bits,
          "the client's window is not larger than the options say");
  require(options.server_context_takeover || parameters.server_no_context_takeover, "our context is not kept");
  require(options.client_context_takeover || parameters.client_no_context_takeover, "the client's context is not kept");
  const auto answer = wire::parse_extensions(agreed->response);
  require(answer && answer->size() == 1 && answer->front().name == "permessage-deflate", "the answer is one extension");
}

void try_client(std::string_view response, wire::deflate_options options) {
  options.client_max_window_bits = std::max(9, options.client_max_window_bits);
  const auto agreed = wire::accept_deflate_response(response, options);
  if (agreed) {
    require(agreed->client_max_window_bits <= options.client_max_window_bits,
            "we compress with the window that was offered, or a smaller one");
    require(options.server_max_window_bits == 15 || agreed->server_max_window_bits <= options.server_max_window_bits,
            "the server keeps to the window that was demanded");
    require(options.server_context_takeover || agreed->server_no_context_takeover, "the server keeps no context");
  }
  // What we offer is accepted by ourselves, and our answer to it too.
  const auto own = wire::negotiate_deflate(wire::offer_deflate(options), {});
  require(own.has_value() && wire::accept_deflate_response(own->response, options).has_value(),
          "both ends of ours agree");
}

}  // namespace

void try_input(input in) {
  const std::uint8_t choice = in.octet();
  const wire::deflate_options options = options_of(choice, in.octet());
  try_server(in.text(), options);
  try_client(in.text(), options);
}

}  // namespace windhover::fuzz
