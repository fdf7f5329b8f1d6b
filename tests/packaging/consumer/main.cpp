// The program that every user writes first.
#include <windhover/windhover.hpp>

namespace wh = windhover;
using namespace std::chrono_literals;

wh::task<> echo(wh::websocket& socket) {
  while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

int main(int argc, char* argv[]) {
  wh::web_application app(argc, argv);
  app.use_websockets({.keep_alive_interval = 2min, .keep_alive_timeout = 20s});
  app.use_static_files("wwwroot");
  app.map_websocket("/ws", echo);
  return app.run();
}
