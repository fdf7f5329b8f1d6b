// server_counters: what a server has seen so far, as numbers.
//
//   const wh::server_counters seen = app.counters();
//   if (seen.accept_failures > 0) warn("descriptors have run out");
#pragma once

#include <cstdint>

namespace windhover {

// Of all event loops together, each as it was a moment ago. Those since the start never fall.
struct server_counters {
  // ----- Open now

  std::uint64_t connections = 0;    // WebSockets too
  std::uint64_t http2_streams = 0;  // requests and WebSockets on connections of HTTP/2
  std::uint64_t websockets = 0;     // those that handlers have opened as clients too, here and below

  // ----- Since the start

  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_refused = 0;             // beyond Limits:MaxConnections
  std::uint64_t connections_refused_by_address = 0;  // beyond Limits:MaxConnectionsPerAddress
  std::uint64_t accept_failures = 0;                 // descriptors or memory had run out

  std::uint64_t requests = 0;            // that went to the pipeline
  std::uint64_t requests_refused = 0;    // malformed, or beyond a limit (400, 413, 414, 431, 501, 505)
  std::uint64_t requests_timed_out = 0;  // whose head did not arrive in time (408)
  std::uint64_t hosts_refused = 0;       // whose host is not one of the allowed (400)
  std::uint64_t origins_refused = 0;     // WebSocket requests of pages from elsewhere (403)
  std::uint64_t upgrades_refused = 0;    // beyond Limits:MaxUpgradedConnections (503)

  std::uint64_t http2_connections = 0;      // that spoke HTTP/2
  std::uint64_t http2_streams_refused = 0;  // beyond Limits:Http2:MaxStreamsPerConnection, handlers of ended ones too
  std::uint64_t http2_floods = 0;           // connections ended: Limits:Http2:Max{Resets,ControlFrames}PerSecond

  std::uint64_t websockets_opened = 0;
  std::uint64_t messages_received = 0;  // whole messages
  std::uint64_t messages_sent = 0;      // that were queued on a live connection

  // ----- Limits of WebSockets that were met without ending them, since the start too

  std::uint64_t waiting_sends = 0;          // whose co_await waited: max_queued_bytes
  std::uint64_t paused_readings = 0;        // until the handler receives: max_inbound_bytes
  std::uint64_t full_handles = 0;           // sends that were `full`: max_queued_bytes, max_queued_messages
  std::uint64_t compression_shortages = 0;  // WebSockets without a context: max_compression_memory was used up

  // ----- Why WebSockets have ended that nobody wanted to end

  std::uint64_t protocol_errors = 0;          // the peer broke the protocol (1002, 1007)
  std::uint64_t messages_too_big = 0;         // beyond max_message_size (1009)
  std::uint64_t too_many_fragments = 0;       // beyond max_fragments (1008)
  std::uint64_t too_many_control_frames = 0;  // beyond max_control_frames_per_second (1008)
  std::uint64_t unanswered_pings = 0;         // no sign of life within keep_alive_timeout
  std::uint64_t unanswered_closes = 0;        // no end within close_timeout
  std::uint64_t stalled_handlers = 0;         // a handler did not receive within stalled_timeout
  std::uint64_t unsent_overflows = 0;         // a handler did not await its sends: max_unsent_bytes
  std::uint64_t inbound_overflows = 0;        // held the most when Limits:InboundBudget was exceeded; HTTP too
};

}  // namespace windhover
