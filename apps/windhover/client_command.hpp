// What the commands that connect share: their options, and the run of a client on an engine.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <windhover/windhover.hpp>

namespace CLI {
class App;
}

namespace windhover::tool {

struct client_command_options {
  std::string url;
  std::vector<std::string> sub_protocols;
  std::vector<std::string> headers;  // "Name: value"
  std::string origin;
  std::string proxy;
  websocket_client_tls tls;
  http_protocols protocols = http_protocols::http1;
  std::string engine;
  unsigned connect_timeout = 30;  // seconds
  std::size_t max_message_size = std::size_t{64} << 20;
  bool compress = false;
  bool keep_alive = true;  // no option of the command line: a server that tests its clients wants no pings
};

void add_client_options(CLI::App& command, client_command_options& options);

// Opens the WebSocket, runs the handler on it, and waits until both have ended. The handler's value is the exit code; 1
// when there was no WebSocket, with one line on the standard error that says why.
int run_client(const client_command_options& options, const std::function<task<int>(websocket&)>& handler);

// "1000 'bye'", "1006 (the connection was lost)".
std::string close_text(const websocket& socket);

// One line on the standard error.
void say(const std::string& line);

}  // namespace windhover::tool
