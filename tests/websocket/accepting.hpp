// What tests of accepting share: a request that asks for a WebSocket, what answers it, and handlers.
#pragma once

#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "http/connection_peers.hpp"
#include "support/websocket_peer.hpp"
#include "websocket/accept.hpp"

namespace windhover::test {

inline constexpr std::string_view head_of_request =
    "GET /ws HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n";

inline std::string request(std::string_view further_lines = "") {
  return std::string(head_of_request).append(further_lines).append("\r\n");
}

// The whole answer, in virtual time.
inline constexpr std::string_view accepted =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: C/0nmHhBztSRGR1CwL6Tf4ZjwpY=\r\n"
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: Windhover\r\n\r\n";
inline constexpr std::string_view status_of_accepted = "HTTP/1.1 101 Switching Protocols";

inline websocket accept(http::exchange& with, std::string_view sub_protocol = {}, bool retain_request_headers = true) {
  websocket_accept_options options;
  options.sub_protocol = sub_protocol;
  return accept_websocket(with, {}, retain_request_headers, options);
}

// The documented sample: 400 for what is no WebSocket request, an echo for the others.
inline task<> echo_or_400(http::exchange& with) {
  if (!is_websocket_request(with)) {
    with.response().status(400);
    co_return;
  }
  websocket socket = accept(with);
  co_await echo(socket);
}

// Accepts, and sends more at once than may be unsent, without awaiting it: ten messages of 1,000 bytes are queued.
inline task<> flood_at_once(http::exchange& with) {
  websocket_settings settings;
  settings.max_queued_bytes = 1024;
  settings.max_unsent_bytes = 10'000;
  websocket socket = accept_websocket(with, std::make_shared<const websocket_settings>(settings), true, {});
  for (int i = 0; i < 20; ++i) static_cast<void>(socket.send(pattern(1000)));
  const auto end = co_await socket.receive();
  EXPECT_EQ(to_string(end), "closed");
  EXPECT_EQ(status_of(socket), "1006");
}
inline std::string flood_of_frames() {
  std::string frames;
  for (int i = 0; i < 10; ++i) frames += server_frame(opcode::text, pattern(1000));
  return frames;
}

// What comes back for a stream; the client ends its side behind it.
inline std::string answer_to(const http::request_handler& handler, std::string_view stream) {
  http::connection_peers peers;
  peers.context.handler = handler;
  return peers.answer_to_all(stream);
}

inline nlohmann::json handshake_vectors(const char* part) {
  std::ifstream file(std::string(WINDHOVER_FIXTURES) + "/websocket-handshake.json");
  EXPECT_TRUE(file);
  return nlohmann::json::parse(file).at(part);
}

}  // namespace windhover::test
