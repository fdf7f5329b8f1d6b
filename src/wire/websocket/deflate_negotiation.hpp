// How both ends agree on permessage-deflate (RFC 7692, section 7.1) in Sec-WebSocket-Extensions, and the grammar of
// that field (RFC 6455, section 9.1). A field that comes several times is one list: headers::joined gives the text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace windhover::wire {

// One member of Sec-WebSocket-Extensions: what a client offers or what a server chose.
struct extension {
  struct parameter {
    std::string_view name;
    std::optional<std::string> value;  // unquoted; nothing where there is no '='
  };
  std::string_view name;
  std::vector<parameter> parameters;
};

// The members in their order. Nothing if the text breaks the grammar anywhere; empty members, which RFC 9110, section
// 5.6.1.2, has every recipient ignore, do not. A quoted value must be a token once it is unquoted. The names are views
// into `text`.
[[nodiscard]] std::optional<std::vector<extension>> parse_extensions(std::string_view text);

// What this end wants to have agreed. Windows are given by the logarithm of their size in octets.
struct deflate_options {
  // Whether the compressor of that end may refer to earlier messages: better compression, for memory that stays with
  // each connection.
  bool server_context_takeover = true;
  bool client_context_takeover = true;
  int server_max_window_bits = 15;  // 9 to 15
  int client_max_window_bits = 15;  // 8 to 15; in the client's role 9 to 15, and 8 counts as 9
};

// What was agreed.
struct deflate_parameters {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  int server_max_window_bits = 15;  // 9 to 15; a client may have to inflate 8 as well
  int client_max_window_bits = 15;  // 8 to 15

  bool operator==(const deflate_parameters&) const noexcept = default;
};

// ----- The server's side

struct deflate_agreement {
  deflate_parameters parameters;
  std::string response;  // the value of Sec-WebSocket-Extensions in the answer
};

// The first offer of permessage-deflate that can be accepted, in the client's order. Nothing if there is none or the
// text breaks the grammar: then the answer has no such field.
//
// An offer is declined when a parameter is unknown, comes twice, or has a value that it must not have (RFC 7692,
// section 7.1), and in two more cases. A server_max_window_bits of 8: zlib cannot deflate with so small a window. No
// client_max_window_bits although the options demand a window below 15: such a client cannot be told (section 7.1.2.2),
// and a window that the options forbid would have to be kept for it.
[[nodiscard]] std::optional<deflate_agreement> negotiate_deflate(std::string_view offers,
                                                                 const deflate_options& options);

// ----- The client's side

// The value of Sec-WebSocket-Extensions in the request. client_max_window_bits is always offered, so that the server
// may choose a smaller window for us.
[[nodiscard]] std::string offer_deflate(const deflate_options& options);

// What the server's answer to offer_deflate(offered) means. Nothing if it is no valid answer to that offer; then the
// client must fail the connection (RFC 7692, section 5.1). An answer without the field is no matter for this function:
// the server declined.
//
// The server may answer with a client_max_window_bits of 8. That is valid, but zlib cannot deflate with so small a
// window: a client that agreed to it sends its messages uncompressed, as any end may (section 6).
[[nodiscard]] std::optional<deflate_parameters> accept_deflate_response(std::string_view response,
                                                                        const deflate_options& offered);

}  // namespace windhover::wire
