// The client's opening handshake (RFC 6455, section 4.1) on a memory pipe: what goes out, which answers are taken, what
// is said about the others, and what follows the answer.
#include "websocket/connect.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "opening_peers.hpp"
#include "support/compressed_peer.hpp"
#include "support/websocket_peer.hpp"
#include "wire/websocket/handshake.hpp"

namespace windhover {
namespace {

using cause = websocket_connect_error::cause;
using test::all_cuts;
using test::closing;
using test::opcode;
using test::server_frame;
using test::uncut;

// The value of a field of the request that the server has got.
std::string field_of(std::string_view request, std::string_view name) {
  const std::string start = "\r\n" + std::string(name) + ": ";
  const std::size_t at = request.find(start);
  if (at == std::string_view::npos) return "(none)";
  const std::size_t from = at + start.size();
  return std::string(request.substr(from, request.find("\r\n", from) - from));
}

std::string accept_of(std::string_view request) { return wire::accept_key(field_of(request, "Sec-WebSocket-Key")); }

// The answer of RFC 6455, section 4.2.2, with further lines.
std::string accepting(std::string_view request, std::string_view further = "") {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
         accept_of(request) + "\r\n" + std::string(further) + "\r\n";
}

// With a server whose answer to each request `answer` makes.
class handshake_peers : public test::opening_peers {
 public:
  using script = std::function<std::string(std::string_view request)>;

  explicit handshake_peers(script answer, std::size_t cut = uncut) : opening_peers(cut), answer_(std::move(answer)) {
    server.on_bytes = [this](std::span<const std::byte>) { answer_when_complete(); };
  }

 private:
  void answer_when_complete() {
    const std::size_t end = server.received.find("\r\n\r\n", answered_);
    if (end == std::string::npos || !answer_) return;
    const std::string request = server.received.substr(answered_, end + 4 - answered_);
    answered_ = end + 4;
    server_end->queue_copy(test::bytes_of(answer_(request)));
  }

