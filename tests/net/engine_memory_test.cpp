// The engines when memory runs out: whichever allocation fails while connections come, send, pause and end, each of
// them ends, and the loop goes on. This program has operator new replaced.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "simulation/failing_allocations.hpp"
#include "support/transports.hpp"

namespace windhover::net {
namespace {

using simulation::failing_allocation;

struct end_of_stream {
  transport* stream = nullptr;  // null once it has gone
  std::size_t received = 0;
  bool takes = true;
};

class taker final : public driver {
 public:
  taker(transport& on, end_of_stream& notes) noexcept : on_(on), notes_(notes) { notes.stream = &on; }
  ~taker() override { notes_.stream = nullptr; }
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override {
    if (!notes_.takes) return 0;
    notes_.received += bytes.size();
    return bytes.size();
  }
  void on_writable() noexcept override {}
  void on_end() noexcept override { on_.close(); }
  void on_failure(const failure&) noexcept override {}
  bool finished() const noexcept override { return true; }
  void drain() noexcept override { on_.close(); }
  std::string describe() const override { return "a taker"; }

 private:
  transport& on_;
  end_of_stream& notes_;
};

struct ends {
  end_of_stream near;
  end_of_stream far;
  bool is_gone() const noexcept { return near.stream == nullptr && far.stream == nullptr; }
};

class EngineMemory : public ::testing::TestWithParam<test::kind_of_transport> {
 protected:
  // A loop that has turned, and whose connections have nothing yet.
  event_loop loop{make_engine(test::engine_of(GetParam())).engine};

  void SetUp() override { loop.run_once(false); }
  void add(int descriptor, end_of_stream& notes) {
    try {
      loop.add_connection(descriptor, [&notes](transport& on) { return std::make_unique<taker>(on, notes); });
    } catch (const std::bad_alloc&) {
      // The descriptor has been closed, which its peer sees.
    }
  }
  template <class Done>
  void run_until(Done&& done) {
    for (int i = 0; i < 100'000 && !done(); ++i) loop.run_once(false);
    EXPECT_TRUE(done());
  }
  static void queue(const end_of_stream& by, const std::string& text) {
    if (by.stream != nullptr) by.stream->queue_copy(test::bytes_of(text));
  }

  // Whether an allocation has failed in it.
  bool converse(bool reset, std::uint64_t failing) {
    ends both;
    const std::string much(300'000, 'x');
    const std::string little = "little";
    const auto [near, far] = test::connected_sockets(!test::is_unix(GetParam()));
    bool failed = false;
    {
      const failing_allocation failure(failing);
      add(near, both.near);
      add(far, both.far);
      both.far.takes = false;
      for (int i = 0; i < 3; ++i) queue(both.near, much);
      queue(both.far, little);
      test::run_idle(loop);
      both.far.takes = true;
      if (both.far.stream != nullptr) both.far.stream->resume_reading();
      run_until([&] { return both.is_gone() || failure.has_come() || both.far.received == 3 * much.size(); });
      queue(both.far, little);
      run_until([&] { return both.is_gone() || failure.has_come() || both.near.received == 2 * little.size(); });
      if (both.far.stream != nullptr) reset ? both.far.stream->abort() : both.far.stream->close();
      queue(both.near, much);
      if (both.near.stream != nullptr) both.near.stream->close();
      run_until([&] { return both.is_gone() || failure.has_come(); });
      failed = failure.has_come();
    }
    if (!both.is_gone()) loop.abort_all();
    run_until([&] { return both.is_gone() && loop.objects() == 0; });
    return failed;
  }
};

INSTANTIATE_TEST_SUITE_P(All, EngineMemory,
                         ::testing::Values(test::kind_of_transport::tcp_io_uring, test::kind_of_transport::tcp_epoll,
                                           test::kind_of_transport::unix_io_uring, test::kind_of_transport::unix_epoll),
                         test::kind_name);

// Each story on the loop of the ones before it, which has seen whatever could go wrong.
TEST_P(EngineMemory, WhicheverAllocationFailsTheLoopGoesOn) {
  for (const bool reset : {false, true}) {
    SCOPED_TRACE(reset ? "reset" : "closed");
    simulation::fail_each_allocation(3, [&](std::uint64_t failing) { return converse(reset, failing); });
  }
}

// Those that are there already need no memory to end, all at once.
TEST_P(EngineMemory, ConnectionsEndWithoutMemory) {
  constexpr std::size_t count = 50;
  std::vector<ends> all(count);
  for (ends& each : all) {
    const auto [near, far] = test::connected_sockets(!test::is_unix(GetParam()));
    add(near, each.near);
    add(far, each.far);
  }
  test::run_idle(loop);
  const failing_allocation failure(1);
  for (std::size_t i = 0; i < count; ++i) i % 2 == 0 ? all[i].near.stream->close() : all[i].near.stream->abort();
  run_until([&] { return loop.objects() == 0; });
  EXPECT_FALSE(failure.has_come());
}

}  // namespace
}  // namespace windhover::net
