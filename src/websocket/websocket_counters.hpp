// What the WebSockets of one loop count, those of servers and of clients.
#pragma once

#include "base/counter.hpp"

namespace windhover {

struct websocket_counters {
  base::counter open;  // now
  base::counter opened;
  base::counter messages_received;  // whole ones
  base::counter messages_sent;      // queued on a live connection; prepared ones and fragmented ones count once
  // Limits that were met without ending anything.
  base::counter waiting_sends;
  base::counter paused_readings;
  base::counter full_handles;  // sends through them that were refused
  base::counter compression_shortages;
  // What has ended connections, beside their ends.
  base::counter protocol_errors;
  base::counter messages_too_big;
  base::counter too_many_fragments;
  base::counter too_many_control_frames;
  base::counter unanswered_pings;
  base::counter unanswered_closes;  // or the peer has not ended the connection after them
  base::counter stalled_handlers;
  base::counter unsent_overflows;
};

}  // namespace windhover
