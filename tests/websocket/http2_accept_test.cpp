// WebSockets over HTTP/2 (RFC 8441): which requests are accepted, what the answer is, and how the stream carries the
// WebSocket. The vectors stand in tests/fixtures; where Windhover differs is written there by name.
#include <cstddef>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "http/http2_peers.hpp"
#include "websocket/accepting.hpp"
#include <windhover/sleep_for.hpp>

namespace windhover {
namespace {

using namespace std::chrono_literals;
using http::exchange;
using http::http2_peers;
using nlohmann::json;
using test::accept;
using test::client_close;
using test::client_frame;
using test::data_frame;
using test::echo_or_400;
using test::end_stream;
using test::field_list;
using test::frame_type;
using test::http2_peer;
using test::server_frame;
using wire::opcode;
using wire::http2::error_code;

json vectors(const char* part) {
  std::ifstream file(std::string(WINDHOVER_FIXTURES) + "/http2-websocket.json");
  EXPECT_TRUE(file);
  return json::parse(file).at(part);
}

field_list fields_of(const json& headers) {
  field_list fields;
  for (const json& each : headers) fields.emplace_back(each.at(0).get<std::string>(), each.at(1).get<std::string>());
  return fields;
}

json kestrel_case(std::string_view name) {
  const json cases = vectors("kestrel_cases");
  for (const json& row : cases.at("rows")) {
    if (row.at("name").get<std::string>() == name) return row;
  }
  ADD_FAILURE() << "no such case: " << name;
  return {};
}

field_list connect_fields() { return fields_of(kestrel_case("accept then write one byte").at("headers")); }

// Says nothing by itself.
class silent_driver final : public net::driver {
 public:
  explicit silent_driver(net::transport& on) noexcept : stream_(on) {}
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override { return bytes.size(); }
  void on_writable() noexcept override {}
  void on_end() noexcept override {}
  void on_failure(const net::failure&) noexcept override { stream_.driver_finished(); }
  bool finished() const noexcept override { return true; }
  void drain() noexcept override {}
  std::string describe() const override { return "silence"; }

 private:
  net::transport& stream_;
};

// ----- The handshake

TEST(Http2Accept, TheServerAnnouncesThatItTakesThem) {
  const json setting = vectors("settings");
  http2_peers peers;
  peers.context().handler = echo_or_400;
  peers.connect();
  peers.run_until([&] { return !peers.peer.frames.empty(); });
  EXPECT_EQ(peers.peer.settings[setting.at("id").get<std::uint16_t>()], setting.at("value").get<std::uint32_t>());
  peers.close_and_run_until_gone();
}

TEST(Http2Accept, TheExampleOfTheStandard) {
  const json steps = vectors("rfc_example").at("steps");
  http2_peers peers;
  peers.context().handler = [](exchange& with) -> task<> {
    websocket socket = accept(with, "chat");
    co_await test::echo(socket);
  };
  peers.connect(peers.peer.headers_frame(1, fields_of(steps.at(1).at("headers")), 0) +
                data_frame(1, client_frame(opcode::text, "hello")));
  peers.run_until([&] { return peers.answer(1).body == server_frame(opcode::text, "hello"); });
  EXPECT_EQ(peers.answer(1).status, "200");
  EXPECT_EQ(peers.answer(1).field("sec-websocket-protocol"), "chat");
  EXPECT_FALSE(peers.answer(1).ended);
  peers.send(data_frame(1, client_close(1000), end_stream));
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).body,
            server_frame(opcode::text, "hello") + server_frame(opcode::close, test::closing(1000)));
  EXPECT_FALSE(peers.answer(1).reset);
  peers.close_and_run_until_gone();
}

