// The whole way of a WebSocket client on its connection, over the memory pipe in virtual time: proxy, opening
// handshake, frames, a handler that echoes, and the end. Whatever the server sends, cut anywhere, the outcome is a
// socket or a websocket_connect_error, and what the client sends is requests and valid frames. Input: options, how the
// pipe and what the server sends are cut, what it sends: behind the beginning of a good answer, or all of it.
#include "http/client_connection.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "input.hpp"
#include "net/event_loop.hpp"
#include "net/memory_pipe.hpp"
#include "net/seeded_random.hpp"
#include "pieces.hpp"
#include "support/frame_compression.hpp"
#include "support/virtual_engine.hpp"
#include "websocket/connect.hpp"
#include "wire/utf8.hpp"
#include "wire/websocket/close.hpp"
#include "wire/websocket/decoder.hpp"
#include "wire/websocket/handshake.hpp"

namespace windhover::fuzz {

namespace {

using wire::frame_decoder;
using wire::opcode;

enum class outcome { none, open, refused };

struct manners {
  bool begins_well = false;    // with the status line and the fields that make an answer a good one
  bool waits = false;          // lets time pass between pieces
  bool resets = false;         // at the end, instead of ending its stream
  bool client_stops = false;   // gives up connecting when the server has sent everything
  std::uint8_t pipe_cut = 0;   // how many bytes an end of the pipe gets at most at a time
  std::uint8_t piece_cut = 0;  // how what is sent is cut
};

class client_and_server {
 public:
  client_and_server(const websocket_client_settings& settings, std::uint8_t pipe_cut)
      : settings_(settings), random_(1), loop_(std::make_unique<test::virtual_engine>(), {.random = &random_}) {
    const std::size_t cut = pipe_cut == 0 ? std::numeric_limits<std::size_t>::max() : pipe_cut;
    const auto [near, far] = net::memory_pipe::make(loop_, cut);
    auto made = std::make_unique<http::client_connection>(*near, settings.limits);
    connection_ = made.get();
    client_end_ = near;
    server_end_ = far;
    net::memory_pipe::set_driver(*near, std::move(made));
    net::memory_pipe::set_driver(*far, std::make_unique<server>(*this));
  }

  std::string received;      // by the server
  std::size_t requests = 0;  // bytes of it, when the server began to send
  outcome result = outcome::none;
  bool compression = false;

  void converse(std::string_view stream, manners of_server) {
    start();
    std::string sends;
    if (of_server.begins_well) sends = good_beginning();
    wait_for_request();
    requests = received.size();
    sends += stream;
    for_each_piece(std::as_bytes(std::span(sends)), of_server.piece_cut, [&](std::span<const std::byte> piece) {
      if (server_end_ == nullptr) return false;
      server_end_->queue_copy(piece);
      turn(of_server.waits);
      return true;
    });
    if (of_server.client_stops) {
      const net::event_loop::scope here(loop_);
      stop_.request_stop();
    }
    if (server_end_ != nullptr) of_server.resets ? server_end_->abort() : server_end_->close();
    // The engine throws when something is left that nothing will end.
    while (!loop_.describe_connections(1).empty()) turn(true);
    require(ended_, "the client's handler ends");
    require(loop_.inbound().used == 0, "nothing is kept for a connection that has gone");
    require(result != outcome::none || of_server.client_stops, "there is a socket, or the reason why there is none");
  }

 private:
  class server final : public net::driver {
   public:
    explicit server(client_and_server& of) noexcept : of_(of) {}
    ~server() override { of_.server_end_ = nullptr; }
    std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override {
      of_.received.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return bytes.size();
    }
    void on_writable() noexcept override {}
    void on_end() noexcept override { of_.server_end_->close(); }
    void on_failure(const net::failure&) noexcept override {}
    bool finished() const noexcept override { return true; }
    void drain() noexcept override {}
    std::string describe() const override { return "the server"; }

   private:
    client_and_server& of_;
  };

  void start() {
    const net::event_loop::scope here(loop_);
    running_ = run();
    running_.start(this, [](void* self) noexcept -> std::coroutine_handle<> {
      static_cast<client_and_server*>(self)->ended_ = true;
      return std::noop_coroutine();
    });
  }

