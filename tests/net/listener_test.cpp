// Accepting, on both engines: exclusive binding, siblings, limits, running out of descriptors.
#include "net/listener.hpp"

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "support/transports.hpp"

namespace windhover::net {
namespace {

using test::run_until;

class Listener : public test::every_engine {
 protected:
  event_loop::driver_factory recorder() {
    return [this](transport& stream) {
      auto made = std::make_unique<test::recording_driver>(stream);
      accepted.push_back(made.get());
      return made;
    };
  }
  static int connect_to(const endpoint& at) {
    const address to =
        at.type == endpoint::kind::unix_socket ? make_unix_address(at.address) : make_ip_address(at.address, at.port);
    const int descriptor = ::socket(to.value.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(descriptor, &to.value.any, to.size) != 0) {
      ::close(descriptor);
      return -1;
    }
    return descriptor;
  }

  std::vector<test::recording_driver*> accepted;
};
INSTANTIATE_TEST_SUITE_P(All, Listener, test::both_engines(), test::engine_name);

TEST_P(Listener, AcceptsOnIPv4IPv6AndBothAtOnce) {
  for (const char* const ip : {"127.0.0.1", "::1", "::"}) {
    auto socket = listening_socket::bind(make_ip_address(ip, 0), false);
    const endpoint at = socket.local_endpoint();
    listener& listening = listener::add_to(loop, std::move(socket), recorder(), {});
    const std::size_t before = accepted.size();
    std::vector<int> clients;
    if (std::string(ip) == "::") {
      clients = {connect_to({endpoint::kind::ipv4, "127.0.0.1", at.port}),
                 connect_to({endpoint::kind::ipv6, "::1", at.port})};
    } else {
      clients = {connect_to(at)};
    }
    run_until(loop, [&] { return accepted.size() == before + clients.size(); });
    EXPECT_EQ(accepted.back()->stream.local_endpoint().port, at.port);
    for (const int each : clients) ::close(each);
    listening.stop();
  }
}

TEST_P(Listener, APortInUseIsAnErrorEvenForASharedListener) {
  const auto first = listening_socket::bind(make_ip_address("127.0.0.1", 0), true);
  const endpoint at = first.local_endpoint();
  EXPECT_THROW(listening_socket::bind(make_ip_address("127.0.0.1", at.port), true), std::system_error);
  const auto sibling = first.sibling();
  EXPECT_EQ(sibling.local_endpoint(), at);
}

TEST_P(Listener, ServesAUnixSocketAndRemovesItsFileAtTheEnd) {
  const std::string path =
      "listener-" + test::engine_name({GetParam(), 0}) + "-" + std::to_string(::getpid()) + ".sock";
  auto socket = listening_socket::bind(make_unix_address(path), true);
  auto sibling = socket.sibling();
  EXPECT_THROW(listening_socket::bind(make_unix_address(path), false), std::system_error);
  listener& listening = listener::add_to(loop, std::move(socket), recorder(), {});
  const int client = connect_to({endpoint::kind::unix_socket, path, 0});
  ASSERT_GE(client, 0);
  run_until(loop, [&] { return accepted.size() == 2; });  // the second bind looked whether anybody listens
  EXPECT_EQ(accepted[1]->stream.local_endpoint().to_string(), "unix:" + path);
  listening.stop();
  EXPECT_FALSE(std::filesystem::exists(path));
  ::close(client);
}

TEST_P(Listener, ReplacesASocketFileThatNobodyListensOn) {
  const std::string path = "stale-" + test::engine_name({GetParam(), 0}) + "-" + std::to_string(::getpid()) + ".sock";
  { const auto left_behind = listening_socket::bind(make_unix_address(path), false); }
  ASSERT_TRUE(std::filesystem::exists(path));
  EXPECT_NO_THROW(listening_socket::bind(make_unix_address(path), false));
  std::filesystem::remove(path);
}

TEST_P(Listener, StoppingTakesWhatTheKernelHasAlreadyCompleted) {
  auto socket = listening_socket::bind(make_ip_address("127.0.0.1", 0), false);
  const endpoint at = socket.local_endpoint();
  listener& listening = listener::add_to(loop, std::move(socket), recorder(), {});
  std::vector<int> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(connect_to(at));
  listening.stop();
  EXPECT_EQ(accepted.size(), 5U);
  test::run_idle(loop);
  EXPECT_EQ(connect_to(at), -1);
  for (const int each : clients) ::close(each);
}

TEST_P(Listener, ClosesWhatComesAboveTheLimitAndSaysSoOnce) {
  struct noting_logger final : logger {
    bool enabled(log_level) const noexcept override { return true; }
    void write(log_level level, std::string_view, std::string_view text) noexcept override {
      if (level == log_level::warning) lines.emplace_back(text);
    }
    std::vector<std::string> lines;
  } log;
  event_loop_options options;
  options.log = &log;
  event_loop limited(make_engine(GetParam()).engine, options);
  auto socket = listening_socket::bind(make_ip_address("127.0.0.1", 0), false);
  const endpoint at = socket.local_endpoint();
  listener::add_to(limited, std::move(socket), recorder(), {.connections = std::make_shared<limit>(2)});
  std::vector<int> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(connect_to(at));
  for (std::size_t refused = 2; refused < clients.size(); ++refused) {
    run_until(limited, [&] {
      char byte = 0;
      return ::recv(clients[refused], &byte, 1, MSG_DONTWAIT) == 0;
    });
  }
  EXPECT_EQ(accepted.size(), 2U);
  EXPECT_EQ(limited.counters().refused.value(), 3U);
  EXPECT_EQ(log.lines, std::vector<std::string>{"connections are refused: there are 2 already, which is their limit"});
  for (const int each : clients) ::close(each);
}

TEST_P(Listener, GoesOnAfterRunningOutOfDescriptors) {
  struct counting_logger final : logger {
    bool enabled(log_level) const noexcept override { return true; }
    void write(log_level level, std::string_view, std::string_view) noexcept override {
      if (level == log_level::error) ++errors;
    }
    int errors = 0;
  } log;
  event_loop_options options;
  options.log = &log;
  event_loop limited(make_engine(GetParam()).engine, options);
  auto socket = listening_socket::bind(make_ip_address("127.0.0.1", 0), false);
  const endpoint at = socket.local_endpoint();
  // The sanitizer looks at each type once, and needs descriptors for it: a first round while there are some.
  logger& as_the_loop_sees_it = log;
  as_the_loop_sees_it.write(log_level::error, {}, {});
  log.errors = 0;
  auto other_socket = listening_socket::bind(make_ip_address("127.0.0.1", 0), false);
  const int first = connect_to(other_socket.local_endpoint());
  listener::add_to(limited, std::move(other_socket), recorder(), {});
  run_until(limited, [&] { return accepted.size() == 1; });
  const int client = connect_to(at);
  const int second = connect_to(at);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(second) + 1;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  std::vector<int> fillers;
  for (int filler = ::dup(client); filler >= 0; filler = ::dup(client)) fillers.push_back(filler);
  listener::add_to(limited, std::move(socket), recorder(), {});
  run_until(limited, [&] { return log.errors > 0; });
  for (const int each : fillers) ::close(each);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  run_until(limited, [&] { return accepted.size() == 3; });
  EXPECT_EQ(log.errors, 1);
  ::close(first);
  ::close(client);
  ::close(second);
}

}  // namespace
}  // namespace windhover::net
