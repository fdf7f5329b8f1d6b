// receive with a stop token: what stopping gives, and that it loses nothing.
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/websocket_peer.hpp"
#include <windhover/sleep_for.hpp>
#include <windhover/when_all.hpp>
#include <windhover/when_any.hpp>
#include <windhover/with_timeout.hpp>

namespace windhover {
namespace {

using namespace std::chrono_literals;
using test::client_frame;
using test::gate;
using test::opcode;
using test::websocket_peers;
using notes = std::vector<std::string>;

TEST(WebsocketStopping, AStoppedReceiveIsCancelledAndTheSocketStaysOpen) {
  notes seen;
  std::stop_source source;
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    auto first = co_await socket.receive(source.get_token());
    seen.push_back(test::to_string(first));
    EXPECT_TRUE(first.cancelled());
    EXPECT_FALSE(first);
    EXPECT_EQ(socket.state(), websocket_state::open);
    EXPECT_EQ(socket.close_status(), std::nullopt);
    auto second = co_await socket.receive();
    seen.push_back(test::to_string(second));
  });
  peers.run_idle();
  EXPECT_EQ(seen, notes());
  peers.on_loop([&] { source.request_stop(); });
  EXPECT_EQ(seen, (notes{"cancelled"}));
  peers.send_text("one");
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"cancelled", "text one"}));
}

TEST(WebsocketStopping, CancellingAPendingReceivesToken) {
  // As in ASP.NET Core's test, except that the socket survives it: within a second by the clock of the loop.
  websocket_peers peers;
  peers.serve([](websocket& socket) -> task<> {
    const auto listen = [&](std::stop_token stop) { return socket.receive(std::move(stop)); };
    auto result = co_await with_timeout(1s, listen);
    EXPECT_TRUE(result.cancelled());
    EXPECT_EQ(socket.state(), websocket_state::open);
  });
  peers.run_handler();
  EXPECT_EQ(peers.elapsed(), 1s);
}

TEST(WebsocketStopping, AStopInTheMiddleOfAMessageLosesNothingOfIt) {
  for (const std::size_t cut : test::all_cuts) {
    notes seen;
    std::stop_source source;
    websocket_peers peers(cut);
    peers.serve([&](websocket& socket) -> task<> {
      auto first = co_await socket.receive(source.get_token());
      seen.push_back(test::to_string(first));
      auto second = co_await socket.receive();
      seen.push_back(test::to_string(second));
    });
    const std::string stream =
        client_frame(opcode::text, "Hello", false) + client_frame(opcode::continuation, " World");
    peers.send(std::string_view(stream).substr(0, 14));
    peers.run_idle();
    peers.on_loop([&] { source.request_stop(); });
    peers.send(std::string_view(stream).substr(14));
    peers.run_handler();
    EXPECT_EQ(seen, (notes{"cancelled", "text Hello World"}));
  }
}

TEST(WebsocketStopping, BytesThatAreInTheBufferAreReturned) {
  for (const std::size_t cut : test::all_cuts) {
    notes seen;
    std::stop_source source;
    websocket_peers peers(cut);
    peers.serve([&](websocket& socket) -> task<> {
      std::array<std::byte, 20> buffer{};
      auto piece = co_await socket.receive(buffer, source.get_token());
      seen.push_back(test::to_string(piece, buffer));
      piece = co_await socket.receive(buffer);
      seen.push_back(test::to_string(piece, buffer));
    });
    const std::string stream = client_frame(opcode::text, "Hello World");
    peers.send(std::string_view(stream).substr(0, 6 + 5));
    peers.run_idle();
    peers.on_loop([&] { source.request_stop(); });
    EXPECT_EQ(seen, (notes{"text Hello+"})) << "not cancelled";
    peers.send(std::string_view(stream).substr(6 + 5));
    peers.run_handler();
    EXPECT_EQ(seen, (notes{"text Hello+", "text  World."}));
  }
}

TEST(WebsocketStopping, AnEmptyBufferIsCancelled) {
  notes seen;
  std::stop_source source;
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    std::array<std::byte, 20> buffer{};
    auto piece = co_await socket.receive(buffer, source.get_token());
    seen.push_back(test::to_string(piece, buffer));
    piece = co_await socket.receive(buffer);
    seen.push_back(test::to_string(piece, buffer));
  });
  peers.on_loop([&] { source.request_stop(); });
  EXPECT_EQ(seen, (notes{"cancelled"}));
  peers.send_text("one");
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"cancelled", "text one."}));
}

