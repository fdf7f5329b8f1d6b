// What messages cost in allocations. This program counts them by replacing operator new.
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <span>
#include <string>
#include <string_view>

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

// Whatever a fragment cost would be paid a million times: an allocation for each, or a copy of what came before.
TEST(Allocations, AMillionFragmentsOfOneByteAreOneMessage) {
  constexpr std::size_t count = 1'000'000;
  websocket_settings settings;
  settings.max_fragments = count;
  const std::string whole = test::pattern(count);
  std::string stream;
  for (std::size_t i = 0; i < count; ++i) {
    stream += test::client_frame(i == 0 ? opcode::text : opcode::continuation, std::string_view(whole).substr(i, 1),
                                 i + 1 == count);
  }
  std::string seen;
  websocket_peers peers;
  peers.serve(
      [&](websocket& socket) -> task<> {
        auto message = co_await socket.receive();
        if (message) seen = message->text();
      },
      settings);
  const std::size_t before = allocations;
  peers.send(stream);
  peers.run_handler();
  EXPECT_TRUE(seen == whole) << "of " << seen.size() << " bytes";
  // The stream's own way through the pipe is in it: 7 MB in blocks.
  EXPECT_LT(allocations - before, count / 1000);
  peers.finish();
}

TEST(Allocations, AMessageWithoutEndIsSentInTheMemoryOfAFewFragments) {
  constexpr std::size_t piece = std::size_t{16} << 10;
  constexpr std::size_t pieces = 4096;  // 64 MiB
  const std::string fragment = test::pattern(piece);
  const websocket_settings settings;
  test::gate begin;
  std::size_t taken = 0;
  std::size_t most_queued = 0;
  std::size_t most_live = 0;
  websocket_peers peers;
  peers.serve(
      [&](websocket& socket) -> task<> {
        co_await begin;
        for (std::size_t i = 0; i < pieces; ++i) {
          auto sending = socket.send(fragment, end_of_message::no);
          most_queued = std::max(most_queued, socket.queued_bytes());
          const bool queued = co_await sending;
          if (!queued) break;
        }
      },
      settings);
  peers.peer.on_bytes = [&](std::span<const std::byte> bytes) {
    taken += bytes.size();
    most_live = std::max(most_live, live_bytes);
    peers.peer.received.clear();
  };
  const std::size_t before = live_bytes;
  peers.open(begin);
  // Once the handler has returned with a message begun, the close frame follows what it has sent.
  peers.run_until([&] { return taken > pieces * (piece + 4); });
  EXPECT_LE(most_queued, settings.max_queued_bytes + piece + 4);
  // The transport's blocks and the peer's are in it.
  EXPECT_LT(most_live - before, std::size_t{1} << 20);
  peers.send_close(1000);
  peers.finish();
}

}  // namespace
}  // namespace windhover
