#include "journal.hpp"

#include <algorithm>

namespace windhover::simulation {
namespace {

std::string about(int client, const client_notes& notes, const std::string& what) {
  return "client " + std::to_string(client) + " of " + notes.path + ": " + what;
}

// What the server's handler got must be the beginning of what the client has sent, and all of it when the handler was
// told of the client's own close frame.
std::optional<std::string> judge_inbound(const client_notes& client, const handler_notes& handler, bool stopping) {
  if (handler.received.size() > client.sent.size()) return "the handler received more messages than were sent";
  for (std::size_t i = 0; i < handler.received.size(); ++i) {
    if (!(handler.received[i] == client.sent[i])) {
      return "message " + std::to_string(i) + " arrived as another one";
    }
  }
  const bool clean = client.closed_first && handler.close_status == client.own_code && handler.reads_to_the_end;
  if (clean && !stopping && handler.received.size() != client.sent.size()) {
    return "the connection closed cleanly and the handler received " + std::to_string(handler.received.size()) +
           " messages of " + std::to_string(client.sent.size());
  }
  return std::nullopt;
}

// What the client got must be the beginning of what the handler has sent, and all that was promised to it when the
// server's close frame came.
std::optional<std::string> judge_outbound(const client_notes& client, const handler_notes& handler) {
  if (client.received.size() > handler.sent.size()) return "the client received more messages than were sent";
  for (std::size_t i = 0; i < client.received.size(); ++i) {
    if (!(client.received[i] == handler.sent[i].mark)) {
      return "answer " + std::to_string(i) + " arrived as another one";
    }
  }
  std::size_t promised = 0;
  bool refused = false;
  for (std::size_t i = 0; i < handler.sent.size(); ++i) {
    if (handler.sent[i].outcome == send_outcome::under_way) return "a send never ended";
    if (handler.sent[i].outcome == send_outcome::refused) refused = true;
    if (handler.sent[i].outcome != send_outcome::queued) continue;
    if (refused && !handler.may_lose) return "a send was queued after one that was not";
    promised = i + 1;
  }
  if (client.saw_close && !handler.may_lose && client.received.size() < promised) {
    return "the close frame came, and " + std::to_string(client.received.size()) + " messages of " +
           std::to_string(promised) + " that were promised";
  }
  return std::nullopt;
}

// Where nothing fails and nobody is late, who closes politely is answered politely.
std::optional<std::string> judge_politeness(const client_notes& client, const handler_notes* handler) {
  if (!client.closed_first || !client.hurried || client.seen_code == 1009) return std::nullopt;
  if (handler == nullptr) return "its handler has seen nothing";
  if (!handler->reads_to_the_end) return std::nullopt;
  if (!client.saw_close) return "its close frame was not answered";
  if (handler->close_status != client.own_code) {
    return "the handler was told of " + std::to_string(handler->close_status) + " instead of its close";
  }
  // The answer to a close waits until the handler has seen what came before it.
  if (handler->answers_all && !client.ended_at_once && client.received.size() < client.sent.size()) {
    return "of " + std::to_string(client.sent.size()) + " messages before its close " +
           std::to_string(client.received.size()) + " were answered";
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> journal::verdict() const {
  if (handlers_started != handlers_ended) {
    return std::to_string(handlers_started - handlers_ended) + " handlers have not ended";
  }
  for (const auto& [number, client] : clients) {
    if (!client.complaint.empty()) return about(number, client, client.complaint);
    const auto found = handlers.find(number);
    if (!faults && !stopping) {
      const auto wrong = judge_politeness(client, found == handlers.end() ? nullptr : &found->second);
      if (wrong) return about(number, client, *wrong);
    }
    if (found == handlers.end()) {
      if (!client.received.empty()) return about(number, client, "messages from nobody");
      continue;
    }
    if (!found->second.complaint.empty()) return about(number, client, found->second.complaint);
    if (const auto wrong = judge_inbound(client, found->second, stopping)) return about(number, client, *wrong);
    if (const auto wrong = judge_outbound(client, found->second)) return about(number, client, *wrong);
  }
  return std::nullopt;
}

}  // namespace windhover::simulation
