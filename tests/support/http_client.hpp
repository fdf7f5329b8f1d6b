// Clients that block, for tests against a running server: one that sends bytes and reads HTTP/1.1 responses, and one
// that speaks WebSocket on top of it. Every wait has an end, so that a server which is silent fails a test and hangs
// none.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/random.hpp"
#include "base/text.hpp"
#include "net/address.hpp"
#include "wire/websocket/close.hpp"
#include "wire/websocket/decoder.hpp"
#include "wire/websocket/encoder.hpp"

namespace windhover::test {

// Nothing here judges how long something takes: this only ends what would never end.
inline constexpr int patience_in_seconds = 60;

struct http_answer {
  int status = 0;
  std::string head;
  std::string body;

  // The value of the first header of that name.
  std::optional<std::string> header(std::string_view name) const {
    for (std::size_t at = head.find("\r\n"); at != std::string::npos; at = head.find("\r\n", at + 2)) {
      const std::string_view line = std::string_view(head).substr(at + 2, head.find("\r\n", at + 2) - at - 2);
      const std::size_t colon = line.find(':');
      if (colon == std::string_view::npos || !base::equals_ignoring_case(line.substr(0, colon), name)) continue;
      return std::string(base::trim(line.substr(colon + 1)));
    }
    return std::nullopt;
  }
};

class http_client {
 public:
  // A URL as a server announces it: http://127.0.0.1:40000, http://[::1]:40000, http://unix:/run/app.sock; localhost is
  // 127.0.0.1.
  explicit http_client(std::string_view url) {
    const net::address to = address_of(url);
    descriptor_ = ::socket(to.value.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor_ < 0) fail("socket");
    const timeval patience{.tv_sec = patience_in_seconds, .tv_usec = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int one = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int error = ::connect(descriptor_, &to.value.any, to.size) == 0 ? 0 : errno;
    if (error == EINTR) error = end_of_connecting();
    if (error != 0) {
      ::close(descriptor_);
      throw std::system_error(error, std::generic_category(), "connecting to " + std::string(url));
    }
  }
  http_client(http_client&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), buffer_(std::move(other.buffer_)), reset_(other.reset_) {}
  http_client& operator=(http_client&&) = delete;
  ~http_client() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  void send(std::string_view text) { send(std::as_bytes(std::span(text))); }
  void send(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) fail("sending");
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
  }

  // Waits for more bytes. False at the end of the stream, or when it was reset.
  bool fill() {
    std::array<char, 65536> piece;
    ssize_t count = 0;
    do {
      count = ::recv(descriptor_, piece.data(), piece.size(), 0);
    } while (count < 0 && errno == EINTR);
    if (count > 0) {
      buffer_.append(piece.data(), static_cast<std::size_t>(count));
      return true;
    }
    if (count == 0) return false;
    if (errno != ECONNRESET) fail("receiving; left over: '" + buffer_.substr(0, 500) + "'");
    reset_ = true;
    return false;
  }
  // What has come and was not taken.
  std::string_view buffered() const noexcept { return buffer_; }
  std::string take(std::size_t count) {
    std::string taken = buffer_.substr(0, count);
    buffer_.erase(0, count);
    return taken;
  }

  // Up to `end` and with it.
  std::string read_until(std::string_view end) {
    std::size_t at = 0;
    while ((at = buffer_.find(end)) == std::string::npos) {
      if (!fill())
        throw std::runtime_error("the server ended the connection; left over: '" + buffer_.substr(0, 500) + "'");
    }
    return take(at + end.size());
  }
  std::string read(std::size_t count) {
    while (buffer_.size() < count) {
      if (!fill())
        throw std::runtime_error("the server ended the connection; left over: '" + buffer_.substr(0, 500) + "'");
    }
    return take(count);
  }
  // What comes until the server ends the connection, one way or the other.
  std::string read_to_end() {
    while (fill()) {
    }
    return take(buffer_.size());
  }
  // Whether the end was a reset.
  bool was_reset() const noexcept { return reset_; }

