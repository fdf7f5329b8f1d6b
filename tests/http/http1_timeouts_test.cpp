// What a connection does with clients that are slow, silent or gone. The clock is a virtual one, so the times are
// exact.
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "connection_peers.hpp"
#include <windhover/sleep_for.hpp>
#include <windhover/when_all.hpp>

namespace windhover::http {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n";

task<> echo_body(exchange& with) {
  const std::string body = co_await with.request().read_all();
  co_await with.response().write("[" + body + "]");
}

// Something that happens every so often, as long as it lives.
class ticker {
 public:
  ticker(net::event_loop& loop, net::duration every, std::function<void()> tick)
      : loop_(loop), every_(every), tick_(std::move(tick)), timer_(this, [](void* self) noexcept {
          auto& here = *static_cast<ticker*>(self);
          here.loop_.arm(here.timer_, here.every_);
          here.tick_();
        }) {
    loop_.arm(timer_, every_);
  }

 private:
  net::event_loop& loop_;
  net::duration every_;
  std::function<void()> tick_;
  net::timer timer_;
};

net::duration elapsed(const connection_peers& peers) { return peers.loop.now() - net::time_point(); }

TEST(Http1Timeouts, AHeadThatDoesNotArriveInTimeIsAnsweredWith408) {
  connection_peers peers;
  peers.context.handler = do_nothing;
  peers.connect();
  peers.send("GET / HTTP/1.1\r\nHos");
  peers.run_until_end();
  EXPECT_EQ(elapsed(peers), 30s);
  EXPECT_EQ(status_lines(peers.client.received), std::vector<std::string>{"HTTP/1.1 408 Request Timeout"});
  EXPECT_EQ(header_of(peers.client.received, "Connection"), "close");
  peers.client_end->close();
  peers.run_until_gone();
}

TEST(Http1Timeouts, AHeadThatTricklesInIsNoReasonToWaitLonger) {
  connection_peers peers;
  peers.context.handler = do_nothing;
  peers.connect();
  peers.send("GET / HTTP/1.1\r\nHost: a\r\nX: ");
  const ticker trickle(peers.loop, 1s, [&peers] { peers.send("x"); });
  peers.run_until_end();
  EXPECT_EQ(elapsed(peers), 30s);
  EXPECT_EQ(status_lines(peers.client.received), std::vector<std::string>{"HTTP/1.1 408 Request Timeout"});
}

TEST(Http1Timeouts, AClientThatSendsNothingIsLetGoWithoutAnAnswer) {
  connection_peers peers;
  peers.context.handler = do_nothing;
  peers.connect();
  peers.run_until_end();
  EXPECT_EQ(elapsed(peers), 30s);
  EXPECT_EQ(peers.client.received, "");
  EXPECT_FALSE(peers.client.failed);
}

TEST(Http1Timeouts, AnIdleConnectionIsEndedWithoutAnAnswer) {
  connection_peers peers;
  peers.context.handler = do_nothing;
  peers.connect();
  peers.send(get);
  peers.run_until_received("\r\n\r\n");
  peers.client.received.clear();
  peers.run_until_end();
  EXPECT_EQ(elapsed(peers), 130s);
  EXPECT_EQ(peers.client.received, "");
  EXPECT_FALSE(peers.client.failed);
}

TEST(Http1Timeouts, ARequestInTimeKeepsTheConnection) {
  connection_peers peers;
  peers.context.handler = do_nothing;
  peers.connect();
  const ticker requests(peers.loop, 100s, [&peers] { peers.send(get); });
  peers.send(get);
  peers.run_until([&] { return elapsed(peers) > 1000s; });
  EXPECT_EQ(status_lines(peers.client.received).size(), 11U);
  EXPECT_FALSE(peers.client.ended);
}

TEST(Http1Timeouts, AClientThatDoesNotEndAfterUsIsReset) {
  connection_peers peers;
  peers.context.handler = do_nothing;
  peers.connect();
  peers.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  peers.run_until([&] { return peers.client.failed.has_value(); });
  EXPECT_TRUE(peers.client.ended);
  EXPECT_EQ(peers.client.failed, net::failure::cause::reset);
  EXPECT_EQ(elapsed(peers), 5s);
  peers.run_until_gone();
}

TEST(Http1Timeouts, ABodyThatDoesNotArriveInTimeIs408) {
  connection_peers peers;
  peers.context.handler = echo_body;
  peers.connect();
  peers.send(std::string(post).append("hello"));
  peers.run_until_end();
  EXPECT_EQ(elapsed(peers), 30s);
  EXPECT_EQ(status_lines(peers.client.received), std::vector<std::string>{"HTTP/1.1 408 Request Timeout"});
  EXPECT_EQ(header_of(peers.client.received, "Connection"), "close");
}

TEST(Http1Timeouts, ABodyThatGoesOnIsWaitedFor) {
  connection_peers peers;
  peers.context.handler = echo_body;
  peers.connect();
  peers.send(post);
  const ticker trickle(peers.loop, 29s, [&peers] { peers.send("x"); });
  peers.run_until_received("[xxxxxxxxxx]");
  EXPECT_EQ(elapsed(peers), 290s);
}

TEST(Http1Timeouts, AHandlerThatDoesNotReadMayTakeItsTime) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    co_await sleep_for(1h);
    co_await echo_body(with);
  };
  peers.connect();
  peers.send(std::string(post).append("helloworld"));
  peers.run_until_received("[helloworld]");
  EXPECT_EQ(elapsed(peers), 1h);
}

