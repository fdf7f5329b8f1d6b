// What both of our programs on Boost.Beast do, as a server and as a client: random messages to an end that echoes.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>

namespace windhover::interop {

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using tcp = boost::asio::ip::tcp;
using socket_type = websocket::stream<tcp::socket>;

inline std::string receive(socket_type& socket) {
  beast::flat_buffer buffer;
  socket.read(buffer);
  return beast::buffers_to_string(buffer.data());
}

inline void send(socket_type& socket, std::string_view bytes, bool text) {
  socket.text(text);
  socket.write(boost::asio::buffer(bytes.data(), bytes.size()));
}

inline void require_echo(socket_type& socket, const std::string& bytes, bool text) {
  const std::string echo = receive(socket);
  if (echo != bytes || socket.got_text() != text)
    throw std::runtime_error("an echo of " + std::to_string(bytes.size()) + " is wrong");
}

// Text, whatever the bytes are used for; some of it repeats itself.
inline std::string payload(std::size_t size, std::mt19937& random) {
  const unsigned letters = random() % 3 == 0 ? 2 : 26;
  std::string made(size, '\0');
  std::generate(made.begin(), made.end(), [&] { return static_cast<char>('a' + random() % letters); });
  return made;
}

// In fragments cut anywhere, with a ping between them.
inline void send_in_pieces(socket_type& socket, std::string_view bytes, bool text, std::mt19937& random) {
  socket.text(text);
  while (random() % 3 != 0 && !bytes.empty()) {
    const std::size_t count = random() % (bytes.size() + 1);
    socket.write_some(false, boost::asio::buffer(bytes.data(), count));
    bytes.remove_prefix(count);
    if (random() % 4 == 0) socket.ping("between");
  }
  socket.write_some(true, boost::asio::buffer(bytes.data(), bytes.size()));
}

// Everything that is sent must come back. Throws, with the seed that does it again, when it does not.
inline void drive(socket_type& socket) {
  const char* const given = std::getenv("WINDHOVER_SEED");
  const auto seed = given != nullptr ? static_cast<unsigned>(std::stoul(given)) : std::random_device()();
  std::mt19937 random(seed);
  try {
    for (const std::size_t size : {0U, 1U, 125U, 126U, 65535U, 65536U, 10U << 20}) {
      for (const bool text : {true, false}) {
        const std::string bytes = payload(size, random);
        send(socket, bytes, text);
        require_echo(socket, bytes, text);
      }
    }
    for (int round = 0; round < 300; ++round) {
      const std::string bytes = payload(random() % (random() % 4 == 0 ? 100'000 : 300), random);
      const bool text = random() % 2 == 0;
      send_in_pieces(socket, bytes, text, random);
      require_echo(socket, bytes, text);
    }
  } catch (const std::exception& error) {
    throw std::runtime_error("seed " + std::to_string(seed) + ": " + error.what());
  }
}

// All that RFC 7692 lets both ends agree on; the small windows and the rest are negotiated by others.
inline websocket::permessage_deflate compression(bool wanted) {
  websocket::permessage_deflate options;
  options.client_enable = options.server_enable = wanted;
  options.compLevel = 1;  // nothing here is about size
  return options;
}

}  // namespace windhover::interop
