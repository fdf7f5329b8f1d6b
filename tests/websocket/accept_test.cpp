// The opening handshake on the server's side, over HTTP/1.1: what is sent, and what becomes of the HTTP around it. The
// cases of ASP.NET Core's tests have the names they have there.
#include "websocket/accept.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include "websocket/accepting.hpp"
#include <windhover/sleep_for.hpp>

namespace windhover {
namespace {

using namespace std::chrono_literals;
using http::connection_peers;
using http::exchange;
using http::header_of;
using http::status_lines;
using nlohmann::json;
using test::accept;
using test::accepted;
using test::answer_to;
using test::client_close;
using test::client_frame;
using test::echo_or_400;
using test::handshake_vectors;
using test::opcode;
using test::request;
using test::server_frame;
using test::status_of_accepted;
using notes = std::vector<std::string>;

// ----- What is sent

TEST(Accept, ConnectSuccess) {
  EXPECT_EQ(
      answer_to(echo_or_400, request() + client_frame(opcode::text, "Hello") + client_close(1000)),
      std::string(accepted) + server_frame(opcode::text, "Hello") + server_frame(opcode::close, test::closing(1000)));
}

TEST(Accept, TheExampleOfTheStandard) {
  const std::string stream =
      "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\n"
      "Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Version: 13\r\n\r\n";
  const std::string answer = answer_to(
      [](exchange& with) -> task<> {
        websocket socket = accept(with, "chat");
        co_await test::echo(socket);
      },
      stream + client_close(1000));
  EXPECT_EQ(status_lines(answer), notes{std::string(status_of_accepted)});
  EXPECT_EQ(header_of(answer, "Upgrade"), "websocket");
  EXPECT_EQ(header_of(answer, "Connection"), "Upgrade");
  EXPECT_EQ(header_of(answer, "Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(header_of(answer, "Sec-WebSocket-Protocol"), "chat");
}

TEST(Accept, TheResponseKeyOfEveryVector) {
  const json rows = handshake_vectors("accept_key").at("rows");
  ASSERT_FALSE(rows.empty());
  for (const json& row : rows) {
    std::string stream = request();
    const std::string key = "AQIDBAUGBwgJCgsMDQ4PEA==";
    stream.replace(stream.find(key), key.size(), row.at("key").get<std::string>());
    EXPECT_EQ(header_of(answer_to(echo_or_400, stream + client_close(1000)), "Sec-WebSocket-Accept"),
              row.at("accept").get<std::string>());
  }
}

TEST(Accept, HeadersThatTheHandlerSetBeforeAreSentToo) {
  const std::string answer = answer_to(
      [](exchange& with) -> task<> {
        with.response().header("X-Room", "7");
        with.response().add_header("Set-Cookie", "a=1");
        with.response().add_header("Set-Cookie", "b=2");
        websocket socket = accept(with);
        co_await test::echo(socket);
      },
      request() + client_close(1000));
  EXPECT_EQ(header_of(answer, "X-Room"), "7");
  EXPECT_NE(answer.find("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"), std::string::npos);
  EXPECT_EQ(status_lines(answer), notes{std::string(status_of_accepted)});
}

TEST(Accept, CompressionThatIsOfferedIsNotNegotiated) {
  const std::string answer =
      answer_to(echo_or_400, request("Sec-WebSocket-Extensions: permessage-deflate\r\n") + client_close(1000));
  EXPECT_EQ(status_lines(answer), notes{std::string(status_of_accepted)});
  EXPECT_EQ(header_of(answer, "Sec-WebSocket-Extensions"), "");
}

// ----- Misuse

TEST(Accept, AcceptingTwiceIsRefused) {
  const std::string answer = answer_to(
      [](exchange& with) -> task<> {
        websocket socket = accept(with);
        EXPECT_FALSE(is_websocket_request(with));
        EXPECT_THROW(static_cast<void>(accept(with)), std::logic_error);
        co_await test::echo(socket);
      },
      request() + client_frame(opcode::text, "Hello") + client_close(1000));
  EXPECT_NE(answer.find(server_frame(opcode::text, "Hello")), std::string::npos) << "the first one lives on";
}

TEST(Accept, ARequestForNoWebSocketIsRefusedWith500WhenNobodyCatchesIt) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    websocket socket = accept(with);
    co_await test::echo(socket);
  };
  const std::string answer = peers.answer_to_all("GET /ws HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status_lines(answer), notes{"HTTP/1.1 500 Internal Server Error"});
  EXPECT_NE(peers.log.lines.find("not a WebSocket request"), std::string::npos) << peers.log.lines;
}

TEST(Accept, AfterTheResponseHasStartedItIsRefused) {
  const std::string answer = answer_to(
      [](exchange& with) -> task<> {
        co_await with.response().flush();
        EXPECT_THROW(static_cast<void>(accept(with)), std::logic_error);
        EXPECT_FALSE(with.upgraded());
      },
      request());
  EXPECT_EQ(status_lines(answer), notes{"HTTP/1.1 200 OK"});
}

TEST(Accept, AClientThatWentBeforeIsNobodysMistake) {
  connection_peers peers;
  bool refused = false;
  peers.context.handler = [&](exchange& with) -> task<> {
    co_await sleep_for(1s);
    try {
      static_cast<void>(accept(with));
    } catch (const bad_http_request& error) {
      refused = error.status() == 499;
    }
  };
  peers.connect();
  peers.send(request());
  peers.run_idle();
  peers.client_end->abort();
  peers.run_until_gone();
  EXPECT_TRUE(refused);
}

// ----- What becomes of HTTP

TEST(Accept, ARequestThatNobodyAcceptsLeavesTheConnectionForALaterUpgrade) {
  connection_peers peers;
  int requests = 0;
  peers.context.handler = [&](exchange& with) -> task<> {
    if (++requests == 1) co_return;
    websocket socket = accept(with);
    co_await test::echo(socket);
  };
  peers.connect();
  peers.send(request());
  peers.run_until_received("\r\n\r\n");
  EXPECT_EQ(status_lines(peers.client.received), notes{"HTTP/1.1 200 OK"});
  EXPECT_EQ(header_of(peers.client.received, "Connection"), "");
  peers.client.received.clear();
  peers.send(request());
  peers.send(client_frame(opcode::text, "Hello"));
  peers.run_until_received(server_frame(opcode::text, "Hello"));
  EXPECT_EQ(status_lines(peers.client.received), notes{std::string(status_of_accepted)});
  peers.send(client_close(1000));
  peers.run_until_end();
  peers.client_end->close();
  peers.run_until_gone();
}

TEST(Accept, AfterAcceptingTheResponseIsClosedAndTheBodyIsEmpty) {
  const std::string answer = answer_to(
      [](exchange& with) -> task<> {
        websocket socket = accept(with);
        EXPECT_THROW(static_cast<void>(with.response().write("text")), std::logic_error);
        EXPECT_THROW(with.response().status(400), std::logic_error);
        EXPECT_THROW(with.response().header("X-Late", "1"), std::logic_error);
        const std::string body = co_await with.request().read_all();
        EXPECT_EQ(body, "");
        co_await test::echo(socket);
      },
      request() + client_frame(opcode::text, "Hello") + client_close(1000));
  EXPECT_EQ(answer, std::string(accepted) + server_frame(opcode::text, "Hello") +
                        server_frame(opcode::close, test::closing(1000)));
}

TEST(Accept, BytesBehindTheHeadReachTheSocket) {
  const std::string frames = client_frame(opcode::text, "one") + client_frame(opcode::ping, "p") +
                             client_frame(opcode::text, "two") + client_close(1000);
  for (const bool at_once : {true, false}) {
    for (const std::size_t cut : test::all_cuts) {
      SCOPED_TRACE(std::to_string(cut) + (at_once ? "" : ", accepted later"));
      notes seen;
      const auto receive_all = test::note_messages(seen);
      connection_peers peers(cut);
      peers.context.handler = [&](exchange& with) -> task<> {
        if (!at_once) co_await sleep_for(1s);
        websocket socket = accept(with);
        co_await receive_all(socket);
      };
      const std::string answer = peers.answer_to(request() + frames);
      EXPECT_EQ(seen, (notes{"text one", "text two", "1000"}));
      EXPECT_TRUE(answer.ends_with(server_frame(opcode::pong, "p") + server_frame(opcode::close, test::closing(1000))));
    }
  }
}

TEST(Accept, TheTimeoutsOfHttpNoLongerApply) {
  connection_peers peers;
  websocket_settings settings;
  settings.keep_alive_interval = 0;
  peers.context.handler = [&](exchange& with) -> task<> {
    websocket socket = accept_websocket(with, std::make_shared<const websocket_settings>(settings), true, {});
    co_await sleep_for(24h);
    co_await socket.send("still there");
  };
  peers.connect();
  peers.send(request());
  peers.run_until_received("still there");
  EXPECT_FALSE(peers.client.ended);
  peers.client_end->abort();
  peers.run_until_gone();
}

TEST(Accept, TheEndOfTheClientEndsTheSocket) {
  notes seen;
  const auto receive_all = test::note_messages(seen);
  const auto handler = [&](exchange& with) -> task<> {
    websocket socket = accept(with);
    co_await receive_all(socket);
  };
  answer_to(handler, request() + client_frame(opcode::text, "one"));
  EXPECT_EQ(seen, (notes{"text one", "1006"}));
  // The client's end is there before the socket is.
  seen.clear();
  answer_to(
      [&](exchange& with) -> task<> {
        co_await sleep_for(1s);
        websocket socket = accept(with);
        co_await receive_all(socket);
      },
      request());
  EXPECT_EQ(seen, (notes{"1006"}));
}

TEST(Accept, AnExceptionAfterAcceptingIsLoggedAndClosesWith1011) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    websocket socket = accept(with);
    auto message = co_await socket.receive();
    throw std::runtime_error("the handler's trouble");
  };
  const std::string answer = peers.answer_to(request() + client_frame(opcode::text, "Hello") + client_close(1011));
  EXPECT_TRUE(answer.ends_with(server_frame(opcode::close, test::closing(1011))));
  EXPECT_NE(peers.log.lines.find("the handler's trouble"), std::string::npos) << peers.log.lines;
}

TEST(Accept, TheRequestIsStillThereUnlessItsHeadersAreNotRetained) {
  for (const bool retain : {true, false}) {
    notes seen;
    answer_to(
        [&](exchange& with) -> task<> {
          websocket socket = accept(with, {}, retain);
          co_await test::echo(socket);
          seen.emplace_back(with.request().path());
          seen.emplace_back(with.request().header("X-Test").value_or("-"));
        },
        request("X-Test: 1\r\n") + client_close(1000));
    EXPECT_EQ(seen, (notes{"/ws", retain ? "1" : "-"}));
  }
}

TEST(Accept, TheTokenOfTheRequestIsStoppedWhenTheClientVanishesAndNotByAClose) {
  for (const bool vanishes : {true, false}) {
    std::optional<bool> stopped;
    connection_peers peers;
    peers.context.handler = [&](exchange& with) -> task<> {
      const std::stop_token aborted = with.aborted();
      websocket socket = accept(with);
      co_await test::echo(socket);
      stopped = aborted.stop_requested();
    };
    peers.connect();
    peers.send(request());
    peers.run_until_received("\r\n\r\n");
    if (!vanishes) peers.send(client_close(1000));
    peers.client_end->close();
    peers.run_until_gone();
    EXPECT_EQ(stopped, vanishes);
  }
}

TEST(Accept, StoppingTheServerClosesWith1001) {
  connection_peers peers;
  peers.context.handler = echo_or_400;
  peers.connect();
  peers.send(request());
  peers.run_until_received("\r\n\r\n");
  {
    const net::event_loop::scope here(peers.loop);
    peers.loop.drain_all();
  }
  peers.run_until_received(server_frame(opcode::close, test::closing(1001, "the server is shutting down")));
  peers.send(client_close(1001));
  peers.run_until_end();
  peers.client_end->close();
  peers.run_until_gone();
}

// ----- A handler that the connection runs by itself

TEST(Accept, AConnectionCanRunAHandlerThatOutlivesTheRequest) {
  for (const std::size_t cut : test::all_cuts) {
    connection_peers peers(cut);
    const std::string name = "/ws";
    const std::function<task<>(websocket&)> handler = test::echo;
    peers.context.handler = [&](exchange& with) -> task<> {
      open_websocket(with, {}, false, {}).run(handler, name);
      co_return;
    };
    EXPECT_EQ(
        peers.answer_to(request() + client_frame(opcode::text, "Hello") + client_close(1000)),
        std::string(accepted) + server_frame(opcode::text, "Hello") + server_frame(opcode::close, test::closing(1000)));
  }
}

TEST(Accept, AHandlerOfTheConnectionsOwnClosesAsItEnds) {
  const std::string name = "/rooms/{id}";
  const auto answer = [&](connection_peers& peers, const std::function<task<>(websocket&)>& handler) {
    peers.context.handler = [&](exchange& with) -> task<> {
      open_websocket(with, {}, true, {}).run(handler, name);
      co_return;
    };
    const std::string received = peers.answer_to(request() + client_close(1000));
    return received.substr(http::end_of_head(received));
  };
  {
    connection_peers peers;
    const auto returns = [](websocket&) -> task<> { co_return; };
    EXPECT_EQ(answer(peers, returns), server_frame(opcode::close, test::closing(1000)));
    EXPECT_EQ(peers.log.lines, "websocket: a WebSocket was opened at /ws over HTTP/1.1, from memory\n");
  }
  {
    connection_peers peers;
    const auto throws = [](websocket& socket) -> task<> {
      co_await socket.send("before");
      throw std::runtime_error("trouble in a room");
    };
    EXPECT_EQ(answer(peers, throws),
              server_frame(opcode::text, "before") + server_frame(opcode::close, test::closing(1011)));
    EXPECT_NE(peers.log.lines.find("/rooms/{id} failed: trouble in a room"), std::string::npos) << peers.log.lines;
  }
  {
    connection_peers peers;
    const auto throws_at_once = [](websocket&) -> task<> { throw std::runtime_error("no coroutine"); };
    EXPECT_EQ(answer(peers, throws_at_once), server_frame(opcode::close, test::closing(1011)));
    EXPECT_NE(peers.log.lines.find("no coroutine"), std::string::npos) << peers.log.lines;
  }
}

TEST(Accept, AHandlerOfTheConnectionsOwnEndsWithItsClient) {
  connection_peers peers;
  const std::string name = "/ws";
  notes seen;
  const std::function<task<>(websocket&)> handler = test::note_messages(seen);
  peers.context.handler = [&](exchange& with) -> task<> {
    open_websocket(with, {}, false, {}).run(handler, name);
    co_return;
  };
  peers.connect();
  peers.send(request() + client_frame(opcode::text, "one"));
  peers.run_until([&] { return seen.size() == 1; });
  peers.run_idle();
  peers.client_end->abort();
  peers.run_until_gone();
  EXPECT_EQ(seen, (notes{"text one", "1006"}));
}

// ----- On sockets

class AcceptOn : public ::testing::TestWithParam<test::kind_of_transport> {};
INSTANTIATE_TEST_SUITE_P(All, AcceptOn, test::every_kind(), test::kind_name);

TEST_P(AcceptOn, AnEchoFromTheHeadToTheClose) {
  connection_peers peers(GetParam());
  peers.context.handler = echo_or_400;
  peers.connect();
  const std::string large = test::pattern(300'000);
  peers.send(request() + client_frame(opcode::text, "Hello") + client_frame(opcode::binary, large) +
             client_close(1000, "bye"));
  peers.run_until_end();
  peers.client_end->close();
  peers.run_until_gone();
  const std::string frames = peers.client.received.substr(http::end_of_head(peers.client.received));
  EXPECT_TRUE(frames == server_frame(opcode::text, "Hello") + server_frame(opcode::binary, large) +
                            server_frame(opcode::close, test::closing(1000, "bye")));
}

TEST_P(AcceptOn, ALoopMayEndBeforeItsHandlers) {
  connection_peers peers(GetParam());
  peers.context.handler = echo_or_400;
  peers.connect();
  peers.send(request() + client_frame(opcode::text, "Hello"));
  peers.run_until_received("Hello");
  // Its handler waits for the next message, and its object would like to close.
}

TEST_P(AcceptOn, AHandlerThatSendsTooMuchAtOnceDoesNotTakeTheHandshakeBack) {
  connection_peers peers(GetParam());
  peers.context.handler = test::flood_at_once;
  const std::string received = peers.answer_to(request());
  EXPECT_EQ(status_lines(received), notes{std::string(status_of_accepted)});
  EXPECT_TRUE(http::body_of(received) == test::flood_of_frames()) << received.size();
  EXPECT_TRUE(peers.client.ended) << "what was queued has left";
}

}  // namespace
}  // namespace windhover