TEST(Http2Accept, TheMiddlewareCase) {
  const json row = vectors("middleware_case");
  const json request = row.at("request");
  http2_peers peers;
  peers.context().handler = [](exchange& with) -> task<> {
    EXPECT_TRUE(is_websocket_request(with));
    websocket socket = accept(with, "p2");
    co_await test::echo(socket);
  };
  field_list fields =
      http2_peer::request_fields(request.at("method").get<std::string>(), "/",
                                 {{":protocol", request.at("protocol").get<std::string>()},
                                  {"sec-websocket-version", request.at("sec-websocket-version").get<std::string>()},
                                  {"sec-websocket-protocol", request.at("sec-websocket-protocol").get<std::string>()}});
  peers.connect(peers.peer.headers_frame(1, fields, 0));
  peers.run_until([&] { return !peers.answer(1).status.empty(); });
  EXPECT_EQ(peers.answer(1).status, std::to_string(row.at("expect").at("status").get<int>()));
  EXPECT_EQ(peers.answer(1).field("sec-websocket-protocol"),
            row.at("expect").at("sec-websocket-protocol").get<std::string>());
  for (const json& name : row.at("expect").at("absent_headers")) {
    EXPECT_EQ(peers.answer(1).field(name.get<std::string>()), std::nullopt);
  }
  peers.close_and_run_until_gone();
}

TEST(Http2Accept, ExtendedConnectSeenByAppEndStreamOnHeaders) {
  const json row = kestrel_case("extended connect seen by app, END_STREAM on HEADERS");
  const json seen = row.at("expect").at("app_sees");
  http2_peers peers;
  peers.context().handler = [&seen](exchange& with) -> task<> {
    const http_request& request = with.request();
    EXPECT_EQ(request.method(), seen.at("method").get<std::string>());
    EXPECT_EQ(with.connect_protocol(), seen.at("protocol").get<std::string>());
    EXPECT_EQ(request.scheme(), seen.at("scheme").get<std::string>());
    EXPECT_EQ(request.path(), seen.at("path").get<std::string>());
    EXPECT_EQ(request.header("Host"), seen.at("host").get<std::string>());
    EXPECT_FALSE(request.headers().contains(seen.at("no_header").get<std::string>()));
    EXPECT_FALSE(request.has_body());
    co_return;
  };
  peers.connect(peers.peer.headers_frame(1, fields_of(row.at("headers"))));
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).status, "200");
  EXPECT_TRUE(peers.answer(1).ended_with_head);
  EXPECT_TRUE(peers.answer(1).field("date"));
  EXPECT_FALSE(peers.answer(1).field("content-length"));
  peers.close_and_run_until_gone();
}

TEST(Http2Accept, AcceptThenWriteOneByte) {
  http2_peers peers;
  peers.context().handler = [](exchange& with) -> task<> {
    with.upgrade(std::make_unique<silent_driver>(with.transport()));
    const std::byte one{1};
    with.transport().queue_copy({&one, 1});
    with.transport().close();
    co_return;
  };
  peers.connect(peers.peer.headers_frame(1, connect_fields(), 0));
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).status, "200");
  EXPECT_EQ(peers.answer(1).body, "\x01");
  EXPECT_TRUE(peers.answer(1).ended);
  peers.close_and_run_until_gone();
}

TEST(Http2Accept, Any2xxStatusMayBeSetBeforeAccept) {
  for (const int status : {200, 201, 299, 300, 418}) {
    http2_peers peers;
    bool refused = false;
    peers.context().handler = [&](exchange& with) -> task<> {
      with.response().status(status);
      try {
        websocket socket = accept(with);
        co_await test::echo(socket);
      } catch (const std::logic_error& error) {
        EXPECT_NE(std::string_view(error.what()).find("200 to 299"), std::string_view::npos);
        refused = true;
      }
    };
    peers.connect(peers.peer.headers_frame(1, connect_fields(), 0));
    peers.run_until([&] { return !peers.answer(1).status.empty(); });
    EXPECT_EQ(peers.answer(1).status, std::to_string(status));
    EXPECT_EQ(refused, status > 299);
    peers.close_and_run_until_gone();
  }
}

