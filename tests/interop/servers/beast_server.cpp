// Boost.Beast as a server for the tool's commands that connect. Prints its port, and ends with its standard input. What
// each path does stands in client.test.mjs. One blocking thread for each connection.
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using tcp = boost::asio::ip::tcp;
using socket_type = websocket::stream<tcp::socket>;
using request_type = http::request<http::string_body>;

namespace {

std::string receive(socket_type& socket) {
  beast::flat_buffer buffer;
  socket.read(buffer);
  return beast::buffers_to_string(buffer.data());
}

void send(socket_type& socket, std::string_view bytes, bool text) {
  socket.text(text);
  socket.write(boost::asio::buffer(bytes.data(), bytes.size()));
}

void require_echo(socket_type& socket, const std::string& bytes, bool text) {
  const std::string echo = receive(socket);
  if (echo != bytes || socket.got_text() != text)
    throw std::runtime_error("an echo of " + std::to_string(bytes.size()) + " is wrong");
}

// Text, whatever the bytes are used for.
std::string payload(std::size_t size, std::mt19937& random) {
  std::string made(size, '\0');
  std::generate(made.begin(), made.end(), [&] { return static_cast<char>('a' + random() % 26); });
  return made;
}

// In fragments cut anywhere, with a ping between them.
void send_in_pieces(socket_type& socket, std::string_view bytes, bool text, std::mt19937& random) {
  socket.text(text);
  while (random() % 3 != 0 && !bytes.empty()) {
    const std::size_t count = random() % (bytes.size() + 1);
    socket.write_some(false, boost::asio::buffer(bytes.data(), count));
    bytes.remove_prefix(count);
    if (random() % 4 == 0) socket.ping("between");
  }
  socket.write_some(true, boost::asio::buffer(bytes.data(), bytes.size()));
}

// The tool echoes: everything that is sent must come back.
void drive(socket_type& socket) {
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
    const std::string why = "seed " + std::to_string(seed) + ": " + error.what();
    socket.close(websocket::close_reason(static_cast<websocket::close_code>(4999), why.substr(0, 100)));
    return;
  }
  socket.close(websocket::close_reason(websocket::close_code::normal, "done"));
}

void echo(socket_type& socket) {
  for (;;) {
    const std::string bytes = receive(socket);
    send(socket, bytes, socket.got_text());
  }
}

void serve_path(socket_type& socket, std::string_view path, const request_type& request) {
  if (path == "/drive") return drive(socket);
  if (path == "/echo") return echo(socket);
  if (path == "/binary") {
    send(socket, std::string_view("\0\xff\x10", 3), false);
    return socket.close(websocket::close_code::normal);
  }
  if (path == "/seen") {
    const std::string seen =
        std::string(request["Origin"]) + " " + std::string(request["X-Test"]) + " " + std::string(request.target());
    send(socket, seen, true);
    return socket.close(websocket::close_code::normal);
  }
  if (path == "/close")
    return socket.close(websocket::close_reason(static_cast<websocket::close_code>(4321), "Gr\u00fc\u00dfe"));
  if (path == "/drop") {
    send(socket, "speak", true);
    receive(socket);
    socket.next_layer().set_option(boost::asio::socket_base::linger(true, 0));
    socket.next_layer().close();
  }
}

void refuse(tcp::socket& connection, http::status status, std::string_view body) {
  http::response<http::string_body> response(status, 11);
  if (status == http::status::unauthorized) response.set(http::field::www_authenticate, "Bearer");
  response.body() = body;
  response.prepare_payload();
  http::write(connection, response);
  connection.shutdown(tcp::socket::shutdown_send);
}

void serve(tcp::socket connection) {
  connection.set_option(tcp::no_delay(true));
  beast::flat_buffer buffer;
  request_type request;
  http::read(connection, buffer, request);
  const std::string target(request.target());
  const std::string path = target.substr(0, target.find('?'));
  if (path == "/refuse") return refuse(connection, http::status::unauthorized, "who are you?");
  if (path == "/missing") return refuse(connection, http::status::not_found, "not here");

  socket_type socket(std::move(connection));
  socket.read_message_max(0);
  const bool offers_bravo = std::string(request["Sec-WebSocket-Protocol"]).find("bravo") != std::string::npos;
  socket.set_option(websocket::stream_base::decorator([offers_bravo](websocket::response_type& response) {
    if (offers_bravo) response.set(http::field::sec_websocket_protocol, "bravo");
  }));
  socket.accept(request);
  serve_path(socket, path, request);
}

}  // namespace

int main() {
  boost::asio::io_context context;
  tcp::acceptor listening(context, {boost::asio::ip::make_address("127.0.0.1"), 0});
  std::cout << listening.local_endpoint().port() << std::endl;
  std::thread([&] {
    for (;;) {
      std::thread([connection = listening.accept()]() mutable {
        try {
          serve(std::move(connection));
        } catch (const std::exception&) {
          // The end of a connection, one way or the other.
        }
      }).detach();
    }
  }).detach();
  std::cin.ignore(std::numeric_limits<std::streamsize>::max());
  std::quick_exit(0);
}
