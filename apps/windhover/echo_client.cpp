#include "echo_client.hpp"

#include <memory>

#include <CLI/CLI.hpp>

#include "client_command.hpp"

namespace windhover::tool {
namespace {

// However the connection ends: what it was for is the server's to judge.
task<int> echo_until_closed(websocket& socket) {
  while (auto message = co_await socket.receive()) co_await socket.send(*message);
  say("closed: " + close_text(socket));
  co_return 0;
}

}  // namespace

std::function<int()> add_echo_client(CLI::App& app) {
  const auto options = std::make_shared<client_command_options>();
  CLI::App* const command =
      app.add_subcommand("echo-client", "Connect to a WebSocket server and send every message back until it closes");
  add_client_options(*command, *options);
  options->keep_alive = false;
  return [options] { return run_client(*options, echo_until_closed); };
}

}  // namespace windhover::tool