  task<> run() {
    try {
      http::client_connection_owner owner(*connection_);
      const wire::websocket_url to = wire::parse_websocket_url("ws://a/chat");
      opened_websocket opened =
          co_await open_over(std::move(owner), *client_end_, settings_, to, details_, stop_.get_token());
      websocket socket = std::move(opened).make_websocket();
      result = outcome::open;
      compression = !socket.extensions().empty();
      require(details_.status == 101, "only 101 opens a WebSocket");
      while (auto message = co_await socket.receive()) co_await socket.send(*message);
    } catch (const websocket_connect_error& error) {
      require(result == outcome::none, "a socket that is open was connected");
      require(!std::string_view(error.what()).empty(), "a refusal has a reason");
      result = outcome::refused;
    } catch (const connecting_stopped&) {
      require(stop_.stop_requested(), "only who stops is stopped");
    }
  }

  void wait_for_request() {
    while (!received.ends_with("\r\n\r\n")) turn(false);
  }

  std::string good_beginning() {
    wait_for_request();
    if (settings_.proxy) {
      received.clear();
      constexpr std::string_view tunnel = "HTTP/1.1 200 OK\r\n\r\n";
      server_end_->queue_copy(std::as_bytes(std::span(tunnel)));
      wait_for_request();
    }
    constexpr std::string_view field = "Sec-WebSocket-Key: ";
    const std::string key = received.substr(received.find(field) + field.size(), 24);
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
           wire::accept_key(key) + "\r\n";
  }

  void turn(bool may_wait) {
    constexpr int most_turns = 200'000;
    require(++turns_ < most_turns, "a conversation does not go on for ever");
    loop_.run_once(may_wait);
  }

  const websocket_client_settings& settings_;
  net::seeded_random random_;
  http::client_connection* connection_ = nullptr;
  net::pipe_end* client_end_ = nullptr;
  net::pipe_end* server_end_ = nullptr;  // until the loop has destroyed it
  std::stop_source stop_;
  http_response_details details_;
  bool ended_ = false;
  int turns_ = 0;
  net::event_loop loop_;
  task<> running_;
};

// What a client sends once it has its answer: masked frames, nothing behind a close frame. The last one may be cut.
void judge_frames(std::string_view sent, bool compression) {
  frame_decoder decoder(wire::role::server, {1U << 20, 1U << 31}, compression);
  test::frame_inflater inflater;
  std::string message;
  std::string payload;
  bool closed = false;
  auto rest = std::as_bytes(std::span(sent));
  while (decoder.read_header(rest) == frame_decoder::step::frame) {
    const auto frame = decoder.frame();
    require(!closed || frame.code == opcode::pong, "nothing comes behind a close frame but pongs");
    payload.assign(static_cast<std::size_t>(frame.payload_length), '\0');
    const std::size_t size = decoder.read_payload(rest, std::as_writable_bytes(std::span(payload)));
    if (size < payload.size() || !decoder.end_frame()) break;
    closed = closed || frame.code == opcode::close;
    if (frame.code == opcode::close)
      require(wire::parse_close_payload(std::as_bytes(std::span(payload))).error == wire::websocket_error::none,
              "a close frame is well-formed");
    if (is_control(frame.code) || !frame.compressed) continue;
    if (frame.first) message.clear();
    const auto content = inflater.content(payload, frame.fin);
    require(content.has_value(), "what is compressed can be decompressed");
    message += *content;
    if (frame.fin && frame.code == opcode::text) require(wire::valid_utf8(message), "a text is text");
  }
  require(decoder.error() == wire::websocket_error::none, "the client's frames are valid");
}

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
  manners of_server;
  of_server.begins_well = (choice & 16) == 0;
  of_server.waits = (choice & 32) != 0;
  of_server.resets = (choice & 64) != 0;
  of_server.client_stops = (choice & 128) != 0;
  of_server.pipe_cut = in.octet();
  of_server.piece_cut = in.octet();

  const websocket_client_settings settings = checked_settings(options);
  client_and_server both(settings, of_server.pipe_cut);
  both.converse(in.text(), of_server);
  if (both.result != outcome::open)
    return require(both.received.size() == both.requests || settings.proxy, "without a socket nothing follows");
  if (of_server.begins_well || !settings.proxy)
    judge_frames(std::string_view(both.received).substr(both.requests), both.compression);
}

}  // namespace windhover::fuzz
