// The opening handshake (RFC 6455, section 4; over HTTP/2, RFC 8441, section 5): what makes a request one for a
// WebSocket, what a client sends and how it judges the answer. Reading and writing messages is HTTP's business.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "wire/websocket/deflate_negotiation.hpp"
#include <windhover/headers.hpp>

namespace windhover::wire {

// ----- The server's side

// What the server looks at in a request.
struct handshake_request {
  std::string_view method;
  int http_major;
  int http_minor;
  const headers& fields;
  bool has_body;                           // chunked, or a Content-Length above 0
  std::string_view connect_protocol = {};  // :protocol in HTTP/2
};

// Whether a client asks for a WebSocket: GET over HTTP/1.1 without a body, with "websocket" among the members of
// Upgrade, "Upgrade" among those of Connection, "13" among those of Sec-WebSocket-Version, and one valid
// Sec-WebSocket-Key (RFC 6455, section 4.2.1). Over HTTP/2 it is CONNECT with the :protocol "websocket" and the same
// version, and the rest has no meaning (RFC 8441, section 5). Nothing else is looked at; the origin is checked apart
// from this.
[[nodiscard]] bool is_websocket_request(const handshake_request& request);

// Whether the client names versions of the protocol and 13 is not among them. Such a request is answered with 426 and
// "Sec-WebSocket-Version: 13" (RFC 6455, section 4.4).
[[nodiscard]] bool names_unsupported_version(const headers& fields);

// Whether a key is base64 of 16 octets.
[[nodiscard]] bool is_handshake_key(std::string_view key) noexcept;

// The value of Sec-WebSocket-Accept that answers a key (RFC 6455, section 4.2.2).
[[nodiscard]] std::string accept_key(std::string_view key);

// The members of Sec-WebSocket-Protocol in the client's order. The views point into `fields`.
[[nodiscard]] std::vector<std::string_view> requested_protocols(const headers& fields);

// The offered sub-protocol that equals the chosen one without regard to case, in the client's spelling. Nothing if the
// client did not offer it.
[[nodiscard]] std::optional<std::string_view> select_protocol(std::span<const std::string_view> requested,
                                                              std::string_view chosen) noexcept;

// ----- The client's side

// A new Sec-WebSocket-Key: base64 of 16 random octets.
[[nodiscard]] std::string make_handshake_key(base::random_source& random);

struct client_handshake {
  std::string_view target;                           // path and query, "/chat?room=1"
  std::string_view host;                             // the value of Host, "example.com" or "[::1]:5000"
  std::string_view key = {};                         // of HTTP/1.1
  std::span<const std::string_view> protocols = {};  // in order of preference
  std::string_view extensions = {};                  // the value of Sec-WebSocket-Extensions; no such field when empty
  const headers* further_fields = nullptr;           // Origin, Cookie, Authorization and the like
};

// The request as it goes on the wire. Throws std::invalid_argument, naming the culprit, when the target or the host is
// none, a sub-protocol is no token or named twice, or a further field is one that the handshake itself decides on.
[[nodiscard]] std::string encode_client_handshake(const client_handshake& handshake);

// The same for HTTP/2: the fields beside the pseudo-header ones. There is no key, and none that concerns a connection
// (RFC 8441, section 5).
[[nodiscard]] headers client_handshake_fields(const client_handshake& handshake);

// Why a client does not take the server's answer (RFC 6455, section 4.1).
enum class handshake_failure : std::uint8_t {
  none,
  status_not_101,
  upgrade_missing,     // Upgrade is not "websocket"
  connection_missing,  // no "Upgrade" among the members of Connection
  accept_missing,
  accept_wrong,  // Sec-WebSocket-Accept answers another key, or there are several
  extension_not_offered,
  extension_wrong,       // permessage-deflate, and not as it was offered
  protocol_not_offered,  // or more than one
};

struct handshake_outcome {
  handshake_failure failure = handshake_failure::none;
  std::string_view protocol;  // the sub-protocol that the server chose, as the client offered it; empty if none
  std::optional<deflate_parameters> compression = std::nullopt;  // nothing: no permessage-deflate
};

// Judges the answer to a request with this key, these sub-protocols, and permessage-deflate if it was offered so (null:
// it was not). The views point to where `offered` points.
[[nodiscard]] handshake_outcome verify_server_handshake(int status, const headers& fields, std::string_view key,
                                                        std::span<const std::string_view> offered,
                                                        const deflate_options* offered_compression = nullptr);

// The part of it that HTTP/2 has as well: what the server has chosen of what was offered.
[[nodiscard]] handshake_outcome verify_server_choices(const headers& fields, std::span<const std::string_view> offered,
                                                      const deflate_options* offered_compression = nullptr);

// A short sentence for logs and exceptions.
[[nodiscard]] std::string_view describe(handshake_failure failure) noexcept;

}  // namespace windhover::wire
