// The way of a WebSocket client over HTTP/2, over the memory pipe in virtual time: settings, extended CONNECT, frames
// in DATA, a handler that echoes, and the end. Whatever the server sends, what the client sends is HTTP/2 with valid
// frames of WebSockets in it. Input: options, how the pipe and what the server sends are cut, what it sends: behind
// settings that take WebSockets and an answer of 200, or all of it.
#include <string>
#include <string_view>

#include "http/http2_client_connection.hpp"
#include "input.hpp"
#include "memory_client.hpp"
#include "wire/http2/preface.hpp"

namespace windhover::fuzz {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t frame_header = 9;

std::uint32_t number(std::string_view octets) {
  std::uint32_t value = 0;
  for (const char each : octets) value = value << 8 | static_cast<std::uint8_t>(each);
  return value;
}

class http2_client_and_server final : public client_and_server {
 public:
  using client_and_server::client_and_server;

 private:
  // The preface and the settings are said without being asked for.
  bool has_asked() const override { return received.size() >= wire::http2::client_preface.size() + frame_header; }
  int status() const override { return 200; }
  std::string good_beginning() override {
    constexpr auto takes_connects = "\0\0\6\4\0\0\0\0\0\0\x8\0\0\0\1"sv;
    constexpr auto answer = "\0\0\1\1\4\0\0\0\1\x88"sv;
    return std::string(takes_connects).append(answer);
  }
};

// What the client has sent is the preface and frames, the last one perhaps cut. Gives the data of its first stream.
std::string data_of(std::string_view sent) {
  const std::string_view preface = wire::http2::client_preface;
  require(sent.starts_with(preface.substr(0, sent.size())), "a client begins with the preface");
  sent.remove_prefix(std::min(sent.size(), preface.size()));
  std::string data;
  while (sent.size() >= frame_header) {
    const std::size_t size = number(sent.substr(0, 3));
    require(size <= 16384, "no frame is longer than the server allows");
    const bool is_data = sent[3] == 0;
    const bool is_headers = sent[3] == 1;
    const std::uint32_t stream = number(sent.substr(5, 4));
    require(stream % 2 == 1 || !(is_data || is_headers), "a client's streams have odd numbers");
    if (sent.size() < frame_header + size) break;
    if (is_data && stream == 1) data += sent.substr(frame_header, size);
    sent.remove_prefix(frame_header + size);
  }
  return data;
}

}  // namespace

void try_input(input in) {
  const std::uint8_t choice = in.octet();
  websocket_client_options options;
  options.protocols = http_protocols::http2;
  options.dangerous_enable_compression = (choice & 1) != 0;
  options.compression_threshold = 0;
  options.max_message_size = (choice & 2) != 0 ? 16 : 65'536;
  options.max_inbound_bytes = (choice & 4) != 0 ? 1024 : 65'536;
  options.max_response_header_bytes = 512;
  options.max_response_header_count = 8;
  options.max_response_body_bytes = 32;
  const manners of_server = manners::take(choice, in);

  const websocket_client_settings settings = checked_settings(options);
  http2_client_and_server both(settings, of_server.pipe_cut);
  both.converse(in.text(), of_server);
  const std::string data = data_of(both.received);
  if (both.result != outcome::open) return require(data.empty(), "without a socket nothing follows");
  judge_frames(data, both.compression);
}

}  // namespace windhover::fuzz