  script answer_;
  std::size_t answered_ = 0;
};

// ----- What goes out

TEST(Connect, AsksForAWebSocketAsTheStandardSays) {
  handshake_peers peers([](std::string_view request) { return accepting(request); });
  EXPECT_EQ(peers.open(), "open ");
  const std::string& request = peers.server.received;
  EXPECT_TRUE(request.starts_with("GET /chat?room=1 HTTP/1.1\r\nHost: example.com\r\n")) << request;
  EXPECT_EQ(field_of(request, "Upgrade"), "websocket");
  EXPECT_EQ(field_of(request, "Connection"), "Upgrade");
  EXPECT_EQ(field_of(request, "Sec-WebSocket-Version"), "13");
  EXPECT_TRUE(wire::is_handshake_key(field_of(request, "Sec-WebSocket-Key")));
  for (const char* name : {"Origin", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"})
    EXPECT_EQ(field_of(request, name), "(none)") << name;
}

TEST(Connect, NothingFollowsTheRequestBeforeTheAnswer) {
  handshake_peers peers({});
  EXPECT_EQ(peers.open(), "nothing");
  const std::string& sent = peers.server.received;
  EXPECT_EQ(sent.find("\r\n\r\n") + 4, sent.size()) << sent;
}

TEST(Connect, EveryHandshakeHasAKeyOfItsOwn) {
  std::string keys[2];
  for (std::string& key : keys) {
    handshake_peers peers([](std::string_view request) { return accepting(request); });
    peers.open();
    key = field_of(peers.server.received, "Sec-WebSocket-Key");
  }
  EXPECT_NE(keys[0], keys[1]);
}

TEST(Connect, SendsWhatTheOptionsSay) {
  websocket_client_options options;
  options.sub_protocols = {"chat.v2", "chat.v1"};
  options.request_headers = {{"Authorization", "Bearer abc"}, {"Cookie", "a=b"}};
  options.origin = "https://example.com";
  options.host = "other.example.com:8080";
  handshake_peers peers(
      [](std::string_view request) { return accepting(request, "Sec-WebSocket-Protocol: chat.v1\r\n"); });
  EXPECT_EQ(peers.open(options), "open chat.v1");
  const std::string& request = peers.server.received;
  EXPECT_EQ(field_of(request, "Host"), "other.example.com:8080");
  EXPECT_EQ(field_of(request, "Authorization"), "Bearer abc");
  EXPECT_EQ(field_of(request, "Cookie"), "a=b");
  EXPECT_EQ(field_of(request, "Origin"), "https://example.com");
  EXPECT_EQ(field_of(request, "Sec-WebSocket-Protocol"), "chat.v2, chat.v1");
}

TEST(Connect, OptionsThatCannotBeAreNamed) {
  const auto said = [](auto change) -> std::string {
    websocket_client_options options;
    change(options);
    try {
      static_cast<void>(checked_settings(options));
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "taken";
  };
  using o = websocket_client_options;
  const auto names = [&](auto change, std::string_view name) {
    EXPECT_NE(said(change).find(name), std::string::npos) << said(change);
  };
  names([](o& each) { each.sub_protocols = {"a b"}; }, "a b");
  names([](o& each) { each.sub_protocols = {"Chat", "chat"}; }, "chat");
  names([](o& each) { each.sub_protocols = {""}; }, "sub-protocol");
  names([](o& each) { each.request_headers.add("Upgrade", "h2c"); }, "Upgrade");
  names([](o& each) { each.request_headers.add("Sec-WebSocket-Key", "x"); }, "Sec-WebSocket-Key");
  names([](o& each) { each.request_headers.add("Content-Length", "5"); }, "Content-Length");
  names([](o& each) { each.origin = "example.com"; }, "origin");
  names([](o& each) { each.origin = "*"; }, "origin");
  names(
      [](o& each) {
        each.origin = "https://example.com";
        each.request_headers.add("origin", "https://example.com");
      },
      "origin");
  names([](o& each) { each.host = "a b"; }, "host");
  names([](o& each) { each.proxy = "socks5://proxy"; }, "proxy");
  names([](o& each) { each.connect_timeout = std::chrono::milliseconds(-1); }, "connect_timeout");
  names([](o& each) { each.address_timeout = std::chrono::milliseconds(-1); }, "address_timeout");
  names([](o& each) { each.close_timeout = std::chrono::milliseconds(0); }, "close_timeout");
  names([](o& each) { each.keep_alive_interval = std::chrono::milliseconds(-1); }, "keep_alive_interval");
  names([](o& each) { each.max_queued_bytes = 1; }, "max_queued_bytes");
  names([](o& each) { each.max_response_header_bytes = 1; }, "max_response_header_bytes");
  names([](o& each) { each.max_response_header_count = 1; }, "max_response_header_count");
  names([](o& each) { each.max_response_body_bytes = std::size_t{1} << 40; }, "max_response_body_bytes");
  names([](o& each) { each.server_max_window_bits = 8; }, "server_max_window_bits");
  names([](o& each) { each.client_max_window_bits = 8; }, "client_max_window_bits");
  names([](o& each) { each.client_max_window_bits = 16; }, "client_max_window_bits");
  names([](o& each) { each.compression_threshold = std::size_t{1} << 40; }, "compression_threshold");
  EXPECT_EQ(said([](o& each) { each.origin = "null"; }), "taken");
}

// ----- Which answers are taken

TEST(Connect, ACorrectAnswerIsTakenInEveryForm) {
  for (const std::size_t cut : all_cuts) {
    handshake_peers peers(
        [](std::string_view request) {
          return "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                 "HTTP/1.1 101 \r\nupgrade: WebSocket\r\nCONNECTION: keep-alive, uPGRADE\r\nX-Other: yes\r\n"
                 "sec-websocket-accept:" +
                 accept_of(request) + "  \r\nSec-WebSocket-Extensions: \r\nsec-websocket-protocol: CHAT\r\n\r\n";
        },
        cut);
    websocket_client_options options;
    options.sub_protocols = {"chat"};
    EXPECT_EQ(peers.open(options), "open chat") << "in the client's spelling";
    EXPECT_EQ(peers.details.status, 101);
    EXPECT_EQ(peers.details.headers.find("X-Other"), "yes");
  }
}

struct refused_case {
  const char* name;
  handshake_peers::script answer;
  cause why;
  std::string_view text;
};

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  return text.replace(text.find(what), what.size(), by);
}

TEST(Connect, OtherAnswersAreRefusedWithTheReason) {
  const auto answer = [](std::string_view what, std::string_view by) -> handshake_peers::script {
    return [what, by](std::string_view request) { return replaced(accepting(request), what, by); };
  };
  const auto adding = [](std::string_view line) -> handshake_peers::script {
    return [line](std::string_view request) { return accepting(request, line); };
  };
  const refused_case cases[] = {
      {"no upgrade", answer("Upgrade: websocket\r\n", ""), cause::bad_handshake, "Upgrade field"},
      {"another upgrade", answer("Upgrade: websocket", "Upgrade: h2c"), cause::bad_handshake, "Upgrade field"},
      {"two upgrades", adding("Upgrade: h2c\r\n"), cause::bad_handshake, "Upgrade field"},
      {"no connection", answer("Connection: Upgrade\r\n", ""), cause::bad_handshake, "Connection field"},
      {"another connection", answer("Connection: Upgrade", "Connection: close"), cause::bad_handshake,
       "Connection field"},
      {"no accept", answer("Sec-WebSocket-Accept", "X-Accept"), cause::bad_handshake, "no Sec-WebSocket-Accept"},
      {"another accept", answer("Accept: ", "Accept: x"), cause::bad_handshake, "does not answer the key"},
      {"two accepts", adding("Sec-WebSocket-Accept: x\r\n"), cause::bad_handshake, "does not answer the key"},
      {"an extension", adding("Sec-WebSocket-Extensions: permessage-deflate\r\n"), cause::bad_handshake,
       "extension that was not offered"},
      {"an extension in a second field",
       adding("Sec-WebSocket-Extensions: \r\nSec-WebSocket-Extensions: x-unknown; a=b\r\n"), cause::bad_handshake,
       "extension that was not offered"},
      {"a sub-protocol", adding("Sec-WebSocket-Protocol: chat\r\n"), cause::bad_handshake,
       "sub-protocol that was not offered"},
      {"an old version", answer("HTTP/1.1", "HTTP/1.0"), cause::bad_handshake, "HTTP/1.0"},
      {"no HTTP", [](std::string_view) { return std::string("220 mail.example.com ESMTP\r\n"); }, cause::not_http,
       "does not begin with a status line"},
      {"a broken line", answer("\r\nUpgrade", "\nUpgrade"), cause::not_http, "CR LF"},
  };
  for (const refused_case& each : cases) {
    for (const std::size_t cut : {uncut, std::size_t{1}, std::size_t{7}}) {
      SCOPED_TRACE(each.name);
      handshake_peers peers(each.answer, cut);
      const std::string said = peers.open();
      ASSERT_TRUE(peers.error) << said;
      EXPECT_EQ(peers.error->why(), each.why) << said;
      EXPECT_TRUE(said.starts_with("no WebSocket to ws://example.com: ")) << said;
      EXPECT_NE(said.find(each.text), std::string::npos) << said;
      EXPECT_TRUE(peers.server.failed) << "the connection is cut off";
      EXPECT_EQ(peers.error->status(), each.why == cause::bad_handshake ? 101 : 0);
    }
  }
}

TEST(Connect, ASubProtocolThatWasNotAmongThoseOfferedIsRefused) {
  websocket_client_options options;
  options.sub_protocols = {"chat", "superchat"};
  for (const char* const answered : {"chess", "chat, superchat", ""}) {
    handshake_peers peers([&](std::string_view request) {
      return accepting(request, "Sec-WebSocket-Protocol: " + std::string(answered) + "\r\n");
    });
    EXPECT_NE(peers.open(options).find("sub-protocol that was not offered"), std::string::npos) << answered;
  }
  handshake_peers without([](std::string_view request) { return accepting(request); });
  EXPECT_EQ(without.open(options), "open ") << "the server may choose none";
}

// ----- Compression (RFC 7692)

websocket_client_options compressing() {
  websocket_client_options options;
  options.dangerous_enable_compression = true;
  options.compression_threshold = 0;
  return options;
}

// What a client with these options offers.
std::string offer_of(const websocket_client_options& options) {
  handshake_peers peers([](std::string_view request) { return accepting(request); });
  EXPECT_EQ(peers.open(options), "open ");
  return field_of(peers.server.received, "Sec-WebSocket-Extensions");
}

TEST(ConnectCompression, IsOfferedAsTheOptionsSay) {
  EXPECT_EQ(offer_of({}), "(none)");
  websocket_client_options options = compressing();
  EXPECT_EQ(offer_of(options), "permessage-deflate; client_max_window_bits");
  options.disable_server_context_takeover = true;
  options.client_max_window_bits = 10;
  EXPECT_EQ(offer_of(options), "permessage-deflate; server_no_context_takeover; client_max_window_bits=10");
  options = compressing();
  options.disable_client_context_takeover = true;
  options.server_max_window_bits = 9;
  EXPECT_EQ(offer_of(options),
            "permessage-deflate; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits");
}

// The server answers "agreed"; both then speak it, or not.
std::string agreed(const websocket_client_options& options, std::string_view answer) {
  std::string told;
  handshake_peers peers([&](std::string_view request) {
    const std::string line = answer.empty() ? "" : "Sec-WebSocket-Extensions: " + std::string(answer) + "\r\n";
    return accepting(request, line);
  });
  const std::string said = peers.open(options, "ws://example.com/", [&](websocket& socket) -> task<> {
    told = socket.extensions();
    co_return;
  });
  return said == "open " ? told : said;
}

TEST(ConnectCompression, TheSocketSaysWhatWasAgreed) {
  EXPECT_EQ(agreed(compressing(), ""), "") << "the server may decline";
  EXPECT_EQ(agreed(compressing(), "permessage-deflate"), "permessage-deflate");
  EXPECT_EQ(agreed(compressing(), "permessage-deflate;server_no_context_takeover; client_max_window_bits=8"),
            "permessage-deflate;server_no_context_takeover; client_max_window_bits=8");
}

TEST(ConnectCompression, AnAnswerThatDoesNotFitTheOfferIsRefused) {
  websocket_client_options demanding = compressing();
  demanding.disable_server_context_takeover = true;
  for (const std::string_view answer :
       {"permessage-deflate; unknown", "permessage-deflate, permessage-deflate", "x-webkit-deflate-frame",
        "permessage-deflate; server_max_window_bits=7", "permessage-deflate; client_max_window_bits", "=", "\"x\""}) {
    EXPECT_NE(agreed(compressing(), answer).find("no answer to the compression that was offered"), std::string::npos)
        << answer;
  }
  EXPECT_NE(agreed(demanding, "permessage-deflate").find("no answer to the compression"), std::string::npos);
  EXPECT_NE(agreed({}, "permessage-deflate").find("extension that was not offered"), std::string::npos);
}

TEST(ConnectCompression, MessagesAreCompressedBothWaysWhereverTheStreamIsCut) {
  for (const std::size_t cut : all_cuts) {
    std::vector<std::string> seen;
    handshake_peers peers(
        [](std::string_view request) {
          test::peer_deflater deflater;
          const std::string first = deflater.frame_payload("one one one one");
          const std::string second = deflater.frame_payload("one one one one");
          EXPECT_LT(second.size(), first.size()) << "it refers to the first";
          return accepting(request, "Sec-WebSocket-Extensions: permessage-deflate\r\n") +
                 test::frame_on_wire(opcode::text, first, true, std::nullopt, true) +
                 test::frame_on_wire(opcode::text, second, true, std::nullopt, true) +
                 server_frame(opcode::text, "plain");
        },
        cut);
    peers.open(compressing(), "ws://example.com/", [&](websocket& socket) -> task<> {
      for (int i = 0; i < 3; ++i) {
        auto message = co_await socket.receive();
        if (!message) co_return;
        seen.push_back(test::to_string(*message));
        co_await socket.send(*message);
      }
    });
    EXPECT_EQ(seen, (std::vector<std::string>{"text one one one one", "text one one one one", "text plain"}));
    peers.server.received.erase(0, peers.server.received.find("\r\n\r\n") + 4);
    peers.server.compression = true;
    test::peer_inflater inflater;
    EXPECT_EQ(inflater.messages(peers.server.frames(wire::role::server)),
              (std::vector<std::string>{"text one one one one*", "text one one one one*", "text plain*"}));
  }
}

TEST(ConnectCompression, AClientThatIsGivenAWindowOf8SendsItsMessagesAsTheyAre) {
  handshake_peers peers([](std::string_view request) {
    return accepting(request, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=8\r\n");
  });
  peers.open(compressing(), "ws://example.com/",
             [](websocket& socket) -> task<> { co_await socket.send("the same the same the same"); });
  peers.server.received.erase(0, peers.server.received.find("\r\n\r\n") + 4);
  ASSERT_FALSE(peers.server.frames(wire::role::server).empty());
  EXPECT_EQ(peers.server.frames(wire::role::server)[0], test::seen_text("the same the same the same"));
}

TEST(ConnectCompression, WhenTheMemoryForContextsIsUsedUpTheServerIsAskedToKeepNone) {
  websocket_client_options options = compressing();
  options.max_compression_memory = wire::inflater_memory(15) - 1;
  EXPECT_EQ(offer_of(options), "permessage-deflate; server_no_context_takeover; client_max_window_bits");
  options.max_compression_memory = wire::inflater_memory(15);
  EXPECT_EQ(offer_of(options), "permessage-deflate; client_max_window_bits");
}

TEST(ConnectCompression, ASocketWithoutMemoryForTheServersContextIsCounted) {
  const auto shortages_with = [](std::size_t memory) {
    websocket_client_options options = compressing();
    options.max_compression_memory = memory;
    std::uint64_t counted = 0;
    handshake_peers peers([](std::string_view request) {
      return accepting(request, "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n");
    });
    peers.open(options, "ws://example.com/", [&](websocket&) -> task<> {
      counted = net::event_loop::current()->local<websocket_counters>()->compression_shortages.value();
      co_return;
    });
    return counted;
  };
  EXPECT_EQ(shortages_with(wire::inflater_memory(15) - 1), 1U);
  EXPECT_EQ(shortages_with(wire::inflater_memory(15)), 0U) << "the server has declined a context by itself";
}

TEST(ConnectCompression, WhatWasReservedForAnAnswerIsGivenBackWithIt) {
  const auto pool = compression_pool::of_this_thread();
  const auto reserved_with = [&](std::string_view answer) {
    std::size_t reserved = 0;
    handshake_peers peers([&](std::string_view request) {
      return accepting(request, "Sec-WebSocket-Extensions: " + std::string(answer) + "\r\n");
    });
    peers.open(compressing(), "ws://example.com/", [&](websocket&) -> task<> {
      reserved = pool->reserved();
      co_return;
    });
    return reserved;
  };
  EXPECT_EQ(reserved_with("permessage-deflate"), wire::inflater_memory(15));
  EXPECT_EQ(reserved_with("permessage-deflate; server_max_window_bits=9"), wire::inflater_memory(9));
  EXPECT_EQ(reserved_with("permessage-deflate; server_no_context_takeover"), 0U);
  EXPECT_EQ(reserved_with(""), 0U);
  EXPECT_EQ(reserved_with("permessage-deflate; unknown"), 0U);
  EXPECT_EQ(pool->reserved(), 0U);
}

// ----- Refusals

TEST(Connect, ARefusalIsReportedWithStatusHeadersAndTheBeginningOfTheBody) {
  struct row {
    std::string_view answer;
    int status;
    std::string_view text;
    std::string_view body;
  };
  const row rows[] = {
      {"HTTP/1.1 301 Moved Permanently\r\nLocation: ws://b.example.com/\r\nContent-Length: 5\r\n\r\nmoved", 301,
       "status 301 Moved Permanently (Location: ws://b.example.com/) when 101 was expected", "moved"},
      {"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"a\"\r\nContent-Length: 0\r\n\r\n", 401,
       "status 401 Unauthorized (WWW-Authenticate: Basic realm=\"a\") when 101 was expected", ""},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npage\r\n0\r\n\r\n", 200, "status 200 OK when",
       "page"},
      {"HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n", 426, "status 426",
       ""},
      {"HTTP/1.1 503\r\nContent-Length: 4\r\n\r\nbusy", 503, "status 503 when", "busy"},
  };
  for (const row& each : rows) {
    for (const std::size_t cut : all_cuts) {
      SCOPED_TRACE(each.status);
      handshake_peers peers([&](std::string_view) { return std::string(each.answer); }, cut);
      const std::string said = peers.open();
      ASSERT_TRUE(peers.error) << said;
      EXPECT_EQ(peers.error->why(), cause::refused);
      EXPECT_EQ(peers.error->status(), each.status);
      EXPECT_EQ(peers.error->response().body, each.body);
      EXPECT_NE(said.find(each.text), std::string::npos) << said;
      EXPECT_EQ(peers.details.status, each.status);
    }
  }
}

TEST(Connect, WhatTheServerSaysIsShownWithoutControlCharacters) {
  handshake_peers peers([](std::string_view) {
    return std::string("HTTP/1.1 302 \tFound\r\nLocation: /\t\xc3\xa4\r\nContent-Length: 0\r\n\r\n");
  });
  const std::string said = peers.open();
  EXPECT_EQ(said.find('\t'), std::string::npos) << said;
}

TEST(Connect, TheTextDoesNotShowTheQuery) {
  handshake_peers peers([](std::string_view) { return std::string("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"); });
  EXPECT_EQ(peers.open({}, "ws://example.com/chat?token=secret").find("secret"), std::string::npos);
}

TEST(Connect, AServerThatEndsBeforeItAnswersIsAnOutcome) {
  const std::string answer = accepting("\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n");
  for (const bool reset : {true, false}) {
    for (std::size_t bytes = 0; bytes < answer.size(); ++bytes) {
      handshake_peers peers([&](std::string_view) { return answer.substr(0, bytes); });
      peers.open();
      reset ? peers.server_end->abort() : peers.server_end->close();
      test::run_idle(peers.loop);
      ASSERT_TRUE(peers.error) << peers.outcome;
      EXPECT_EQ(peers.error->why(), cause::no_answer);
    }
  }
}

TEST(Connect, WaitingForTheAnswerCanBeStopped) {
  handshake_peers peers({});
  EXPECT_EQ(peers.open(), "nothing");
  const net::event_loop::scope here(peers.loop);
  peers.stop.request_stop();
  EXPECT_EQ(peers.outcome, "while waiting for the answer of the server");
  test::run_idle(peers.loop);
  EXPECT_TRUE(peers.server.failed);
}

// ----- Through a proxy

TEST(Connect, AProxyIsAskedForATunnel) {
  websocket_client_options options;
  options.proxy = "http://user:secret@proxy.example.com:3128";
  for (const std::size_t cut : all_cuts) {
    std::vector<std::string> requests;
    handshake_peers peers(
        [&](std::string_view request) {
          requests.emplace_back(request);
          return requests.size() == 1 ? std::string("HTTP/1.1 200 Connection established\r\nVia: proxy\r\n\r\n")
                                      : accepting(request) + server_frame(opcode::text, "hi");
        },
        cut);
    std::string seen;
    EXPECT_EQ(peers.open(options, "ws://[::1]:8080/chat",
                         [&](websocket& socket) -> task<> {
                           received message = co_await socket.receive();
                           seen = test::to_string(message);
                         }),
              "open ");
    EXPECT_EQ(seen, "text hi");
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_EQ(requests[0],
              "CONNECT [::1]:8080 HTTP/1.1\r\nHost: [::1]:8080\r\nProxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n");
    EXPECT_TRUE(requests[1].starts_with("GET /chat HTTP/1.1\r\nHost: [::1]:8080\r\n"));
    EXPECT_EQ(field_of(requests[1], "Proxy-Authorization"), "(none)") << "that is for the proxy alone";
  }
}

TEST(Connect, TheRefusalOfAProxyIsReported) {
  websocket_client_options options;
  options.proxy = "http://proxy.example.com:3128";
  handshake_peers peers([](std::string_view) {
    return std::string("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 5\r\n\r\nlogin");
  });
  const std::string said = peers.open(options);
  ASSERT_TRUE(peers.error) << said;
  EXPECT_EQ(peers.error->why(), cause::proxy_refused);
  EXPECT_EQ(peers.error->status(), 407);
  EXPECT_EQ(peers.error->response().body, "login");
  EXPECT_NE(said.find("407 Proxy Authentication Required"), std::string::npos) << said;
}

// ----- Behind the answer

TEST(Connect, FramesThatComeWithTheAnswerAreReceivedWhereverTheStreamIsCut) {
  for (const std::size_t cut : all_cuts) {
    std::vector<std::string> seen;
    handshake_peers peers(
        [](std::string_view request) {
          return accepting(request) + server_frame(opcode::text, "one") + server_frame(opcode::ping, "p") +
                 server_frame(opcode::text, "two") + server_frame(opcode::close, closing(1000, "bye"));
        },
        cut);
    peers.open({}, "ws://example.com/", test::note_messages(seen));
    EXPECT_EQ(seen, (std::vector<std::string>{"text one", "text two", "1000 bye"}));
  }
}

TEST(Connect, ASocketThatGoesOutOfScopeClosesAndTheConnectionFollows) {
  handshake_peers peers([](std::string_view request) { return accepting(request); });
  EXPECT_EQ(peers.open(), "open ");
  EXPECT_TRUE(peers.ended);
  const std::size_t end = peers.server.received.find("\r\n\r\n") + 4;
  peers.server.received.erase(0, end);
  ASSERT_EQ(peers.server.frames(wire::role::server).size(), 1U);
  EXPECT_EQ(peers.server.frames(wire::role::server)[0], test::seen_close(1000));
  peers.server_end->queue_copy(test::bytes_of(server_frame(opcode::close, closing(1000))));
  peers.server_end->close();
  test::run_idle(peers.loop);
  EXPECT_TRUE(peers.loop.describe_connections(1).empty());
}

TEST(Connect, AnObjectThatIsKeptOutlivesItsConnection) {
  handshake_peers peers([](std::string_view request) { return accepting(request); });
  test::gate go_on;
  std::string status;
  peers.open({}, "ws://example.com/", [&](websocket& socket) -> task<> {
    co_await go_on;
    EXPECT_EQ(socket.state(), websocket_state::aborted);
    status = test::status_of(socket);
  });
  peers.server_end->abort();
  test::run_idle(peers.loop);
  EXPECT_FALSE(peers.loop.describe_connections(1).empty());
  {
    const net::event_loop::scope here(peers.loop);
    go_on.open();
  }
  EXPECT_EQ(status, "1006");
  test::run_idle(peers.loop);
  EXPECT_TRUE(peers.loop.describe_connections(1).empty());
}

}  // namespace
}  // namespace windhover