TEST(Http2Accept, MissingSchemeOrPathAndProtocolWithoutConnectResetTheStream) {
  for (const char* const name : {"missing :scheme", "missing :path", ":protocol without CONNECT"}) {
    SCOPED_TRACE(name);
    const json row = kestrel_case(name);
    for (const bool with_authority : {false, true}) {
      http2_peers peers;
      peers.context().handler = echo_or_400;
      field_list fields = fields_of(row.at("headers"));
      if (with_authority) fields.emplace_back(":authority", "example.com");
      peers.connect(peers.peer.headers_frame(1, fields));
      peers.run_until_answered(1);
      EXPECT_EQ(row.at("expect").at("rst_stream").get<std::string>(), "PROTOCOL_ERROR");
      EXPECT_EQ(peers.answer(1).reset, error_code::protocol_error);
      EXPECT_EQ(peers.counters().requests.value(), 0U);
      peers.close_and_run_until_gone();
    }
  }
}

TEST(Http2Accept, NotAcceptedNon200WithBodyIsAllowed) {
  const json expect = kestrel_case("not accepted: non-200 with body is allowed").at("expect");
  http2_peers peers;
  peers.context().handler = [](exchange& with) -> task<> {
    with.response().status(418);
    co_await with.response().write("\x01\x02");
  };
  peers.connect(peers.peer.headers_frame(1, connect_fields(), 0));
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).status, std::to_string(expect.at("status").get<int>()));
  EXPECT_EQ(peers.answer(1).field("content-length"), expect.at("content-length").get<std::string>());
  EXPECT_EQ(peers.answer(1).body, "\x01\x02");
  peers.close_and_run_until_gone();
}

TEST(Http2Accept, ResponseBodyWriteOnA2xxConnect) {
  http2_peers peers;
  peers.context().handler = [](exchange& with) -> task<> { co_await with.response().write("hello"); };
  peers.connect(peers.peer.headers_frame(1, connect_fields(), 0));
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).status, "500");
  EXPECT_NE(peers.ends.log.lines.find("has no body: accept the request"), std::string::npos) << peers.ends.log.lines;
  peers.close_and_run_until_gone();
}

TEST(Http2Accept, TheLimitAndTheTimeOfBodiesDoNotApplyToTheStream) {
  http2_peers peers;
  peers.context().options.limits.body = 10;
  peers.context().options.body_timeout = 1s;
  peers.context().handler = echo_or_400;
  peers.connect(peers.peer.connect(1));
  peers.run_until([&] { return !peers.answer(1).status.empty(); });
  const net::time_point before = peers.ends.loop.now();
  peers.run_until([&] { return peers.ends.loop.now() - before > 60s; });  // to the ping of the WebSocket
  peers.send(data_frame(1, client_frame(opcode::text, "longer than ten bytes")));
  peers.run_until([&] { return peers.answer(1).body.ends_with(server_frame(opcode::text, "longer than ten bytes")); });
  peers.close_and_run_until_gone();
}

TEST(Http2Accept, APlainGetBehindAWebSocketDoesNotSeeItsProtocol) {
  http2_peers peers;
  std::vector<std::string> protocols;
  peers.context().handler = [&protocols](exchange& with) -> task<> {
    protocols.emplace_back(with.connect_protocol());
    co_return;
  };
  peers.connect(peers.peer.headers_frame(1, connect_fields()) + peers.peer.get(3));
  peers.run_until_answered(1);
  peers.run_until_answered(3);
  EXPECT_EQ(protocols, (std::vector<std::string>{"websocket", ""}));
  peers.close_and_run_until_gone();
}

