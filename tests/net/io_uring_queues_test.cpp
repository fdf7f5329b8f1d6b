// An io_uring whose queues are too small for what happens at once.
#include "net/io_uring_queues.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/transports.hpp"

namespace windhover::net {
namespace {

constexpr std::uint64_t of_a_poll = 1;
constexpr std::uint64_t of_the_send = 2;

TEST(IoUringQueues, ASendThatDoesNotWaitHasFailedWhenItIsSubmittedHoweverMuchElseHappens) {
  constexpr int polled = 40;
  constexpr io_uring_queues::sizes small{.operations = 8, .completions = 8};
  io_uring_queues queues(false, small);
  queues.enable();

  std::vector<std::pair<int, int>> sockets;
  for (int i = 0; i <= polled; ++i) sockets.push_back(test::connected_sockets(false));
  for (int i = 0; i < polled; ++i) {
    io_uring_sqe* const poll = queues.operation();
    io_uring_prep_poll_multishot(poll, sockets[static_cast<std::size_t>(i)].first, POLLIN);
    poll->user_data = of_a_poll;
  }
  queues.submit();
  EXPECT_TRUE(queues.completions().empty());

  const int full = sockets.back().first;
  const std::array<char, 4096> bytes{};
  while (::send(full, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {
  }
  // All at once, and more than the queue of completions holds, before the send.
  for (int i = 0; i < polled; ++i) {
    EXPECT_EQ(::send(sockets[static_cast<std::size_t>(i)].second, "x", 1, MSG_NOSIGNAL), 1);
  }
  queues.submit_and_wait();
  io_uring_sqe* const send = queues.operation();
  io_uring_prep_send(send, full, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL | MSG_WAITALL);
  send->flags |= IOSQE_CQE_SKIP_SUCCESS;
  send->user_data = of_the_send;
  queues.submit();

  const auto told = std::ranges::find(queues.completions(), of_the_send, &completion::data);
  ASSERT_NE(told, queues.completions().end());
  EXPECT_EQ(told->result, -EAGAIN);
  for (const auto& [near, far] : sockets) {
    ::close(near);
    ::close(far);
  }
}

}  // namespace
}  // namespace windhover::net