TEST(Http1Timeouts, ARestOfABodyThatNobodyReadAndNobodySendsEndsTheConnection) {
  connection_peers peers;
  peers.context.handler = do_nothing;
  peers.connect();
  peers.send(post);
  peers.run_until_end();
  EXPECT_EQ(elapsed(peers), 30s);
  EXPECT_EQ(status_lines(peers.client.received), std::vector<std::string>{"HTTP/1.1 200 OK"});
}

// A handler that writes `pieces` times 10000 bytes and notes how it ends.
request_handler write_much(int pieces, std::string& outcome) {
  return [pieces, &outcome](exchange& with) -> task<> {
    const std::string piece(10'000, 'x');
    for (int i = 0; i < pieces; ++i) {
      const bool connected = co_await with.response().write(piece);
      if (!connected) {
        outcome = "gone";
        co_return;
      }
    }
    outcome = "written";
  };
}

TEST(Http1Timeouts, AClientThatDoesNotReadIsResetAndTheWriterIsTold) {
  connection_peers peers;
  std::string outcome;
  peers.context.handler = write_much(100, outcome);
  peers.client.takes = false;
  peers.connect();
  peers.send(get);
  peers.run_until_end();
  EXPECT_EQ(elapsed(peers), 120s) << "what the client's side still took in the first minute counts";
  EXPECT_EQ(peers.client.failed, net::failure::cause::reset);
  EXPECT_EQ(outcome, "gone");
  peers.run_until_gone();
}

TEST(Http1Timeouts, AWriterWaitsAboveTheHighWaterMark) {
  connection_peers peers;
  std::string outcome;
  peers.context.handler = write_much(100, outcome);
  peers.client.takes = false;
  peers.connect();
  peers.send(get);
  peers.run_idle();
  EXPECT_GT(peers.server_end->queued_bytes(), 64U << 10);
  EXPECT_LT(peers.server_end->queued_bytes(), 100U << 10);
  EXPECT_EQ(outcome, "");
  peers.take();
  peers.run_until_received("0\r\n\r\n");
  EXPECT_EQ(outcome, "written");
}

// The client takes a byte of what has arrived whenever time passes.
class slow_client {
 public:
  slow_client(connection_peers& peers, net::duration every)
      : ticks_(peers.loop, every, [&peers] {
          peers.client.after_bytes = [&peers] { peers.client.takes = false; };
          peers.take();
        }) {}

 private:
  ticker ticks_;
};

TEST(Http1Timeouts, AClientThatReadsSlowlyGetsEverything) {
  connection_peers peers(20'000);
  std::string outcome;
  peers.context.handler = write_much(30, outcome);
  peers.client.takes = false;
  peers.connect();
  peers.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const slow_client reading(peers, 40s);
  peers.run_until_end();
  EXPECT_EQ(outcome, "written");
  EXPECT_FALSE(peers.client.failed);
  EXPECT_TRUE(peers.client.received.ends_with("0\r\n\r\n"));
  EXPECT_GT(elapsed(peers), 400s);
}

TEST(Http1Timeouts, AClientThatReadsTheEndSlowlyGetsItAfterTheHandlerHasEnded) {
  connection_peers peers(2'000);
  std::string outcome;
  peers.context.handler = write_much(6, outcome);
  peers.client.takes = false;
  peers.connect();
  peers.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const slow_client reading(peers, 4s);
  peers.run_until_end();
  EXPECT_FALSE(peers.client.failed);
  EXPECT_TRUE(peers.client.received.ends_with("0\r\n\r\n"));
  EXPECT_GT(elapsed(peers), 60s);
}

TEST(Http1Timeouts, AClientThatReadsSlowlyIsNotIdle) {
  connection_peers peers(1'000);
  std::string outcome;
  peers.context.handler = write_much(6, outcome);
  peers.client.takes = false;
  peers.connect();
  peers.send(get);
  const slow_client reading(peers, 100s);
  peers.run_until_received("0\r\n\r\n");
  EXPECT_GT(elapsed(peers), 1000s);
  peers.client.after_bytes = nullptr;
  peers.take();
  peers.send(get);
  peers.run_until([&] { return status_lines(peers.client.received).size() == 2; });
}

TEST(Http1Timeouts, TwoWritersThatWaitAtATimeAreRefused) {
  connection_peers peers;
  bool refused = false;
  peers.context.handler = [&refused](exchange& with) -> task<> {
    const std::string large(200'000, 'x');
    const auto write = [&]() -> task<> {
      try {
        co_await with.response().write(large);
      } catch (const std::logic_error&) {
        refused = true;
      }
    };
    co_await when_all(write(), write());
  };
  peers.client.takes = false;
  peers.connect();
  peers.send(get);
  peers.run_idle();
  EXPECT_TRUE(refused);
  peers.take();
  peers.run_until_received("0\r\n\r\n");
}

}  // namespace
}  // namespace windhover::http
