// What map_websocket maps: chooses the sub-protocol, opens the WebSocket and runs the handler.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <windhover/logger.hpp>
#include <windhover/task.hpp>
#include <windhover/web_application.hpp>

namespace windhover::hosting {

class websocket_endpoint {
 public:
  // One of the handlers is empty. `log` is where the application's logger is named, which may change until it starts.
  // Throws std::invalid_argument for options that are out of range.
  websocket_endpoint(std::string pattern, websocket_endpoint_options options, websocket_handler with_context,
                     std::function<task<>(websocket&)> without_context, logger*& log);

  // The endpoint and the context must live until the task has ended. It ends when the handler does, or earlier: where
  // no coroutine waits for it and the handler does not take the context, the connection runs the handler by itself.
  task<> serve(http_context& context) const;

 private:
  // False: the request was answered.
  bool may_open(http_context& context, std::string_view& protocol) const;
  websocket_accept_options accept_options(std::string_view protocol) const;
  // The socket for a handler that is run here, and the one whose connection runs it.
  websocket accept(http_context& context, std::string_view protocol) const;
  void open(http_context& context, std::string_view protocol) const;
  task<> handle(websocket& socket, const http_context& context) const;
  void end_failed_handler(websocket& socket, const http_context& context, std::string_view what) const;

  std::string pattern_;
  websocket_endpoint_options options_;
  websocket_handler with_context_;
  std::function<task<>(websocket&)> without_context_;
  logger*& log_;
};

}  // namespace windhover::hosting
