// The settings of WebSockets: of the middleware, and of one accept.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace windhover {

// Options of use_websockets. Durations of zero switch a thing off, where that is said; sizes are bytes. Values out of
// range throw std::invalid_argument where the options are used.
struct websocket_options {
  // A ping goes out when nothing was received for so long. 0: never.
  std::chrono::milliseconds keep_alive_interval = std::chrono::minutes(2);
  // Any byte must arrive within this time after a ping, or the connection is aborted. 0: as in ASP.NET Core's default,
  // an unsolicited pong goes out at every interval, and nobody is found dead.
  std::chrono::milliseconds keep_alive_timeout = std::chrono::seconds(20);
  // The first size of the buffer for a message whose length is not known or has not arrived; it doubles as the message
  // grows. 64 to 16 MiB.
  std::size_t receive_buffer_size = 4096;
  // Origins of web pages that may connect, as "https://example.com"; compared as origins (RFC 6454). Empty, or with
  // "*": any. A request from another origin is answered with 403. Requests without an Origin header do not come from
  // web pages and are not checked.
  std::vector<std::string> allowed_origins = {};
  // Allows only the origin that the page itself was served from (the Host header), beside allowed_origins.
  bool same_origin = false;
  // A longer message closes the connection with 1009. 0: no limit.
  std::size_t max_message_size = std::size_t{1} << 20;
  // A message of more fragments closes the connection with 1008. 1 to 4,294,967,295.
  std::size_t max_fragments = 131'072;
  // So many pings and pongs may come within a second; more close the connection with 1008. 0: any number.
  std::size_t max_control_frames_per_second = 1000;
  // How long the peer may take to answer a close, and to end the connection after it. More than 0.
  std::chrono::milliseconds close_timeout = std::chrono::seconds(5);
  // How long a handler may leave received messages lying with its socket's inbound bound reached, before the connection
  // is aborted. 0: for ever.
  std::chrono::milliseconds stalled_timeout = std::chrono::minutes(5);
  // The high-water mark of queued output: above it, send() waits until half of it has gone.
  std::size_t max_queued_bytes = std::size_t{64} << 10;
  // How many messages may wait that were sent through handles and not yet taken by the event loop; further ones are
  // dropped as `full`. At least 1.
  std::size_t max_queued_messages = 16'384;
  // For handlers that do not await their sends: a send that finds more waiting ends the connection without a close
  // frame. What was queued before still leaves, if the peer takes it within close_timeout. Never less than
  // max_queued_bytes.
  std::size_t max_unsent_bytes = std::size_t{16} << 20;
  // A longer message leaves in several frames, each with at most so many bytes of payload (RFC 6455, section 5.4), for
  // peers that take no large ones. 0: one frame for each message. Up to 1 GiB.
  std::size_t max_frame_size = 0;
  // The inbound bound: what is held for a handler that is not receiving. Reading pauses at half of it.
  std::size_t max_inbound_bytes = std::size_t{64} << 10;
  // The switch. When off, no request is a WebSocket request, and upgrades pass on untouched.
  bool enabled = true;
  // Whether the request's headers stay readable after accepting. They cost memory for every open socket.
  bool retain_request_headers = true;

  // ----- Compression (permessage-deflate, RFC 7692), for clients that offer it
  //
  // DANGEROUS where secrets and what an attacker can choose are compressed together: from the length of the encrypted
  // messages the secrets can be guessed (CRIME, BREACH). That is so when a message holds both, or, with context
  // takeover, when messages near to each other do. Leave it off for such sockets, or send what is secret with
  // disable_compression::yes.

  // Accepts an offer of permessage-deflate. Off: every client is served without.
  bool dangerous_enable_compression = false;
  // Each message of the server, or of the client, is compressed for itself, without reference to earlier ones: larger
  // messages for less memory. A client can ask for either too.
  bool disable_server_context_takeover = false;
  bool disable_client_context_takeover = false;
  // The window that the server, or the client, may compress with is 2 to the power of this, in bytes: the server's from
  // 9, because zlib cannot compress with 8, the client's from 8, both to 15. A client may ask for less. An offer
  // without client_max_window_bits is not accepted when the client's is below 15, because such a client cannot be told.
  int server_max_window_bits = 15;
  int client_max_window_bits = 15;
  // A shorter message is sent as it is: compressing it costs more than it saves. 0: every message is compressed. The
  // length of a message that is sent in fragments is not known; it is compressed.
  std::size_t compression_threshold = 256;
  // What the contexts of all sockets of one event loop may hold between messages: up to 150 KiB each for the server's,
  // up to 39 KiB for the client's. Beyond it sockets do without, as if context takeover was disabled. 0: all of them.
  std::size_t max_compression_memory = std::size_t{64} << 20;
};

// Options of one accept; what is not set is taken from websocket_options. Views need to live until accept returns.
struct websocket_accept_options {
  // Must be one that the client offered, compared without regard to case; it is answered in the client's spelling.
  std::string_view sub_protocol = {};
  std::optional<std::chrono::milliseconds> keep_alive_interval = {};
  std::optional<std::chrono::milliseconds> keep_alive_timeout = {};
  std::optional<std::size_t> max_message_size = {};
  std::optional<bool> dangerous_enable_compression = {};  // see the warning there
  std::optional<bool> disable_server_context_takeover = {};
  std::optional<bool> disable_client_context_takeover = {};
  std::optional<int> server_max_window_bits = {};
  std::optional<int> client_max_window_bits = {};
};

}  // namespace windhover
