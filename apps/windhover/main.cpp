// The command-line tool. Each command is a function in a file of its own.
#include <CLI/CLI.hpp>

#include "serve.hpp"

int main(int argc, char* argv[]) {
  CLI::App app("Windhover: WebSockets from the command line", "windhover");
  app.set_version_flag("--version", std::string("windhover ") + WINDHOVER_VERSION);
  app.require_subcommand(1);
  const auto serve = windhover::tool::add_serve(app);
  CLI11_PARSE(app, argc, argv);
  return serve();
}
