// What receive() yields cannot dangle and is not copied.
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <windhover/websocket.hpp>

namespace wh = windhover;

wh::received make_result();
wh::message make_message();

wh::task<> use(wh::websocket& socket) {
  if (auto result = co_await socket.receive()) {
    const std::string_view text = result->text();
    static_cast<void>(text);
  }
  wh::message taken = *co_await socket.receive();
  taken = *make_result();
  std::array<std::byte, 10> buffer;
  const wh::receive_result piece = co_await socket.receive(buffer);
  static_cast<void>(piece);
}

#ifdef arrow_of_a_temporary_result
std::string misuse() { return std::string(make_result()->text()); }
#endif

#ifdef text_of_a_temporary_message
std::string_view misuse() { return make_message().text(); }
#endif

#ifdef bytes_of_a_temporary_message
std::size_t misuse() { return make_message().bytes().size(); }
#endif

#ifdef copy_a_message
wh::message misuse(const wh::message& original) { return original; }
#endif

#ifdef assign_a_copy_of_a_message
void misuse(wh::message& to, const wh::message& from) { to = from; }
#endif

#ifdef copy_a_result
wh::received misuse(wh::received& original) { return wh::received(original); }
#endif

#ifdef result_as_a_number
int misuse(const wh::received& result) { return result; }
#endif

#ifdef receive_into_constant_bytes
wh::task<> misuse(wh::websocket& socket) {
  const std::array<std::byte, 10> buffer{};
  static_cast<void>(co_await socket.receive(buffer));
}
#endif
