// Boost.Beast as a server for the tool's commands that connect. Prints its port, and ends with its standard input. What
// each path does stands in client.test.mjs. One blocking thread for each connection.
#include <cstdlib>
#include <exception>
#include <iostream>
#include <limits>
#include <string>
#include <string_view>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/beast/http.hpp>

#include "conversation.hpp"

namespace windhover::interop {
namespace {

using request_type = http::request<http::string_body>;

// The tool echoes.
void drive_and_close(socket_type& socket) {
  try {
    drive(socket);
  } catch (const std::exception& error) {
    const std::string why = error.what();
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
  if (path == "/drive") return drive_and_close(socket);
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
  socket.set_option(compression(true));
  const bool offers_bravo = std::string(request["Sec-WebSocket-Protocol"]).find("bravo") != std::string::npos;
  socket.set_option(websocket::stream_base::decorator([offers_bravo](websocket::response_type& response) {
    if (offers_bravo) response.set(http::field::sec_websocket_protocol, "bravo");
  }));
  socket.accept(request);
  serve_path(socket, path, request);
}

}  // namespace
}  // namespace windhover::interop

int main() {
  using windhover::interop::tcp;
  boost::asio::io_context context;
  tcp::acceptor listening(context, {boost::asio::ip::make_address("127.0.0.1"), 0});
  std::cout << listening.local_endpoint().port() << std::endl;
  std::thread([&] {
    for (;;) {
      std::thread([connection = listening.accept()]() mutable {
        try {
          windhover::interop::serve(std::move(connection));
        } catch (const std::exception&) {
          // The end of a connection, one way or the other.
        }
      }).detach();
    }
  }).detach();
  std::cin.ignore(std::numeric_limits<std::streamsize>::max());
  std::quick_exit(0);
}
