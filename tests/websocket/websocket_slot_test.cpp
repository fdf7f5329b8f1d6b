// What stands behind a websocket object: generations, and use from several threads.
#include "websocket/websocket_slot.hpp"

#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include "support/websocket_peer.hpp"

namespace windhover {
namespace {

// A slot only stores the connection's place.
class WebsocketSlot : public ::testing::Test {
 protected:
  websocket_connection& connection(std::uintptr_t place) {
    return *reinterpret_cast<websocket_connection*>(place * 64);
  }
  net::event_loop loop{std::make_unique<test::virtual_engine>()};
};

TEST_F(WebsocketSlot, KnowsItsLoopAndItsConnection) {
  websocket_slot& slot = websocket_slot::acquire(loop, connection(1));
  EXPECT_EQ(slot.loop.load(), &loop);
  EXPECT_EQ(slot.connection, &connection(1));
  websocket_slot::release(slot);
  EXPECT_EQ(slot.loop.load(), nullptr);
}

TEST_F(WebsocketSlot, HasANewGenerationAfterEachRelease) {
  websocket_slot& first = websocket_slot::acquire(loop, connection(1));
  const std::uint32_t generation = first.generation.load();
  websocket_slot::release(first);
  EXPECT_NE(first.generation.load(), generation);
  websocket_slot& second = websocket_slot::acquire(loop, connection(2));
  EXPECT_EQ(&second, &first) << "slots are used again";
  EXPECT_NE(second.generation.load(), generation);
  websocket_slot::release(second);
}

TEST_F(WebsocketSlot, ThereAreAsManyAsAreNeeded) {
  std::set<websocket_slot*> slots;
  for (std::uintptr_t i = 1; i <= 1000; ++i) slots.insert(&websocket_slot::acquire(loop, connection(i)));
  EXPECT_EQ(slots.size(), 1000U);
  for (websocket_slot* const each : slots) websocket_slot::release(*each);
}

TEST_F(WebsocketSlot, SeveralLoopsShareThem) {
  std::vector<std::thread> threads;
  for (std::uintptr_t thread = 1; thread <= 4; ++thread) {
    threads.emplace_back([this, thread] {
      for (int round = 0; round < 200; ++round) {
        std::vector<websocket_slot*> mine;
        for (int i = 0; i < 10; ++i) {
          websocket_slot& slot = websocket_slot::acquire(loop, connection(thread));
          mine.push_back(&slot);
        }
        for (websocket_slot* const each : mine) {
          EXPECT_EQ(each->connection, &connection(thread)) << "nobody else has it";
          websocket_slot::release(*each);
        }
      }
    });
  }
  for (std::thread& each : threads) each.join();
}

}  // namespace
}  // namespace windhover
