// Both ends of an HTTP connection: the server's, under test, and a client that sends bytes and notes what comes back.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/server_connection.hpp"
#include "support/transports.hpp"
#include "support/virtual_engine.hpp"
#include <windhover/sleep_for.hpp>

namespace windhover::http {

// The sizes of pieces in which a stream must give the same results, as in support/fragment_sweep.hpp.
inline constexpr std::size_t uncut = std::numeric_limits<std::size_t>::max();
inline constexpr std::array<std::size_t, 11> all_cuts{uncut, 1, 2, 3, 4, 5, 6, 7, 8, 16, 31};

// Outlives the client's driver, which the loop destroys.
struct client_record {
  std::string received;
  bool ended = false;
  std::optional<net::failure::cause> failed;
  std::function<void()> after_bytes;
  bool takes = true;  // false: the client does not read
};

class recording_client final : public net::driver {
 public:
  explicit recording_client(client_record& to) noexcept : record_(to) {}

  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override {
    if (!record_.takes) return 0;
    record_.received += test::text_of(bytes);
    if (record_.after_bytes) record_.after_bytes();
    return bytes.size();
  }
  void on_writable() noexcept override {}
  void on_end() noexcept override { record_.ended = true; }
  void on_failure(const net::failure& why) noexcept override { record_.failed = why.why; }
  bool finished() const noexcept override { return true; }
  void drain() noexcept override {}
  std::string describe() const override { return "the client"; }

 private:
  client_record& record_;
};

class recording_logger final : public logger {
 public:
  void write(log_level level, std::string_view category, std::string_view text) noexcept override {
    static_cast<void>(level);
    lines.append(category).append(": ").append(text).append("\n");
  }
  bool enabled(log_level) const noexcept override { return true; }

  std::string lines;
};

// Answers with what it was asked for: "POST /path [body]".
inline task<> tell_request(exchange& with) {
  const std::string body = co_await with.request().read_all();
  std::string answer(with.request().method());
  answer += " ";
  answer += with.request().path();
  answer += " [" + body + "]";
  with.response().content_type("text/plain");
  co_await with.response().write(answer);
}

// The same, but not at once.
inline task<> tell_request_later(exchange& with) {
  co_await sleep_for(std::chrono::milliseconds(10));
  co_await tell_request(with);
}

inline task<> do_nothing(exchange&) { co_return; }

class connection_peers {
 public:
  // On a memory pipe, in virtual time. Neither end gets more than `cut` bytes at a time.
  explicit connection_peers(std::size_t cut = uncut)
      : loop(std::make_unique<test::virtual_engine>(), loop_options()),
        kind_(test::kind_of_transport::pipe),
        cut_(cut) {
    context.options.log = &log;
  }
  // On transports of that kind. The workers, if there are any, must outlive this.
  explicit connection_peers(test::kind_of_transport kind, net::worker_pool* workers = nullptr)
      : loop(net::make_engine(test::engine_of(kind)).engine, loop_options(workers)), kind_(kind), cut_(uncut) {
    context.options.log = &log;
  }

  void connect() {
    const auto make_server = [this](net::transport& on) { return make_server_connection(on, context, spoken); };
    const auto make_client = [this](net::transport&) { return std::make_unique<recording_client>(client); };
    std::tie(server_end, client_end) = test::connect_pair(loop, kind_, make_server, make_client, cut_);
  }

  void send(std::string_view text) { client_end->queue_copy(test::bytes_of(text)); }
  // The client reads again.
  void take() {
    client.takes = true;
    client_end->resume_reading();
  }

  template <class Done>
  void run_until(Done&& done) {
    test::run_until(loop, std::forward<Done>(done));
  }
  void run_idle() { test::run_idle(loop); }
  void run_until_received(std::string_view text) {
    run_until([&] { return client.received.find(text) != std::string::npos; });
  }
  void run_until_end() {
    run_until([&] { return client.ended || client.failed; });
  }
  // Runs until both ends have been destroyed, which they must be without anybody's help.
  void run_until_gone() {
    run_until([&] { return loop.describe_connections(1).empty(); });
  }

  // Everything that comes back for `stream` from a server that ends the connection by itself.
  std::string answer_to(std::string_view stream) {
    connect();
    send(stream);
    run_until_end();
    client_end->close();
    run_until_gone();
    return client.received;
  }
  // The same for a client that ends its stream behind the last request.
  std::string answer_to_all(std::string_view stream) {
    connect();
    send(stream);
    client_end->close();
    run_until_gone();
    return client.received;
  }

  recording_logger log;
  client_record client;
  server_context context;
  http_protocols spoken = http_protocols::http1_and_http2;
  net::event_loop loop;
  net::transport* server_end = nullptr;
  net::transport* client_end = nullptr;

 private:
  net::event_loop_options loop_options(net::worker_pool* workers = nullptr) {
    net::event_loop_options made;
    made.log = &log;
    made.workers = workers;
    return made;
  }

  test::kind_of_transport kind_;
  std::size_t cut_;
};

// Where the body of the first response begins, or npos.
inline std::size_t end_of_head(std::string_view text) {
  const std::size_t end = text.find("\r\n\r\n");
  return end == std::string_view::npos ? end : end + 4;
}

// "HTTP/1.1 200 OK" of each response in a stream whose bodies do not look like one.
inline std::vector<std::string> status_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t at = text.find("HTTP/1.1 "); at != std::string_view::npos; at = text.find("HTTP/1.1 ", at + 1)) {
    lines.emplace_back(text.substr(at, text.find("\r\n", at) - at));
  }
  return lines;
}

// The value of a header of the first response; empty when it is not there.
inline std::string header_of(std::string_view text, std::string_view name) {
  const std::string_view head = text.substr(0, end_of_head(text));
  const std::string wanted = "\r\n" + std::string(name) + ": ";
  const std::size_t at = head.find(wanted);
  if (at == std::string_view::npos) return {};
  const std::size_t start = at + wanted.size();
  return std::string(head.substr(start, head.find("\r\n", start) - start));
}

inline std::string body_of(std::string_view text) {
  return std::string(text.substr(std::min(end_of_head(text), text.size())));
}

}  // namespace windhover::http
