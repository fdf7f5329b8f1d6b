// What other threads than the socket's may do, and what they may not.
#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/websocket_peer.hpp"
#include <windhover/completion.hpp>

namespace windhover {
namespace {

using test::gate;
using test::pattern;
using test::websocket_peers;
using notes = std::vector<std::string>;

class WebsocketThreads : public ::testing::TestWithParam<test::kind_of_transport> {};
INSTANTIATE_TEST_SUITE_P(All, WebsocketThreads,
                         ::testing::Values(test::kind_of_transport::tcp_io_uring, test::kind_of_transport::tcp_epoll),
                         test::kind_name);

TEST_P(WebsocketThreads, AnotherThreadsUseIsRefused) {
  websocket* socket_of_handler = nullptr;
  gate done;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    socket_of_handler = &socket;
    co_await done;
  });
  std::thread([&] {
    EXPECT_THROW(static_cast<void>(socket_of_handler->send("text")), std::logic_error);
    EXPECT_THROW(static_cast<void>(socket_of_handler->receive()), std::logic_error);
    EXPECT_THROW(static_cast<void>(socket_of_handler->close()), std::logic_error);
    EXPECT_THROW(static_cast<void>(socket_of_handler->state()), std::logic_error);
    EXPECT_THROW(static_cast<void>(socket_of_handler->handle()), std::logic_error);
  }).join();
  // Nor may the thread of another loop.
  std::thread([&] {
    net::event_loop other(net::make_engine(test::engine_of(GetParam())).engine);
    const net::event_loop::scope here(other);
    EXPECT_THROW(static_cast<void>(socket_of_handler->send("text")), std::logic_error);
  }).join();
  peers.open(done);
  peers.run_until_frames(1);
}

TEST_P(WebsocketThreads, AStopFromAnotherThreadCancelsAReceive) {
  notes seen;
  std::stop_source source;
  websocket_peers peers(GetParam());
  peers.serve([&](websocket& socket) -> task<> {
    auto first = co_await socket.receive(source.get_token());
    seen.push_back(test::to_string(first));
    auto second = co_await socket.receive();
    seen.push_back(test::to_string(second));
  });
  std::thread stopper([&] { source.request_stop(); });
  peers.run_until([&] { return seen.size() == 1; });
  stopper.join();
  EXPECT_EQ(seen, (notes{"cancelled"}));
  peers.send_text("one");
  peers.run_handler();
  EXPECT_EQ(seen, (notes{"cancelled", "text one"}));
}

TEST_P(WebsocketThreads, AStopThatRacesWithTheReceiveIsNeverLost) {
  // The stop may come before, within and after the beginning of the wait.
  for (int round = 0; round < 300; ++round) {
    std::stop_source source;
    std::atomic<bool> begun{false};
    std::optional<bool> cancelled;
    std::array<std::byte, 8> buffer{};
    websocket_peers peers(GetParam());
    std::thread stopper([&] {
      while (!begun.load()) std::this_thread::yield();
      source.request_stop();
    });
    peers.serve([&](websocket& socket) -> task<> {
      begun = true;
      if (round % 2 == 0) {
        auto result = co_await socket.receive(source.get_token());
        cancelled = result.cancelled();
      } else {
        auto piece = co_await socket.receive(buffer, source.get_token());
        cancelled = piece.cancelled();
      }
    });
    peers.run_until([&] { return cancelled.has_value(); });
    stopper.join();
    EXPECT_EQ(cancelled, true);
  }
}

TEST_P(WebsocketThreads, AStopThatRacesWithAMessageLosesNeither) {
  for (int round = 0; round < 100; ++round) {
    notes seen;
    std::stop_source source;
    websocket_peers peers(GetParam());
    peers.serve([&](websocket& socket) -> task<> {
      auto result = co_await socket.receive(source.get_token());
      if (result.cancelled()) {
        auto second = co_await socket.receive();
        seen.push_back(test::to_string(second));
      } else {
        seen.push_back(test::to_string(result));
      }
    });
    std::thread stopper([&] { source.request_stop(); });
    peers.send_text("one");
    peers.run_handler();
    stopper.join();
    EXPECT_EQ(seen, (notes{"text one"}));
  }
}

TEST_P(WebsocketThreads, AMessageMayBeReadAndEndOnAnotherThread) {
  websocket_peers peers(GetParam());
  std::thread worker;
  std::string text;
  peers.serve([&](websocket& socket) -> task<> {
    auto result = co_await socket.receive();
    const completion<message> transformed;
    worker = std::thread([whole = *std::move(result), transformed]() mutable {
      const std::string upper = std::string(whole.text()) + "!";
      { const message ends_here = std::move(whole); }
      transformed.set_value(message::from_text(upper));
    });
    const message answer = co_await transformed;
    co_await socket.send(answer);
  });
  peers.send_text(pattern(3000));
  peers.run_until_frames(2);
  worker.join();
  EXPECT_EQ(peers.peer.frames()[0], test::seen_text(pattern(3000) + "!"));
}

TEST_P(WebsocketThreads, AThreadSeesAnObjectThatHasGone) {
  // The object is leaked; its slot is looked at from another thread while sockets come and go in it.
  std::unique_ptr<websocket> outliving;
  std::atomic<bool> stop{false};
  websocket_peers peers(GetParam());
  peers.serve([&](websocket&) -> task<> {
    outliving.reset(new websocket(peers.connection().make_websocket()));
    co_return;
  });
  std::thread other([&] {
    while (!stop.load()) EXPECT_THROW(static_cast<void>(outliving->state()), std::logic_error);
  });
  peers.peer_end->abort();
  peers.run_until_gone();
  for (int i = 0; i < 20; ++i) {
    peers.serve([](websocket&) -> task<> { co_return; });
    peers.peer_end->abort();
    peers.run_until_gone();
  }
  stop = true;
  other.join();
}

}  // namespace
}  // namespace windhover
