// What messages cost in allocations. This program counts them by replacing operator new.
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>

#include <malloc.h>

#include "base/memory_pool.hpp"
#include "support/websocket_peer.hpp"
#include "websocket/inbound_messages.hpp"

namespace {

std::size_t allocations = 0;
std::size_t live_bytes = 0;

}  // namespace

void* operator new(std::size_t size) {
  void* const block = std::malloc(size);
  if (block == nullptr) throw std::bad_alloc();
  ++allocations;
  live_bytes += ::malloc_usable_size(block);
  return block;
}
void operator delete(void* block) noexcept {
  if (block == nullptr) return;
  live_bytes -= ::malloc_usable_size(block);
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept { ::operator delete(block); }

namespace windhover {
namespace {

using test::opcode;
using test::websocket_peers;

// Under the address sanitizer the pool hands everything on, so that it sees it.
bool pool_keeps_blocks() {
  base::pool_release(base::pool_allocate(64), 64);
  const std::size_t before = allocations;
  base::pool_release(base::pool_allocate(64), 64);
  return allocations == before;
}

TEST(Allocations, AnEchoLoopMakesNone) {
  if (!pool_keeps_blocks()) GTEST_SKIP() << "the pool keeps nothing in this build";
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{20}, std::size_t{1000}, std::size_t{5000}, std::size_t{60'000}}) {
    SCOPED_TRACE(size);
    const std::string frame = test::client_frame(opcode::text, test::pattern(size));
    const std::size_t answer = size + wire::frame_header_size(size, false);
    websocket_peers peers;
    peers.serve(test::echo);
    const auto exchange_one = [&] {
      peers.peer.received.clear();
      peers.send(frame);
      while (peers.peer.received.size() < answer) peers.loop.run_once(false);
    };
    for (int i = 0; i < 10; ++i) exchange_one();
    const std::size_t before = allocations;
    for (int i = 0; i < 100; ++i) exchange_one();
    EXPECT_EQ(allocations, before);
  }
}

TEST(Allocations, APingMakesNone) {
  if (!pool_keeps_blocks()) GTEST_SKIP() << "the pool keeps nothing in this build";
  const std::string frame = test::client_frame(opcode::ping, "ping");
  websocket_peers peers;
  peers.serve(test::echo);
  const auto exchange_one = [&] {
    peers.peer.received.clear();
    peers.send(frame);
    while (peers.peer.received.size() < 6) peers.loop.run_once(false);
  };
  for (int i = 0; i < 10; ++i) exchange_one();
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) exchange_one();
  EXPECT_EQ(allocations, before);
}

TEST(Allocations, AQueueThatIsNeverEmptyDoesNotGrow) {
  inbound_messages inbound;
  const auto add = [&] {
    inbound.begin_message(message_type::binary);
    inbound.begin_frame();
    inbound.end_frame(true);
  };
  for (int i = 0; i < 10; ++i) add();
  std::size_t after_a_while = 0;
  for (int i = 0; i < 100'000; ++i) {
    add();
    static_cast<void>(inbound.take_message());
    if (i == 1000) after_a_while = live_bytes;
  }
  EXPECT_EQ(live_bytes, after_a_while);
}

TEST(Allocations, TheQueueGivesItsMemoryBackWhenItIsEmpty) {
  inbound_messages inbound;
  const std::size_t before = live_bytes;
  for (int i = 0; i < 1000; ++i) {
    inbound.begin_message(message_type::binary);
    inbound.begin_frame();
    inbound.end_frame(true);
  }
  EXPECT_GT(live_bytes, before + 10'000);
  while (inbound.has_message()) static_cast<void>(inbound.take_message());
  EXPECT_EQ(live_bytes, before);
}

TEST(Allocations, SmallMessagesThatWaitCostNotMuchMoreThanTheBoundSays) {
  websocket_settings settings;
  settings.max_inbound_bytes = 64 << 10;
  test::gate done;
  std::size_t count = 0;
  websocket_peers peers;
  peers.serve(
      [&](websocket& socket) -> task<> {
        co_await done;
        while (auto message = co_await socket.receive()) ++count;
      },
      settings);
  std::string stream;
  for (int i = 0; i < 1000; ++i) stream += test::client_frame(opcode::text, "x");
  const std::size_t before = live_bytes;
  peers.send(stream);
  peers.run_until([&] { return peers.host_end->reading_paused(); });
  // Both ends' share of the stream itself is in this too.
  EXPECT_LT(live_bytes - before, settings.max_inbound_bytes);
  peers.on_loop([&] { done.open(); });
  peers.run_idle();
  EXPECT_EQ(count, 1000U);
}

}  // namespace
}  // namespace windhover