  // The next response. After HEAD there is no body.
  http_answer read_answer(bool after_head = false) {
    http_answer answer;
    answer.head = read_until("\r\n\r\n");
    if (!answer.head.starts_with("HTTP/1.1 ")) throw std::runtime_error("no response: '" + answer.head + "'");
    answer.status = std::stoi(answer.head.substr(9, 3));
    if (after_head || answer.status < 200 || answer.status == 204 || answer.status == 304) return answer;
    if (const auto length = answer.header("Content-Length")) {
      answer.body = read(std::stoul(*length));
    } else if (answer.header("Transfer-Encoding")) {
      answer.body = read_chunks();
    } else {
      answer.body = read_to_end();
    }
    return answer;
  }

  // One request without a body; `headers` are lines with their ends.
  http_answer ask(std::string_view method, std::string_view target, std::string_view headers = {}) {
    send(request(method, target, headers));
    return read_answer(method == "HEAD");
  }
  http_answer get(std::string_view target, std::string_view headers = {}) { return ask("GET", target, headers); }

  static std::string request(std::string_view method, std::string_view target, std::string_view headers = {}) {
    return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(headers) +
           "\r\n";
  }

  // Ends our half of the stream.
  void end() { ::shutdown(descriptor_, SHUT_WR); }
  // Goes away with a reset.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(std::exchange(descriptor_, -1));
  }
  endpoint local_endpoint() const { return net::local_endpoint_of(descriptor_); }
  endpoint remote_endpoint() const { return net::remote_endpoint_of(descriptor_); }

 private:
  // An interrupted connect goes on by itself.
  int end_of_connecting() const {
    pollfd waiting{.fd = descriptor_, .events = POLLOUT, .revents = 0};
    int count = 0;
    do {
      count = ::poll(&waiting, 1, patience_in_seconds * 1000);
    } while (count < 0 && errno == EINTR);
    if (count == 0) return ETIMEDOUT;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
  }

  [[noreturn]] static void fail(const std::string& what) {
    const int error = errno;
    if (error == EAGAIN) throw std::runtime_error("waited " + std::to_string(patience_in_seconds) + " s: " + what);
    throw std::system_error(error, std::generic_category(), what);
  }

  static net::address address_of(std::string_view url) {
    constexpr std::string_view scheme = "http://";
    if (!url.starts_with(scheme)) throw std::invalid_argument("no URL of a server: " + std::string(url));
    url.remove_prefix(scheme.size());
    if (url.starts_with("unix:")) return net::make_unix_address(url.substr(5));
    const std::size_t colon = url.rfind(':');
    std::string_view host = url.substr(0, colon);
    const auto port = static_cast<std::uint16_t>(std::stoul(std::string(url.substr(colon + 1))));
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    if (host == "localhost") host = "127.0.0.1";
    return net::make_ip_address(host, port);
  }

  std::string read_chunks() {
    std::string body;
    for (;;) {
      const std::size_t size = std::stoul(read_until("\r\n"), nullptr, 16);
      body += read(size);
      read_until("\r\n");
      if (size == 0) return body;
    }
  }

  int descriptor_ = -1;
  std::string buffer_;
  bool reset_ = false;
};

// RFC 6455, section 1.3.
inline constexpr std::string_view sample_key = "dGhlIHNhbXBsZSBub25jZQ==";

// The header lines of a correct opening handshake, and further ones.
inline std::string handshake(std::string_view further = {}) {
  return "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
         std::string(sample_key) + "\r\n" + std::string(further);
}

class websocket_client {
 public:
  // An open WebSocket; throws when the server does not answer with 101. `further` are header lines.
  explicit websocket_client(std::string_view url, std::string_view target = "/ws", std::string_view further = {})
      : connection_(url) {
    answer_ = connection_.get(target, handshake(further));
    if (answer_.status != 101) throw std::runtime_error("the handshake was answered with: " + answer_.head);
  }
  // The same on a connection that has sent its handshake already.
  explicit websocket_client(http_client&& upgrading) : connection_(std::move(upgrading)) {
    answer_ = connection_.read_answer();
    if (answer_.status != 101) throw std::runtime_error("the handshake was answered with: " + answer_.head);
  }

