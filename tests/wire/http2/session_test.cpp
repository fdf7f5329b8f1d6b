// The session by itself: what comes of bytes, where they were cut, and what leaves. Whole conversations are in
// tests/http.
#include "wire/http2/session.hpp"

#include <functional>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "support/fragment_sweep.hpp"
#include "support/http2_peer.hpp"

namespace windhover::wire::http2 {
namespace {

using test::http2_peer;

struct recording_stream final : session_stream {
  explicit recording_stream(stream_id number) : id(number) {}
  stream_id id;
  std::string queued;
  bool ends = true;
};

class recording_events final : public session_events {
 public:
  bool on_headers_begin(stream_id id) override {
    log += "begin " + std::to_string(id) + "\n";
    if (refuses) return false;
    streams.push_back(std::make_unique<recording_stream>(id));
    on->set_stream(id, streams.back().get());
    return true;
  }
  void on_header(session_stream&, std::string_view name, std::string_view value) override {
    if (fails) throw std::bad_alloc();
    log.append(name).append("=").append(value).append("\n");
  }
  void on_headers_end(session_stream&, bool ends) override { log += ends ? "head and end\n" : "head\n"; }
  void on_data(session_stream&, std::span<const std::byte> bytes) override {
    data.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void on_stream_end(session_stream&) override { log += "end\n"; }
  void on_stream_closed(session_stream&, error_code why) override { log.append(describe(why)).append("\n"); }
  void on_ping_answered() override { log += "pong\n"; }
  void on_settings() override { log += "settings\n"; }
  bool on_event(event what) override {
    if (what == event::reset) log += "reset\n";
    return !is_enough;
  }
  session_events::data next_data(session_stream& of, std::size_t most) override {
    auto& stream = static_cast<recording_stream&>(of);
    const std::size_t size = std::min(most, stream.queued.size());
    return {size, stream.ends && size == stream.queued.size()};
  }
  bool may_write() const override { return has_room; }
  void write(std::span<const std::byte> bytes) override {
    written.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void write_data(session_stream& of, std::size_t size) override {
    auto& stream = static_cast<recording_stream&>(of);
    written += stream.queued.substr(0, size);
    stream.queued.erase(0, size);
  }

  session* on = nullptr;
  std::vector<std::unique_ptr<recording_stream>> streams;
  std::string log;
  std::string data;
  std::string written;
  bool refuses = false;
  bool fails = false;
  bool is_enough = false;
  bool has_room = true;
};

class session_test : public ::testing::Test {
 protected:
  session_test() { events.on = &tested; }
  bool receive(std::string_view bytes) { return tested.receive(std::as_bytes(std::span(bytes))); }
  // What has left, as the peer reads it.
  void send() {
    tested.send();
    peer.take(std::exchange(events.written, {}));
  }

  recording_events events;
  session tested{events, session_role::server, {}};
  http2_peer peer;
};

TEST(session, tells_the_same_wherever_the_bytes_are_cut) {
  http2_peer writer;
  const std::string stream =
      http2_peer::begin() + writer.get(1, "/a") + writer.post(3, "/b", "hello") + test::rst_stream(3) + test::ping();
  windhover::testing::for_each_cut(stream, [](const windhover::testing::byte_pieces& pieces) {
    recording_events events;
    session tested(events, session_role::server, {});
    events.on = &tested;
    for (const auto& piece : pieces) ASSERT_TRUE(tested.receive(piece));
    EXPECT_EQ(events.log,
              "settings\nbegin 1\n:method=GET\n:scheme=http\n:path=/a\n:authority=example.com\nhead and end\nend\n"
              "begin 3\n:method=POST\n:scheme=http\n:path=/b\n:authority=example.com\nhead\nend\nreset\nCANCEL\n");
    EXPECT_EQ(events.data, "hello");
  });
}

TEST_F(session_test, an_answer_leaves_with_its_body_in_frames) {
  ASSERT_TRUE(receive(http2_peer::begin() + peer.get(1)));
  events.streams.front()->queued = std::string(20'000, 'x');
  tested.respond(1, 200, headers{{"Content-Type", " text/plain "}, {"Set-Cookie", "a=1"}}, true);
  send();
  EXPECT_EQ(peer.answer(1).status, "200");
  EXPECT_EQ(peer.answer(1).fields, (test::field_list{{"content-type", "text/plain"}, {"set-cookie", "a=1"}}));
  EXPECT_EQ(peer.answer(1).body.size(), 20'000U);
  EXPECT_EQ(peer.count(test::frame_type::data), 2U);
  EXPECT_TRUE(peer.answer(1).ended);
  EXPECT_TRUE(events.log.ends_with("end\nNO_ERROR\n"));
}

TEST_F(session_test, a_stream_that_has_nothing_waits_until_it_is_resumed) {
  ASSERT_TRUE(receive(http2_peer::begin() + peer.get(1)));
  events.streams.front()->ends = false;
  tested.respond(1, 200, {}, true);
  send();
  EXPECT_FALSE(peer.answer(1).ended);
  events.streams.front()->queued = "later";
  send();
  EXPECT_EQ(peer.answer(1).body, "");
  tested.resume(1);
  send();
  EXPECT_EQ(peer.answer(1).body, "later");
}

TEST_F(session_test, nothing_leaves_while_there_is_no_room_below) {
  ASSERT_TRUE(receive(http2_peer::begin() + peer.get(1)));
  events.streams.front()->queued = "data";
  tested.respond(1, 200, {}, true);
  events.has_room = false;
  send();
  EXPECT_TRUE(peer.frames.empty());
  events.has_room = true;
  send();
  EXPECT_EQ(peer.answer(1).body, "data");
}

TEST_F(session_test, windows_of_streams_are_the_owners_to_return) {
  ASSERT_TRUE(receive(http2_peer::begin() + peer.headers_frame(1, http2_peer::request_fields("POST", "/"), 0)));
  send();
  const std::uint64_t before = peer.windows[0];
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(receive(test::data_frame(1, std::string(16'000, 'x'))));
  send();
  EXPECT_EQ(peer.windows[1], 0U);
  tested.consume(1, 64'000);
  send();
  EXPECT_EQ(peer.windows[1], 64'000U);
  // The connection's is 1 MiB, and is returned when half of it has been used.
  EXPECT_EQ(peer.windows[0], before);
}

TEST_F(session_test, a_refused_stream_is_reset_and_the_connection_goes_on) {
  events.refuses = true;
  ASSERT_TRUE(receive(http2_peer::begin() + peer.get(1)));
  events.refuses = false;
  ASSERT_TRUE(receive(peer.get(3)));
  send();
  EXPECT_EQ(peer.answer(1).reset, error_code::refused_stream);
  EXPECT_EQ(events.streams.size(), 1U);
}

TEST_F(session_test, what_is_no_http_2_breaks_it_with_last_words) {
  EXPECT_FALSE(receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_FALSE(receive("more"));
  send();
  send();
  ASSERT_EQ(peer.goaways.size(), 1U);
  EXPECT_EQ(peer.goaways[0].why, error_code::protocol_error);
  EXPECT_TRUE(tested.finished());
}

TEST_F(session_test, enough_is_enough_in_the_middle_of_what_was_read) {
  events.is_enough = true;
  EXPECT_FALSE(receive(http2_peer::begin() + peer.get(1)));
  send();
  EXPECT_EQ(peer.goaways.back().why, error_code::enhance_your_calm);
  EXPECT_TRUE(events.streams.empty());
}

TEST_F(session_test, the_lack_of_memory_in_an_event_comes_out_of_receive) {
  events.fails = true;
  EXPECT_THROW(static_cast<void>(receive(http2_peer::begin() + peer.get(1))), std::bad_alloc);
}

TEST_F(session_test, ends_in_two_steps) {
  ASSERT_TRUE(receive(http2_peer::begin() + peer.get(1)));
  tested.announce_shutdown();
  tested.ping();
  send();
  ASSERT_EQ(peer.goaways.size(), 1U);
  EXPECT_EQ(peer.goaways[0].last_stream, 0x7FFFFFFFU);
  tested.shut_down();
  send();
  EXPECT_EQ(peer.goaways.back().last_stream, 1U);
  EXPECT_FALSE(tested.finished());
  tested.respond(1, 204, {}, false);
  send();
  EXPECT_TRUE(peer.answer(1).ended_with_head);
  EXPECT_TRUE(tested.finished());
}

TEST_F(session_test, interim_answers_come_before_the_last_one) {
  ASSERT_TRUE(receive(http2_peer::begin() + peer.get(1)));
  tested.inform(1, 100);
  tested.respond(1, 200, {}, false);
  send();
  EXPECT_EQ(peer.answer(1).informed, std::vector<std::string>{"100"});
  EXPECT_EQ(peer.answer(1).status, "200");
}

TEST_F(session_test, what_is_asked_for_streams_that_have_gone_is_no_mistake) {
  ASSERT_TRUE(receive(http2_peer::begin() + peer.get(1) + test::rst_stream(1)));
  tested.respond(1, 200, {}, false);
  tested.inform(1, 100);
  tested.resume(1);
  tested.consume(1, 10);
  tested.reset(1, error_code::cancel);
  tested.set_stream(1, nullptr);
  send();
  EXPECT_EQ(peer.answer(1).status, "");
  EXPECT_TRUE(peer.goaways.empty());
}

// ----- The client's role

const extended_connect wanted{"websocket", "https", "example.com", "/ws"};

class client_session_test : public ::testing::Test {
 protected:
  client_session_test() { events.on = &tested; }
  bool receive(std::string_view bytes) { return tested.receive(std::as_bytes(std::span(bytes))); }
  // What has left, as the server reads it.
  void send() {
    tested.send();
    std::string bytes = std::exchange(events.written, {});
    if (!std::exchange(begun, true)) {
      EXPECT_TRUE(bytes.starts_with(client_preface));
      bytes.erase(0, client_preface.size());
    }
    server.take(bytes);
  }

  recording_events events;
  session tested{events, session_role::client, {}};
  http2_peer server;
  bool begun = false;
};

TEST_F(client_session_test, begins_with_the_preface_and_settings_without_pushes) {
  send();
  EXPECT_EQ(server.count(test::frame_type::settings), 1U);
  EXPECT_EQ(server.settings.at(2), 0U);
  EXPECT_EQ(server.settings.count(3), 0U) << "a server begins no streams";
}

TEST_F(client_session_test, learns_what_the_server_allows) {
  EXPECT_FALSE(tested.peer_takes_extended_connect());
  ASSERT_TRUE(receive(test::settings_frame(test::setting(8, 1) + test::setting(3, 7))));
  EXPECT_EQ(events.log, "settings\n");
  EXPECT_TRUE(tested.peer_takes_extended_connect());
  EXPECT_EQ(tested.peer_max_streams(), 7U);
  EXPECT_TRUE(tested.may_connect());
}

TEST_F(client_session_test, asks_and_is_told_of_every_head_of_the_answer) {
  ASSERT_TRUE(receive(test::settings_frame(test::setting(8, 1))));
  recording_stream stream(0);
  stream.queued = "hello";
  stream.ends = false;
  EXPECT_EQ(tested.connect(wanted, {{"Sec-WebSocket-Version", "13"}}, stream), 1);
  send();
  const test::field_list expected{{":protocol", "websocket"},
                                  {":scheme", "https"},
                                  {":path", "/ws"},
                                  {":authority", "example.com"},
                                  {"sec-websocket-version", "13"}};
  EXPECT_EQ(server.answer(1).status, "CONNECT");
  EXPECT_EQ(server.answer(1).fields, expected);
  EXPECT_EQ(server.answer(1).body, "hello");
  events.log.clear();
  ASSERT_TRUE(receive(server.headers_frame(1, {{":status", "103"}}, 0) +
                      server.headers_frame(1, {{":status", "200"}}, 0) +
                      test::data_frame(1, "and back", test::end_stream)));
  EXPECT_EQ(events.log, ":status=103\nhead\n:status=200\nhead\nend\n");
  EXPECT_EQ(events.data, "and back");
}

TEST_F(client_session_test, behind_a_goaway_no_stream_can_be_begun) {
  ASSERT_TRUE(receive(test::settings_frame(test::setting(8, 1))));
  recording_stream early(0);
  static_cast<void>(tested.connect(wanted, {}, early));
  ASSERT_TRUE(receive(test::frame(test::frame_type::goaway, 0, 0, std::string(8, '\0'))));
  EXPECT_FALSE(tested.may_connect());
  events.log.clear();
  send();
  EXPECT_EQ(events.log, "REFUSED_STREAM\n");
  EXPECT_EQ(server.count(test::frame_type::headers), 0U);
}

TEST_F(client_session_test, a_stream_that_the_server_refuses_is_told_apart) {
  ASSERT_TRUE(receive(test::settings_frame(test::setting(8, 1))));
  recording_stream stream(0);
  static_cast<void>(tested.connect(wanted, {}, stream));
  send();
  events.log.clear();
  ASSERT_TRUE(receive(test::rst_stream(1, error_code::refused_stream)));
  EXPECT_EQ(events.log, "REFUSED_STREAM\n") << "which takes nothing from the client";
}

}  // namespace
}  // namespace windhover::wire::http2
