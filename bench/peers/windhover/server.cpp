// Windhover as a peer of the comparison, made of its public headers alone and with its defaults, but for compression.
//
//   server PORT ENGINE [CERTIFICATE KEY]
//
// /ws echoes, /compressed echoes to clients that offer permessage-deflate, and what anybody sends to /broadcast goes to
// everybody there. HTTP/2 is spoken too; with a certificate all of it over TLS.
#include <cstdio>
#include <string>

#include <windhover/windhover.hpp>

namespace wh = windhover;

namespace {

wh::task<> echo(wh::websocket& socket) {
  while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

}  // namespace

int main(int argc, char* argv[]) {
  if (argc != 3 && argc != 5) {
    std::fputs("usage: server PORT ENGINE [CERTIFICATE KEY]\n", stderr);
    return 2;
  }
  wh::configuration_sources sources;
  const bool secure = argc == 5;
  sources.arguments = {"--urls",      (secure ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::string(argv[1]),
                       "--engine",    argv[2],
                       "--threads",   "1",
                       "--log-level", "warning"};
  if (secure) {
    sources.arguments.insert(sources.arguments.end(), {"--Windhover:Certificates:Default:Path", argv[3],
                                                       "--Windhover:Certificates:Default:KeyPath", argv[4]});
  }
  sources.read_files = false;
  wh::web_application app(sources);
  wh::topics everybody;
  app.use_websockets();
  app.map_websocket("/ws", echo);
  app.map_websocket("/compressed", {.dangerous_enable_compression = true}, echo);
  app.map_websocket("/broadcast", [&everybody](wh::websocket& socket) -> wh::task<> {
    everybody.subscribe(socket, "everybody");
    while (auto message = co_await socket.receive()) everybody.publish("everybody", *message);
  });
  return app.run();
}
