// Boost.Beast as a peer of the comparison: one thread, one io_context that is told so, one frame for each message, and
// writes that are gathered (coalescing_stream.hpp).
//
//   server PORT [CERTIFICATE KEY]
//
// /ws echoes, /compressed to clients that offer permessage-deflate. Beast has nothing to publish with.
// With a certificate everything is over TLS, by OpenSSL, with its defaults.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
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

// Next is the socket, or TLS on it.
template <class Next>
class session : public std::enable_shared_from_this<session<Next>> {
 public:
  template <class... Arguments>
  explicit session(Arguments&&... made_of) : socket_(std::forward<Arguments>(made_of)...) {}

  void start() {
    if constexpr (std::is_same_v<Next, plain_stream>) {
      read_request();
    } else {
      below().async_handshake(Next::server, [self = this->shared_from_this()](error_code error) {
        if (!error) self->read_request();
      });
    }
  }

 private:
  Next& below() { return socket_.next_layer().next_layer(); }

  void read_request() {
    http::async_read(below(), buffer_, request_, [self = this->shared_from_this()](error_code error, std::size_t) {
      if (!error) self->accept();
    });
  }

  void accept() {
    websocket::permessage_deflate compression;
    compression.server_enable = request_.target() == "/compressed";
    socket_.set_option(compression);
    socket_.auto_fragment(false);
    socket_.async_accept(request_, [self = this->shared_from_this()](error_code error) {
      self->request_ = {};
      self->buffer_.clear();
      self->buffer_.shrink_to_fit();
      if (!error) self->receive();
    });
  }

  void receive() {
    socket_.async_read(buffer_, [self = this->shared_from_this()](error_code error, std::size_t) {
      if (error) return;
      self->socket_.text(self->socket_.got_text());
      self->socket_.write(self->buffer_.data(), error);
      if (error) return;
      self->buffer_.clear();
      self->receive();
    });
  }

  websocket::stream<coalescing_stream<Next>> socket_;
  beast::flat_buffer buffer_;
  http::request<http::empty_body> request_;
};

// `secure` is there for TLS.
void accept_next(tcp::acceptor& listening, std::optional<asio::ssl::context>& secure) {
  listening.async_accept([&listening, &secure](error_code error, tcp::socket connection) {
    if (!error) {
      connection.set_option(tcp::no_delay(true), error);
      connection.non_blocking(true, error);
      if (secure) {
        std::make_shared<session<secure_stream>>(std::move(connection), *secure)->start();
      } else {
        std::make_shared<session<plain_stream>>(std::move(connection))->start();
      }
    }
    accept_next(listening, secure);
  });
}

}  // namespace
}  // namespace windhover::beast_peer

int main(int argc, char* argv[]) {
  using windhover::beast_peer::tcp;
  if (argc != 2 && argc != 4) {
    std::fputs("usage: server PORT [CERTIFICATE KEY]\n", stderr);
    return 2;
  }
  try {
    boost::asio::io_context context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE);
    const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    tcp::acceptor listening(context, {boost::asio::ip::make_address("127.0.0.1"), port});
    listening.listen(4096);
    std::optional<boost::asio::ssl::context> secure;
    if (argc == 4) {
      secure.emplace(boost::asio::ssl::context::tls_server);
      secure->use_certificate_chain_file(argv[2]);
      secure->use_private_key_file(argv[3], boost::asio::ssl::context::pem);
    }
    windhover::beast_peer::accept_next(listening, secure);
    context.run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
