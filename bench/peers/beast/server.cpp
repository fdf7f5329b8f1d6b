// Boost.Beast as a peer of the comparison: one thread, one io_context that is told so, one frame for each message, and
// writes that are gathered (coalescing_stream.hpp).
//
//   server PORT
//
// /ws echoes, /compressed to clients that offer permessage-deflate. Beast has nothing to publish with.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include "coalescing_stream.hpp"

namespace windhover::beast_peer {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;

class session : public std::enable_shared_from_this<session> {
 public:
  explicit session(tcp::socket&& socket) : socket_(coalescing_stream(std::move(socket))) {}

  void start() {
    http::async_read(socket_.next_layer().socket(), buffer_, request_,
                     [self = shared_from_this()](error_code error, std::size_t) {
                       if (!error) self->accept();
                     });
  }

 private:
  void accept() {
    websocket::permessage_deflate compression;
    compression.server_enable = request_.target() == "/compressed";
    socket_.set_option(compression);
    socket_.auto_fragment(false);
    socket_.async_accept(request_, [self = shared_from_this()](error_code error) {
      self->request_ = {};
      self->buffer_.clear();
      self->buffer_.shrink_to_fit();
      if (!error) self->receive();
    });
  }

  void receive() {
    socket_.async_read(buffer_, [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return;
      self->socket_.text(self->socket_.got_text());
      self->socket_.write(self->buffer_.data(), error);
      if (error) return;
      self->buffer_.clear();
      self->receive();
    });
  }

  websocket::stream<coalescing_stream> socket_;
  beast::flat_buffer buffer_;
  http::request<http::empty_body> request_;
};

void accept_next(tcp::acceptor& listening) {
  listening.async_accept([&listening](error_code error, tcp::socket connection) {
    if (!error) {
      connection.set_option(tcp::no_delay(true), error);
      connection.non_blocking(true, error);
      std::make_shared<session>(std::move(connection))->start();
    }
    accept_next(listening);
  });
}

}  // namespace
}  // namespace windhover::beast_peer

int main(int argc, char* argv[]) {
  using windhover::beast_peer::tcp;
  if (argc != 2) {
    std::fputs("usage: server PORT\n", stderr);
    return 2;
  }
  try {
    boost::asio::io_context context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE);
    const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    tcp::acceptor listening(context, {boost::asio::ip::make_address("127.0.0.1"), port});
    listening.listen(4096);
    windhover::beast_peer::accept_next(listening);
    context.run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
