// Connecting, on both engines: what connects, what refuses, what never answers, and stopping.
#include "net/connector.hpp"

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/transports.hpp"
#include <windhover/sleep_for.hpp>
#include <windhover/when_all.hpp>

namespace windhover::net {
namespace {

using namespace std::chrono_literals;
using test::run_until;

std::coroutine_handle<> note_end(void* context) noexcept {
  *static_cast<bool*>(context) = true;
  return std::noop_coroutine();
}

// A socket that listens, and accepts nobody unless it is told to. Its queue has room for one.
class quiet_listener {
 public:
  explicit quiet_listener(address at) : descriptor_(::socket(at.value.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    EXPECT_EQ(::bind(descriptor_, &at.value.any, at.size), 0);
    EXPECT_EQ(::listen(descriptor_, 0), 0);
    at_.size = sizeof at_.value;
    EXPECT_EQ(::getsockname(descriptor_, &at_.value.any, &at_.size), 0);
  }
  quiet_listener(const quiet_listener&) = delete;
  quiet_listener& operator=(const quiet_listener&) = delete;
  ~quiet_listener() {
    for (const int each : filling_) ::close(each);
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  int descriptor() const noexcept { return descriptor_; }
  const address& at() const noexcept { return at_; }
  // From now on nobody gets an answer.
  void fill() {
    const int one = ::socket(at_.value.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(one, &at_.value.any, at_.size), 0);
    filling_.push_back(one);
  }
  void accept() { filling_.push_back(::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC)); }
  void close() { ::close(std::exchange(descriptor_, -1)); }

 private:
  int descriptor_;
  address at_;
  std::vector<int> filling_;
};

address loopback() { return make_ip_address("127.0.0.1", 0); }

class Connector : public test::every_engine {
 protected:
  ~Connector() override {
    test::run_until(loop, [this] { return loop.describe_connections(1).empty(); });
  }
  template <class Work>
  auto run(Work&& work) {
    auto running = work();
    bool ended = false;
    {
      const event_loop::scope here(loop);
      running.start(&ended, note_end);
    }
    run_until(loop, [&ended] { return ended; });
    return running.take();
  }
  connect_outcome connect(const address& to, std::stop_token stop = {}) {
    return run([&] { return connect_to(loop, to, std::move(stop)); });
  }
  // Beside another task, which ends first.
  connect_outcome run_beside(task<connect_outcome> connecting, task<> other) {
    auto both = run([&]() -> task<std::tuple<connect_outcome, std::monostate>> {
      co_return co_await when_all(std::move(connecting), std::move(other));
    });
    return std::move(std::get<0>(both));
  }
  // Stops, from the loop, what cannot end by itself.
  connect_outcome run_until_stopped(task<connect_outcome> connecting, std::stop_source& source) {
    bool ended = false;
    const auto stop_later = [&]() -> task<> {
      for (int i = 0; i < 5; ++i) co_await sleep_for(1ms);
      EXPECT_FALSE(ended);
      source.request_stop();
    };
    const auto note = [](task<connect_outcome> inner, bool& flag) -> task<connect_outcome> {
      connect_outcome outcome = co_await std::move(inner);
      flag = true;
      co_return outcome;
    };
    return run_beside(note(std::move(connecting), ended), stop_later());
  }
  connect_outcome connect_until_stopped(const address& to) {
    std::stop_source source;
    return run_until_stopped(connect_to(loop, to, source.get_token()), source);
  }
};
INSTANTIATE_TEST_SUITE_P(All, Connector, test::both_engines(), test::engine_name);

TEST_P(Connector, ConnectsOverIPv4AndIPv6) {
  for (const char* const ip : {"127.0.0.1", "::1"}) {
    const quiet_listener listening(make_ip_address(ip, 0));
    connect_outcome outcome = connect(listening.at());
    ASSERT_TRUE(outcome.socket) << outcome.failures;
    EXPECT_EQ(outcome.error, 0);
    EXPECT_EQ(remote_endpoint_of(outcome.socket.descriptor()), endpoint_of(listening.at()));
    EXPECT_NE(::fcntl(outcome.socket.descriptor(), F_GETFL) & O_NONBLOCK, 0);
    int no_delay = 0;
    socklen_t size = sizeof no_delay;
    EXPECT_EQ(::getsockopt(outcome.socket.descriptor(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
    EXPECT_NE(no_delay, 0);
  }
}

TEST_P(Connector, WhatItConnectsCarriesBytes) {
  quiet_listener listening(loopback());
  connect_outcome outcome = connect(listening.at());
  ASSERT_TRUE(outcome.socket);
  const int far = ::accept4(listening.descriptor(), nullptr, nullptr, SOCK_CLOEXEC);
  test::recording_driver* driver = nullptr;
  transport& stream = loop.add_connection(outcome.socket.take(), [&driver](transport& on) {
    auto made = std::make_unique<test::recording_driver>(on);
    driver = made.get();
    return made;
  });
  stream.queue_copy(test::bytes_of("ping"));
  loop.run_once(false);
  loop.run_once(false);
  char seen[4] = {};
  EXPECT_EQ(::recv(far, seen, sizeof seen, MSG_WAITALL), 4);
  EXPECT_EQ(std::string(seen, 4), "ping");
  EXPECT_EQ(::send(far, "pong", 4, 0), 4);
  run_until(loop, [&] { return driver->received == "pong"; });
  driver->finish();
  stream.abort();
  ::close(far);
}

TEST_P(Connector, ConnectsToAUnixSocket) {
  const std::string path = std::filesystem::temp_directory_path() / ("connector-" + std::to_string(::getpid()));
  ::unlink(path.c_str());
  const quiet_listener listening(make_unix_address(path));
  connect_outcome outcome = connect(make_unix_address(path));
  EXPECT_TRUE(outcome.socket) << outcome.failures;
  ::unlink(path.c_str());
}

TEST_P(Connector, WaitsForRoomInTheQueueOfAUnixSocket) {
  const std::string path = std::filesystem::temp_directory_path() / ("connector-full-" + std::to_string(::getpid()));
  ::unlink(path.c_str());
  quiet_listener listening(make_unix_address(path));
  listening.fill();
  const auto make_room = [&]() -> task<> {
    co_await sleep_for(25ms);
    listening.accept();
  };
  const connect_outcome outcome = run_beside(connect_to(loop, listening.at(), {}), make_room());
  EXPECT_TRUE(outcome.socket) << outcome.failures;
  ::unlink(path.c_str());
}

TEST_P(Connector, SaysWhoRefusedAndWhy) {
  quiet_listener gone(loopback());
  gone.close();
  const connect_outcome outcome = connect(gone.at());
  EXPECT_FALSE(outcome.socket);
  EXPECT_EQ(outcome.error, ECONNREFUSED);
  EXPECT_EQ(outcome.failures, endpoint_of(gone.at()).to_string() + ": Connection refused");
  EXPECT_EQ(connect(make_unix_address("/nowhere/to/be.found")).error, ENOENT);
}

TEST_P(Connector, AConnectThatNobodyAnswersCanBeStopped) {
  quiet_listener listening(loopback());
  listening.fill();
  const connect_outcome outcome = connect_until_stopped(listening.at());
  EXPECT_FALSE(outcome.socket);
  EXPECT_EQ(outcome.error, ECANCELED);
}

TEST_P(Connector, AConnectThatWaitsForAUnixSocketCanBeStopped) {
  const std::string path = std::filesystem::temp_directory_path() / ("connector-stop-" + std::to_string(::getpid()));
  ::unlink(path.c_str());
  quiet_listener listening(make_unix_address(path));
  listening.fill();
  EXPECT_EQ(connect_until_stopped(listening.at()).error, ECANCELED);
  ::unlink(path.c_str());
}

TEST_P(Connector, AStoppedTokenConnectsNowhere) {
  const quiet_listener listening(loopback());
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(connect(listening.at(), source.get_token()).error, ECANCELED);
}

TEST_P(Connector, StoppedDescriptorsComeBack) {
  quiet_listener listening(loopback());
  listening.fill();
  const int before = ::dup(0);
  ::close(before);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(connect_until_stopped(listening.at()).error, ECANCELED);
  run_until(loop, [this] { return loop.describe_connections(1).empty(); });
  const int after = ::dup(0);
  ::close(after);
  EXPECT_EQ(after, before);
}

TEST_P(Connector, TriesAddressesInTurn) {
  quiet_listener gone(loopback());
  gone.close();
  quiet_listener silent(loopback());
  silent.fill();
  const quiet_listener listening(loopback());
  connect_outcome outcome = run([&] {
    return connect_to_any(loop, {gone.at(), silent.at(), listening.at()}, 5ms, {});
  });
  ASSERT_TRUE(outcome.socket) << outcome.failures;
  EXPECT_EQ(remote_endpoint_of(outcome.socket.descriptor()), endpoint_of(listening.at()));
}

TEST_P(Connector, NamesEveryAddressThatFailed) {
  quiet_listener gone(loopback());
  gone.close();
  quiet_listener silent(loopback());
  silent.fill();
  const connect_outcome outcome = run([&] { return connect_to_any(loop, {silent.at(), gone.at()}, 5ms, {}); });
  EXPECT_EQ(outcome.error, ECONNREFUSED);
  EXPECT_EQ(outcome.failures, endpoint_of(silent.at()).to_string() + ": Connection timed out; " +
                                  endpoint_of(gone.at()).to_string() + ": Connection refused");
}

TEST_P(Connector, TheLastAddressHasAllTheTimeThereIs) {
  quiet_listener silent(loopback());
  silent.fill();
  std::stop_source source;
  task<connect_outcome> connecting = connect_to_any(loop, {silent.at()}, 1ms, source.get_token());
  EXPECT_EQ(run_until_stopped(std::move(connecting), source).error, ECANCELED);
}

TEST_P(Connector, NoAddressIsAnErrorToo) {
  EXPECT_EQ(run([&] { return connect_to_any(loop, {}, 0ms, {}); }).error, EADDRNOTAVAIL);
}

}  // namespace
}  // namespace windhover::net
