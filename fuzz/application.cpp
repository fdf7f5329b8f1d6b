// A whole application with its clients, on a simulated network in virtual time: host filter, origins, routes, requests
// with bodies, WebSockets with compression, topics. Whatever its clients send, and whenever they end, reset or stop
// reading: what comes back to each of them is responses, and behind an upgrade the frames of a server; every handler
// ends once the clients have gone; and the application stops without leaving anything behind. Input: the sizes of the
// sockets, how bad the network is, then the steps of the clients (see `stage::step`).
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "input.hpp"
#include "requests.hpp"
#include "response_reader.hpp"
#include "support/frame_compression.hpp"
#include "testing/application_run.hpp"
#include "testing/frame_reader.hpp"
#include "testing/memory_peer.hpp"
#include "wire/utf8.hpp"
#include "wire/websocket/close.hpp"
#include "wire/websocket/encoder.hpp"
#include <windhover/sleep_for.hpp>
#include <windhover/topics.hpp>
#include <windhover/web_application.hpp>

namespace windhover::fuzz {

namespace {

using namespace std::chrono_literals;
using wire::opcode;

// ----- The application

// How many handlers run.
class counted {
 public:
  explicit counted(int& running) noexcept : running_(running) { ++running_; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() { --running_; }

 private:
  int& running_;
};

task<> echo(websocket& socket) {
  while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

task<> echo_pieces(websocket& socket) {
  std::array<std::byte, 16> room;
  for (;;) {
    const receive_result result = co_await socket.receive(room);
    if (!result) co_return;
    const std::span<const std::byte> piece = std::span(room).first(result.count);
    if (result.type == message_type::binary) {
      co_await socket.send(piece, result.end);
    } else {
      const std::string_view text(reinterpret_cast<const char*>(piece.data()), piece.size());
      co_await socket.send(text, result.end);
    }
  }
}

// A room whose texts say what to do: "+filter", "-filter", "!text to wait for", or a text for all of it.
task<> talk_in_room(websocket& socket, topics& published, subscribe_options options) {
  published.subscribe(socket, "room/1", options);
  while (auto message = co_await socket.receive()) {
    if (!message->is_text()) {
      published.publish_to_others(socket, "room/1", *message);
      continue;
    }
    const std::string_view text = message->text();
    const std::string rest(text.substr(text.empty() ? 0 : 1));
    if (text.starts_with('+')) {
      published.subscribe(socket, rest, options);
    } else if (text.starts_with('-')) {
      published.unsubscribe(socket, rest);
    } else if (text.starts_with('!')) {
      co_await published.publish_and_wait("room/1", prepared_message::from_text(rest));
    } else {
      published.publish("room/1", text);
    }
  }
}

task<> greet(http_context& context) {
  co_await context.response().write("hello, ");
  co_await context.response().write(context.route_value("name"));
}

task<> answer_with_body(http_context& context) {
  const std::string body = co_await context.request().read_all(1000);
  co_await context.response().write(body);
}

task<> answer_late(http_context& context) {
  const std::chrono::milliseconds time = 3s;
  const bool elapsed = co_await sleep_for(time, context.request_aborted());
  if (!elapsed) co_return;
  co_await context.response().write("late");
}

task<> fail_in_handler(http_context&) {
  throw std::runtime_error("a handler that fails");
  co_return;
}

constexpr std::array<std::string_view, 9> targets{"/echo",   "/pieces", "/room/0",  "/room/1", "/room/2",
                                                  "/room/3", "/body",   "/hello/a", "/late"};

void map_endpoints(web_application& application, topics& published, int& running) {
  application.use([&running](http_context& context, next_middleware next) -> task<> {
    const counted here(running);
    context.response().header("X-Passed", "1");
    co_await next();
  });
  application.map_websocket("/echo", [&running](websocket& socket) -> task<> {
    const counted here(running);
    co_await echo(socket);
  });
  application.map_websocket("/pieces", [&running](websocket& socket, const http_context&) -> task<> {
    const counted here(running);
    co_await echo_pieces(socket);
  });
  for (const when_full full : {when_full::wait, when_full::drop_newest, when_full::drop_oldest, when_full::close}) {
    subscribe_options options;
    options.full = full;
    options.max_waiting_messages = 2;
    const auto talk = [&running, &published, options](websocket& socket) -> task<> {
      const counted here(running);
      co_await talk_in_room(socket, published, options);
    };
    application.map_websocket("/room/" + std::to_string(static_cast<int>(full)), talk);
  }
  application.map_post("/body", answer_with_body);
  application.map_get("/hello/{name}", greet);
  application.map_get("/late", answer_late);
  application.map_get("/fails", fail_in_handler);
}

class silent_log final : public logger {
 public:
  bool enabled(log_level) const noexcept override { return true; }
  void write(log_level, std::string_view, std::string_view) noexcept override {}
};

// ----- What comes back

// What the server sent behind an upgrade.
void judge_frames(std::string_view received, bool compression, bool was_cut) {
  testing::frame_reader reader(1U << 20, compression);
  std::optional<test::frame_inflater> inflater;
  std::string message;
  bool closed = false;
  auto rest = std::as_bytes(std::span(received));
  while (!rest.empty()) {
    const auto frame = reader.next(rest);
    require(reader.error() == wire::websocket_error::none, "the server's frames are valid");
    if (!frame) return require(was_cut, "and whole");
    // A ping is answered until the client's own close frame has come (section 5.5.2).
    require(!closed || frame->code == opcode::pong, "nothing comes behind a close frame but pongs");
    if (frame->code == opcode::close) {
      closed = true;
      const auto parsed = wire::parse_close_payload(std::as_bytes(std::span(frame->payload)));
      require(parsed.error == wire::websocket_error::none, "a close frame is well-formed");
    }
    if (is_control(frame->code)) continue;
    if (frame->first) message.clear();
    if (frame->compressed) {
      if (!inflater) inflater.emplace();
      const auto content = inflater->content(frame->payload, frame->fin);
      require(content.has_value(), "what is compressed can be decompressed");
      message += *content;
    } else {
      message += frame->payload;
    }
    if (frame->fin && frame->code == opcode::text) require(wire::valid_utf8(message), "a text is text");
  }
}

void judge(std::string_view sent, std::string_view received, bool was_cut) {
  const asked_requests asked = read_requests(std::as_bytes(std::span(sent)), {});
  response_reader reader(received, was_cut);
  bool closed = false;
  for (std::size_t each = 0; !reader.at_end(); ++each) {
    require(!closed, "nothing comes behind the last response");
    const response answer = reader.next(asked.is_head(each));
    if (!answer.whole) return;
    closed = answer.closes;
    if (answer.status != 101) continue;
    require(each < asked.requests.size() && asked.requests[each].head.wants_upgrade, "only who asks is upgraded");
    return judge_frames(reader.rest(), answer.fields.contains("Sec-WebSocket-Extensions"), was_cut);
  }
}

// ----- The clients

struct client {
  explicit client(net::simulated_network& network) : peer(network, testing::application_run::address()) {
    peer.on_bytes = [this](std::string_view bytes) { received.append(bytes); };
    network.add(peer);
  }
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  void send(std::string_view bytes) {
    sent += bytes;
    peer.queue(bytes);
  }
  void send_frame(std::uint8_t choice, std::string_view payload) {
    wire::frame_header header{.code = static_cast<opcode>(choice & 15),
                              .fin = (choice & 16) == 0,
                              .rsv1 = (choice & 32) != 0,
                              .mask = wire::masking_key{{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}}}};
    if ((choice & 64) != 0) header.mask.reset();
    std::string compressed;
    if ((choice & 128) != 0) {
      if (!deflater) deflater.emplace();
      compressed = deflater->frame_payload(payload, header.fin);
      payload = compressed;
    }
    std::string frame(wire::maximum_frame_header + payload.size(), '\0');
    const auto bytes = std::as_writable_bytes(std::span(frame));
    frame.resize(wire::encode_frame(bytes.data(), header, std::as_bytes(std::span(payload))));
    send(frame);
  }
  void request(std::uint8_t choice) {
    const std::string_view target = targets[(choice & 15) % targets.size()];
    if (target == "/body") return send("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
    std::string text = "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n";
    if ((choice & 15) < 6) {
      text +=
          "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    }
    if ((choice & 16) != 0) text += "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    if ((choice & 32) != 0) text += "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n";
    if ((choice & 64) != 0) text += "Origin: http://a\r\n";
    if ((choice & 128) != 0) text += "Connection: close\r\n";
    send(text + "\r\n");
  }

  testing::memory_peer peer;
  std::string sent;
  std::string received;
  std::optional<test::peer_deflater> deflater;
  bool reads = true;  // and sends
};

// The application and at most four clients at a time.
class stage {
 public:
  stage(const websocket_options& options, std::uint64_t seed, net::network_conduct conduct) : application_(nothing()) {
    application_.use_logger(log_);
    application_.use_host_filtering({"a", "*.example.com"});
    application_.use_websockets(options);
    map_endpoints(application_, published_, running_);
    run_.emplace(application_, seed, conduct);
  }

  // One octet says who does what, and whether the application sees it before the next step; what follows depends on it.
  void step(input& in) {
    enum class what { bytes, frame, request, time, end, reset, pause, stop };
    constexpr std::array<net::duration, 8> times{1ms, 50ms, 500ms, 1s, 5s, 21s, 121s, 601s};
    const std::uint8_t choice = in.octet();
    std::unique_ptr<client>& who = clients_[choice & 3];
    const auto does = static_cast<what>(choice >> 3 & 7);
    if (does == what::time) return pass(in.one_of(times));
    if (does == what::stop) return run_->stop();
    if (who == nullptr || who->peer.over()) {
      leave(who);
      if (run_->stopping()) return;
      who = std::make_unique<client>(run_->network());
    }
    if (does == what::bytes) who->send(in.piece(in.octet()));
    if (does == what::request) who->request(in.octet());
    if (does == what::end) who->peer.end();
    if (does == what::reset) who->peer.reset();
    if (does == what::pause) pause(*who);
    if (does == what::frame) {
      const std::uint8_t frame = in.octet();
      who->send_frame(frame, in.piece(in.octet()));
    }
    if ((choice & 4) == 0) pass(net::duration::zero());
  }

  void end() {
    for (auto& each : clients_) {
      // Those that can still get what is under way for them.
      if (each != nullptr && each->reads) each->peer.end();
    }
    pass(10s);
    for (auto& each : clients_) leave(each);
    pass(10s);
    require(running_ == 0, "every handler ends once its client has gone");
    run_->stop();
    run_->network().set_horizon(net::time_point::max());
    while (!run_->ended()) turn();
    require(run_->clean(), "the application stops");
    require(run_->loop().inbound().used == 0, "nothing is kept for a connection that has gone");
    require(run_->network().open_descriptors() == 0, "every descriptor is closed");
    require(published_.counters().subscribers == 0, "who has gone is subscribed to nothing");
  }

 private:
  static configuration_sources nothing() {
    configuration_sources sources;
    sources.read_files = false;
    return sources;
  }

  void leave(std::unique_ptr<client>& who) {
    if (who == nullptr) return;
    const bool ended = who->peer.over() && !who->peer.was_reset();
    run_->network().remove(who->peer);
    judge(who->sent, who->received, !ended);
    who.reset();
  }

  void pause(client& who) {
    who.reads = !who.reads;
    who.reads ? run_->network().add(who.peer) : run_->network().remove(who.peer);
  }

  void pass(net::duration time) {
    run_->network().set_horizon(run_->network().now() + time);
    do turn();
    while (!run_->network().stalled());
  }

  void turn() {
    constexpr int most_turns = 200'000;
    require(++turns_ < most_turns, "nothing goes on for ever");
    run_->turn(true);
  }

  int running_ = 0;
  int turns_ = 0;
  silent_log log_;
  topics published_;
  web_application application_;
  std::optional<testing::application_run> run_;
  std::array<std::unique_ptr<client>, 4> clients_;  // before the network goes
};

}  // namespace

void try_input(input in) {
  const std::uint8_t sizes = in.octet();
  websocket_options options;
  options.allowed_origins = {"http://a"};
  options.dangerous_enable_compression = true;
  options.compression_threshold = 0;
  options.max_message_size = (sizes & 1) != 0 ? 64 : 65'536;
  options.max_queued_bytes = (sizes & 2) != 0 ? 1024 : 65'536;
  options.max_inbound_bytes = (sizes & 4) != 0 ? 1024 : 65'536;
  options.max_frame_size = (sizes & 8) != 0 ? 10 : 0;
  options.disable_server_context_takeover = (sizes & 16) != 0;
  options.disable_client_context_takeover = (sizes & 32) != 0;
  options.max_compression_memory = (sizes & 64) != 0 ? 100'000 : std::size_t{64} << 20;
  options.keep_alive_interval = (sizes & 128) != 0 ? 1s : 120s;
  const std::uint8_t seed = in.octet();
  net::network_conduct conduct;
  conduct.window = 500;  // so that a few messages make a socket wait for who does not read
  if (seed != 0) {
    conduct.segment = conduct.piece = 8 + seed % 64U;
    conduct.out_of_order = conduct.held_back = conduct.late_sends = conduct.lost_cancels = 300;
  }
  stage plays(options, seed, conduct);
  // What takes more steps than this is found by fewer as well, and sooner.
  constexpr int most_steps = 40;
  for (int step = 0; step < most_steps && !in.empty(); ++step) plays.step(in);
  plays.end();
}

}  // namespace windhover::fuzz
