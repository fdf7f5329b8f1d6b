// The command-line tool. Each command is a function in a file of its own.
#include <functional>
#include <utility>

#include <CLI/CLI.hpp>

#include "bench.hpp"
#include "connect.hpp"
#include "dev_certs.hpp"
#include "echo_client.hpp"
#include "serve.hpp"

int main(int argc, char* argv[]) {
  CLI::App app("Windhover: WebSockets from the command line", "windhover");
  app.set_version_flag("--version", std::string("windhover ") + WINDHOVER_VERSION);
  app.require_subcommand(1);
  const std::pair<const char*, std::function<int()>> commands[] = {
      {"serve", windhover::tool::add_serve(app)},
      {"connect", windhover::tool::add_connect(app)},
      {"echo-client", windhover::tool::add_echo_client(app)},
      {"bench", windhover::tool::add_bench(app)},
      {"dev-certs", windhover::tool::add_dev_certs(app)},
  };
  CLI11_PARSE(app, argc, argv);
  for (const auto& [name, run] : commands) {
    if (app.got_subcommand(name)) return run();
  }
  return 1;
}