TEST(WebsocketStopping, ATokenThatIsStoppedAlreadyStillGivesWhatIsThere) {
  notes seen;
  gate go_on;
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    std::stop_source source;
    source.request_stop();
    std::array<std::byte, 2> buffer{};
    co_await go_on;
    for (int i = 0; i < 2; ++i) {
      auto whole = co_await socket.receive(source.get_token());
      seen.push_back(test::to_string(whole));
      auto piece = co_await socket.receive(buffer, source.get_token());
      seen.push_back(test::to_string(piece, buffer));
    }
    // The beginning of a frame, then nothing more.
    auto piece = co_await socket.receive(buffer, source.get_token());
    seen.push_back(test::to_string(piece, buffer));
    piece = co_await socket.receive(buffer, source.get_token());
    seen.push_back(test::to_string(piece, buffer));
    auto whole = co_await socket.receive(source.get_token());
    seen.push_back(test::to_string(whole));
  });
  peers.send(client_frame(opcode::text, "one") + client_frame(opcode::text, "two") + client_frame(opcode::text, "3") +
             client_frame(opcode::text, "456").substr(0, 6 + 1));
  peers.run_idle();
  peers.open(go_on);
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"text one", "text tw+", "text o", "text 3.", "text 4+", "cancelled", "cancelled"}));
}

TEST(WebsocketStopping, AStoppedTokenOnAClosedSocketFindsItClosed) {
  notes seen;
  gate go_on;
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    std::stop_source source;
    source.request_stop();
    std::array<std::byte, 2> buffer{};
    co_await go_on;
    auto whole = co_await socket.receive(source.get_token());
    seen.push_back(test::to_string(whole));
    auto piece = co_await socket.receive(buffer, source.get_token());
    seen.push_back(test::to_string(piece, buffer));
  });
  peers.send_close(1000);
  peers.run_idle();
  peers.open(go_on);
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"closed", "closed"}));
}

TEST(WebsocketStopping, AMessageThatCameBeforeTheStopIsNotLost) {
  notes seen;
  std::stop_source source;
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    auto first = co_await socket.receive(source.get_token());
    seen.push_back(test::to_string(first));
    // Stopped by now, and nobody waits: nothing happens.
    source.request_stop();
    auto second = co_await socket.receive();
    seen.push_back(test::to_string(second));
  });
  peers.send_text("one");
  peers.send_text("two");
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"text one", "text two"}));
}

TEST(WebsocketStopping, ATokenThatIsNeverStoppedChangesNothing) {
  notes seen;
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    const std::stop_source source;
    while (auto message = co_await socket.receive(source.get_token())) seen.push_back(test::to_string(*message));
    seen.push_back(test::status_of(socket));
    auto none = co_await socket.receive(std::stop_token());
    seen.push_back(test::to_string(none));
  });
  peers.send_text("one");
  peers.send_close(1000);
  peers.finish();
  EXPECT_EQ(seen, (notes{"text one", "1000", "closed"}));
}

TEST(WebsocketStopping, TheReceiverIsFreeAfterAStop) {
  // Many waits one after the other, each of them stopped: a ticker beside a receive loop.
  notes seen;
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    while (true) {
      const auto listen = [&](std::stop_token stop) { return socket.receive(std::move(stop)); };
      const auto tick = [](std::stop_token stop) { return sleep_for(1s, std::move(stop)); };
      auto first = co_await when_any(listen, tick);
      if (first.index() == 1) {
        seen.push_back("tick");
        continue;
      }
      received message = std::get<0>(std::move(first));
      if (!message) break;
      seen.push_back(test::to_string(message));
    }
  });
  peers.run_until([&] { return seen.size() == 3; });
  peers.send_text("one");
  peers.run_until([&] { return seen.size() == 5; });
  peers.send_close(1000);
  peers.finish();
  EXPECT_EQ(seen, (notes{"tick", "tick", "tick", "text one", "tick"}));
}

TEST(WebsocketStopping, ASecondReceiveThatIsRefusedDoesNotDisturbTheFirst) {
  notes seen;
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    const auto wait = [](websocket& on, notes& to) -> task<> {
      auto message = co_await on.receive();
      to.push_back(test::to_string(message));
    };
    const auto intrude = [](websocket& on, notes& to) -> task<> {
      std::stop_source source;
      try {
        static_cast<void>(co_await on.receive(source.get_token()));
      } catch (const std::logic_error&) {
        to.push_back("refused");
      }
      source.request_stop();
    };
    co_await when_all(wait(socket, seen), intrude(socket, seen));
  });
  peers.send_text("one");
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"refused", "text one"}));
}

TEST(WebsocketStopping, ATokenThatTheEndOfTheConnectionStopsDoesNotHideIt) {
  // The stop is asked for while the connection is going down, as by a token of the request.
  notes seen;
  std::stop_source source;
  websocket_peers peers;
  peers.serve([&](websocket& socket) -> task<> {
    auto message = co_await socket.receive(source.get_token());
    seen.push_back(test::to_string(message));
  });
  peers.on_loop([&] {
    peers.connection().abort();
    source.request_stop();
  });
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"closed"}));
}

}  // namespace
}  // namespace windhover
