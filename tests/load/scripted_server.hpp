// A server on a thread of its own that takes one connection after the other, answers the request with bytes that the
// test has made, and then does as it is told: for everything that an application of ours would not do.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.hpp"
#include "wire/websocket/handshake.hpp"

namespace windhover::load {

// The server's end of one connection.
class scripted_connection {
 public:
  explicit scripted_connection(int descriptor) noexcept : descriptor_(descriptor) {}
  scripted_connection(const scripted_connection&) = delete;
  scripted_connection& operator=(const scripted_connection&) = delete;
  ~scripted_connection() { ::close(descriptor_); }

  void send(std::string_view bytes) const { ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // What has come next; nothing at the end.
  std::string receive() const {
    std::array<char, 4096> piece;
    const ssize_t count = ::recv(descriptor_, piece.data(), piece.size(), 0);
    return count > 0 ? std::string(piece.data(), static_cast<std::size_t>(count)) : std::string();
  }
  void receive_until_the_end() const {
    while (!receive().empty()) {
    }
  }
  // The key of the client's handshake, which has come whole.
  std::string receive_key() const {
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos) {
      const std::string piece = receive();
      if (piece.empty()) return {};
      head += piece;
    }
    constexpr std::string_view name = "Sec-WebSocket-Key: ";
    const std::size_t begin = head.find(name) + name.size();
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
  // A proper handshake, with further fields.
  void accept(std::string_view fields = {}) const {
    send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
         wire::accept_key(receive_key()) + "\r\n" + std::string(fields) + "\r\n");
  }

 private:
  int descriptor_;
};

class scripted_server {
 public:
  // The connection ends with the script.
  explicit scripted_server(std::function<void(const scripted_connection&)> script)
      : scripted_server([script = std::move(script)](std::unique_ptr<scripted_connection> client) { script(*client); },
                        keeping{}) {}

  // The script says when it ends.
  struct keeping {};
  scripted_server(std::function<void(std::unique_ptr<scripted_connection>)> script, keeping)
      : script_(std::move(script)) {
    net::address at = net::make_ip_address("127.0.0.1", 0);
    EXPECT_EQ(::bind(listening_, &at.value.any, at.size), 0);
    EXPECT_EQ(::listen(listening_, 16), 0);
    EXPECT_EQ(::getsockname(listening_, &at.value.any, &at.size), 0);
    url_ = "ws://127.0.0.1:" + std::to_string(ntohs(at.value.ipv4.sin_port)) + "/";
    thread_ = std::thread([this] { serve(); });
  }
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;
  // Waits until the script has ended, which it must when its client is gone.
  ~scripted_server() {
    ::shutdown(listening_, SHUT_RDWR);
    thread_.join();
    ::close(listening_);
  }

  const std::string& url() const noexcept { return url_; }

 private:
  void serve() {
    for (;;) {
      const int descriptor = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
      if (descriptor < 0) return;
      script_(std::make_unique<scripted_connection>(descriptor));
    }
  }

  int listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::function<void(std::unique_ptr<scripted_connection>)> script_;
  std::string url_;
  std::thread thread_;
};

}  // namespace windhover::load
