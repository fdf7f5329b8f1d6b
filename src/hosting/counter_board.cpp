#include "hosting/counter_board.hpp"

#include <utility>

namespace windhover::hosting {

void counter_board::add(loop_counter_set set) {
  const std::lock_guard lock(mutex_);
  sets_.push_back(std::move(set));
}

server_counters counter_board::read() const {
  server_counters all;
  const std::lock_guard lock(mutex_);
  for (const loop_counter_set& each : sets_) {
    all.connections += each.loop->connections.value();
    all.connections_accepted += each.loop->accepted.value();
    all.connections_refused += each.loop->refused.value();
    all.connections_refused_by_address += each.loop->refused_by_address.value();
    all.accept_failures += each.loop->accept_failures.value();
    all.inbound_overflows += each.loop->inbound_overflows.value();

    all.requests += each.http->requests.value();
    all.requests_refused += each.http->requests_refused.value();
    all.requests_timed_out += each.http->requests_timed_out.value();
    all.upgrades_refused += each.http->upgrades_refused.value();
    all.http2_connections += each.http->http2_connections.value();
    all.http2_streams += each.http->http2_streams.value();
    all.http2_streams_refused += each.http->streams_refused.value();
    all.http2_floods += each.http->http2_floods.value();

    all.hosts_refused += each.pipeline->hosts_refused.value();
    all.origins_refused += each.pipeline->origins_refused.value();

    const websocket_counters& websockets = *each.websockets;
    all.websockets += websockets.open.value();
    all.websockets_opened += websockets.opened.value();
    all.messages_received += websockets.messages_received.value();
    all.messages_sent += websockets.messages_sent.value();
    all.waiting_sends += websockets.waiting_sends.value();
    all.paused_readings += websockets.paused_readings.value();
    all.full_handles += websockets.full_handles.value();
    all.compression_shortages += websockets.compression_shortages.value();
    all.protocol_errors += websockets.protocol_errors.value();
    all.messages_too_big += websockets.messages_too_big.value();
    all.too_many_fragments += websockets.too_many_fragments.value();
    all.too_many_control_frames += websockets.too_many_control_frames.value();
    all.unanswered_pings += websockets.unanswered_pings.value();
    all.unanswered_closes += websockets.unanswered_closes.value();
    all.stalled_handlers += websockets.stalled_handlers.value();
    all.unsent_overflows += websockets.unsent_overflows.value();
  }
  return all;
}

}  // namespace windhover::hosting
