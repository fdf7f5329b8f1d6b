// A loop on a chosen engine, and pairs of joined transports of every kind, so that one test runs on all of them.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.hpp"
#include "net/event_loop.hpp"
#include "net/listener.hpp"
#include "net/memory_pipe.hpp"
#include "net/tls_transport.hpp"
#include "support/certificates.hpp"

namespace windhover::test {

enum class kind_of_transport {
  tcp_io_uring,
  // Both ends have brought so much at a time that the engine receives from them directly. For drivers that send nothing
  // of their own accord.
  tcp_io_uring_after_much,
  tcp_epoll,
  unix_io_uring,
  unix_epoll,
  pipe,
  tls_io_uring,
  tls_epoll,
  tls_pipe,
};

inline bool is_pipe(kind_of_transport kind) {
  return kind == kind_of_transport::pipe || kind == kind_of_transport::tls_pipe;
}
inline bool is_unix(kind_of_transport kind) {
  return kind == kind_of_transport::unix_io_uring || kind == kind_of_transport::unix_epoll;
}
inline bool is_tls(kind_of_transport kind) {
  return kind == kind_of_transport::tls_io_uring || kind == kind_of_transport::tls_epoll ||
         kind == kind_of_transport::tls_pipe;
}

inline std::string name_of(kind_of_transport kind) {
  switch (kind) {
    case kind_of_transport::tcp_io_uring:
      return "TcpOnIoUring";
    case kind_of_transport::tcp_io_uring_after_much:
      return "TcpOnIoUringAfterMuch";
    case kind_of_transport::tcp_epoll:
      return "TcpOnEpoll";
    case kind_of_transport::unix_io_uring:
      return "UnixOnIoUring";
    case kind_of_transport::unix_epoll:
      return "UnixOnEpoll";
    case kind_of_transport::pipe:
      return "Pipe";
    case kind_of_transport::tls_io_uring:
      return "TlsOnIoUring";
    case kind_of_transport::tls_epoll:
      return "TlsOnEpoll";
    case kind_of_transport::tls_pipe:
      return "TlsOnPipe";
  }
  return "?";
}

inline net::engine_kind engine_of(kind_of_transport kind) {
  const bool io_uring = kind == kind_of_transport::tcp_io_uring || kind == kind_of_transport::tcp_io_uring_after_much ||
                        kind == kind_of_transport::unix_io_uring || kind == kind_of_transport::tls_io_uring;
  return io_uring ? net::engine_kind::io_uring : net::engine_kind::epoll;
}

inline std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// Notes everything that a transport tells it. `take` limits how much it takes, once, per call.
class recording_driver final : public net::driver {
 public:
  explicit recording_driver(net::transport& on) noexcept : stream(on) {}

  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override {
    ++calls;
    const std::size_t count = take ? std::min(*take, bytes.size()) : bytes.size();
    if (keep_text) received += text_of(bytes.first(count));
    received_bytes += count;
    if (then) then(count);
    return count;
  }
  void on_writable() noexcept override { ++writable; }
  void on_end() noexcept override { ended = true; }
  void on_failure(const net::failure& why) noexcept override { failed = why.why; }
  bool finished() const noexcept override { return is_finished; }
  void drain() noexcept override { drained = true; }
  std::string describe() const override { return "a test"; }

  void finish() {
    is_finished = true;
    stream.driver_finished();
  }

  net::transport& stream;
  std::string received;
  std::size_t received_bytes = 0;
  int calls = 0;
  int writable = 0;
  bool ended = false;
  bool drained = false;
  bool is_finished = false;
  bool keep_text = true;
  std::optional<net::failure::cause> failed;
  std::optional<std::size_t> take;
  std::function<void(std::size_t)> then;
};

struct joined_pair {
  net::transport* first = nullptr;
  net::transport* second = nullptr;
  recording_driver* first_driver = nullptr;
  recording_driver* second_driver = nullptr;
};

// Two connected, non-blocking sockets of one kind.
inline std::pair<int, int> connected_sockets(bool tcp) {
  int ends[2] = {-1, -1};
  if (!tcp) {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    return {ends[0], ends[1]};
  }
  const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  net::address at = net::make_ip_address("127.0.0.1", 0);
  EXPECT_EQ(::bind(listening, &at.value.any, at.size), 0);
  EXPECT_EQ(::listen(listening, 1), 0);
  EXPECT_EQ(::getsockname(listening, &at.value.any, &at.size), 0);
  ends[0] = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::connect(ends[0], &at.value.any, at.size), 0);
  ends[1] = ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  EXPECT_GE(ends[1], 0);
  ::close(listening);
  const int one = 1;
  for (const int each : ends) ::setsockopt(each, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  EXPECT_EQ(::fcntl(ends[0], F_SETFL, ::fcntl(ends[0], F_GETFL) | O_NONBLOCK), 0);
  return {ends[0], ends[1]};
}

// Runs iterations until `done()`, which must become true: a hang is the test's time limit.
template <class Done>
void run_until(net::event_loop& loop, Done&& done) {
  while (!done()) loop.run_once(true);
}
// Runs iterations that do not wait, to show that nothing more happens.
inline void run_idle(net::event_loop& loop, int iterations = 20) {
  for (int i = 0; i < iterations; ++i) loop.run_once(false);
}

// Takes what comes, and counts it.
class counting_sink final : public net::sink {
 public:
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override {
    count += bytes.size();
    return bytes.size();
  }
  void on_writable() noexcept override {}
  void on_end() noexcept override {}
  void on_failure(const net::failure&) noexcept override {}