TEST(Http2Accept, WhatIsNoWebSocketRequest) {
  const auto with_version = [](std::string_view version) {
    return http2_peer::request_fields("CONNECT", "/",
                                      {{":protocol", "websocket"}, {"sec-websocket-version", std::string(version)}});
  };
  const std::vector<std::pair<std::string_view, field_list>> others{
      {"another protocol",
       http2_peer::request_fields("CONNECT", "/", {{":protocol", "connect-udp"}, {"sec-websocket-version", "13"}})},
      {"no version", http2_peer::request_fields("CONNECT", "/", {{":protocol", "websocket"}})},
      {"another version", with_version("8")},
      {"a GET with the fields of HTTP/1.1",
       http2_peer::request_fields(
           "GET", "/", {{"sec-websocket-version", "13"}, {"sec-websocket-key", "AQIDBAUGBwgJCgsMDQ4PEA=="}})},
  };
  for (const auto& [name, fields] : others) {
    SCOPED_TRACE(name);
    http2_peers peers;
    peers.context().handler = echo_or_400;
    peers.connect(peers.peer.headers_frame(1, fields));
    peers.run_until_answered(1);
    EXPECT_EQ(peers.answer(1).status, "400");
    peers.close_and_run_until_gone();
  }
  for (const std::string_view version : {"13", "8, 13"}) {
    http2_peers peers;
    peers.context().handler = echo_or_400;
    peers.connect(peers.peer.headers_frame(1, with_version(version), 0));
    peers.run_until([&] { return !peers.answer(1).status.empty(); });
    EXPECT_EQ(peers.answer(1).status, "200");
    peers.close_and_run_until_gone();
  }
}

TEST(Http2Accept, CompressionIsNegotiatedAsInHttp11) {
  http2_peers peers;
  peers.context().handler = [](exchange& with) -> task<> {
    websocket_accept_options options;
    options.dangerous_enable_compression = true;
    websocket socket = accept_websocket(with, {}, true, options);
    co_await test::echo(socket);
  };
  peers.connect(peers.peer.connect(1, "/ws", {{"sec-websocket-extensions", "permessage-deflate"}}));
  peers.run_until([&] { return !peers.answer(1).status.empty(); });
  EXPECT_TRUE(peers.answer(1).field("sec-websocket-extensions").value_or("").starts_with("permessage-deflate"));
  peers.close_and_run_until_gone();
}

TEST(Http2Accept, BeyondTheLimitOfUpgradedConnectionsItIs503) {
  http2_peers peers;
  peers.context().options.upgrades = std::make_shared<net::limit>(1);
  peers.context().handler = echo_or_400;
  peers.connect(peers.peer.connect(1));
  peers.run_until([&] { return peers.answer(1).status == "200"; });
  peers.send(peers.peer.connect(3));
  peers.run_until_answered(3);
  EXPECT_EQ(peers.answer(3).status, "503");
  EXPECT_EQ(peers.counters().upgrades_refused.value(), 1U);
  // The place is free again when the first one has ended.
  peers.send(data_frame(1, client_close(1000), end_stream));
  peers.run_until_answered(1);
  peers.send(peers.peer.connect(5));
  peers.run_until([&] { return peers.answer(5).status == "200"; });
  peers.close_and_run_until_gone();
}

// ----- The life of the stream

TEST(Http2Accept, FramesBehindTheRequestReachTheWebSocketWhereverTheyAreCut) {
  for (const bool later : {false, true}) {
    for (const std::size_t cut : http::all_cuts) {
      SCOPED_TRACE("in pieces of " + std::to_string(cut));
      http2_peers peers(cut);
      peers.context().handler = [later](exchange& with) -> task<> {
        if (later) co_await sleep_for(1s);
        websocket socket = accept(with);
        co_await test::echo(socket);
      };
      const std::string frames = client_frame(opcode::text, "one") + client_frame(opcode::binary, "two");
      peers.connect(peers.peer.connect(1) + data_frame(1, frames.substr(0, 4)) + data_frame(1, frames.substr(4)) +
                    data_frame(1, client_close(1000), end_stream));
      peers.run_until_answered(1);
      EXPECT_EQ(peers.answer(1).body, server_frame(opcode::text, "one") + server_frame(opcode::binary, "two") +
                                          server_frame(opcode::close, test::closing(1000)));
      EXPECT_FALSE(peers.answer(1).reset);
      peers.close_and_run_until_gone();
    }
  }
}

