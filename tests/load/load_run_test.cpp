// Whole loads against applications of ours, on both engines: what is counted, and that nothing goes wrong. How fast it
// is, no test may say.
#include "load/load_run.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "hosting/running_application.hpp"
#include "load/opening.hpp"
#include <windhover/event_loop_thread.hpp>

namespace windhover::load {
namespace {

using std::chrono::milliseconds;

task<> echo(websocket& socket) {
  while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

class LoadRun : public hosting::running_application {
 protected:
  load_options options() const {
    return {.url = "ws" + url.substr(4) + "/ws",
            .connections = 10,
            .warm_up = milliseconds(20),
            .duration = milliseconds(200),
            .patience = std::chrono::seconds(60),
            .engine = GetParam() == "epoll" ? io_engine::epoll : io_engine::io_uring};
  }
  void serve_echo(const websocket_options& with = {}) {
    make().use_websockets(with);
    app->map_websocket("/ws", [this](websocket& socket) -> task<> {
      ++opened;
      while (auto message = co_await socket.receive()) {
        if (message->is_text()) ++texts;
        if (!socket.extensions().empty()) ++compressed;
        co_await socket.send(*message);
      }
      if (socket.close_status() == close_code::normal_closure) ++closed_properly;
    });
    start();
  }
  // Every message goes to everybody.
  void serve_broadcast() {
    make().use_websockets();
    app->map_websocket("/ws", [this](websocket& socket) -> task<> {
      {
        const std::lock_guard lock(mutex);
        everybody.push_back(socket.handle());
      }
      while (auto message = co_await socket.receive()) {
        const auto shared = prepared_message::from_bytes(message->bytes());
        const std::lock_guard lock(mutex);
        for (const websocket_handle& each : everybody) each.send(shared);
      }
    });
    start();
  }

  std::atomic<int> opened{0};
  std::atomic<int> texts{0};
  std::atomic<int> compressed{0};
  std::atomic<int> closed_properly{0};
  std::mutex mutex;
  std::vector<websocket_handle> everybody;
};
INSTANTIATE_TEST_SUITE_P(All, LoadRun, hosting::both_engines(), hosting::engine_name);

TEST_P(LoadRun, EchoesAreCountedAndConnectionsClosed) {
  serve_echo();
  load_options wanted = options();
  wanted.check = true;
  wanted.in_flight = 3;
  const load_result result = run_load(wanted, {});
  EXPECT_GT(result.messages, 0U);
  EXPECT_EQ(result.latencies.count(), result.messages);
  EXPECT_EQ(result.bytes, 20 * result.messages);
  EXPECT_EQ(result.delays.count(), 0U);
  EXPECT_GT(result.latencies.minimum(), net::duration::zero());
  EXPECT_GE(result.time, milliseconds(200));
  EXPECT_EQ(result.engine, GetParam());
  EXPECT_FALSE(result.server);
  stop();
  EXPECT_EQ(opened, 10);
  EXPECT_EQ(closed_properly, 10);
  EXPECT_EQ(texts, 0);
}

TEST_P(LoadRun, MessagesOfManySizesAsTextComeBack) {
  serve_echo();
  load_options wanted = options();
  wanted.check = true;
  wanted.text = true;
  wanted.least_size = 0;
  wanted.most_size = 100'000;
  EXPECT_GT(run_load(wanted, {}).messages, 0U);
  EXPECT_GT(texts, 0);
}

TEST_P(LoadRun, CompressedMessagesComeBack) {
  serve_echo({.dangerous_enable_compression = true, .compression_threshold = 0});
  load_options wanted = options();
  wanted.check = true;
  wanted.compress = true;
  wanted.least_size = wanted.most_size = 1000;
  const load_result result = run_load(wanted, {});
  EXPECT_GT(result.messages, 0U);
  // What is counted is what was on the wire.
  EXPECT_LT(result.bytes, 700 * result.messages);
  EXPECT_GT(compressed, 0);
}

TEST_P(LoadRun, AServerThatDoesNotCompressIsServedAllTheSame) {
  serve_echo();
  load_options wanted = options();
  wanted.check = true;
  wanted.compress = true;
  const load_result result = run_load(wanted, {});
  EXPECT_GT(result.messages, 0U);
  EXPECT_EQ(result.bytes, 20 * result.messages);
  EXPECT_EQ(compressed, 0);
}

TEST_P(LoadRun, AtARateTheMessagesAreThoseThatAreDue) {
  serve_echo();
  load_options wanted = options();
  wanted.check = true;
  wanted.rate = 500;
  wanted.duration = milliseconds(400);
  const auto began = std::chrono::steady_clock::now();
  const load_result result = run_load(wanted, {});
  const std::chrono::duration<double> all = std::chrono::steady_clock::now() - began;
  EXPECT_EQ(result.latencies.count(), result.messages);
  EXPECT_GT(result.delays.count(), 0U);
  // However slow this machine is, what is not due is not sent.
  EXPECT_LE(static_cast<double>(result.messages), 500 * all.count() + 1);
  EXPECT_LE(static_cast<double>(result.delays.count()), 500 * all.count() + 1);
}

TEST_P(LoadRun, ManyThreadsDivideTheConnections) {
  serve_echo();
  load_options wanted = options();
  wanted.check = true;
  wanted.threads = 3;
  const load_result result = run_load(wanted, {});
  EXPECT_EQ(result.options.threads, 3U);
  EXPECT_EQ(opened, 10);
  wanted.connections = 2;
  EXPECT_EQ(run_load(wanted, {}).options.threads, 2U);
  EXPECT_EQ(opened, 12);
}

TEST_P(LoadRun, ABroadcastIsCountedWhereverItArrives) {
  serve_broadcast();
  for (const std::size_t threads : {1U, 2U}) {
    load_options wanted = options();
    wanted.scenario = scenario::broadcast;
    wanted.threads = threads;
    wanted.check = true;
    wanted.in_flight = 4;
    const load_result result = run_load(wanted, {});
    EXPECT_GT(result.messages, 0U);
    EXPECT_EQ(result.bytes, 20 * result.messages);
    EXPECT_EQ(result.latencies.count(), result.messages);
    const std::lock_guard lock(mutex);
    EXPECT_EQ(everybody.size(), 10U);
    everybody.clear();
  }
}

TEST_P(LoadRun, ABroadcastCanHaveARate) {
  serve_broadcast();
  load_options wanted = options();
  wanted.scenario = scenario::broadcast;
  wanted.rate = 100;
  wanted.check = true;
  const load_result result = run_load(wanted, {});
  EXPECT_GT(result.messages, 0U);
  EXPECT_GT(result.delays.count(), 0U);
}

TEST_P(LoadRun, IdleConnectionsOnlyStay) {
  serve_echo();
  load_options wanted = options();
  wanted.scenario = scenario::idle;
  wanted.connections = 100;
  const load_result result = run_load(wanted, {});
  EXPECT_EQ(result.messages, 0U);
  EXPECT_EQ(result.bytes, 0U);
  stop();
  EXPECT_EQ(opened, 100);
  EXPECT_EQ(closed_properly, 100);
}

TEST_P(LoadRun, AChurnOpensAndClosesOverAndOver) {
  serve_echo();
  load_options wanted = options();
  wanted.scenario = scenario::churn;
  wanted.check = true;
  const load_result result = run_load(wanted, {});
  EXPECT_GT(result.messages, 0U);
  EXPECT_EQ(result.bytes, 20 * result.messages);
  EXPECT_EQ(result.latencies.count(), result.messages);
  stop();
  EXPECT_GE(static_cast<std::uint64_t>(opened), result.messages);
  EXPECT_EQ(closed_properly, opened);
}

TEST_P(LoadRun, AStormComesAllAtOnceAndGoesWithoutAWord) {
  serve_echo();
  load_options wanted = options();
  wanted.scenario = scenario::storm;
  const load_result result = run_load(wanted, {});
  EXPECT_GT(result.messages, 0U);
  EXPECT_EQ(result.latencies.count(), result.messages);
  EXPECT_EQ(result.bytes, 0U);
  stop();
  EXPECT_EQ(opened % 10, 0);
  EXPECT_EQ(closed_properly, 0);
}

TEST_P(LoadRun, OverHttp2WebSocketsShareConnectionsAsItIsSaid) {
  serve_echo();
  load_options wanted = options();
  wanted.http2 = true;
  wanted.per_connection = 4;
  wanted.check = true;
  const load_result result = run_load(wanted, {});
  EXPECT_GT(result.messages, 0U);
  EXPECT_EQ(app->counters().http2_connections, 3U) << "4 + 4 + 2";
  stop();
  EXPECT_EQ(opened, 10);
  EXPECT_EQ(closed_properly, 10);
}

TEST_P(LoadRun, ChurnAndStormGoOverHttp2) {
  serve_echo();
  load_options wanted = options();
  wanted.http2 = true;
  for (const scenario each : {scenario::churn, scenario::storm}) {
    wanted.scenario = each;
    const load_result result = run_load(wanted, {});
    EXPECT_GT(result.messages, 0U);
    EXPECT_EQ(result.latencies.count(), result.messages);
  }
}

TEST_P(LoadRun, ProgressIsToldEverySecond) {
  serve_echo();
  load_options wanted = options();
  wanted.warm_up = milliseconds(1000);
  wanted.duration = milliseconds(1200);
  std::vector<load_progress> told;
  run_load(wanted, [&](const load_progress& now) { told.push_back(now); });
  ASSERT_EQ(told.size(), 2U);
  EXPECT_TRUE(told[0].warming_up);
  EXPECT_FALSE(told[1].warming_up);
  EXPECT_EQ(told[1].elapsed, std::chrono::seconds(1));
  EXPECT_GT(told[1].messages, 0U);
}

TEST_P(LoadRun, WhatTheServersProcessCostsIsSeen) {
  serve_echo();
  load_options wanted = options();
  wanted.process = ::getpid();
  const load_result result = run_load(wanted, {});
  ASSERT_TRUE(result.server);
  EXPECT_GT(result.server->cpu, net::duration::zero());
  EXPECT_GT(result.server->resident, 0U);
  EXPECT_GT(result.server->resident_before, 0U);
  EXPECT_GT(result.server_nanoseconds_per_message(), 0);
}

TEST_P(LoadRun, AProcessThatIsNotThereIsRefusedBeforeAnyLoad) {
  serve_echo();
  load_options wanted = options();
  wanted.process = 1 << 30;
  try {
    run_load(wanted, {});
    FAIL() << "the load was run";
  } catch (const load_failure& why) {
    EXPECT_STREQ(why.what(), "there is no process 1073741824, or it may not be looked at");
  }
  EXPECT_EQ(opened, 0);
}

TEST_P(LoadRun, OptionsThatCannotBeAreRefusedBeforeAnyLoad) {
  serve_echo();
  load_options wanted = options();
  wanted.in_flight = 0;
  EXPECT_THROW(run_load(wanted, {}), std::invalid_argument);
  EXPECT_EQ(opened, 0);
}

TEST_P(LoadRun, AServerThatStopsInTheMiddleEndsTheLoad) {
  for (const scenario each : {scenario::echo, scenario::idle, scenario::broadcast}) {
    make().use_websockets();
    app->map_websocket("/ws", echo);
    start();
    load_options wanted = options();
    wanted.connections = each == scenario::broadcast ? 1 : 10;  // an echo is a broadcast to one
    wanted.scenario = each;
    wanted.warm_up = milliseconds(1000);
    wanted.duration = std::chrono::seconds(60);
    bool stopped = false;
    try {
      run_load(wanted, [&](const load_progress&) {
        if (!std::exchange(stopped, true)) stop();
      });
      FAIL() << "the load came to its end";
    } catch (const load_failure& why) {
      EXPECT_STREQ(why.what(), "a connection has ended: the server closed it with 1001 (the server is shutting down)");
    }
    EXPECT_TRUE(stopped);
  }
}

}  // namespace
}  // namespace windhover::load