  std::size_t count = 0;
};

// Brings `to` so much at a time, again and again, that its engine takes it for a transport that does so; then it tells
// its driver again. `send` sends what it is given. Neither driver may have anything on its way.
template <class Send>
void bring_much(net::event_loop& loop, Send&& send, net::transport& to, net::sink& driver) {
  const std::string much(std::size_t{32} << 10, 'x');
  counting_sink sink;
  to.set_sink(sink);
  for (std::size_t i = 1; i <= 10; ++i) {
    send(bytes_of(much));
    run_until(loop, [&] { return sink.count == i * much.size(); });
  }
  to.set_sink(driver);
  run_idle(loop);
}

// Two connected transports with their drivers. With TLS the first one is the server, and both have shaken hands. On
// pipes neither gets more than `cut` bytes at a time.
inline std::pair<net::transport*, net::transport*> connect_pair(
    net::event_loop& loop, kind_of_transport kind, const net::event_loop::driver_factory& make_first,
    const net::event_loop::driver_factory& make_second, std::size_t cut = std::numeric_limits<std::size_t>::max()) {
  const auto put_on_pipe = [](net::pipe_end& end, const net::event_loop::driver_factory& make) {
    net::memory_pipe::set_driver(end, make(end));
  };
  const auto noting = [](const net::event_loop::driver_factory& make, net::driver*& noted) {
    return [&make, &noted](net::transport& on) {
      auto driver = make(on);
      noted = driver.get();
      return driver;
    };
  };
  const auto connect_below = [&](const net::event_loop::driver_factory& first,
                                 const net::event_loop::driver_factory& second) {
    std::pair<net::transport*, net::transport*> made;
    if (is_pipe(kind)) {
      const auto [near, far] = net::memory_pipe::make(loop, cut);
      put_on_pipe(*near, first);
      put_on_pipe(*far, second);
      made = {near, far};
    } else {
      const auto [near, far] = connected_sockets(!is_unix(kind));
      std::pair<net::driver*, net::driver*> drivers;
      made.first = &loop.add_connection(near, noting(first, drivers.first));
      made.second = &loop.add_connection(far, noting(second, drivers.second));
      if (kind == kind_of_transport::tcp_io_uring_after_much) {
        const auto by = [](net::transport& end) {
          return [&end](std::span<const std::byte> bytes) { end.queue_copy(bytes); };
        };
        bring_much(loop, by(*made.first), *made.second, *drivers.second);
        bring_much(loop, by(*made.second), *made.first, *drivers.first);
      }
    }
    return made;
  };
  if (!is_tls(kind)) return connect_below(make_first, make_second);

  static const net::server_tls server(test_certificates::server_options());
  static const net::client_tls client(test_certificates::client_options());
  std::pair<net::transport*, net::transport*> made;
  const auto serve = [&](net::transport& on) {
    return net::serve_tls(on, server, [&](net::transport& above) {
      made.first = &above;
      return make_first(above);
    });
  };
  const auto connect = [&](net::transport& on) {
    return net::connect_tls(on, client, "localhost", [&](net::transport& above) {
      made.second = &above;
      return make_second(above);
    });
  };
  connect_below(serve, connect);
  run_until(loop, [&] { return made.first != nullptr; });
  run_idle(loop);  // the ticket arrives
  return made;
}

inline joined_pair join(net::event_loop& loop, kind_of_transport kind) {
  joined_pair made;
  const auto maker = [](recording_driver*& noted) {
    return [&noted](net::transport& on) {
      auto owned = std::make_unique<recording_driver>(on);
      noted = owned.get();
      return owned;
    };
  };
  std::tie(made.first, made.second) = connect_pair(loop, kind, maker(made.first_driver), maker(made.second_driver));
  return made;
}

class every_transport : public ::testing::TestWithParam<kind_of_transport> {
 protected:
  net::event_loop loop{net::make_engine(engine_of(GetParam())).engine};
};

inline auto every_kind() {
  return ::testing::Values(kind_of_transport::tcp_io_uring, kind_of_transport::tcp_epoll,
                           kind_of_transport::unix_io_uring, kind_of_transport::unix_epoll, kind_of_transport::pipe,
                           kind_of_transport::tls_io_uring, kind_of_transport::tls_epoll, kind_of_transport::tls_pipe);
}
inline std::string kind_name(const ::testing::TestParamInfo<kind_of_transport>& info) { return name_of(info.param); }

class every_engine : public ::testing::TestWithParam<net::engine_kind> {
 protected:
  net::event_loop loop{net::make_engine(GetParam()).engine};
};
inline auto both_engines() { return ::testing::Values(net::engine_kind::io_uring, net::engine_kind::epoll); }
inline std::string engine_name(const ::testing::TestParamInfo<net::engine_kind>& info) {
  return info.param == net::engine_kind::io_uring ? "IoUring" : "Epoll";
}

}  // namespace windhover::test
