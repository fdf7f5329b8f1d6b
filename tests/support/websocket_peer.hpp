// A WebSocket under test with its handler at one end of a transport, and at the other a peer that writes raw bytes and
// notes what comes back. On a memory pipe in virtual time, or on sockets.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/transports.hpp"
#include "support/virtual_engine.hpp"
#include "websocket/websocket_connection.hpp"
#include "wire/websocket/close.hpp"
#include "wire/websocket/decoder.hpp"
#include "wire/websocket/encoder.hpp"

namespace windhover::test {

using wire::opcode;

inline constexpr std::size_t uncut = std::numeric_limits<std::size_t>::max();
// As tests of streams are cut everywhere.
inline constexpr std::size_t all_cuts[] = {1, 2, 3, 4, 5, 6, 7, 8, 16, 31, uncut};

// The base of suites whose every test runs once for each of them: websocket_peers peers(GetParam());
class every_cut : public ::testing::TestWithParam<std::size_t> {};
inline auto each_cut() { return ::testing::ValuesIn(all_cuts); }
inline std::string cut_name(const ::testing::TestParamInfo<std::size_t>& info) {
  return info.param == uncut ? "Uncut" : "CutTo" + std::to_string(info.param);
}

// ----- Frames as they are on the wire

inline std::string frame_on_wire(opcode code, std::string_view payload, bool fin, std::optional<wire::masking_key> mask,
                                 bool rsv1 = false) {
  std::string frame(wire::maximum_frame_header + payload.size(), '\0');
  const wire::frame_header header{.code = code, .fin = fin, .rsv1 = rsv1, .mask = mask};
  frame.resize(wire::encode_frame(std::as_writable_bytes(std::span(frame)).data(), header, bytes_of(payload)));
  return frame;
}

inline constexpr wire::masking_key key_of_tests{{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}}};

// From a client: masked. `fin` false: more fragments follow.
inline std::string client_frame(opcode code, std::string_view payload, bool fin = true) {
  return frame_on_wire(code, payload, fin, key_of_tests);
}
inline std::string server_frame(opcode code, std::string_view payload, bool fin = true) {
  return frame_on_wire(code, payload, fin, std::nullopt);
}

// The payload of a close frame. Codes that must not be sent are written as well.
inline std::string closing(int code, std::string_view reason = {}) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return payload.append(reason);
}
inline std::string client_close(int code, std::string_view reason = {}) {
  return client_frame(opcode::close, closing(code, reason));
}

// "81 02" is two bytes; what is no digit is for the reader.
inline std::string from_hex(std::string_view digits) {
  std::string bytes;
  std::string pair;
  for (const char each : digits) {
    if (std::isxdigit(static_cast<unsigned char>(each)) != 0) pair += each;
    if (pair.size() == 2) {
      bytes += static_cast<char>(std::stoi(pair, nullptr, 16));
      pair.clear();
    }
  }
  return bytes;
}
inline std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char each : bytes) {
    text += digits[static_cast<unsigned char>(each) >> 4];
    text += digits[static_cast<unsigned char>(each) & 15];
  }
  return text;
}

// Bytes that differ from their neighbours, and are text.
inline std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return text;
}

struct seen_frame {
  opcode code;
  std::string payload;
  bool fin = true;
  bool rsv1 = false;  // the first frame of a compressed message

  bool operator==(const seen_frame&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const seen_frame& frame) {
    out << "opcode " << static_cast<int>(frame.code) << (frame.fin ? " " : " (more follow) ");
    if (frame.rsv1) return out << "compressed " << to_hex(frame.payload.substr(0, 100));
    if (frame.payload.size() > 100) return out << frame.payload.size() << " bytes";
    return out << (is_control(frame.code) ? to_hex(frame.payload) : frame.payload);
  }
};
inline seen_frame seen_text(std::string payload) { return {opcode::text, std::move(payload)}; }
inline seen_frame seen_close(int code, std::string_view reason = {}) { return {opcode::close, closing(code, reason)}; }

// ----- The peer

// Outlives the peer's driver, which the loop destroys.
struct peer_record {
  std::string received;
  bool ended = false;
  std::optional<net::failure::cause> failed;
  bool gone = false;
  bool takes = true;         // false: the peer does not read
  bool compression = false;  // RSV1 has a meaning in what was received
  std::function<void(std::span<const std::byte>)> on_bytes;

