// The settings of a WebSocket client.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <windhover/certificate_files.hpp>
#include <windhover/headers.hpp>
#include <windhover/http_protocols.hpp>
#include <windhover/tls_version.hpp>

namespace windhover {

// For wss:// URLs. The files are read when the client is made.
struct websocket_client_tls {
  // A PEM file with the authorities that the server's certificate must come from; those of the system when empty.
  std::string authorities = {};
  // The name that the server's certificate must be for, and that the server is asked for (SNI); the host of the URL
  // when empty.
  std::string server_name = {};
  // The client's own certificate, for servers that ask for one.
  certificate_files certificate = {};
  // Servers that speak only older or newer versions are refused; the same one twice is that one alone.
  tls_version least_version = tls_version::tls_1_2;
  tls_version most_version = tls_version::tls_1_3;
  // DANGEROUS: with it anybody on the way can read and change everything. For experiments on one machine; set
  // `authorities` instead where you know the server's certificate.
  bool dangerous_accept_any_certificate = false;
};

// Durations of zero switch a thing off, where that is said; sizes are bytes. Values out of range throw
// std::invalid_argument when the client is made.
struct websocket_client_options {
  // ----- The opening handshake

  // What the client speaks, best first: tokens (RFC 9110, section 5.6.2), each once without regard to case. The server
  // chooses one of them or none; websocket::sub_protocol() says which.
  std::vector<std::string> sub_protocols = {};
  // Further fields of the request, such as Authorization and Cookie. Not those that the handshake itself decides on:
  // Host, Upgrade, Connection, Sec-WebSocket-*, and those of a body.
  windhover::headers request_headers = {};
  // The Origin field, as "https://example.com"; none when empty. Servers check it for browsers only.
  std::string origin = {};
  // The Host field, as "example.com" or "example.com:8080"; that of the URL when empty.
  std::string host = {};
  // An HTTP proxy through which servers are reached, with CONNECT (RFC 9110, section 9.3.6), as
  // "http://proxy.example.com:3128" or "http://user:password@proxy.example.com:3128"; none when empty. The proxy
  // resolves the server's name. Unix sockets are connected to without it. The environment is not looked at.
  std::string proxy = {};

  websocket_client_tls tls = {};

  // The versions of HTTP that WebSockets are opened with. http1: RFC 6455. http2: RFC 8441, over TLS, or with ws:// in
  // clear text to a server that is known to speak it (RFC 9113, section 3.3). http1_and_http2: over TLS what the server
  // chooses (ALPN), and HTTP/1.1 where that takes no WebSockets over HTTP/2; with ws:// HTTP/1.1.
  //
  // Over HTTP/2 the WebSockets that one client opens to one server from one event loop share a connection, as far as
  // the server allows; it ends with the last of them. Each has a window of its own, max_inbound_bytes.
  http_protocols protocols = http_protocols::http1;

  // For everything up to the server's answer: resolving the name, connecting, the proxy, the handshake. 0: no limit.
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(30);
  // For one of several addresses of a name, so that one that never answers does not keep the next from being tried. The
  // last one has all the time that is left. 0: as long as it takes.
  std::chrono::milliseconds address_timeout = std::chrono::seconds(5);

  // What a server may say before the connection is a WebSocket: bytes and number of the fields of all its answers
  // together, and how much is kept of the body of an answer that refuses.
  std::size_t max_response_header_bytes = std::size_t{32} << 10;
  std::size_t max_response_header_count = 100;
  std::size_t max_response_body_bytes = 4096;

  // ----- The open WebSocket, as in websocket_options

  // A ping goes out when nothing was received for so long. 0: never.
  std::chrono::milliseconds keep_alive_interval = std::chrono::seconds(30);
  // Any byte must arrive within this time after a ping, or the connection is aborted. 0: an unsolicited pong goes out
  // at every interval, and nobody is found dead.
  std::chrono::milliseconds keep_alive_timeout = std::chrono::seconds(20);
  // The first size of the buffer for a message whose length is not known or has not arrived. 64 to 16 MiB.
  std::size_t receive_buffer_size = 4096;
  // A longer message closes the connection with 1009. 0: no limit.
  std::size_t max_message_size = std::size_t{1} << 20;
  // A message of more fragments closes the connection with 1008. 1 to 4,294,967,295.
  std::size_t max_fragments = 131'072;
  // So many pings and pongs may come within a second; more close the connection with 1008. 0: any number.
  std::size_t max_control_frames_per_second = 1000;
  // How long the server may take to answer a close, and to end the connection after it: the server does so first
  // (RFC 6455, section 7.1.1). More than 0.
  std::chrono::milliseconds close_timeout = std::chrono::seconds(5);
  // How long received messages may be left lying with the inbound bound reached, before the connection is aborted. 0:
  // for ever.
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
  // The inbound bound: what is held while nobody receives. Reading pauses at half of it.
  std::size_t max_inbound_bytes = std::size_t{64} << 10;

  // ----- Compression (permessage-deflate, RFC 7692)
  //
  // DANGEROUS where secrets and what an attacker can choose are compressed together: from the length of the encrypted
  // messages the secrets can be guessed (CRIME, BREACH). Leave it off for such sockets, or send what is secret with
  // disable_compression::yes.

  // Offers it to the server, which may decline: websocket::extensions() says what was agreed.
  bool dangerous_enable_compression = false;
  // Demands that the server compress each message for itself, without reference to earlier ones; or promises that the
  // client does so. Larger messages for less memory.
  bool disable_server_context_takeover = false;
  bool disable_client_context_takeover = false;
  // The window that the server may compress with, and the largest one that the client does: 2 to the power of this, in
  // bytes. 9 to 15. The server may choose less for either; a client that is given 8, which zlib cannot compress with,
  // sends its messages as they are.
  int server_max_window_bits = 15;
  int client_max_window_bits = 15;
  // A shorter message is sent as it is. 0: every message is compressed. The length of a message that is sent in
  // fragments is not known; it is compressed.
  std::size_t compression_threshold = 256;
  // What the contexts of all sockets of one event loop, clients' and servers', may hold between messages. When it is
  // used up the server is asked to keep no context. 0: all of them.
  std::size_t max_compression_memory = std::size_t{64} << 20;
};

}  // namespace windhover
