// A WebSocket client and a server on a memory pipe, in virtual time: whatever the server sends, cut anywhere, the
// outcome is a socket, with a handler that echoes, or a websocket_connect_error, and everything ends by itself.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "http/client_connection.hpp"
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

namespace windhover::fuzz {

enum class outcome { none, open, refused };

struct manners {
  bool begins_well = false;    // with the status line and the fields that make an answer a good one
  bool waits = false;          // lets time pass between pieces
  bool resets = false;         // at the end, instead of ending its stream
  bool client_stops = false;   // gives up connecting when the server has sent everything
  std::uint8_t pipe_cut = 0;   // how many bytes an end of the pipe gets at most at a time
  std::uint8_t piece_cut = 0;  // how what is sent is cut

  // The upper half of `choice`, and the next two octets.
  static manners take(std::uint8_t choice, input& in) {
    manners made;
    made.begins_well = (choice & 16) == 0;
    made.waits = (choice & 32) != 0;
    made.resets = (choice & 64) != 0;
    made.client_stops = (choice & 128) != 0;
    made.pipe_cut = in.octet();
    made.piece_cut = in.octet();
    return made;
  }
};

// Of one version of HTTP, which says when the client has asked, and what a good answer begins with.
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

  client_and_server(const client_and_server&) = delete;
  client_and_server& operator=(const client_and_server&) = delete;
  virtual ~client_and_server() = default;

  std::string received;      // by the server
  std::size_t requests = 0;  // bytes of it, when the server began to send
  outcome result = outcome::none;
  bool compression = false;

  void converse(std::string_view stream, manners of_server) {
    start();
    std::string sends;
    if (of_server.begins_well) sends = good_beginning();
    wait_until_asked();
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

 protected:
  virtual bool has_asked() const = 0;
  virtual std::string good_beginning() = 0;
  // How the answer says that there is a WebSocket.
  virtual int status() const = 0;

  const websocket_client_settings& settings() const noexcept { return settings_; }
  void send(std::string_view bytes) { server_end_->queue_copy(std::as_bytes(std::span(bytes))); }
  void wait_until_asked() {
    while (!has_asked()) turn(false);
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
      require(details_.status == status(), "only the right status opens a WebSocket");
      while (auto message = co_await socket.receive()) co_await socket.send(*message);
    } catch (const websocket_connect_error& error) {
      require(result == outcome::none, "a socket that is open was connected");
      require(!std::string_view(error.what()).empty(), "a refusal has a reason");
      result = outcome::refused;
    } catch (const connecting_stopped&) {
      require(stop_.stop_requested(), "only who stops is stopped");
    }
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
inline void judge_frames(std::string_view sent, bool compression) {
  wire::frame_decoder decoder(wire::role::server, {1U << 20, 1U << 31}, compression);
  test::frame_inflater inflater;
  std::string message;
  std::string payload;
  bool closed = false;
  auto rest = std::as_bytes(std::span(sent));
  while (decoder.read_header(rest) == wire::frame_decoder::step::frame) {
    const auto frame = decoder.frame();
    require(!closed || frame.code == wire::opcode::pong, "nothing comes behind a close frame but pongs");
    payload.assign(static_cast<std::size_t>(frame.payload_length), '\0');
    const std::size_t size = decoder.read_payload(rest, std::as_writable_bytes(std::span(payload)));
    if (size < payload.size() || !decoder.end_frame()) break;
    closed = closed || frame.code == wire::opcode::close;
    if (frame.code == wire::opcode::close)
      require(wire::parse_close_payload(std::as_bytes(std::span(payload))).error == wire::websocket_error::none,
              "a close frame is well-formed");
    if (is_control(frame.code) || !frame.compressed) continue;
    if (frame.first) message.clear();
    const auto content = inflater.content(payload, frame.fin);
    require(content.has_value(), "what is compressed can be decompressed");
    message += *content;
    if (frame.fin && frame.code == wire::opcode::text) require(wire::valid_utf8(message), "a text is text");
  }
  require(decoder.error() == wire::websocket_error::none, "the client's frames are valid");
}

}  // namespace windhover::fuzz
