// What a testing::client_websocket knows, and what it does by itself: reading frames, answering pings and closes.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "testing/frame_reader.hpp"
#include "testing/host_state.hpp"
#include "testing/memory_peer.hpp"
#include "wire/websocket/handshake.hpp"
#include <windhover/testing.hpp>

namespace windhover::testing {

struct client_websocket_state {
  client_websocket_state(std::shared_ptr<host_state> of, bool pings_are_answered);

  // The handshake is done; `rest` are the bytes behind it.
  void open(std::string_view protocol, const std::string& rest);
  void take(std::string_view bytes);
  void queue_frame(wire::opcode code, std::string_view payload, bool fin);
  // With a code of 1005 without one.
  void queue_close(close_code code, std::string_view reason);
  // Nothing more will be received than what is here.
  bool over() const noexcept { return close_seen || peer->ended(); }
  std::optional<close_code> status() const noexcept;

  std::shared_ptr<host_state> in;
  std::optional<memory_peer> peer;
  frame_reader frames;
  std::deque<message> messages;
  std::string under_way;  // fragments of a message
  message_type type_under_way = message_type::text;
  std::optional<close_code> seen_code;
  std::string reason;
  std::string sub_protocol;
  std::size_t pings = 0;
  bool answers_pings;
  bool close_seen = false;
  bool close_sent = false;
  bool sending_fragments = false;

 private:
  void take_frame(read_frame& frame);
  void take_close(std::string_view payload);
};

}  // namespace windhover::testing
