// The client's opening handshake over HTTP/2 (RFC 8441) on a memory pipe, with a server that is written by hand: what
// goes out, which answers are taken, what is said about the others, and what follows the answer.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "opening_peers.hpp"
#include "support/http2_peer.hpp"
#include "support/websocket_peer.hpp"

namespace windhover {
namespace {

using cause = websocket_connect_error::cause;
using test::all_cuts;
using test::closing;
using test::data_frame;
using test::end_stream;
using test::frame;
using test::frame_type;
using test::http2_peer;
using test::octets;
using test::opcode;
using test::server_frame;
using test::uncut;
using wire::http2::error_code;

const std::string takes_connects = test::settings_frame(test::setting(8, 1));
std::string goaway(std::uint32_t last, error_code why) {
  return frame(frame_type::goaway, 0, 0, octets(last) + octets(static_cast<std::uint32_t>(why)));
}

// The server says `greeting` at once, and to a request what `answer` makes.
class http2_opening : public test::opening_peers {
 public:
  using script = std::function<std::string(http2_peer& server)>;

  explicit http2_opening(script answer, std::string greeting = takes_connects, std::size_t cut = uncut)
      : opening_peers(cut), answer_(std::move(answer)), greeting_(std::move(greeting)) {
    server.on_bytes = [this](std::span<const std::byte>) { listen(); };
  }
  std::string open_http2(websocket_client_options options = {}, handler with_socket = {}) {
    options.protocols = http_protocols::http2;
    return open(options, "ws://example.com/chat?room=1", std::move(with_socket));
  }
  void say(std::string_view bytes) { server_end->queue_copy(test::bytes_of(bytes)); }

  http2_peer frames;

 private:
  void listen() {
    if (!greeting_.empty()) say(std::exchange(greeting_, {}));
    constexpr std::size_t preface = wire::http2::client_preface.size();
    if (server.received.size() <= preface + heard_) return;
    EXPECT_TRUE(server.received.starts_with(wire::http2::client_preface));
    const std::string fresh = server.received.substr(preface + heard_);
    heard_ += fresh.size();
    frames.take(fresh);
    if (frames.answer(1).fields.empty() || answered_ || !answer_) return;
    answered_ = true;
    say(answer_(frames));
  }

