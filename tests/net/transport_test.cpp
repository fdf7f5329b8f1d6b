// What every transport does: TCP and Unix sockets on both engines, and the memory pipe.
#include "net/transport.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/transports.hpp"

namespace windhover::net {
namespace {

using test::bytes_of;
using test::join;
using test::joined_pair;
using test::run_idle;
using test::run_until;

class Transport : public test::every_transport {};
INSTANTIATE_TEST_SUITE_P(All, Transport, test::every_kind(), test::kind_name);
INSTANTIATE_TEST_SUITE_P(Direct, Transport, ::testing::Values(test::kind_of_transport::tcp_io_uring_after_much),
                         test::kind_name);

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return text;
}

// Between completions the loop submits early, when one of them took long. A send of that kind which has succeeded says
// so only in the next turn, and nothing else may happen until then.
TEST_P(Transport, WhatIsQueuedBehindAnEarlySubmissionLeavesWithoutAFurtherEvent) {
  if (test::is_pipe(GetParam())) GTEST_SKIP() << "a pipe has no completions";
  const bool tcp = !test::is_unix(GetParam());
  net::transport* answering = nullptr;
  std::vector<test::recording_driver*> drivers;
  std::vector<int> peers;
  for (int i = 0; i < 2; ++i) {
    const auto [near, far] = test::connected_sockets(tcp);
    peers.push_back(far);
    net::transport& added = loop.add_connection(near, [&drivers](net::transport& on) {
      auto made = std::make_unique<test::recording_driver>(on);
      drivers.push_back(made.get());
      return made;
    });
    if (answering == nullptr) answering = &added;
  }
  for (test::recording_driver* const each : drivers) {
    each->then = [&](std::size_t) {
      answering->queue_copy(test::bytes_of("x"));
      const auto start = std::chrono::steady_clock::now();
      while (std::chrono::steady_clock::now() - start < std::chrono::milliseconds(1)) {
      }
    };
  }
  loop.run_once(false);
  for (const int each : peers) EXPECT_EQ(::send(each, "?", 1, MSG_NOSIGNAL), 1);
  // The one who reads wakes the loop only when it has got both.
  bool arrived = false;
  std::thread reading([&] {
    for (std::size_t count = 0; count < 2;) {
      pollfd waiting{.fd = peers[0], .events = POLLIN, .revents = 0};
      ::poll(&waiting, 1, -1);
      char seen[2];
      const ssize_t more = ::recv(peers[0], seen, sizeof seen, MSG_DONTWAIT);
      if (more > 0) count += static_cast<std::size_t>(more);
    }
    loop.mailbox()->post([&arrived] { arrived = true; });
  });
  test::run_until(loop, [&] { return arrived; });
  reading.join();
  for (test::recording_driver* const each : drivers) {
    each->finish();
    each->stream.abort();
  }
  for (const int each : peers) ::close(each);
}

TEST_P(Transport, CarriesBytesBothWays) {
  joined_pair ends = join(loop, GetParam());
  ends.first->queue_copy(bytes_of("to the second"));
  ends.second->queue_copy(bytes_of("to the first"));
  run_until(loop,
            [&] { return ends.second_driver->received.size() == 13 && ends.first_driver->received.size() == 12; });
  EXPECT_EQ(ends.second_driver->received, "to the second");
  EXPECT_EQ(ends.first_driver->received, "to the first");
  EXPECT_EQ(ends.first->queued_bytes(), 0U);
}

TEST_P(Transport, NothingIsSentBeforeTheEndOfTheIteration) {
  joined_pair ends = join(loop, GetParam());
  ends.first->queue_copy(bytes_of("a"));
  EXPECT_EQ(ends.first->queued_bytes(), 1U);
  EXPECT_EQ(ends.second_driver->calls, 0);
  run_until(loop, [&] { return ends.second_driver->received == "a"; });
}

TEST_P(Transport, KeepsTheOrderOfSlicesAndCopies) {
  joined_pair ends = join(loop, GetParam());
  std::string expected;
  for (int i = 0; i < 3000; ++i) {
    const std::string piece = std::to_string(i) + ",";
    expected += piece;
    if (i % 3 == 0) {
      ends.first->queue(base::copy_of(bytes_of(piece)));
    } else {
      ends.first->queue_copy(bytes_of(piece));
    }
  }
  run_until(loop, [&] { return ends.second_driver->received.size() == expected.size(); });
  EXPECT_EQ(ends.second_driver->received, expected);
}

TEST_P(Transport, CarriesMoreThanTheSocketHolds) {
  joined_pair ends = join(loop, GetParam());
  const std::string large = pattern(std::size_t{12} << 20);
  ends.first->queue(base::copy_of(bytes_of(large)));
  ends.first->queue_copy(bytes_of("end"));
  run_until(loop, [&] { return ends.second_driver->received_bytes == large.size() + 3; });
  EXPECT_TRUE(ends.second_driver->received == large + "end");
  run_until(loop, [&] { return ends.first->queued_bytes() == 0; });
}

// Room is given piece by piece, from memory that comes to its end now and then.
TEST_P(Transport, CopiesMoreThanThereIsRoomForAtATime) {
  joined_pair ends = join(loop, GetParam());
  std::string expected;
  for (const std::size_t size : {transport::most_room - 1, transport::most_room, transport::most_room + 1,
                                 10 * transport::most_room + 7, std::size_t{1}}) {
    const std::string piece = pattern(size);
    expected += piece;
    ends.first->queue_copy(bytes_of(piece));
    ends.first->queue_copy({});
  }
  EXPECT_EQ(ends.first->queued_bytes(), expected.size());
  run_until(loop, [&] { return ends.second_driver->received.size() == expected.size(); });
  EXPECT_TRUE(ends.second_driver->received == expected);
}

// Large pieces are received in another way than small ones on io_uring.
TEST_P(Transport, KeepsTheOrderWhileWhatComesAtATimeGrowsAndShrinks) {
  joined_pair ends = join(loop, GetParam());
  std::string expected;
  const auto bring = [&](std::size_t size, bool and_wait) {
    const std::string piece = pattern(size + expected.size() % 7);
    expected += piece;
    ends.first->queue_copy(bytes_of(piece));
    and_wait ? run_until(loop, [&] { return ends.second_driver->received.size() == expected.size(); })
             : loop.run_once(false);
  };
  for (int round = 0; round < 8; ++round) {
    const bool and_wait = round % 2 == 0;
    for (int i = 0; i < 12; ++i) bring(30'000, and_wait);
    for (int i = 0; i < 40; ++i) bring(20, and_wait);
  }
  run_until(loop, [&] { return ends.second_driver->received.size() == expected.size(); });
  EXPECT_TRUE(ends.second_driver->received == expected);
}

TEST_P(Transport, PausesWhileWhatComesAtATimeGrowsAndShrinks) {
  joined_pair ends = join(loop, GetParam());
  std::string expected;
  for (int i = 0; i < 400; ++i) {
    const std::string piece = pattern(i / 20 % 2 == 0 ? 12'000 : 20);
    expected += piece;
    ends.first->queue_copy(bytes_of(piece));
    ends.second_driver->take = i % 3 == 0 ? std::optional<std::size_t>(piece.size() / 2) : std::nullopt;
    loop.run_once(false);
    ends.second->resume_reading();
  }
  ends.second_driver->take.reset();
  run_until(loop, [&] {
    ends.second->resume_reading();
    return ends.second_driver->received.size() == expected.size();
  });
  EXPECT_TRUE(ends.second_driver->received == expected);
}

TEST_P(Transport, TakingLessThanAllPausesAndTheRestComesFirstAfterResuming) {
  joined_pair ends = join(loop, GetParam());
  ends.second_driver->take = 4;
  ends.first->queue_copy(bytes_of("abcdefgh"));
  run_until(loop, [&] { return ends.second->reading_paused(); });
  EXPECT_EQ(ends.second_driver->received, "abcd");
  ends.first->queue_copy(bytes_of("ijkl"));
  run_idle(loop);
  EXPECT_EQ(ends.second_driver->received, "abcd");
  ends.second_driver->take.reset();
  ends.second->resume_reading();
  EXPECT_EQ(ends.second_driver->received, "abcd") << "resuming must not call back at once";
  run_until(loop, [&] { return ends.second_driver->received.size() == 12; });
  EXPECT_EQ(ends.second_driver->received, "abcdefghijkl");
}

TEST_P(Transport, AnEndBehindBytesThatAPausedReaderHasNotTakenIsNoReset) {
  joined_pair ends = join(loop, GetParam());
  ends.second_driver->take = 0;
  ends.first->queue_copy(bytes_of("abc"));
  run_until(loop, [&] { return ends.second->reading_paused(); });
  ends.first->queue_copy(bytes_of("def"));
  ends.first->close();
  run_idle(loop, 100);
  EXPECT_FALSE(ends.second_driver->failed);
  ends.second_driver->take.reset();
  ends.second->resume_reading();
  run_until(loop, [&] { return ends.second_driver->ended || ends.second_driver->failed; });
  EXPECT_EQ(ends.second_driver->received, "abcdef");
  EXPECT_FALSE(ends.second_driver->failed);
}

TEST_P(Transport, APausedReaderCanBeResumedAgainAndAgain) {
  joined_pair ends = join(loop, GetParam());
  ends.second_driver->take = 1;
  const std::string text = pattern(500);
  ends.first->queue_copy(bytes_of(text));
  run_until(loop, [&] {
    ends.second->resume_reading();
    return ends.second_driver->received.size() == text.size();
  });
  EXPECT_EQ(ends.second_driver->received, text);
}

TEST_P(Transport, TellsWhenTheQueueHasFallenToTheLowMark) {
  joined_pair ends = join(loop, GetParam());
  ends.first->set_water_marks(1000, 100);
  ends.first->queue_copy(bytes_of(pattern(1000)));
  EXPECT_FALSE(ends.first->above_high_water());
  ends.first->queue_copy(bytes_of("x"));
  EXPECT_TRUE(ends.first->above_high_water());
  EXPECT_EQ(ends.first_driver->writable, 0);
  run_until(loop, [&] { return ends.first_driver->writable > 0; });
  EXPECT_LE(ends.first->queued_bytes(), 100U);
  run_idle(loop);
  EXPECT_EQ(ends.first_driver->writable, 1);
}

TEST_P(Transport, ClosingSendsWhatIsQueuedThenEnds) {
  joined_pair ends = join(loop, GetParam());
  const std::string large = pattern(std::size_t{4} << 20);
  ends.first->queue(base::copy_of(bytes_of(large)));
  ends.first->close();
  EXPECT_TRUE(ends.first->closing());
  ends.first->queue_copy(bytes_of("too late"));
  run_until(loop, [&] { return ends.second_driver->ended; });
  EXPECT_EQ(ends.second_driver->received_bytes, large.size());
  EXPECT_FALSE(ends.first_driver->ended);
}

TEST_P(Transport, StaysHalfOpenAfterThePeersEnd) {
  joined_pair ends = join(loop, GetParam());
  ends.first->close();
  run_until(loop, [&] { return ends.second_driver->ended; });
  ends.second->queue_copy(bytes_of("still here"));
  run_until(loop, [&] { return ends.first_driver->received == "still here"; });
  ends.second->close();
  run_until(loop, [&] { return ends.first_driver->ended; });
  EXPECT_FALSE(ends.first_driver->failed.has_value());
  EXPECT_FALSE(ends.second_driver->failed.has_value());
}

TEST_P(Transport, AbortTellsItsOwnSinkLaterAndThePeerSoon) {
  joined_pair ends = join(loop, GetParam());
  ends.first->abort();
  EXPECT_FALSE(ends.first_driver->failed.has_value()) << "abort must not call back at once";
  run_until(loop, [&] { return ends.first_driver->failed.has_value(); });
  EXPECT_EQ(ends.first_driver->failed, failure::cause::aborted);
  run_until(loop, [&] { return ends.second_driver->failed.has_value() || ends.second_driver->ended; });
}

TEST_P(Transport, AbortReachesAPeerThatHasPausedReading) {
  joined_pair ends = join(loop, GetParam());
  ends.second_driver->take = 0;
  ends.first->queue_copy(bytes_of("unread"));
  run_until(loop, [&] { return ends.second->reading_paused(); });
  ends.first->abort();
  run_until(loop, [&] { return ends.second_driver->failed.has_value(); });
}

TEST_P(Transport, AReplacedSinkGetsTheRestOfTheBytes) {
  joined_pair ends = join(loop, GetParam());
  test::recording_driver next(*ends.second);
  ends.second_driver->take = 3;
  ends.second_driver->then = [&](std::size_t) { ends.second->set_sink(next); };
  ends.first->queue_copy(bytes_of("oldnew"));
  run_until(loop, [&] { return next.received.size() == 3; });
  EXPECT_EQ(ends.second_driver->received, "old");
  EXPECT_EQ(next.received, "new");
  EXPECT_FALSE(ends.second->reading_paused());
}

TEST_P(Transport, IsDestroyedOnlyAfterItsDriverHasFinished) {
  joined_pair ends = join(loop, GetParam());
  ends.first->abort();
  run_until(loop, [&] { return ends.second_driver->failed.has_value() || ends.second_driver->ended; });
  run_idle(loop);
  EXPECT_TRUE(ends.first_driver->failed.has_value()) << "the driver is still there";
  const std::size_t before = loop.describe_connections(100).size();
  ends.first_driver->finish();
  run_until(loop, [&] { return loop.describe_connections(100).size() < before; });
}

TEST_P(Transport, AbortsTheLargestHolderWhenTheBudgetForUnreadInputIsExceeded) {
  event_loop_options options;
  options.inbound_budget = 10'000;
  event_loop small(make_engine(test::engine_of(GetParam())).engine, options);
  joined_pair large = join(small, GetParam());
  joined_pair modest = join(small, GetParam());
  large.second_driver->take = 0;
  modest.second_driver->take = 0;
  modest.first->queue_copy(bytes_of(pattern(1000)));
  run_until(small, [&] { return modest.second->reading_paused(); });
  large.first->queue_copy(bytes_of(pattern(12'000)));
  if (test::is_pipe(GetParam())) return;  // a pipe keeps the rest on the writer's side
  run_until(small, [&] { return large.second_driver->failed.has_value(); });
  EXPECT_EQ(large.second_driver->failed, failure::cause::inbound_budget);
  EXPECT_FALSE(modest.second_driver->failed.has_value());
}

TEST_P(Transport, ManyHoldersAreAbortedUntilSomeRoomIsLeft) {
  if (test::is_pipe(GetParam())) GTEST_SKIP() << "a pipe keeps the rest on the writer's side";
  event_loop_options options;
  options.inbound_budget = 16'000;
  event_loop small(make_engine(test::engine_of(GetParam())).engine, options);
  std::vector<joined_pair> holders;
  for (int i = 0; i < 20; ++i) {
    holders.push_back(join(small, GetParam()));
    holders.back().second_driver->take = 0;
    holders.back().first->queue_copy(bytes_of(pattern(i == 0 ? 400 : 1000)));
    run_until(small, [&] { return holders.back().second->reading_paused() || holders.back().second_driver->failed; });
  }
  run_idle(small);
  EXPECT_LE(small.inbound().used, options.inbound_budget);
  EXPECT_GT(small.inbound().used, options.inbound_budget / 2);
  std::size_t aborted = 0;
  for (const joined_pair& each : holders) {
    if (!each.second_driver->failed) continue;
    ++aborted;
    EXPECT_EQ(each.second_driver->failed, failure::cause::inbound_budget);
  }
  EXPECT_EQ(small.counters().inbound_overflows.value(), aborted);
  EXPECT_FALSE(holders[0].second_driver->failed.has_value()) << "which holds little";
}

TEST_P(Transport, AReaderThatNeverReadsDoesNotStopOthers) {
  joined_pair stuck = join(loop, GetParam());
  joined_pair healthy = join(loop, GetParam());
  stuck.second_driver->take = 0;
  stuck.first->queue(base::copy_of(bytes_of(pattern(std::size_t{8} << 20))));
  for (int i = 0; i < 50; ++i) {
    healthy.first->queue_copy(bytes_of("ping"));
    const std::size_t expected = static_cast<std::size_t>(i + 1) * 4;
    run_until(loop, [&] { return healthy.second_driver->received.size() == expected; });
  }
  EXPECT_TRUE(stuck.second->reading_paused());
  EXPECT_FALSE(stuck.second_driver->failed.has_value());
}

// ----- TCP, with a peer that is a socket

class TransportToSocket : public test::every_transport {
 protected:
  ~TransportToSocket() override {
    if (driver_ != nullptr) driver_->finish();
    if (peer_ >= 0) ::close(peer_);
  }
  void connect() {
    const auto [near, far] = test::connected_sockets(true);
    peer_ = far;
    stream_ = &loop.add_connection(near, [this](net::transport& on) {
      auto made = std::make_unique<test::recording_driver>(on);
      driver_ = made.get();
      return made;
    });
    if (GetParam() != test::kind_of_transport::tcp_io_uring_after_much) return;
    const auto send = [this](std::span<const std::byte> bytes) {
      EXPECT_EQ(::send(peer_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    };
    test::bring_much(loop, send, *stream_, *driver_);
  }
  // As much as the socket takes.
  void send_all_that_fits() const {
    const std::string bytes = pattern(65'536);
    while (::send(peer_, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {
    }
  }
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(peer_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(std::exchange(peer_, -1));
  }

  int peer_ = -1;
  net::transport* stream_ = nullptr;
  test::recording_driver* driver_ = nullptr;
};
INSTANTIATE_TEST_SUITE_P(All, TransportToSocket,
                         ::testing::Values(test::kind_of_transport::tcp_io_uring,
                                           test::kind_of_transport::tcp_io_uring_after_much,
                                           test::kind_of_transport::tcp_epoll),
                         test::kind_name);

TEST_P(TransportToSocket, AResetBehindBytesThatTheReaderHasNotTakenIsTold) {
  connect();
  driver_->take = 4;
  EXPECT_EQ(::send(peer_, "abcdefgh", 8, MSG_NOSIGNAL), 8);
  reset();
  run_until(loop, [&] { return driver_->failed.has_value(); });
}

// An iteration ends, however much a peer brings that is faster than its reader.
TEST_P(TransportToSocket, OneIterationTakesNoMoreOfAPeerThanTheEngineHoldsForOne) {
  connect();
  driver_->keep_text = false;
  // The receive ring, or two of the buffers that are received into directly.
  const bool through_ring = GetParam() == test::kind_of_transport::tcp_io_uring;
  const std::size_t most = std::size_t{through_ring ? 4U : 1U} << 20;
  for (int i = 0; i < 60; ++i) {
    send_all_that_fits();
    const std::size_t before = driver_->received_bytes;
    // What arrives meanwhile is there at once.
    driver_->then = [this](std::size_t) { send_all_that_fits(); };
    loop.run_once(false);
    EXPECT_LE(driver_->received_bytes - before, most) << i;
  }
  driver_->then = nullptr;
}

}  // namespace
}  // namespace windhover::net
