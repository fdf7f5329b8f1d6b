// What stands between Beast's WebSocket and its socket, or TLS: small writes are kept until the WebSocket wants to
// read, which is when every message that had come is answered. Beast itself makes a system call, and over TLS a record,
// for every message; that its lower layer is a template parameter is the place where its API lets writes be gathered.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/teardown.hpp>

namespace windhover::beast_peer {

namespace asio = boost::asio;

using plain_stream = asio::ip::tcp::socket;
using secure_stream = asio::ssl::stream<asio::ip::tcp::socket>;

template <class Next>
class coalescing_stream {
 public:
  using executor_type = typename Next::executor_type;

  // `made_of` is what the stream below takes; its socket does not block.
  template <class... Arguments>
  explicit coalescing_stream(Arguments&&... made_of) : next_(std::forward<Arguments>(made_of)...) {}
  executor_type get_executor() { return next_.get_executor(); }
  Next& next_layer() { return next_; }

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
            asio::async_write(next_, asio::buffer(kept_), std::move(self));
          } else {
            now = step::reads;
            next_.async_read_some(buffers, std::move(self));
          }
        },
        handler, next_);
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
          if (!std::exchange(written, true)) return asio::post(next_.get_executor(), std::move(self));
          self.complete({}, write_some(buffers));
        },
        handler, next_);
  }

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, boost::system::error_code& error) {
    return next_.read_some(buffers, error);
  }
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    return next_.read_some(buffers);
  }

  // What is kept leaves first here too.
  template <class Handler>
  void async_end(boost::beast::role_type role, Handler&& handler) {
    using boost::beast::websocket::async_teardown;
    flush_without_waiting();
    if constexpr (std::is_same_v<Next, plain_stream>) {
      async_teardown(role, next_, std::forward<Handler>(handler));
    } else {
      asio::async_write(
          next_, asio::buffer(kept_),
          [this, role, last = std::forward<Handler>(handler)](boost::system::error_code, std::size_t) mutable {
            async_teardown(role, next_, std::move(last));
          });
    }
  }

  // Only a socket can be asked to take at once what it has room for; TLS may have to wait in the middle of a record.
  void flush_without_waiting() {
    if constexpr (std::is_same_v<Next, plain_stream>) {
      if (kept_.empty()) return;
      boost::system::error_code error;
      const std::size_t count = next_.write_some(asio::buffer(kept_), error);
      kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(error ? 0 : count));
    }
  }

 private:
  enum class step { begins, writes, reads };

  Next next_;
  std::vector<char> kept_;
};

// Found by Beast, which ends a connection with them.
template <class Next>
void beast_close_socket(coalescing_stream<Next>& stream) {
  boost::system::error_code error;
  boost::beast::get_lowest_layer(stream).close(error);
}
template <class Next>
void teardown(boost::beast::role_type role, coalescing_stream<Next>& stream, boost::system::error_code& error) {
  using boost::beast::websocket::teardown;
  stream.flush_without_waiting();
  teardown(role, stream.next_layer(), error);
}
template <class Next, class Handler>
void async_teardown(boost::beast::role_type role, coalescing_stream<Next>& stream, Handler&& handler) {
  stream.async_end(role, std::forward<Handler>(handler));
}

}  // namespace windhover::beast_peer