TEST(Http2Accept, TheEndOfTheStreamIsTheEndOfTheWebSocket) {
  http2_peers peers;
  std::vector<int> codes;
  peers.context().handler = [&codes](exchange& with) -> task<> {
    websocket socket = accept(with);
    co_await test::echo(socket);
    codes.push_back(static_cast<int>(socket.close_status().value_or(close_code{})));
  };
  peers.connect(peers.peer.connect(1));
  peers.run_until([&] { return !peers.answer(1).status.empty(); });
  peers.send(data_frame(1, "", end_stream));
  peers.run_until_answered(1);
  EXPECT_EQ(codes, std::vector<int>{1006});
  EXPECT_TRUE(peers.answer(1).ended);
  peers.close_and_run_until_gone();
}

TEST(Http2Accept, AResetOfTheClientFailsTheWebSocketAndNoOther) {
  http2_peers peers;
  std::vector<int> codes;
  peers.context().handler = [&codes](exchange& with) -> task<> {
    websocket socket = accept(with);
    co_await test::echo(socket);
    codes.push_back(static_cast<int>(socket.close_status().value_or(close_code{})));
  };
  peers.connect(peers.peer.connect(1) + peers.peer.connect(3));
  peers.run_until([&] { return !peers.answer(3).status.empty(); });
  peers.send(test::rst_stream(1) + data_frame(3, client_frame(opcode::text, "still here")));
  peers.run_until([&] { return peers.answer(3).body == server_frame(opcode::text, "still here"); });
  EXPECT_EQ(codes, std::vector<int>{1006});
  peers.close_and_run_until_gone();
  EXPECT_EQ(codes.size(), 2U);
}

TEST(Http2Accept, AnAbortResetsTheStreamWithCancel) {
  http2_peers peers;
  peers.context().handler = [](exchange& with) -> task<> {
    websocket socket = accept(with);
    socket.abort();
    co_return;
  };
  peers.connect(peers.peer.connect(1) + peers.peer.get(3));
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).reset, error_code::cancel);
  peers.close_and_run_until_gone();
}

TEST(Http2Accept, AHandlerThatReturnsClosesTheWebSocketAndEndsTheStream) {
  http2_peers peers;
  peers.context().handler = [](exchange& with) -> task<> {
    websocket socket = accept(with);
    co_await socket.send("bye");
  };
  peers.connect(peers.peer.connect(1));
  const std::string expected = server_frame(opcode::text, "bye") + server_frame(opcode::close, test::closing(1000));
  peers.run_until([&] { return peers.answer(1).body == expected; });
  EXPECT_FALSE(peers.answer(1).ended);
  peers.send(data_frame(1, client_close(1000)));
  peers.run_until_answered(1);
  EXPECT_TRUE(peers.answer(1).ended);
  EXPECT_FALSE(peers.answer(1).reset);
  // The client never ends its side of the stream: after a while that is not waited for any more, which is no error.
  peers.run_until([&] { return peers.answer(1).reset.has_value(); });
  EXPECT_EQ(peers.answer(1).reset, error_code::no_error);
  peers.close_and_run_until_gone();
}

TEST(Http2Accept, AProtocolErrorClosesItsWebSocketAndNoOther) {
  http2_peers peers;
  peers.context().handler = echo_or_400;
  peers.connect(peers.peer.connect(1) + peers.peer.connect(3));
  peers.run_until([&] { return !peers.answer(3).status.empty(); });
  peers.send(data_frame(1, server_frame(opcode::text, "not masked")) +
             data_frame(3, client_frame(opcode::text, "fine")));
  peers.run_until_answered(1);
  EXPECT_TRUE(peers.answer(1).body.starts_with("\x88"));
  peers.run_until([&] { return peers.answer(3).body == server_frame(opcode::text, "fine"); });
  peers.close_and_run_until_gone();
}

TEST(Http2Accept, WhenTheConnectionDiesEveryWebSocketOnItEnds) {
  http2_peers peers;
  int ended = 0;
  peers.context().handler = [&ended](exchange& with) -> task<> {
    websocket socket = accept(with);
    co_await test::echo(socket);
    EXPECT_EQ(socket.close_status(), close_code::abnormal_closure);
    ++ended;
  };
  std::string stream;
  for (std::uint32_t id = 1; id < 20; id += 2) stream += peers.peer.connect(id);
  peers.connect(stream);
  peers.run_until([&] { return !peers.answer(19).status.empty(); });
  peers.ends.client_end->abort();
  peers.ends.run_until_gone();
  EXPECT_EQ(ended, 10);
}

