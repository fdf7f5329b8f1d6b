// What a TCP connection does that its interface does not show, on both engines.
#include "net/stream_connection.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <linux/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/transports.hpp"

namespace windhover::net {
namespace {

using test::bytes_of;

class StreamConnection : public test::every_engine {};
INSTANTIATE_TEST_SUITE_P(All, StreamConnection, test::both_engines(), test::engine_name);

std::uint32_t segments_received(int descriptor) {
  tcp_info info{};
  socklen_t size = sizeof info;
  EXPECT_EQ(::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
  return info.tcpi_segs_in;
}

bool has_ended(int descriptor) {
  pollfd looked_at{descriptor, POLLRDHUP, 0};
  return ::poll(&looked_at, 1, 0) == 1;
}

TEST_P(StreamConnection, TheEndTravelsWithTheLastBytes) {
  const auto [near, client] = test::connected_sockets(true);
  transport& stream =
      loop.add_connection(near, [](transport& of) { return std::make_unique<test::recording_driver>(of); });

  const std::uint32_t before = segments_received(client);
  stream.queue_copy(bytes_of("farewell"));
  stream.close();
  // Nothing of this side may happen any more when the end is on its way: no turn waits.
  while (!has_ended(client)) loop.run_once(false);
  EXPECT_EQ(segments_received(client) - before, 1U);

  std::array<char, 16> read{};
  EXPECT_EQ(std::string(read.data(), static_cast<std::size_t>(::recv(client, read.data(), read.size(), 0))),
            "farewell");
  EXPECT_EQ(::recv(client, read.data(), read.size(), 0), 0);
  ::close(client);
}

}  // namespace
}  // namespace windhover::net
