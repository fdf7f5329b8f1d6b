// Windhover as a peer of the comparison, made of its public headers alone and with its defaults, but for compression.
//
//   server PORT ENGINE
//
// /ws echoes, /compressed echoes to clients that offer permessage-deflate, and what anybody sends to /broadcast goes to
// everybody there.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <windhover/windhover.hpp>

namespace wh = windhover;

namespace {

wh::task<> echo(wh::websocket& socket) {
  while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

// Those who are on /broadcast. There is one event loop, so nothing here is locked.
class room {
 public:
  void enter(wh::websocket_handle who) { present_.push_back(std::move(who)); }
  void leave(const wh::websocket_handle& who) { std::erase(present_, who); }
  void tell(const wh::prepared_message& what) const {
    for (const wh::websocket_handle& each : present_) each.send(what);
  }

 private:
  std::vector<wh::websocket_handle> present_;
};

wh::prepared_message prepared(const wh::message& from) {
  if (from.type() == wh::message_type::text) return wh::prepared_message::from_text(from.text());
  return wh::prepared_message::from_bytes(from.bytes());
}

}  // namespace

int main(int argc, char* argv[]) {
  if (argc != 3) {
    std::fputs("usage: server PORT ENGINE\n", stderr);
    return 2;
  }
  wh::configuration_sources sources;
  sources.arguments = {
      "--urls", "http://127.0.0.1:" + std::string(argv[1]), "--engine", argv[2], "--threads", "1", "--log-level",
      "warning"};
  sources.read_files = false;
  wh::web_application app(sources);
  room everybody;
  app.use_websockets();
  app.map_websocket("/ws", echo);
  app.map_websocket("/compressed", {.dangerous_enable_compression = true}, echo);
  app.map_websocket("/broadcast", [&everybody](wh::websocket& socket) -> wh::task<> {
    everybody.enter(socket.handle());
    while (auto message = co_await socket.receive()) everybody.tell(prepared(*message));
    everybody.leave(socket.handle());
  });
  return app.run();
}