  // The whole frames in what was received. Continuations are shown as such.
  std::vector<seen_frame> frames(wire::role own_role = wire::role::client) const {
    wire::frame_decoder decoder(own_role, {.message_size = std::uint64_t{1} << 40, .fragments = 1U << 30}, compression);
    std::span<const std::byte> rest = bytes_of(received);
    std::vector<seen_frame> found;
    while (!rest.empty()) {
      const bool continues = (rest.front() & std::byte{0x0f}) == std::byte{0};
      const bool rsv1 = (rest.front() & std::byte{0x40}) != std::byte{0};
      if (decoder.read_header(rest) != wire::frame_decoder::step::frame) break;
      const auto frame = decoder.frame();
      if (rest.size() < frame.payload_length) break;
      std::string payload(static_cast<std::size_t>(frame.payload_length), '\0');
      decoder.read_payload(rest, std::as_writable_bytes(std::span(payload)));
      if (!decoder.end_frame()) break;
      found.push_back({continues ? opcode::continuation : frame.code, std::move(payload), frame.fin, rsv1});
    }
    EXPECT_EQ(decoder.error(), wire::websocket_error::none) << describe(decoder.error());
    return found;
  }
};

class raw_peer final : public net::driver {
 public:
  explicit raw_peer(peer_record& to) noexcept : record_(to) {}
  ~raw_peer() override { record_.gone = true; }

  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override {
    if (!record_.takes) return 0;
    record_.received += text_of(bytes);
    if (record_.on_bytes) record_.on_bytes(bytes);
    return bytes.size();
  }
  void on_writable() noexcept override {}
  void on_end() noexcept override { record_.ended = true; }
  void on_failure(const net::failure& why) noexcept override { record_.failed = why.why; }
  bool finished() const noexcept override { return true; }
  void drain() noexcept override {}
  std::string describe() const override { return "the peer"; }

 private:
  peer_record& record_;
};

// ----- The end under test

using websocket_handler = std::function<task<>(websocket&)>;

// Outlives the host.
struct host_record {
  bool handler_ended = false;
  std::exception_ptr failure;  // what escaped from the handler
  bool gone = false;
};

// Owns a connection and its handler, and keeps them until the handler has ended, as an HTTP connection does.
class websocket_host final : public net::driver {
 public:
  websocket_host(net::transport& on, wire::role role, const websocket_settings& settings, std::string_view sub_protocol,
                 host_record& record, std::unique_ptr<websocket_compression> compression = nullptr)
      : stream_(on),
        record_(record),
        connection_(on, nullptr, role, std::make_shared<const websocket_settings>(settings), sub_protocol,
                    std::move(compression)) {}
  ~websocket_host() override { record_.gone = true; }

  void start(websocket_handler handler) {
    handler_ = run(connection_, std::move(handler));
    running_ = true;
    handler_.start(this, &websocket_host::ended);
  }
  websocket_connection& connection() noexcept { return connection_; }

  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override { return connection_.on_bytes(bytes); }
  void on_writable() noexcept override { connection_.on_writable(); }
  void on_end() noexcept override { connection_.on_end(); }
  void on_failure(const net::failure& why) noexcept override { connection_.on_failure(why); }
  bool finished() const noexcept override { return !running_ && connection_.finished(); }
  void drain() noexcept override { connection_.drain(); }
  std::string describe() const override { return connection_.describe(); }

 private:
  static task<> run(websocket_connection& connection, websocket_handler handler) {
    websocket socket = connection.make_websocket();
    co_await handler(socket);
  }
  static std::coroutine_handle<> ended(void* context) noexcept {
    auto& self = *static_cast<websocket_host*>(context);
    self.running_ = false;
    self.record_.handler_ended = true;
    try {
      self.handler_.take();
    } catch (...) {
      self.record_.failure = std::current_exception();
    }
    self.stream_.driver_finished();
    return std::noop_coroutine();
  }

  net::transport& stream_;
  host_record& record_;
  websocket_connection connection_;
  task<> handler_;
  bool running_ = false;
};

