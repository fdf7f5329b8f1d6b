// What a TCP connection does that its interface does not show, on both engines.
#include "net/stream_connection.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>
#include <linux/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/listener.hpp"
#include "support/transports.hpp"

namespace windhover::net {
namespace {

using test::bytes_of;
using test::run_until;

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
  test::recording_driver* accepted = nullptr;
  auto socket = listening_socket::bind(make_ip_address("127.0.0.1", 0), false);
  const endpoint at = socket.local_endpoint();
  const auto record = [&](transport& stream) {
    auto made = std::make_unique<test::recording_driver>(stream);
    accepted = made.get();
    return made;
  };
  listener& listening = listener::add_to(loop, std::move(socket), record, {});
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const address to = make_ip_address(at.address, at.port);
  ASSERT_EQ(::connect(client, &to.value.any, to.size), 0);
  run_until(loop, [&] { return accepted != nullptr; });

  const std::uint32_t before = segments_received(client);
  accepted->stream.queue_copy(bytes_of("farewell"));
  accepted->stream.close();
  run_until(loop, [&] { return has_ended(client); });
  EXPECT_EQ(segments_received(client) - before, 1U);

  std::array<char, 16> read{};
  EXPECT_EQ(std::string(read.data(), static_cast<std::size_t>(::recv(client, read.data(), read.size(), 0))),
            "farewell");
  EXPECT_EQ(::recv(client, read.data(), read.size(), 0), 0);
  ::close(client);
  listening.stop();
}

}  // namespace
}  // namespace windhover::net
