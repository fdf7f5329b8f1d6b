// Topics when memory runs out: whichever allocation fails while sockets subscribe, one of them compressed, and while
// somebody publishes more than the sockets have room for, each hears a part of what was published, in its order,
// everything ends, and nothing is left. This program has operator new replaced.
#include <cstdint>
#include <new>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "simulation/failing_allocations.hpp"
#include "support/compressed_peer.hpp"
#include <windhover/topics.hpp>

namespace windhover {
namespace {

using simulation::failing_allocation;
using test::gate;
using test::websocket_peers;

// Calls it, and says whether there was memory.
template <class Act>
bool has_memory_for(Act&& act) {
  try {
    act();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

struct listener {
  test::host_record host;
  test::peer_record peer;
};

// Messages that begin with a digit each, in the order of the digits.
void expect_a_part(const test::peer_record& peer, bool all) {
  std::string heard;
  if (peer.compression) {
    for (const std::string& each : test::peer_inflater().messages(peer.frames())) {
      if (each.starts_with("text ")) heard += each[5];
    }
  } else {
    for (const test::seen_frame& each : peer.frames()) {
      if (each.code == test::opcode::text) heard += each.payload[0];
    }
  }
  const std::string everything = "012345";
  if (all) {
    EXPECT_EQ(heard, everything);
  }
  std::size_t from = 0;
  for (const char each : heard) {
    from = everything.find(each, from);
    ASSERT_NE(from, std::string::npos) << heard;
    ++from;
  }
}

// Whether an allocation has failed in it.
bool converse(std::uint64_t failing) {
  bool failed = false;
  listener plain;
  {
    topics news;
    gate done;
    websocket_peers peers;
    peers.compression.emplace();
    peers.compressing.threshold = 0;
    peers.peer.compression = true;
    // What the test keeps is not the server's to survive: it has the memory already.
    peers.peer.received.reserve(200'000);
    plain.peer.received.reserve(200'000);
    peers.log.lines.reserve(100'000);
    websocket* compressed_socket = nullptr;
    websocket* plain_socket = nullptr;
    const auto stay = [&done](websocket& socket, websocket*& known) -> task<> {
      known = &socket;
      co_await done;
    };
    peers.serve([&](websocket& socket) { return stay(socket, compressed_socket); });
    peers.serve_another([&](websocket& socket) { return stay(socket, plain_socket); }, plain.host, plain.peer);
    std::vector<std::string> texts;
    for (int i = 0; i < 6; ++i) texts.push_back(std::to_string(i) + test::pattern(20'000));
    {
      const failing_allocation failure(failing);
      peers.on_loop([&] {
        const bool subscribed = has_memory_for([&] {
          news.subscribe(*compressed_socket, "room/+");
          news.subscribe(*plain_socket, "room/1", {.full = when_full::drop_oldest, .max_waiting_messages = 10});
        });
        for (const std::string& each : texts) {
          if (subscribed) static_cast<void>(has_memory_for([&] { news.publish("room/1", each); }));
        }
      });
      peers.run_idle();
      failed = failure.has_come();
    }
    peers.run_idle();
    expect_a_part(peers.peer, !failed);
    expect_a_part(plain.peer, !failed);
    peers.open(done);
    peers.run_idle();
  }
  return failed;
}

TEST(TopicsMemory, WhicheverAllocationFailsNothingIsLeft) { simulation::fail_each_allocation(15, converse); }

}  // namespace
}  // namespace windhover
