// A receive loop beside a push every second: the client is told the time in ticks, and may say "faster", "slower" or
// "stop".
#include <algorithm>
#include <string>

#include <windhover/windhover.hpp>

namespace wh = windhover;
using namespace std::chrono_literals;

struct pace {
  std::chrono::milliseconds interval = 1s;
};

wh::task<> push_ticks(wh::websocket& socket, const pace& current, std::stop_token stop) {
  for (int tick = 1; co_await wh::sleep_for(current.interval, stop); ++tick) {
    const std::string text = "tick " + std::to_string(tick);
    const bool delivered = co_await socket.send(text);
    if (!delivered) co_return;
  }
}

wh::task<> obey(wh::websocket& socket, pace& current) {
  while (auto message = co_await socket.receive()) {
    if (message->text() == "faster") current.interval = std::max(current.interval / 2, 10ms);
    if (message->text() == "slower") current.interval = std::min(current.interval * 2, 60'000ms);
    if (message->text() == "stop") co_return;
  }
}

wh::task<> ticker(wh::websocket& socket) {
  pace current;
  // Neither of the two outlives the group: the end of the body stops the pusher, and the group waits for it.
  co_await wh::task_group::run([&](wh::task_group& group) -> wh::task<> {
    group.spawn(push_ticks(socket, current, group.stop_token()));
    co_await obey(socket, current);
  });
}

int main(int argc, char* argv[]) {
  wh::web_application app(argc, argv);
  app.use_websockets();
  app.map_websocket("/ticks", ticker);
  return app.run();
}
