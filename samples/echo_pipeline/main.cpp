// The echo application once more, step by step: the long form, which works anywhere in a pipeline. Check whether the
// request is a WebSocket request, accept it, and use the socket for as long as the handler runs.
#include <windhover/windhover.hpp>

namespace wh = windhover;
using namespace std::chrono_literals;

wh::task<> echo(wh::websocket& socket) {
  while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

wh::task<> websocket_on_ws(wh::http_context& context, wh::next_middleware next) {
  if (context.request().path() != "/ws") {
    co_await next();
    co_return;
  }
  if (!context.websockets().is_websocket_request()) {
    context.response().status(400);
    co_return;
  }
  wh::websocket socket = co_await context.websockets().accept();
  co_await echo(socket);  // the pipeline unwinds when this returns
}

int main(int argc, char* argv[]) {
  wh::web_application app(argc, argv);
  app.use_websockets({.keep_alive_interval = 2min, .keep_alive_timeout = 20s});
  app.use(websocket_on_ws);
  app.use_static_files("../echo/wwwroot");
  return app.run();
}
