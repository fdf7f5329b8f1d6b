#include "endpoints.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <deque>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <windhover/sleep_for.hpp>
#include <windhover/task_group.hpp>
#include <windhover/topics.hpp>
#include <windhover/websocket_client.hpp>
#include <windhover/websocket_handle.hpp>
#include <windhover/with_timeout.hpp>

namespace windhover::simulation {
namespace {

using namespace std::chrono_literals;
using unmetered = memory_meter::unmetered;

std::size_t number_in(std::string_view text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Every handler ends.
class counted_handler {
 public:
  explicit counted_handler(journal& in) noexcept : journal_(in) { ++journal_.handlers_started; }
  counted_handler(const counted_handler&) = delete;
  counted_handler& operator=(const counted_handler&) = delete;
  ~counted_handler() { ++journal_.handlers_ended; }

 private:
  journal& journal_;
};

websocket_client_options options_of_clients(http_protocols protocols) {
  websocket_client_options options;
  options.protocols = protocols;
  options.connect_timeout = 3s;
  options.stalled_timeout = 10s;
  options.dangerous_enable_compression = true;
  options.compression_threshold = 0;
  return options;
}

// What the handlers of an application share. Their sockets over HTTP/2 share connections.
struct shared_by_handlers {
  topics published;
  websocket_client over_http1{options_of_clients(http_protocols::http1)};
  websocket_client over_http2{options_of_clients(http_protocols::http2)};
};

// One handler's part in one socket. Which client it talks to it learns from the first message, "client 7".
class conversation {
 public:
  conversation(journal& in, websocket& over, shared_by_handlers& all) noexcept
      : socket(over), published(all.published), shared(all), counted_(in), journal_(in) {}
  conversation(const conversation&) = delete;
  conversation& operator=(const conversation&) = delete;
  ~conversation() {
    if (notes_ == nullptr) return;
    // Memory for the next step may have been what was missing.
    if (std::uncaught_exceptions() > 0) leaves_early();
    notes_->ended = true;
    notes_->close_status = static_cast<int>(socket.close_status().value_or(close_code{}));
  }

  void saw(bool text, std::string_view payload) {
    const unmetered own;
    if (notes_ == nullptr && payload.starts_with("client ")) {
      notes_ = &journal_.handlers[static_cast<int>(number_in(payload.substr(7)))];
    }
    if (notes_ != nullptr) notes_->received.push_back(message_mark::of(text, payload));
  }
  void saw(const message& seen) { saw(seen.is_text(), seen.text()); }

  // What is sent before the client is known cannot be noted: nobody does.
  handler_notes::sent_message& sending(bool text, std::string_view payload) {
    const unmetered own;
    return notes_->sent.emplace_back(handler_notes::sent_message{message_mark::of(text, payload)});
  }
  bool known() const noexcept { return notes_ != nullptr; }
  handler_notes* notes() noexcept { return notes_; }
  void answers_all() noexcept {
    if (notes_ != nullptr) notes_->answers_all = true;
  }
  void leaves_early() noexcept {
    if (notes_ != nullptr) notes_->reads_to_the_end = false;
  }

  websocket& socket;
  topics& published;
  const shared_by_handlers& shared;

 private:
  counted_handler counted_;
  journal& journal_;
  handler_notes* notes_ = nullptr;
};

// Whatever becomes of a send, its outcome is noted.
class noted_send {
 public:
  explicit noted_send(handler_notes::sent_message& of) noexcept : of_(of) {}
  noted_send(const noted_send&) = delete;
  noted_send& operator=(const noted_send&) = delete;
  ~noted_send() {
    if (of_.outcome == send_outcome::under_way) of_.outcome = send_outcome::refused;
  }
  void is(bool queued) noexcept { of_.outcome = queued ? send_outcome::queued : send_outcome::refused; }

 private:
  handler_notes::sent_message& of_;
};

task<bool> send_text(conversation& to, std::string_view text) {
  noted_send noted(to.sending(true, text));
  const bool queued = co_await to.socket.send(text);
  noted.is(queued);
  co_return queued;
}

task<bool> send_whole(conversation& to, const message& whole) {
  noted_send noted(to.sending(whole.is_text(), whole.text()));
  const bool queued = co_await to.socket.send(whole);
  noted.is(queued);
  co_return queued;
}

// ----- Handlers that go on until the client has closed

task<> echo(conversation& in) {
  for (;;) {
    auto seen = co_await in.socket.receive();
    if (!seen) break;
    in.saw(*seen);
    in.answers_all();
    co_await send_whole(in, *seen);
  }
}

task<> echo_slowly(conversation& in) {
  for (;;) {
    auto seen = co_await in.socket.receive();
    if (!seen) break;
    in.saw(*seen);
    co_await sleep_for(std::chrono::milliseconds(seen->size() % 40));
    co_await send_whole(in, *seen);
  }
}

// Busy with something else for most of the time, so that what arrives has to wait at every place where it can.
task<> echo_in_gulps(conversation& in) {
  co_await sleep_for(400ms);
  for (int i = 1;; ++i) {
    auto seen = co_await in.socket.receive();
    if (!seen) break;
    in.saw(*seen);
    in.answers_all();
    co_await send_whole(in, *seen);
    if (i % 4 == 0) co_await sleep_for(300ms);
  }
}

// Piece by piece, through a buffer that most messages do not fit in.
task<> echo_pieces(conversation& in) {
  std::array<std::byte, 333> buffer;
  std::string whole;
  for (;;) {
    const receive_result piece = co_await in.socket.receive(buffer);
    if (!piece) break;
    {
      const unmetered own;
      whole.append(reinterpret_cast<const char*>(buffer.data()), piece.count);
    }
    if (piece.end == end_of_message::no) continue;
    const bool text = piece.type == message_type::text;
    in.saw(text, whole);
    // The answer goes in two pieces, cut anywhere.
    noted_send noted(in.sending(text, whole));
    const std::size_t cut = whole.size() / 3;
    const std::string_view first = std::string_view(whole).substr(0, cut);
    const std::string_view rest = std::string_view(whole).substr(cut);
    bool queued = false;
    if (text) {
      queued = co_await in.socket.send(first, end_of_message::no);
      if (queued) queued = co_await in.socket.send(rest, end_of_message::yes);
    } else {
      queued = co_await in.socket.send(std::as_bytes(std::span(first)), end_of_message::no);
      if (queued) queued = co_await in.socket.send(std::as_bytes(std::span(rest)), end_of_message::yes);
    }
    noted.is(queued);
    const unmetered own;
    std::string().swap(whole);
  }
}

task<> echo_between_timeouts(conversation& in) {
  for (;;) {
    auto ask = [&in](std::stop_token stop) { return in.socket.receive(std::move(stop)); };
    auto answer = with_timeout(7ms, ask);
    auto seen = co_await std::move(answer);
    if (seen.cancelled()) continue;
    if (!seen) break;
    in.saw(*seen);
    in.answers_all();
    co_await send_whole(in, *seen);
  }
}

task<> tick(conversation& in, std::stop_token stop) {
  for (int i = 0; i < 200; ++i) {
    const bool elapsed = co_await sleep_for(11ms, stop);
    if (!elapsed) break;
    if (!in.known()) continue;
    const std::string text = "tick " + std::to_string(i);
    const bool queued = co_await send_text(in, text);
    if (!queued) break;
  }
}

task<> echo_beside_a_ticker(conversation& in) {
  auto body = [&in](task_group& group) -> task<> {
    group.spawn(tick(in, group.stop_token()));
    co_await echo(in);
  };
  co_await task_group::run(body);
}

// Many answers to one message.
task<> burst(conversation& in) {
  constexpr std::string_view news = "the same for all";
  const prepared_message shared = prepared_message::from_text(news);
  for (;;) {
    auto seen = co_await in.socket.receive();
    if (!seen) break;
    in.saw(*seen);
    for (std::size_t i = 0; i < seen->size() % 50; ++i) {
      bool queued = false;
      if (i % 3 == 0) {
        noted_send noted(in.sending(true, news));
        queued = co_await in.socket.send(shared);
        noted.is(queued);
      } else {
        const std::string text = "answer " + std::to_string(i);
        queued = co_await send_text(in, text);
      }
      if (!queued) break;
    }
  }
}

task<> echo_through_a_handle(conversation& in) {
  const websocket_handle handle = in.socket.handle();
  for (;;) {
    auto seen = co_await in.socket.receive();
    if (!seen) break;
    in.saw(*seen);
    if (!in.known()) continue;
    in.notes()->may_lose = true;
    if (!seen->is_text()) continue;
    // What finds the queue full is not sent: the client must not get it. What it says is a copy's size at least.
    const auto outcome = handle.send(seen->text());
    if (outcome != websocket_handle::outcome::queued) continue;
    noted_send noted(in.sending(true, seen->text()));
    noted.is(true);
  }
}

// By way of a topic that it alone has subscribed to, every second time without waiting for room.
task<> echo_through_a_topic(conversation& in) {
  std::string topic;
  for (int i = 0;; ++i) {
    auto seen = co_await in.socket.receive();
    if (!seen) break;
    in.saw(*seen);
    if (topic.empty()) {
      topic = seen->text();
      const subscribe_options patient{.full = when_full::wait, .max_waiting_messages = 2};
      in.published.subscribe(in.socket, topic, patient);
      in.published.subscribe(in.socket, topic + "/#", patient);
    }
    if (!in.known()) continue;
    // What waits for room when the connection ends is lost.
    in.notes()->may_lose = true;
    noted_send noted(in.sending(seen->is_text(), seen->text()));
    if (i % 2 == 0) {
      in.published.publish(topic, *seen);
    } else {
      co_await in.published.publish_and_wait(topic, prepared_message::from_message(*seen));
    }
    noted.is(true);
  }
  const topics_counters seen = in.published.counters();
  if (seen.dropped + seen.closed == 0) in.answers_all();
}

// Messages that are on their way through a WebSocket which the handler has opened.
class detour {
 public:
  bool complete = false;  // no further ones will depart

  void departs(const message& out) {
    const unmetered own;
    marks_.push_back(message_mark::of(out.is_text(), out.text()));
  }
  // False: another one than the next that departed.
  bool arrives(const message& back) {
    const unmetered own;
    if (marks_.empty() || !(marks_.front() == message_mark::of(back.is_text(), back.text()))) return false;
    marks_.pop_front();
    return true;
  }
  ~detour() {
    const unmetered own;
    marks_.clear();
  }

 private:
  std::deque<message_mark> marks_;
};

task<> come_back(conversation& in, websocket& far, detour& through, std::stop_token stop) {
  for (;;) {
    auto back = co_await far.receive(stop);
    if (!back) break;
    if (!through.arrives(*back)) {
      const unmetered own;
      in.notes()->complaint = "a message came back from the detour as another one";
    }
    const bool queued = co_await send_whole(in, *back);
    if (!queued) break;
  }
  if (through.complete) co_return;
  // Whichever of the two has ended, the other one must not wait for it.
  far.abort();
  in.leaves_early();
  co_await in.socket.close(static_cast<close_code>(4004), "the detour is closed");
}

// Through another handler of the same application, over a WebSocket that this one opens.
task<> echo_by_a_detour(conversation& in, const websocket_client& client) {
  bool connected = false;
  try {
    websocket far = co_await client.connect("ws://192.0.2.1/mirror");
    connected = true;
    detour through;
    auto body = [&in, &far, &through](task_group& group) -> task<> {
      bool returning = false;
      for (;;) {
        auto seen = co_await in.socket.receive();
        through.complete = !seen;
        if (!seen) break;
        in.saw(*seen);
        through.departs(*seen);
        if (!std::exchange(returning, true)) group.spawn(come_back(in, far, through, group.stop_token()));
        const bool queued = co_await far.send(*seen);
        if (!queued) break;
      }
      if (!through.complete) in.leaves_early();
      co_await far.close();
    };
    co_await task_group::run(body);
  } catch (const websocket_connect_error&) {
  }
  if (connected) co_return;
  auto seen = co_await in.socket.receive();
  if (seen) in.saw(*seen);
  in.leaves_early();
}

task<> echo_over_http1(conversation& in) { return echo_by_a_detour(in, in.shared.over_http1); }
task<> echo_over_http2(conversation& in) { return echo_by_a_detour(in, in.shared.over_http2); }

task<> mirror(websocket& socket, journal& notes) {
  const counted_handler counted(notes);
  for (;;) {
    auto seen = co_await socket.receive();
    if (!seen) break;
    const bool queued = co_await socket.send(*seen);
    if (!queued) break;
  }
}

// ----- Handlers that end by themselves

task<> close_after_three(conversation& in) {
  for (int i = 0; i < 3; ++i) {
    auto seen = co_await in.socket.receive();
    if (!seen) co_return;
    in.saw(*seen);
    co_await send_whole(in, *seen);
  }
  in.leaves_early();
  co_await in.socket.close(static_cast<close_code>(4003), "three are enough");
}

task<> leave_after_two(conversation& in) {
  for (int i = 0; i < 2; ++i) {
    auto seen = co_await in.socket.receive();
    if (!seen) co_return;
    in.saw(*seen);
    co_await send_whole(in, *seen);
  }
  in.leaves_early();
}

task<> fail_after_two(conversation& in) {
  co_await leave_after_two(in);
  in.leaves_early();
  throw std::runtime_error("two are too many");
}

task<> abort_after_two(conversation& in) {
  co_await leave_after_two(in);
  in.leaves_early();
  in.socket.abort();
}

using talk = task<> (*)(conversation&);

struct socket_endpoint {
  std::string_view path;
  talk says;
};
constexpr socket_endpoint socket_endpoints[] = {
    {"/echo", echo},
    {"/slowly", echo_slowly},
    {"/gulps", echo_in_gulps},
    {"/again", echo_in_gulps},
    {"/pieces", echo_pieces},
    {"/timeouts", echo_between_timeouts},
    {"/ticker", echo_beside_a_ticker},
    {"/burst", burst},
    {"/handle", echo_through_a_handle},
    {"/topic", echo_through_a_topic},
    {"/detour", echo_over_http1},
    {"/detour-over-http2", echo_over_http2},
    {"/three", close_after_three},
    {"/leave", leave_after_two},
    {"/fail", fail_after_two},
    {"/abort", abort_after_two},
};

// ----- HTTP

task<> answer_with_pattern(http_context& context) {
  const std::string text = pattern(number_in(context.request().query_value("size").value_or("0")));
  std::string_view left = text;
  while (!left.empty()) {
    const std::string_view piece = left.substr(0, 3000);
    left.remove_prefix(piece.size());
    const bool goes_on = co_await context.response().write(piece);
    if (!goes_on) co_return;
  }
}

task<> answer_with_body(http_context& context) {
  const std::string body = co_await context.request().read_all();
  co_await context.response().write(body);
}

task<> answer_late(http_context& context) {
  const auto time = std::chrono::milliseconds(number_in(context.request().query_value("size").value_or("0")));
  const bool elapsed = co_await sleep_for(time, context.request_aborted());
  if (!elapsed) co_return;
  co_await context.response().write("late");
}

}  // namespace

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return text;
}

std::span<const std::string_view> socket_paths() noexcept {
  static const auto paths = [] {
    std::array<std::string_view, std::size(socket_endpoints)> all;
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = socket_endpoints[i].path;
    return all;
  }();
  return paths;
}

void map_endpoints(web_application& application, journal& notes) {
  const auto shared = std::make_shared<shared_by_handlers>();
  bool with_context = false;
  for (const socket_endpoint& each : socket_endpoints) {
    // Every second one takes the context, and is run by the pipeline; the others by the connection itself.
    if (std::exchange(with_context, !with_context)) {
      application.map_websocket(each.path,
                                [says = each.says, &notes, shared](websocket& socket, const http_context&) -> task<> {
                                  conversation here(notes, socket, *shared);
                                  co_await says(here);
                                });
    } else {
      application.map_websocket(each.path, [says = each.says, &notes, shared](websocket& socket) -> task<> {
        conversation here(notes, socket, *shared);
        co_await says(here);
      });
    }
  }
  application.map_websocket("/mirror", [&notes](websocket& socket) { return mirror(socket, notes); });
  application.map_get("/pattern", answer_with_pattern);
  application.map_post("/body", answer_with_body);
  application.map_get("/late", answer_late);
}

}  // namespace windhover::simulation
