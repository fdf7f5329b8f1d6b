// What stands between Beast's WebSocket and its socket: small writes are kept until the WebSocket wants to read, which
// is when every message that had come is answered. Beast itself makes a system call for every message; that its lower
// layer is a template parameter is the place where its API lets writes be gathered.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/websocket/teardown.hpp>

namespace windhover::beast_peer {

namespace asio = boost::asio;

class coalescing_stream {
 public:
  using executor_type = asio::ip::tcp::socket::executor_type;

  explicit coalescing_stream(asio::ip::tcp::socket&& socket) : socket_(std::move(socket)) {}
  executor_type get_executor() { return socket_.get_executor(); }
  asio::ip::tcp::socket& socket() { return socket_; }

  // What is kept leaves first.
  template <class Buffers, class Handler>
  auto async_read_some(const Buffers& buffers, Handler&& handler) {
    return asio::async_compose<Handler, void(boost::system::error_code, std::size_t)>(
        [this, buffers, now = step::begins](auto& self, boost::system::error_code error = {},
                                            std::size_t count = 0) mutable {
          if (error || now == step::reads) return self.complete(error, count);
          if (now == step::writes) kept_.clear();
          flush_without_waiting();
          if (!kept_.empty()) {
            now = step::writes;
            asio::async_write(socket_, asio::buffer(kept_), std::move(self));
          } else {
            now = step::reads;
            socket_.async_read_some(buffers, std::move(self));
          }
        },
        handler, socket_);
  }

  // Never waits, and never fails: an error comes to whoever reads.
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, boost::system::error_code& error) {
    error = {};
    const std::size_t size = asio::buffer_size(buffers);
    const std::size_t before = kept_.size();
    kept_.resize(before + size);
    asio::buffer_copy(asio::buffer(kept_) + before, buffers);
    return size;
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    boost::system::error_code error;
    return write_some(buffers, error);
  }
  // For what Beast says by itself: pongs and closes.
  template <class Buffers, class Handler>
  auto async_write_some(const Buffers& buffers, Handler&& handler) {
    return asio::async_compose<Handler, void(boost::system::error_code, std::size_t)>(
        [this, buffers, written = false](auto& self) mutable {
          if (!std::exchange(written, true)) return asio::post(socket_.get_executor(), std::move(self));
          self.complete({}, write_some(buffers));
        },
        handler, socket_);
  }

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, boost::system::error_code& error) {
    return socket_.read_some(buffers, error);
  }
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    return socket_.read_some(buffers);
  }

  void flush_without_waiting() {
    if (kept_.empty()) return;
    boost::system::error_code error;
    const std::size_t count = socket_.write_some(asio::buffer(kept_), error);
    kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(error ? 0 : count));
  }

 private:
  enum class step { begins, writes, reads };

  asio::ip::tcp::socket socket_;  // does not block
  std::vector<char> kept_;
};

// Found by Beast, which ends a connection with them.
inline void beast_close_socket(coalescing_stream& stream) {
  boost::system::error_code error;
  stream.socket().close(error);
}
inline void teardown(boost::beast::role_type role, coalescing_stream& stream, boost::system::error_code& error) {
  stream.flush_without_waiting();
  boost::beast::websocket::teardown(role, stream.socket(), error);
}
template <class Handler>
void async_teardown(boost::beast::role_type role, coalescing_stream& stream, Handler&& handler) {
  stream.flush_without_waiting();
  boost::beast::websocket::async_teardown(role, stream.socket(), std::forward<Handler>(handler));
}

}  // namespace windhover::beast_peer
