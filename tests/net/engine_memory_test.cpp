// The engines when memory runs out: whichever allocation fails while connections come, send, pause and end, each of
// them ends, and the loop goes on. This program has operator new replaced.
#include <cerrno>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/connector.hpp"
#include "simulation/failing_allocations.hpp"
#include "support/transports.hpp"
#include <windhover/wait_readable.hpp>

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

// How many descriptors the process has.
std::size_t open_descriptors() {
  std::size_t count = 0;
  for (const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) {
    static_cast<void>(each);
    ++count;
  }
  return count;
}

class EngineMemory : public ::testing::TestWithParam<test::kind_of_transport> {
 protected:
  // One that has turned, and has no connections yet.
  std::unique_ptr<event_loop> make_loop() {
    auto made = std::make_unique<event_loop>(make_engine(test::engine_of(GetParam())).engine);
    made->run_once(false);
    return made;
  }
  static void add(event_loop& loop, int descriptor, end_of_stream& notes) {
    try {
      loop.add_connection(descriptor, [&notes](transport& on) { return std::make_unique<taker>(on, notes); });
    } catch (const std::bad_alloc&) {
      // The descriptor has been closed, which its peer sees.
    }
  }
  template <class Done>
  static void run_until(event_loop& loop, Done&& done) {
    for (int i = 0; i < 100'000 && !done(); ++i) loop.run_once(false);
    EXPECT_TRUE(done());
  }
  static void queue(const end_of_stream& by, const std::string& text) {
    if (by.stream != nullptr) by.stream->queue_copy(test::bytes_of(text));
  }

  // Whether an allocation has failed in it.
  bool converse(event_loop& loop, bool reset, std::uint64_t failing) {
    ends both;
    const std::string much(300'000, 'x');
    const std::string little = "little";
    const auto [near, far] = test::connected_sockets(!test::is_unix(GetParam()));
    bool failed = false;
    {
      const failing_allocation failure(failing);
      add(loop, near, both.near);
      add(loop, far, both.far);
      both.far.takes = false;
      for (int i = 0; i < 3; ++i) queue(both.near, much);
      queue(both.far, little);
      test::run_idle(loop);
      both.far.takes = true;
      if (both.far.stream != nullptr) both.far.stream->resume_reading();
      run_until(loop, [&] { return both.is_gone() || failure.has_come() || both.far.received == 3 * much.size(); });
      queue(both.far, little);
      run_until(loop, [&] { return both.is_gone() || failure.has_come() || both.near.received == 2 * little.size(); });
      if (both.far.stream != nullptr) reset ? both.far.stream->abort() : both.far.stream->close();
      queue(both.near, much);
      if (both.near.stream != nullptr) both.near.stream->close();
      run_until(loop, [&] { return both.is_gone() || failure.has_come(); });
      failed = failure.has_come();
    }
    if (!both.is_gone()) loop.abort_all();
    run_until(loop, [&] { return both.is_gone() && loop.objects() == 0; });
    return failed;
  }
};

INSTANTIATE_TEST_SUITE_P(All, EngineMemory,
                         ::testing::Values(test::kind_of_transport::tcp_io_uring, test::kind_of_transport::tcp_epoll,
                                           test::kind_of_transport::unix_io_uring, test::kind_of_transport::unix_epoll),
                         test::kind_name);

TEST_P(EngineMemory, WhicheverAllocationFailsTheLoopGoesOn) {
  const std::unique_ptr<event_loop> same = make_loop();
  for (const bool reset : {false, true}) {
    SCOPED_TRACE(reset ? "reset" : "closed");
    // On a loop that has seen whatever could go wrong, and on one that has no room for connections yet.
    simulation::fail_each_allocation(3, [&](std::uint64_t failing) { return converse(*same, reset, failing); });
    simulation::fail_each_allocation(10, [&](std::uint64_t failing) { return converse(*make_loop(), reset, failing); });
  }
}

// Nobody listens there, and files are always ready: what engines find out without waiting.
TEST_P(EngineMemory, WhicheverAllocationFailsConnectingAndWaitingEnd) {
  const int nobody = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  address refusing = make_ip_address("127.0.0.1", 0);
  ASSERT_EQ(::bind(nobody, &refusing.value.any, refusing.size), 0);
  ASSERT_EQ(::getsockname(nobody, &refusing.value.any, &refusing.size), 0);
  const int file = ::memfd_create("ready", MFD_CLOEXEC);
  const auto try_both = [&refusing, file](event_loop& loop) -> task<> {
    try {
      const connect_outcome outcome = co_await connect_to(loop, refusing, {});
      EXPECT_EQ(outcome.error, ECONNREFUSED);
    } catch (const std::bad_alloc&) {
    }
    try {
      const bool ready = co_await wait_readable(file);
      EXPECT_TRUE(ready);
    } catch (const std::bad_alloc&) {
    }
  };
  simulation::fail_each_allocation(5, [&](std::uint64_t failing) {
    const std::unique_ptr<event_loop> loop = make_loop();
    bool ended = false;
    task<> trying;
    const event_loop::scope here(*loop);
    const failing_allocation failure(failing);
    try {
      trying = try_both(*loop);
      trying.start(&ended, [](void* flag) noexcept -> std::coroutine_handle<> {
        *static_cast<bool*>(flag) = true;
        return std::noop_coroutine();
      });
    } catch (const std::bad_alloc&) {
      ended = true;  // there is not even a coroutine
    }
    run_until(*loop, [&] { return ended && loop->objects() == 0; });
    return failure.has_come();
  });
  ::close(file);
  ::close(nobody);
}

TEST_P(EngineMemory, AnEngineThatCannotBeMadeLeavesNoDescriptor) {
  const std::size_t before = open_descriptors();
  simulation::fail_each_allocation(1, [](std::uint64_t failing) {
    const failing_allocation failure(failing);
    try {
      static_cast<void>(make_engine(test::engine_of(GetParam())));
    } catch (const std::bad_alloc&) {
      EXPECT_TRUE(failure.has_come());
    }
    return failure.has_come();
  });
  EXPECT_EQ(open_descriptors(), before);
}

// Those that are there already need no memory to end, all at once.
TEST_P(EngineMemory, ConnectionsEndWithoutMemory) {
  constexpr std::size_t count = 50;
  const std::unique_ptr<event_loop> loop = make_loop();
  std::vector<ends> all(count);
  for (ends& each : all) {
    const auto [near, far] = test::connected_sockets(!test::is_unix(GetParam()));
    add(*loop, near, each.near);
    add(*loop, far, each.far);
  }
  test::run_idle(*loop);
  const failing_allocation failure(1);
  for (std::size_t i = 0; i < count; ++i) i % 2 == 0 ? all[i].near.stream->close() : all[i].near.stream->abort();
  run_until(*loop, [&] { return loop->objects() == 0; });
  EXPECT_FALSE(failure.has_come());
}

}  // namespace
}  // namespace windhover::net