class recorded_log final : public logger {
 public:
  void write(log_level, std::string_view category, std::string_view text) noexcept override {
    lines += std::string(category) + ": " + std::string(text) + "\n";
  }
  bool enabled(log_level) const noexcept override { return true; }
  std::string lines;
};

// Handlers wait here until the test lets them go on. (What is awaited is made by operator co_await: g++ 12 copies an
// awaiter that a lambda has captured by reference.)
class gate {
 public:
  struct awaiter {
    bool await_ready() const noexcept { return at.open_; }
    void await_suspend(std::coroutine_handle<> waiter) const { at.waiters_.push_back(waiter); }
    void await_resume() const noexcept {}
    gate& at;
  };
  awaiter operator co_await() noexcept { return {*this}; }

  void open() {
    open_ = true;
    for (const std::coroutine_handle<> each : std::exchange(waiters_, {})) each.resume();
  }

 private:
  bool open_ = false;
  std::vector<std::coroutine_handle<>> waiters_;
};

class websocket_peers {
 public:
  // On a memory pipe, in virtual time. Neither end gets more than `cut` bytes at a time.
  explicit websocket_peers(std::size_t cut = uncut)
      : loop(std::make_unique<virtual_engine>(), loop_options()), kind_(kind_of_transport::pipe), cut_(cut) {}
  // On transports of that kind.
  explicit websocket_peers(kind_of_transport kind)
      : loop(is_pipe(kind) ? std::make_unique<virtual_engine>() : net::make_engine(engine_of(kind)).engine,
             loop_options()),
        kind_(kind),
        cut_(uncut) {}
  websocket_peers(const websocket_peers&) = delete;
  websocket_peers& operator=(const websocket_peers&) = delete;
  // Nothing may be left behind, and nothing may hang: every await of a dead connection has an outcome.
  ~websocket_peers() {
    on_loop([this] { loop.abort_all(); });
    if (is_pipe(kind_)) run_idle();
    while (!is_pipe(kind_) && !gone()) loop.run_once(true);
    EXPECT_TRUE(gone());
  }

  // What the ends that are served from now on have negotiated; nothing: no compression.
  std::optional<wire::deflate_parameters> compression;
  compression_settings compressing;

  // Connects, and starts the handler, here or at the peer's end.
  void serve(websocket_handler handler, const websocket_settings& settings = {}, std::string_view sub_protocol = {}) {
    connect(host_maker(wire::role::server, settings, sub_protocol), raw_maker());
    start(std::move(handler));
  }
  void serve_as_client(websocket_handler handler, const websocket_settings& settings = {}) {
    connect(host_maker(wire::role::client, settings, {}), raw_maker());
    start(std::move(handler));
  }
  void serve_both(websocket_handler server, websocket_handler client, const websocket_settings& settings = {}) {
    websocket_host* other = nullptr;
    connect(host_maker(wire::role::server, settings, {}), [&](net::transport& on) {
      auto made = std::make_unique<websocket_host>(on, wire::role::client, settings, "", other_host,
                                                   make_compression(wire::role::client, settings));
      other = made.get();
      return made;
    });
    start(std::move(server));
    on_loop([&] { other->start(std::move(client)); });
  }

  // One more connection on the same loop. The records outlive this object.
  void serve_another(websocket_handler handler, host_record& its_host, peer_record& its_peer) {
    const auto [near, far] = net::memory_pipe::make(loop, cut_);
    auto made = std::make_unique<websocket_host>(*near, wire::role::server, websocket_settings{}, "", its_host);
    websocket_host& added = *made;
    net::memory_pipe::set_driver(*near, std::move(made));
    net::memory_pipe::set_driver(*far, std::make_unique<raw_peer>(its_peer));
    on_loop([&] { added.start(std::move(handler)); });
  }

  websocket_connection& connection() { return host_->connection(); }

  // What the peer does.
  void send(std::string_view bytes) { peer_end->queue_copy(bytes_of(bytes)); }
  void send_text(std::string_view text) { send(client_frame(opcode::text, text)); }
  void send_close(int code, std::string_view reason = {}) { send(client_close(code, reason)); }
  void take() {
    peer.takes = true;
    peer_end->resume_reading();
  }

  // As code on the loop's thread.
  template <class Act>
  void on_loop(Act&& act) {
    const net::event_loop::scope here(loop);
    act();
  }
  void open(gate& opened) {
    on_loop([&] { opened.open(); });
  }

