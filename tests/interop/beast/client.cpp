// Boost.Beast as a client of the tool's echo, at the URL in WINDHOVER_WEBSOCKET_URL. With --compress it offers
// permessage-deflate and insists on it. The exit code is 0 when everything has come back and the close was answered.
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/beast/http.hpp>

#include "conversation.hpp"

namespace windhover::interop {
namespace {

void run(const std::string& url, bool compress) {
  constexpr std::string_view start = "ws://127.0.0.1:";
  if (!url.starts_with(start)) throw std::runtime_error("'" + url + "' is no URL on this machine");
  const std::string port = url.substr(start.size(), url.find('/', start.size()) - start.size());
  const std::string path = url.substr(url.find('/', start.size()));

  boost::asio::io_context context;
  socket_type socket(context);
  socket.next_layer().connect(
      {boost::asio::ip::make_address("127.0.0.1"), static_cast<boost::asio::ip::port_type>(std::stoul(port))});
  socket.next_layer().set_option(tcp::no_delay(true));
  socket.read_message_max(0);
  socket.set_option(compression(compress));
  websocket::response_type answer;
  socket.handshake(answer, "127.0.0.1:" + port, path);
  if (compress != (answer.count(http::field::sec_websocket_extensions) != 0))
    throw std::runtime_error("the server answers '" + std::string(answer[http::field::sec_websocket_extensions]) + "'");

  drive(socket);
  socket.close(websocket::close_reason(websocket::close_code::normal, "done"));
  if (socket.reason().code != websocket::close_code::normal || socket.reason().reason != "done")
    throw std::runtime_error("the close is answered with " + std::to_string(socket.reason().code));
}

}  // namespace
}  // namespace windhover::interop

int main(int argc, char* argv[]) {
  const char* const url = std::getenv("WINDHOVER_WEBSOCKET_URL");
  const bool compress = argc > 1 && std::string_view(argv[1]) == "--compress";
  try {
    windhover::interop::run(url == nullptr ? "" : url, compress);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
