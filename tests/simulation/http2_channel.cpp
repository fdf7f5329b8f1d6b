#include "http2_channel.hpp"

#include <algorithm>
#include <utility>

#include "wire/websocket/handshake.hpp"

namespace windhover::simulation {
namespace {

using wire::http2::error_code;
using wire::http2::session_role;

std::string_view between(std::string_view text, std::string_view first, std::string_view last) {
  const std::size_t at = text.find(first);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + first.size());
  return text.substr(0, text.find(last));
}

wire::http2::session_settings any_settings(net::seeded_random& random) {
  constexpr std::uint32_t windows[] = {100, 5000, 65'535, 1'000'000};
  wire::http2::session_settings made;
  made.stream_window = windows[random.below(4)];
  return made;
}

}  // namespace

http2_channel::http2_channel(net::seeded_random& random)
    : random_(random), session_(*this, session_role::client, any_settings(random)) {}

void http2_channel::say(std::string_view plain) {
  queued_ += plain;
  if (stream_ != 0 && !closed_) session_.resume(stream_);
}

void http2_channel::finish() {
  finished_ = true;
  if (stream_ != 0 && !closed_) session_.resume(stream_);
}

// The request waits until the server has said that it takes such.
void http2_channel::ask() {
  const std::size_t end = queued_.find("\r\n\r\n");
  if (!may_ask_ || asked_ || end == std::string::npos) return;
  asked_ = true;
  const std::string request = queued_.substr(0, end + 4);
  queued_.erase(0, end + 4);
  key_ = between(request, "Sec-WebSocket-Key: ", "\r\n");
  headers fields{{"Sec-WebSocket-Version", "13"}};
  const std::string_view extensions = between(request, "Sec-WebSocket-Extensions: ", "\r\n");
  if (!extensions.empty()) fields.add("Sec-WebSocket-Extensions", extensions);
  const std::string path(between(request, "GET ", " HTTP/1.1"));
  stream_ = session_.connect({"websocket", "http", "simulation", path}, fields, *this);
}

// Streams that are given up at once, pings, and nothing else that a server must not bear.
void http2_channel::disturb() {
  if (closed_ || !may_ask_ || !random_.chance(30)) return;
  if (random_.chance(500)) return session_.ping();
  class nobody final : public wire::http2::session_stream {};
  static nobody stream;
  const stream_id given_up =
      session_.connect({"websocket", "http", "simulation", "/echo"}, {{"Sec-WebSocket-Version", "13"}}, stream);
  session_.send();
  session_.set_stream(given_up, nullptr);
  session_.reset(given_up, error_code::cancel);
}

std::string http2_channel::take_output() {
  ask();
  disturb();
  session_.send();
  return std::exchange(output_, {});
}

void http2_channel::end() { session_.shut_down(); }

channel::heard http2_channel::hear(std::string_view arrived, std::string& plain) {
  if (!session_.receive(std::as_bytes(std::span(arrived)))) return heard::broken;
  if (const std::size_t count = std::exchange(unreturned_, 0); count > 0 && !closed_) session_.consume(stream_, count);
  plain += std::exchange(heard_, {});
  if (failed_) return heard::broken;
  return std::exchange(ended_, false) ? heard::ended : heard::fine;
}

// ----- From the session

void http2_channel::on_header(wire::http2::session_stream& of, std::string_view name, std::string_view value) {
  if (&of != this) return;
  if (name == ":status") {
    status_ = value;
  } else if (name == "sec-websocket-extensions") {
    answer_.append("Sec-WebSocket-Extensions: ").append(value).append("\r\n");
  }
}

void http2_channel::on_headers_end(wire::http2::session_stream& of, bool) {
  if (&of != this || std::exchange(answered_, true)) return;
  if (status_ == "200") {
    heard_ +=
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
        wire::accept_key(key_) + "\r\n" + answer_ + "\r\n";
  } else {
    heard_ += "HTTP/1.1 " + status_ + " Refused\r\nContent-Length: 0\r\n\r\n";
  }
}

void http2_channel::on_data(wire::http2::session_stream& of, std::span<const std::byte> bytes) {
  if (&of != this) return;
  unreturned_ += bytes.size();
  if (status_ == "200") heard_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void http2_channel::on_stream_closed(wire::http2::session_stream& of, error_code why) {
  if (&of != this) return;
  closed_ = true;
  failed_ = why != error_code::no_error || !end_said_;
}

wire::http2::session_events::data http2_channel::next_data(wire::http2::session_stream& of, std::size_t most) {
  if (&of != this) return {};
  const std::size_t size = std::min(most, queued_.size());
  return {size, finished_ && size == queued_.size()};
}

void http2_channel::write(std::span<const std::byte> bytes) {
  output_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void http2_channel::write_data(wire::http2::session_stream& of, std::size_t size) {
  if (&of != this) return;
  output_.append(queued_, 0, size);
  queued_.erase(0, size);
  if (finished_ && queued_.empty()) end_said_ = true;
}

}  // namespace windhover::simulation
