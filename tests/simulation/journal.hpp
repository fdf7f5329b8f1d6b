// What the two sides of every simulated WebSocket have seen, noted by each for itself, so that they can be compared
// when everything is over.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "memory_meter.hpp"

namespace windhover::simulation {

// A message, told apart from others without being kept.
struct message_mark {
  std::uint64_t digest = 0;
  std::size_t size = 0;
  bool text = false;
  friend bool operator==(const message_mark&, const message_mark&) = default;

  static message_mark of(bool text, std::string_view payload) noexcept {
    std::uint64_t digest = 0xcbf29ce484222325;
    for (const char each : payload) digest = (digest ^ static_cast<unsigned char>(each)) * 0x100000001b3;
    return {digest, payload.size(), text};
  }
};

enum class send_outcome : std::uint8_t { under_way, queued, refused };

// The server's side.
struct handler_notes {
  std::vector<message_mark> received;
  struct sent_message {
    message_mark mark;
    send_outcome outcome = send_outcome::under_way;
  };
  std::deque<sent_message> sent;
  bool reads_to_the_end = true;  // it left its loop because receive() had no more
  bool answers_all = false;      // each message is sent back at once
  bool may_lose = false;         // sends through a handle, which promises less
  int close_status = 0;
  bool ended = false;
  std::string complaint;  // what the application's own client must not do
};

// The client's side.
struct client_notes {
  std::vector<message_mark> sent;
  std::vector<message_mark> received;
  std::string path;
  int own_code = 0;  // of its close frame; 0: it sent none
  bool closed_first = false;
  bool ended_at_once = false;  // with its close frame came its end
  bool saw_close = false;      // the server's close frame came
  int seen_code = 0;
  bool opened = false;
  bool hurried = false;   // from its first byte to its end in less time than any time-out of the server
  std::string complaint;  // what a server must not do
};

class journal {
 public:
  std::map<int, handler_notes> handlers;
  std::map<int, client_notes> clients;
  int handlers_started = 0;
  int handlers_ended = 0;
  bool stopping = false;
  bool faults = false;  // operations or connections may have failed

  // What is wrong, or nothing.
  std::optional<std::string> verdict() const;
};

}  // namespace windhover::simulation