  template <class Done>
  void run_until(Done&& done) {
    test::run_until(loop, std::forward<Done>(done));
  }
  // In virtual time: up to the moment when only the clock could go on.
  void run_idle() { test::run_idle(loop); }
  void run_until_frames(std::size_t count) {
    run_until([&] { return peer.frames().size() >= count; });
  }
  // Until the handler has ended; what escaped from it is thrown here.
  void run_handler() {
    run_until([&] { return host.handler_ended; });
    if (host.failure) std::rethrow_exception(std::exchange(host.failure, nullptr));
  }
  // Until both ends have been destroyed, which they must be without anybody's help.
  void run_until_gone() {
    run_until([&] { return gone(); });
  }
  // The peer ends politely, after the handler.
  void finish() {
    run_handler();
    run_until([&] { return peer.ended || peer.failed; });
    if (!peer.gone) peer_end->close();
    run_until_gone();
  }
  bool gone() const { return loop.describe_connections(1).empty(); }
  std::chrono::milliseconds elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(loop.now() - net::time_point());
  }

  recorded_log log;
  peer_record peer;
  host_record host;
  host_record other_host;
  net::event_loop loop;
  net::transport* host_end = nullptr;
  net::transport* peer_end = nullptr;

 private:
  net::event_loop_options loop_options() {
    net::event_loop_options made;
    made.log = &log;
    return made;
  }
  net::event_loop::driver_factory raw_maker() {
    return [this](net::transport&) { return std::make_unique<raw_peer>(peer); };
  }
  net::event_loop::driver_factory host_maker(wire::role role, const websocket_settings& settings,
                                             std::string_view sub_protocol) {
    return [this, role, settings, sub_protocol](net::transport& on) {
      auto made =
          std::make_unique<websocket_host>(on, role, settings, sub_protocol, host, make_compression(role, settings));
      host_ = made.get();
      return made;
    };
  }
  std::unique_ptr<websocket_compression> make_compression(wire::role role, const websocket_settings& settings) {
    if (!compression) return nullptr;
    return std::make_unique<websocket_compression>(role, wire::deflate_agreement{*compression, "permessage-deflate"},
                                                   compressing, settings.max_message_size);
  }
  void start(websocket_handler handler) {
    on_loop([&] { host_->start(std::move(handler)); });
  }
  void connect(const net::event_loop::driver_factory& make_near, const net::event_loop::driver_factory& make_far) {
    peer = {};
    peer.compression = compression.has_value();
    host = {};
    std::tie(host_end, peer_end) = connect_pair(loop, kind_, make_near, make_far, cut_);
  }

  kind_of_transport kind_;
  std::size_t cut_;
  websocket_host* host_ = nullptr;
};

// ----- What handlers see, as text

// "text Hello", "binary 4 bytes".
inline std::string to_string(const message& seen) {
  return std::string(seen.is_text() ? "text " : "binary ") + std::string(seen.text());
}
inline std::string to_string(const received& seen) {
  if (seen.cancelled()) return "cancelled";
  return seen ? to_string(*seen) : "closed";
}
// "text Hel+" where the message goes on, "text lo." where it ends.
inline std::string to_string(const receive_result& seen, std::span<const std::byte> buffer) {
  if (seen.cancelled()) return "cancelled";
  if (!seen) return "closed";
  std::string text = seen.type == message_type::text ? "text " : "binary ";
  text += text_of(buffer.first(seen.count));
  return text += seen.end == end_of_message::yes ? "." : "+";
}
// "1000 bye", "open".
inline std::string status_of(const websocket& socket) {
  const auto status = socket.close_status();
  if (!status) return "open";
  std::string text = std::to_string(static_cast<int>(*status));
  if (!socket.close_reason().empty()) text.append(" ").append(socket.close_reason());
  return text;
}

// Notes every message, then how it ended.
inline websocket_handler note_messages(std::vector<std::string>& notes) {
  return [&notes](websocket& socket) -> task<> {
    while (auto message = co_await socket.receive()) notes.push_back(to_string(*message));
    notes.push_back(status_of(socket));
  };
}

inline task<> echo(websocket& socket) {
  while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

}  // namespace windhover::test