  script answer_;
  std::string greeting_;
  std::size_t heard_ = 0;
  bool answered_ = false;
};

std::string accepting(http2_peer& server) {
  return server.headers_frame(1, {{":status", "200"}, {"sec-websocket-protocol", "chat"}}, 0);
}
websocket_client_options with_chat() { return {.sub_protocols = {"chat"}}; }

// ----- What goes out

TEST(ConnectHttp2, AsksForAWebSocketAsTheStandardSays) {
  http2_opening peers(accepting);
  websocket_client_options options = with_chat();
  // Of these HTTP/2 knows one.
  options.request_headers = {{"Authorization", "Bearer abc"}, {"Keep-Alive", "timeout=5"}, {"TE", "gzip"}};
  options.origin = "http://www.example.com";
  EXPECT_EQ(peers.open_http2(options), "open chat");
  EXPECT_EQ(peers.details.status, 200);
  test::received_answer& request = peers.frames.answer(1);
  EXPECT_EQ(request.status, "CONNECT");
  const test::field_list expected{{":protocol", "websocket"},      {":scheme", "http"},
                                  {":path", "/chat?room=1"},       {":authority", "example.com"},
                                  {"sec-websocket-version", "13"}, {"sec-websocket-protocol", "chat"},
                                  {"authorization", "Bearer abc"}, {"origin", "http://www.example.com"}};
  EXPECT_EQ(request.fields, expected);
  EXPECT_FALSE(request.ended_with_head);
  EXPECT_EQ(peers.frames.settings[2], 0) << "no pushes";
}

TEST(ConnectHttp2, NothingIsAskedBeforeTheServerHasSaidThatItTakesWebSockets) {
  http2_opening peers(accepting, "");
  EXPECT_EQ(peers.open_http2(with_chat()), "nothing");
  EXPECT_EQ(peers.frames.count(frame_type::settings), 1);
  EXPECT_EQ(peers.frames.count(frame_type::headers), 0);
  peers.say(takes_connects);
  test::run_idle(peers.loop);
  EXPECT_EQ(peers.outcome, "open chat");
}

TEST(ConnectHttp2, InClearTextOnlyAClientThatIsToldSoSpeaksIt) {
  http2_opening peers(accepting, "");
  peers.server.on_bytes = {};
  websocket_client_options options;
  options.protocols = http_protocols::http1_and_http2;
  EXPECT_EQ(peers.open(options), "nothing");
  EXPECT_TRUE(peers.server.received.starts_with("GET ")) << peers.server.received;
}

// ----- What follows the answer

TEST(ConnectHttp2, WhereverTheBytesAreCutMessagesGoBothWays) {
  for (const std::size_t cut : all_cuts) {
    SCOPED_TRACE(cut);
    std::string got;
    http2_opening peers(
        [](http2_peer& server) {
          return server.headers_frame(1, {{":status", "103"}}, 0) + accepting(server) +
                 data_frame(1, server_frame(opcode::text, "hel") + server_frame(opcode::text, "lo")) +
                 data_frame(1, server_frame(opcode::close, closing(1000, "bye")), end_stream);
        },
        takes_connects, cut);
    const std::string outcome = peers.open_http2(with_chat(), [&](websocket& socket) -> task<> {
      while (auto message = co_await socket.receive()) got += message->text();
      got += " " + std::string(socket.close_reason());
    });
    EXPECT_EQ(outcome, "open chat");
    EXPECT_TRUE(peers.ended);
    EXPECT_EQ(got, "hello bye");
    EXPECT_TRUE(peers.frames.answer(1).ended) << "the client has ended its side of the stream";
    EXPECT_EQ(peers.frames.goaways.size(), 1) << "and with the last socket the connection";
  }
}

TEST(ConnectHttp2, AnEndWithoutACloseIsAFailure) {
  for (const bool is_reset : {false, true}) {
    std::optional<close_code> status;
    http2_opening peers([&](http2_peer& server) {
      return accepting(server) + (is_reset ? test::rst_stream(1) : data_frame(1, {}, end_stream));
    });
    peers.open_http2(with_chat(), [&](websocket& socket) -> task<> {
      received none = co_await socket.receive();
      EXPECT_FALSE(none);
      status = socket.close_status();
      EXPECT_EQ(socket.state(), websocket_state::aborted);
    });
    EXPECT_TRUE(peers.ended);
    EXPECT_EQ(status, close_code::abnormal_closure);
  }
}

TEST(ConnectHttp2, AnAbortResetsTheStream) {
  http2_opening peers(accepting);
  peers.open_http2(with_chat(), [](websocket& socket) -> task<> {
    socket.abort();
    co_return;
  });
  EXPECT_EQ(peers.frames.answer(1).reset, error_code::cancel);
}

TEST(ConnectHttp2, AServerThatLeavesIsServedUntilTheLastSocketHasClosed) {
  std::string got;
  http2_opening peers([](http2_peer& server) {
    return accepting(server) + goaway(1, error_code::no_error) + data_frame(1, server_frame(opcode::text, "hello"));
  });
  peers.open_http2(with_chat(), [&](websocket& socket) -> task<> {
    auto message = co_await socket.receive();
    if (message) got = message->text();
    co_await socket.close();
  });
  peers.say(data_frame(1, server_frame(opcode::close, closing(1000)), end_stream));
  test::run_idle(peers.loop);
  EXPECT_EQ(got, "hello");
  EXPECT_TRUE(peers.server.ended);
}

// ----- Other answers

struct refused_case {
  const char* name;
  http2_opening::script answer;
  cause why;
  std::string_view text;
};

TEST(ConnectHttp2, OtherAnswersAreRefusedWithTheReason) {
  const auto head = [](test::field_list fields, std::uint8_t flags = 0) -> http2_opening::script {
    return [fields = std::move(fields), flags](http2_peer& server) { return server.headers_frame(1, fields, flags); };
  };
  const auto says = [](std::string bytes) -> http2_opening::script {
    return [bytes = std::move(bytes)](http2_peer&) { return bytes; };
  };
  const std::vector<refused_case> cases{
      {"a status alone", head({{":status", "404"}}, end_stream), cause::refused, "status 404 when 200 was expected"},
      {"a redirect", head({{":status", "302"}, {"location", "/there"}}, end_stream), cause::refused,
       "302 (Location: /there)"},
      {"a sub-protocol that was not offered", head({{":status", "200"}, {"sec-websocket-protocol", "other"}}),
       cause::bad_handshake, "sub-protocol"},
      {"an extension that was not offered", head({{":status", "200"}, {"sec-websocket-extensions", "x"}}),
       cause::bad_handshake, "extension"},
      {"too long a head", head({{":status", "200"}, {"x", std::string(400, 'x')}}), cause::not_http, "head"},
      {"no status", head({{"x", "y"}}), cause::no_answer, "reset"},
      {"a reset", says(test::rst_stream(1)), cause::no_answer, "reset"},
      {"a refusal of the stream", says(test::rst_stream(1, error_code::refused_stream)), cause::no_answer,
       "takes no WebSocket on this HTTP/2 connection"},
      {"the end of the connection", says(goaway(0, error_code::no_error)), cause::no_answer,
       "takes no WebSocket on this HTTP/2 connection"},
      {"no HTTP/2", says("HTTP/1.1 400 Bad Request\r\n\r\n"), cause::no_answer, "reset"},
  };
  for (const refused_case& each : cases) {
    SCOPED_TRACE(each.name);
    http2_opening peers(each.answer);
    websocket_client_options options = with_chat();
    options.max_response_header_bytes = 256;
    const std::string outcome = peers.open_http2(options);
    ASSERT_TRUE(peers.error) << outcome;
    EXPECT_EQ(peers.error->why(), each.why) << outcome;
    EXPECT_NE(outcome.find(each.text), std::string::npos) << outcome;
  }
}

TEST(ConnectHttp2, TheBodyOfARefusalIsGivenAsFarAsTheLimitSays) {
  http2_opening peers([](http2_peer& server) {
    return server.headers_frame(1, {{":status", "401"}, {"www-authenticate", "Basic"}}, 0) +
           data_frame(1, "who are you? ") + data_frame(1, "nobody", end_stream);
  });
  websocket_client_options options;
  options.max_response_body_bytes = 16;
  peers.open_http2(options);
  ASSERT_TRUE(peers.error);
  EXPECT_EQ(peers.error->status(), 401);
  EXPECT_EQ(peers.error->response().body, "who are you? nob");
  EXPECT_EQ(peers.error->response().headers.find("WWW-Authenticate"), "Basic");
}

TEST(ConnectHttp2, AServerThatDoesNotBeginProperlyIsToldApart) {
  const struct {
    const char* name;
    std::string greeting;
    cause why;
    std::string_view text;
  } cases[] = {
      {"no WebSockets", test::settings_frame(), cause::refused, "ENABLE_CONNECT_PROTOCOL"},
      {"neither yes nor no", test::settings_frame(test::setting(8, 2)), cause::not_http, "does not begin"},
      {"no HTTP/2", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", cause::not_http, "does not begin"},
      {"the end at once", goaway(0, error_code::no_error), cause::not_http, "does not begin"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    http2_opening peers(accepting, each.greeting);
    const std::string outcome = peers.open_http2();
    ASSERT_TRUE(peers.error) << outcome;
    EXPECT_EQ(peers.error->why(), each.why) << outcome;
    EXPECT_NE(outcome.find(each.text), std::string::npos) << outcome;
  }
}

TEST(ConnectHttp2, AServerThatEndsWithoutAWordGivesNoAnswer) {
  http2_opening peers(accepting, "");
  peers.open_http2();
  peers.server_end->close();
  test::run_idle(peers.loop);
  ASSERT_TRUE(peers.error);
  EXPECT_EQ(peers.error->why(), cause::no_answer);
}

// ----- Whoever stops waiting

TEST(ConnectHttp2, WaitingCanBeStoppedAtEveryStep) {
  http2_opening silent(accepting, "");
  silent.open_http2();
  silent.stop.request_stop();
  test::run_idle(silent.loop);
  EXPECT_EQ(silent.outcome, "while waiting for the answer of the server");

  http2_opening unanswered([](http2_peer&) { return std::string(); });
  unanswered.open_http2();
  unanswered.stop.request_stop();
  test::run_idle(unanswered.loop);
  EXPECT_EQ(unanswered.outcome, "while waiting for the answer of the server");
  EXPECT_EQ(unanswered.frames.answer(1).reset, error_code::cancel);
}

}  // namespace
}  // namespace windhover
