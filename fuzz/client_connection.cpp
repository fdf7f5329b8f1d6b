// The whole way of a WebSocket client on its connection, over the memory pipe in virtual time: proxy, opening
// handshake, frames, a handler that echoes, and the end. Whatever the server sends, cut anywhere, the outcome is a
// socket or a websocket_connect_error, and what the client sends is requests and valid frames. Input: options, how the
// pipe and what the server sends are cut, what it sends: behind the beginning of a good answer, or all of it.
#include "http/client_connection.hpp"

#include <string>
#include <string_view>

#include "input.hpp"
#include "memory_client.hpp"
#include "wire/websocket/handshake.hpp"

namespace windhover::fuzz {

namespace {

class http1_client_and_server final : public client_and_server {
 public:
  using client_and_server::client_and_server;

 private:
  bool has_asked() const override { return received.ends_with("\r\n\r\n"); }
  int status() const override { return 101; }
  std::string good_beginning() override {
    wait_until_asked();
    if (settings().proxy) {
      received.clear();
      send("HTTP/1.1 200 OK\r\n\r\n");
      wait_until_asked();
    }
    constexpr std::string_view field = "Sec-WebSocket-Key: ";
    const std::string key = received.substr(received.find(field) + field.size(), 24);
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
           wire::accept_key(key) + "\r\n";
  }
};

}  // namespace

void try_input(input in) {
  const std::uint8_t choice = in.octet();
  websocket_client_options options;
  options.dangerous_enable_compression = (choice & 1) != 0;
  options.compression_threshold = 0;
  if ((choice & 2) != 0) options.sub_protocols = {"v2", "v1"};
  if ((choice & 4) != 0) options.proxy = "http://proxy:3128";
  options.max_message_size = (choice & 8) != 0 ? 16 : 65'536;
  options.max_response_header_bytes = 512;
  options.max_response_header_count = 8;
  options.max_response_body_bytes = 32;
  const manners of_server = manners::take(choice, in);

  const websocket_client_settings settings = checked_settings(options);
  http1_client_and_server both(settings, of_server.pipe_cut);
  both.converse(in.text(), of_server);
  if (both.result != outcome::open)
    return require(both.received.size() == both.requests || settings.proxy, "without a socket nothing follows");
  if (of_server.begins_well || !settings.proxy)
    judge_frames(std::string_view(both.received).substr(both.requests), both.compression);
}

}  // namespace windhover::fuzz
