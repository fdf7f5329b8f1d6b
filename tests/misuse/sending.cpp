// What can be sent says what it is: characters are text, bytes are binary, and the end of a message has a name.
#include <array>
#include <cstddef>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <windhover/websocket.hpp>

namespace wh = windhover;

wh::task<> use(wh::websocket& socket, wh::websocket_handle handle, wh::message whole) {
  co_await socket.send("literal");
  co_await socket.send(std::string("string"));
  co_await socket.send(std::string_view("view"), wh::end_of_message::no);
  co_await socket.send(std::vector<std::byte>(10), wh::end_of_message::no);
  co_await socket.send(std::array<unsigned char, 4>{}, wh::end_of_message::yes);
  std::array<std::byte, 4> bytes{};
  co_await socket.send(std::span<const std::byte>(bytes));
  co_await socket.send(std::span<std::byte>(bytes).first(2));
  co_await socket.send(whole);
  co_await socket.close(wh::close_code::going_away);
  handle.send(std::move(whole));
}

#ifdef bool_as_end_of_message
void misuse(wh::websocket& socket) { static_cast<void>(socket.send("text", true)); }
#endif

#ifdef number_as_end_of_message
void misuse(wh::websocket& socket) { static_cast<void>(socket.send("text", 1)); }
#endif

#ifdef send_a_vector_of_characters
void misuse(wh::websocket& socket, const std::vector<char>& text) { static_cast<void>(socket.send(text)); }
#endif

#ifdef send_a_span_of_characters
void misuse(wh::websocket& socket, std::span<const char> text) { static_cast<void>(socket.send(text)); }
#endif

#ifdef send_numbers
void misuse(wh::websocket& socket, const std::vector<int>& numbers) { static_cast<void>(socket.send(numbers)); }
#endif

#ifdef send_a_list_of_bytes
void misuse(wh::websocket& socket, const std::list<std::byte>& bytes) { static_cast<void>(socket.send(bytes)); }
#endif

#ifdef send_one_byte
void misuse(wh::websocket& socket, std::byte byte) { static_cast<void>(socket.send(byte)); }
#endif

#ifdef number_as_close_code
void misuse(wh::websocket& socket) { socket.close_output(1000); }
#endif

#ifdef copy_a_message_into_a_handle
void misuse(const wh::websocket_handle& handle, const wh::message& whole) { handle.send(whole); }
#endif