  const http_answer& answer() const noexcept { return answer_; }
  http_client& connection() noexcept { return connection_; }

  static std::string frame(wire::opcode code, std::string_view payload, bool fin = true) {
    base::system_random_source random;
    std::string whole(wire::maximum_frame_header + payload.size(), '\0');
    const std::size_t size =
        wire::encode_frame(reinterpret_cast<std::byte*>(whole.data()),
                           {.code = code, .fin = fin, .rsv1 = false, .mask = wire::make_masking_key(random)},
                           std::as_bytes(std::span(payload)));
    whole.resize(size);
    return whole;
  }
  void send(wire::opcode code, std::string_view payload, bool fin = true) {
    connection_.send(frame(code, payload, fin));
  }
  void send_text(std::string_view text) { send(wire::opcode::text, text); }
  void send_close(close_code code, std::string_view reason = {}) {
    std::array<std::byte, wire::maximum_control_payload> payload;
    const std::size_t size = wire::encode_close_payload(payload, code, reason).size;
    send(wire::opcode::close, {reinterpret_cast<const char*>(payload.data()), size});
  }

  struct received_frame {
    wire::opcode code;
    bool fin;
    std::string payload;
  };
  received_frame receive() {
    while (!step([this](std::span<const std::byte>& in) {
      const auto outcome = decoder_.read_header(in);
      if (outcome == wire::frame_decoder::step::error) throw std::runtime_error("the server sent no frame");
      return outcome == wire::frame_decoder::step::frame;
    })) {
    }
    received_frame frame{decoder_.frame().code, decoder_.frame().fin, {}};
    frame.payload.resize(decoder_.payload_remaining());
    std::size_t done = 0;
    while (decoder_.payload_remaining() > 0) {
      step([&](std::span<const std::byte>& in) {
        done += decoder_.read_payload(in, std::as_writable_bytes(std::span(frame.payload)).subspan(done));
        return true;
      });
    }
    if (!decoder_.end_frame()) throw std::runtime_error("the server sent a text that is not UTF-8");
    return frame;
  }
  // The next frame, which must be a whole text.
  std::string receive_text() {
    received_frame frame = receive();
    if (frame.code != wire::opcode::text || !frame.fin) {
      throw std::runtime_error("no text, but opcode " + std::to_string(static_cast<int>(frame.code)) + ": " +
                               frame.payload);
    }
    return std::move(frame.payload);
  }
  // The next frame, which must be a close.
  close_code receive_close() {
    const received_frame frame = receive();
    if (frame.code != wire::opcode::close) {
      throw std::runtime_error("no close, but opcode " + std::to_string(static_cast<int>(frame.code)) + ": " +
                               frame.payload);
    }
    const wire::close_payload parsed = wire::parse_close_payload(std::as_bytes(std::span(frame.payload)));
    reason_ = parsed.reason;
    return parsed.code.value_or(close_code::no_status_received);
  }
  const std::string& close_reason() const noexcept { return reason_; }
  // Both halves of the closing handshake, begun here. Returns the code of the answer.
  close_code close(close_code code = close_code::normal_closure) {
    send_close(code);
    return receive_close();
  }

 private:
  // One call of `use` with what is there, or with more.
  template <class Use>
  bool step(Use&& use) {
    if (connection_.buffered().empty() && !connection_.fill()) {
      throw std::runtime_error("the server ended the connection without a close frame");
    }
    std::span<const std::byte> in = std::as_bytes(std::span(connection_.buffered()));
    const std::size_t before = in.size();
    const bool outcome = use(in);
    connection_.take(before - in.size());
    return outcome;
  }

  http_client connection_;
  http_answer answer_;
  wire::frame_decoder decoder_{wire::role::client, {.message_size = ~std::uint64_t{0}, .fragments = ~std::uint32_t{0}}};
  std::string reason_;
};

}  // namespace windhover::test
