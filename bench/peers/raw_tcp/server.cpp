// A raw TCP echo on Windhover's own event loop and engines: the floor under every server that stands on them. It is no
// WebSocket server.
//
//   server PORT ENGINE
//
// The load generator speaks WebSocket, so the first request is answered as a handshake. After that every byte that
// comes is queued again, in one copy, and as many bytes go back as came: nothing is unmasked, nothing is gathered into
// messages, and no coroutine runs. Only the headers of frames are written over where they lie (make_servers), because a
// client does not take a masked frame: the masking key becomes a part of the payload.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "net/address.hpp"
#include "net/event_loop.hpp"
#include "net/listener.hpp"
#include "wire/websocket/handshake.hpp"

namespace windhover::raw_tcp {
namespace {

constexpr std::size_t key_size = 4;
constexpr std::byte empty_pong[] = {std::byte{0x8a}, std::byte{0}};

// A client's frame, as far as an echo has to know it.
struct client_frame {
  std::size_t header = 0;  // bytes, with the masking key; 0: more bytes are needed to know
  std::uint64_t payload = 0;
  bool close = false;
};

std::uint64_t number_in(std::span<const std::byte> digits) {
  std::uint64_t number = 0;
  for (const std::byte each : digits) number = number << 8 | std::to_integer<std::uint64_t>(each);
  return number;
}

client_frame frame_at(std::span<const std::byte> bytes) {
  if (bytes.size() < 2) return {};
  const auto length = std::to_integer<std::size_t>(bytes[1] & std::byte{0x7f});
  const std::size_t more = length == 127 ? 8 : length == 126 ? 2 : 0;
  if (bytes.size() < 2 + more + key_size) return {};
  return {.header = 2 + more + key_size,
          .payload = more == 0 ? length : number_in(bytes.subspan(2, more)),
          .close = (bytes[0] & std::byte{0x0f}) == std::byte{8}};
}

// Writes a server's header over a client's, so that the bytes are as many as before: the key is counted as payload.
// Where the length's form has no room for that, two empty pongs stand in front, and the header in place of the key.
void make_servers(std::span<std::byte> header, const client_frame& frame) {
  const std::size_t digits = header.size() - 2 - key_size;
  const std::uint64_t most = digits == 0 ? 125 : digits == 2 ? 0xffff : ~std::uint64_t{0};
  header[1] &= std::byte{0x7f};
  if (frame.payload > most - key_size) {
    std::ranges::copy_backward(header.first(2 + digits), header.end());
    std::ranges::copy(empty_pong, header.begin());
    std::ranges::copy(empty_pong, header.begin() + 2);
    return;
  }
  std::uint64_t length = frame.payload + key_size;
  if (digits == 0) header[1] = static_cast<std::byte>(length);
  for (std::size_t i = 1 + digits; i > 1; --i, length >>= 8) header[i] = static_cast<std::byte>(length & 0xff);
}

class echo_connection final : public net::driver {
 public:
  explicit echo_connection(net::transport& on) : stream_(on) {}

  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override {
    if (!upgraded_) {
      answer_handshake(bytes);
    } else {
      // The receive buffer is nobody else's, and this spares a copy that no raw echo would make.
      echo({const_cast<std::byte*>(bytes.data()), bytes.size()});
    }
    return bytes.size();
  }
  void on_writable() noexcept override {}
  void on_end() noexcept override {
    stream_.close();
    end();
  }
  void on_failure(const net::failure&) noexcept override { end(); }
  bool finished() const noexcept override { return ended_; }
  void drain() noexcept override { stream_.abort(); }
  std::string describe() const override { return "a raw echo"; }

 private:
  void answer_handshake(std::span<const std::byte> bytes) {
    constexpr std::string_view field = "\r\nsec-websocket-key:";
    head_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!head_.ends_with("\r\n\r\n")) return;
    const auto same = [](unsigned char left, char right) { return std::tolower(left) == right; };
    const auto found = std::ranges::search(head_, field, same);
    if (found.empty()) return stream_.abort();
    const std::string_view rest(found.end(), head_.end());
    const std::size_t begin = rest.find_first_not_of(' ');
    const std::string_view key = rest.substr(begin, rest.find('\r') - begin);
    const std::string answer =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: " +
        wire::accept_key(key) + "\r\n\r\n";
    stream_.queue_copy(std::as_bytes(std::span(answer)));
    std::string().swap(head_);
    upgraded_ = true;
  }

  void echo(std::span<std::byte> bytes) {
    if (held_size_ > 0) bytes = complete_held(bytes);
    std::size_t at = std::min<std::size_t>(remaining_, bytes.size());
    remaining_ -= at;
    while (at < bytes.size()) {
      const client_frame frame = frame_at(bytes.subspan(at));
      if (frame.header == 0) break;
      at = begin_frame(bytes, at, frame);
    }
    stream_.queue_copy(bytes.first(at));
    // What may be a header that has not come whole.
    held_size_ = bytes.size() - at;
    std::ranges::copy(bytes.subspan(at), held_.begin());
    if (close_seen_ && remaining_ == 0) stream_.close();
  }

  // Where the next frame begins, or the end.
  std::size_t begin_frame(std::span<std::byte> bytes, std::size_t at, const client_frame& frame) {
    make_servers(bytes.subspan(at, frame.header), frame);
    if (frame.close) close_seen_ = true;
    at += frame.header;
    const auto here = std::min<std::uint64_t>(frame.payload, bytes.size() - at);
    remaining_ = frame.payload - here;
    return at + here;
  }

  // Byte by byte: it is rare. Returns what is left.
  std::span<std::byte> complete_held(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
      held_[held_size_++] = bytes.front();
      bytes = bytes.subspan(1);
      const client_frame frame = frame_at(std::span(held_).first(held_size_));
      if (frame.header == 0) continue;
      begin_frame(std::span(held_).first(held_size_), 0, frame);
      stream_.queue_copy(std::span(held_).first(held_size_));
      held_size_ = 0;
      break;
    }
    return bytes;
  }

  void end() noexcept {
    if (std::exchange(ended_, true)) return;
    stream_.driver_finished();
  }

  net::transport& stream_;
  std::string head_;
  std::uint64_t remaining_ = 0;  // of the present frame's payload
  std::array<std::byte, 16> held_{};
  std::size_t held_size_ = 0;
  bool upgraded_ = false;
  bool close_seen_ = false;
  bool ended_ = false;
};

net::engine_kind engine_named(std::string_view name) {
  if (name == "epoll") return net::engine_kind::epoll;
  return name == "io_uring" ? net::engine_kind::io_uring : net::engine_kind::automatic;
}

}  // namespace
}  // namespace windhover::raw_tcp

int main(int argc, char* argv[]) {
  using namespace windhover;
  if (argc != 3) {
    std::fputs("usage: server PORT ENGINE\n", stderr);
    return 2;
  }
  try {
    net::event_loop loop(net::make_engine(raw_tcp::engine_named(argv[2])).engine);
    const net::address at = net::make_ip_address("127.0.0.1", static_cast<std::uint16_t>(std::atoi(argv[1])));
    const auto make_driver = [](net::transport& on) { return std::make_unique<raw_tcp::echo_connection>(on); };
    net::listener::add_to(loop, net::listening_socket::bind(at, false), make_driver, {});
    loop.run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