TEST(Http2Accept, DrainingClosesEachWebSocketWith1001AndThenTheConnection) {
  http2_peers peers;
  peers.context().handler = echo_or_400;
  peers.connect(peers.peer.connect(1) + peers.peer.connect(3));
  peers.run_until([&] { return !peers.answer(3).status.empty(); });
  peers.ends.loop.drain_all();
  peers.run_until([&] { return peers.answer(1).body.size() > 4 && peers.answer(3).body.size() > 4; });
  for (const std::uint32_t id : {1U, 3U}) EXPECT_EQ(test::to_hex(peers.answer(id).body.substr(2, 2)), "03e9");
  peers.send(data_frame(1, client_close(1001), end_stream) + data_frame(3, client_close(1001), end_stream));
  peers.run_until([&] { return peers.ends.client.ended; });
  ASSERT_FALSE(peers.peer.goaways.empty());
  EXPECT_EQ(peers.peer.goaways.back().why, error_code::no_error);
  EXPECT_EQ(peers.peer.goaways.back().last_stream, 3U);
  peers.close_and_run_until_gone();
}

class Http2AcceptOn : public ::testing::TestWithParam<test::kind_of_transport> {};
// Those that are not encrypted: on the others the two would have to agree on HTTP/2.
INSTANTIATE_TEST_SUITE_P(All, Http2AcceptOn,
                         ::testing::Values(test::kind_of_transport::tcp_io_uring, test::kind_of_transport::tcp_epoll,
                                           test::kind_of_transport::unix_io_uring, test::kind_of_transport::unix_epoll,
                                           test::kind_of_transport::pipe),
                         test::kind_name);

TEST_P(Http2AcceptOn, AHandlerThatSendsTooMuchAtOnceDoesNotTakeTheHandshakeBack) {
  http2_peers peers(GetParam());
  peers.context().handler = test::flood_at_once;
  peers.connect(peers.peer.connect(1));
  peers.run_until_answered(1);
  EXPECT_EQ(peers.answer(1).status, "200");
  EXPECT_TRUE(peers.answer(1).body == test::flood_of_frames()) << peers.answer(1).body.size();
  EXPECT_TRUE(peers.answer(1).ended);
  EXPECT_FALSE(peers.answer(1).reset);
  peers.close_and_run_until_gone();
}

TEST_P(Http2AcceptOn, ALoopMayEndBeforeItsHandlers) {
  http2_peers peers(GetParam());
  peers.context().handler = echo_or_400;
  peers.connect(peers.peer.connect(1) + peers.peer.connect(3));
  peers.run_until([&] { return !peers.answer(3).status.empty(); });
  // The handlers wait for a message, and their objects would like to close.
}

// ----- Many on one connection

TEST(Http2Accept, AHundredWebSocketsOnOneConnectionEachGetTheirOwn) {
  http2_peers peers;
  peers.context().handler = echo_or_400;
  std::string stream;
  for (std::uint32_t id = 1; id < 200; id += 2) stream += peers.peer.connect(id);
  peers.connect(stream);
  peers.run_until([&] { return !peers.answer(199).status.empty(); });
  std::string messages;
  for (std::uint32_t id = 1; id < 200; id += 2) {
    messages += data_frame(id, client_frame(opcode::text, "for " + std::to_string(id)));
  }
  peers.send(messages);
  peers.run_until([&] { return !peers.answer(199).body.empty(); });
  for (std::uint32_t id = 1; id < 200; id += 2) {
    EXPECT_EQ(peers.answer(id).body, server_frame(opcode::text, "for " + std::to_string(id)));
  }
  peers.close_and_run_until_gone();
}

}  // namespace
}  // namespace windhover
