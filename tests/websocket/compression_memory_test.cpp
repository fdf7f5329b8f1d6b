// What compression costs in memory: nothing for sockets without it, nothing between messages without a context, and no
// more than the limit for a bomb. Looks at the whole process's memory, so it stands alone.
#include <cstddef>
#include <list>
#include <string>

#include <malloc.h>

#include "support/compressed_peer.hpp"

namespace windhover {
namespace {

using test::compressed_message;
using test::opcode;
using test::rsv1_frame;
using test::websocket_peers;

// Zlib's memory is in it. Under the address sanitizer it says nothing.
std::size_t used_memory() {
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}
bool memory_is_counted() {
  const std::size_t before = used_memory();
  const std::string block(std::size_t{1} << 20, 'x');
  return block.size() > 1 && used_memory() > before;
}

// Text that is worth compressing.
std::string words(std::size_t size) {
  std::string text;
  while (text.size() < size) text += "all work and no play " + std::to_string(text.size() % 7);
  text.resize(size);
  return text;
}

// The bytes that an idle socket keeps after an echo.
std::size_t memory_of_an_idle_socket(const wire::deflate_parameters& agreed) {
  constexpr std::size_t count = 50;
  const auto echo_once = [&](websocket_peers& peers) {
    peers.compression = agreed;
    peers.serve(test::echo);
    peers.send(compressed_message(opcode::text, words(2000)));
    peers.run_until_frames(1);
    peers.run_idle();
    peers.peer.received = {};
  };
  std::list<websocket_peers> all;
  for (int warm = 0; warm < 5; ++warm) echo_once(all.emplace_back());
  const std::size_t before = used_memory();
  for (std::size_t i = 0; i < count; ++i) echo_once(all.emplace_back());
  return (used_memory() - before) / count;
}

TEST(CompressionMemory, ASocketWithoutContextsKeepsNothingBetweenMessages) {
  if (!memory_is_counted()) GTEST_SKIP() << "the allocator does not say what is used in this build";
  const std::size_t without =
      memory_of_an_idle_socket({.server_no_context_takeover = true, .client_no_context_takeover = true});
  const std::size_t both = memory_of_an_idle_socket({});
  const std::size_t servers = memory_of_an_idle_socket({.client_no_context_takeover = true});
  const std::size_t clients = memory_of_an_idle_socket({.server_no_context_takeover = true});
  const auto expect_about = [&](std::size_t found, std::size_t expected) {
    EXPECT_GT(found, without + expected - expected / 8);
    EXPECT_LT(found, without + expected + expected / 8);
  };
  expect_about(both, wire::deflater_memory(15) + wire::inflater_memory(15));
  expect_about(servers, wire::deflater_memory(15));
  expect_about(clients, wire::inflater_memory(15));
  const std::size_t small = memory_of_an_idle_socket({.server_max_window_bits = 9, .client_max_window_bits = 9});
  expect_about(small, wire::deflater_memory(9) + wire::inflater_memory(9));
}

TEST(CompressionMemory, ABombCostsNoMoreThanAMessageOfTheLimit) {
  if (!memory_is_counted()) GTEST_SKIP() << "the allocator does not say what is used in this build";
  constexpr std::size_t mebibyte = std::size_t{1} << 20;
  const std::string bomb = rsv1_frame(opcode::binary, test::deflated(std::string(10'000'000, '\0')));
  std::string status;
  // Octet by octet, so that memory is looked at on the way.
  websocket_peers peers(1);
  peers.compression.emplace();
  peers.serve([&](websocket& socket) -> task<> {
    auto none = co_await socket.receive();
    EXPECT_FALSE(none);
    status = test::status_of(socket);
  });
  peers.send(bomb);
  const std::size_t before = used_memory();
  std::size_t most = before;
  while (status.empty()) {
    peers.loop.run_once(false);
    most = std::max(most, used_memory());
  }
  EXPECT_EQ(status, "1009 the message is too big");
  // The buffer doubles as it grows, and the pool keeps the smaller ones.
  EXPECT_LT(most - before, 3 * mebibyte);
  peers.finish();
}

}  // namespace
}  // namespace windhover
