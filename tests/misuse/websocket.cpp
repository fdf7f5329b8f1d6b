// A websocket is where accept made it: it is neither copied nor moved.
#include <utility>
#include <vector>

#include <windhover/websocket.hpp>

void borrow(windhover::websocket& socket) {
  windhover::websocket& same = socket;
  static_cast<void>(same);
}

#ifdef copy_a_websocket
void misuse(windhover::websocket& socket) {
  windhover::websocket copy = socket;
  static_cast<void>(copy);
}
#endif

#ifdef move_a_websocket
void misuse(windhover::websocket& socket) {
  windhover::websocket moved = std::move(socket);
  static_cast<void>(moved);
}
#endif

#ifdef keep_a_websocket_in_a_vector
void misuse(std::vector<windhover::websocket>& sockets, windhover::websocket& socket) {
  sockets.push_back(std::move(socket));
}
#endif

#ifdef assign_a_websocket
void misuse(windhover::websocket& socket, windhover::websocket& other) { socket = std::move(other); }
#endif
