// What does nothing until it is awaited cannot be ignored, and a task is awaited once, by moving it.
#include <array>
#include <chrono>
#include <cstddef>
#include <stop_token>
#include <utility>

#include <windhover/sleep_for.hpp>
#include <windhover/websocket.hpp>

namespace wh = windhover;

wh::task<int> answer();

wh::task<> use(wh::websocket& socket, std::stop_token stop) {
  std::array<std::byte, 10> buffer;
  static_cast<void>(co_await socket.receive());
  static_cast<void>(co_await socket.receive(buffer));
  static_cast<void>(co_await socket.receive(stop));
  co_await socket.send("text");
  co_await socket.close();
  co_await wh::sleep_for(std::chrono::seconds(1));
  wh::task<int> later = answer();
  static_cast<void>(co_await std::move(later));
}

#ifdef ignore_receive
void misuse(wh::websocket& socket) { socket.receive(); }
#endif

#ifdef ignore_receive_into
void misuse(wh::websocket& socket, std::array<std::byte, 10>& buffer) { socket.receive(buffer); }
#endif

#ifdef ignore_receive_with_a_token
void misuse(wh::websocket& socket, std::stop_token stop) { socket.receive(stop); }
#endif

#ifdef ignore_send
void misuse(wh::websocket& socket) { socket.send("text"); }
#endif

#ifdef ignore_close
void misuse(wh::websocket& socket) { socket.close(); }
#endif

#ifdef ignore_a_task
void misuse() { answer(); }
#endif

#ifdef ignore_sleep_for
wh::task<> misuse() {
  wh::sleep_for(std::chrono::seconds(1));
  co_return;
}
#endif

#ifdef await_a_task_that_is_a_variable
wh::task<int> misuse() {
  wh::task<int> later = answer();
  co_return co_await later;
}
#endif

#ifdef copy_a_task
wh::task<int> misuse(wh::task<int>& original) { return original; }
#endif
