// An application whose handlers accept WebSockets in the long form of the guide, for the tests of accepting.
#pragma once

#include <functional>
#include <string_view>
#include <utility>

#include "hosting/running_application.hpp"

namespace windhover::hosting {

class accepting_application : public running_application {
 protected:
  // The long form of the guide, on /ws, with a handler of the test's.
  void use_long_form(std::function<task<>(http_context&)> on_websocket) {
    app->use([on_websocket = std::move(on_websocket)](http_context& context, next_middleware next) -> task<> {
      if (context.request().path() != "/ws") {
        co_await next();
        co_return;
      }
      if (!context.websockets().is_websocket_request()) {
        context.response().status(400);
        co_return;
      }
      co_await on_websocket(context);
    });
  }
  static task<> accept_and_echo(http_context& context) {
    websocket socket = co_await context.websockets().accept();
    co_await echo(socket);
  }
  test::http_answer ask_for_websocket(std::string_view target = "/ws", std::string_view further = {}) {
    return get(target, test::handshake(further));
  }
};

}  // namespace windhover::hosting
