// The way out of HTTP: when a request can take it, who gets which byte, and who ends what. The cases that Kestrel's
// tests of upgrades have are here under their stories.
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "connection_peers.hpp"
#include <windhover/sleep_for.hpp>

namespace windhover::http {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view upgrade = "GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
constexpr std::string_view switched =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n"
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: Windhover\r\n\r\n";

// What the protocol behind the upgrade saw; outlives its driver.
struct echo_record {
  std::string received;
  int ended = 0;
  int writable = 0;
  int drained = 0;
  int failed = 0;
  bool destroyed = false;
};

// Sends everything back in angle brackets, and ends with the client.
class echo_driver final : public net::driver {
 public:
  echo_driver(net::transport& on, echo_record& to) : stream_(on), record_(to) {}
  ~echo_driver() override { record_.destroyed = true; }

  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override {
    record_.received += test::text_of(bytes);
    stream_.queue_copy(bytes);
    return bytes.size();
  }
  void on_writable() noexcept override { ++record_.writable; }
  void on_end() noexcept override {
    ++record_.ended;
    stream_.close();
    finish();
  }
  void on_failure(const net::failure&) noexcept override {
    ++record_.failed;
    finish();
  }
  bool finished() const noexcept override { return finished_; }
  void drain() noexcept override {
    ++record_.drained;
    stream_.queue_copy(test::bytes_of("bye"));
    stream_.close();
  }
  std::string describe() const override { return "an echo"; }
  bool is_there() const { return !record_.destroyed; }

 private:
  void finish() {
    finished_ = true;
    stream_.driver_finished();
  }

  net::transport& stream_;
  echo_record& record_;
  bool finished_ = false;
};

void accept(exchange& with, echo_record& record) {
  with.response().header("Upgrade", "echo");
  with.response().header("Connection", "Upgrade");
  with.upgrade(std::make_unique<echo_driver>(with.transport(), record));
}

request_handler accepting(echo_record& record) {
  return [&record](exchange& with) -> task<> {
    accept(with, record);
    co_return;
  };
}

request_handler accepting_after(net::duration time, echo_record& record) {
  return [time, &record](exchange& with) -> task<> {
    co_await sleep_for(time);
    accept(with, record);
  };
}

TEST(Http1Upgrade, TheResponseIsExactly101WithTheHeadersThatWereSet) {
  connection_peers peers;
  echo_record record;
  peers.context.handler = accepting(record);
  EXPECT_EQ(peers.answer_to_all(upgrade), switched);
  EXPECT_TRUE(record.destroyed);
}

TEST(Http1Upgrade, BytesBehindTheHeadReachTheNewProtocolWhereverTheStreamIsCut) {
  for (const net::duration delay : {net::duration(0s), net::duration(1ms)}) {
    for (const std::size_t cut : all_cuts) {
      SCOPED_TRACE("in pieces of " + std::to_string(cut) + " bytes");
      connection_peers peers(cut);
      echo_record record;
      const request_handler accepts = delay == 0s ? accepting(record) : accepting_after(delay, record);
      peers.context.handler = [accepts](exchange& with) -> task<> {
        if (with.upgradable()) co_await accepts(with);
      };
      const std::string received =
          peers.answer_to_all(std::string(get) + std::string(upgrade) + std::string(get) + "and more");
      const std::size_t second = received.find("HTTP/1.1 101");
      ASSERT_NE(second, std::string::npos);
      EXPECT_EQ(received.substr(second), std::string(switched) + std::string(get) + "and more");
      EXPECT_EQ(record.received, std::string(get) + "and more");
      EXPECT_EQ(record.ended, 1);
    }
  }
}

// Kestrel: after UpgradeAsync writing Response.Body or BodyWriter throws.
TEST(Http1Upgrade, TheResponseCannotBeWrittenBehindTheUpgrade) {
  connection_peers peers;
  echo_record record;
  bool ran = false;
  peers.context.handler = [&](exchange& with) -> task<> {
    accept(with, record);
    http_response& response = with.response();
    EXPECT_THROW(static_cast<void>(response.write("text")), std::logic_error);
    EXPECT_THROW(response.status(200), std::logic_error);
    EXPECT_THROW(response.header("X", "1"), std::logic_error);
    EXPECT_THROW(response.reset(), std::logic_error);
    EXPECT_TRUE(response.started());
    const bool connected = co_await response.flush();
    EXPECT_TRUE(connected);
    ran = true;
  };
  EXPECT_EQ(peers.answer_to_all(upgrade), switched);
  EXPECT_TRUE(ran);
}

TEST(Http1Upgrade, AFlushBehindTheUpgradeDoesNotWaitForTheNewProtocol) {
  connection_peers peers;
  echo_record record;
  bool ran = false;
  peers.context.handler = [&](exchange& with) -> task<> {
    accept(with, record);
    const std::string much(200'000, 'x');
    with.transport().queue_copy(test::bytes_of(much));
    static_cast<void>(co_await with.response().flush());
    ran = true;
  };
  peers.client.takes = false;
  peers.connect();
  peers.send(upgrade);
  peers.run_idle();
  EXPECT_TRUE(ran);
  peers.client_end->abort();
  peers.run_until_gone();
}

// Kestrel: the request body is always empty after upgrade; data goes through the stream.
TEST(Http1Upgrade, TheBodyOfTheRequestIsEmptyBehindTheUpgrade) {
  connection_peers peers;
  echo_record record;
  std::optional<std::string> body;
  peers.context.handler = [&](exchange& with) -> task<> {
    accept(with, record);
    body = co_await with.request().read_all();
  };
  peers.answer_to_all(std::string(upgrade) + "for the stream");
  EXPECT_EQ(body, "");
  EXPECT_EQ(record.received, "for the stream");
}

// Kestrel: UpgradeAsync twice throws.
TEST(Http1Upgrade, UpgradingTwiceThrows) {
  connection_peers peers;
  echo_record record;
  echo_record second;
  peers.context.handler = [&](exchange& with) -> task<> {
    accept(with, record);
    EXPECT_TRUE(with.upgraded());
    EXPECT_FALSE(with.upgradable());
    EXPECT_THROW(with.upgrade(std::make_unique<echo_driver>(with.transport(), second)), std::logic_error);
    co_return;
  };
  EXPECT_EQ(peers.answer_to_all(std::string(upgrade) + "text"), std::string(switched) + "text");
  EXPECT_EQ(record.received, "text");
}

// Kestrel: UpgradeAsync on plain GET throws; response 200.
TEST(Http1Upgrade, WhatDoesNotAskForItCannotBeUpgraded) {
  for (const std::string_view request :
       {get, std::string_view("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\r\n"),
        std::string_view("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\n\r\n"),
        std::string_view("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nUpgrade: echo\r\n\r\n"),
        std::string_view("GET / HTTP/1.0\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo\r\n\r\n")}) {
    connection_peers peers;
    echo_record record;
    peers.context.handler = [&](exchange& with) -> task<> {
      EXPECT_FALSE(with.upgradable());
      EXPECT_THROW(with.upgrade(std::make_unique<echo_driver>(with.transport(), record)), std::logic_error);
      co_await with.response().write("still HTTP");
    };
    const std::string received = peers.answer_to_all(request);
    EXPECT_EQ(status_lines(received), std::vector<std::string>{"HTTP/1.1 200 OK"}) << request;
    EXPECT_EQ(body_of(received), "still HTTP");
  }
}

// Kestrel: POST Content-Length 1 + Connection: Upgrade -> not upgradable, body readable, 200. POST chunked + Upgrade ->
// not upgradable, 11 bytes readable.
TEST(Http1Upgrade, ARequestWithABodyIsNotUpgradableAndItsBodyIsReadable) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n";
  for (const auto& [framed, body] : std::vector<std::pair<std::string, std::string>>{
           {"Content-Length: 1\r\n\r\nA", "A"},
           {"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"}}) {
    connection_peers peers;
    echo_record record;
    peers.context.handler = [&](exchange& with) -> task<> {
      EXPECT_FALSE(with.upgradable());
      const std::string read = co_await with.request().read_all();
      EXPECT_THROW(with.upgrade(std::make_unique<echo_driver>(with.transport(), record)), std::logic_error);
      co_await with.response().write(read);
    };
    EXPECT_EQ(body_of(peers.answer_to_all(head + framed)), body);
  }
}

// Kestrel: POST Content-Length 0 + `Connection: Upgrade, keep-alive` and GET -> upgradable.
TEST(Http1Upgrade, APostWithoutABodyIsUpgradable) {
  connection_peers peers;
  echo_record record;
  peers.context.handler = accepting(record);
  EXPECT_EQ(peers.answer_to_all("POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, keep-alive\r\nUpgrade: echo\r\n"
                                "Content-Length: 0\r\n\r\ntext"),
            std::string(switched) + "text");
}

// Kestrel: client FIN: reading the upgraded stream ends without exception.
TEST(Http1Upgrade, TheClientsEndReachesTheNewProtocol) {
  connection_peers peers;
  echo_record record;
  peers.context.handler = accepting(record);
  peers.connect();
  peers.send(upgrade);
  peers.run_until_received("\r\n\r\n");
  peers.client_end->close();
  peers.run_until_gone();
  EXPECT_EQ(record.ended, 1);
  EXPECT_EQ(record.failed, 0);
  EXPECT_TRUE(peers.client.ended);
}

// Kestrel: no 101 sent: connection stays open and a second request may upgrade.
TEST(Http1Upgrade, ARequestThatNobodyUpgradedLeavesTheConnectionForAnother) {
  connection_peers peers;
  echo_record record;
  int requests = 0;
  peers.context.handler = [&](exchange& with) -> task<> {
    EXPECT_TRUE(with.upgradable());
    if (++requests == 2) accept(with, record);
    co_return;
  };
  peers.connect();
  peers.send(upgrade);
  peers.run_until_received("\r\n\r\n");
  EXPECT_EQ(status_lines(peers.client.received), std::vector<std::string>{"HTTP/1.1 200 OK"});
  peers.client.received.clear();
  peers.send(std::string(upgrade) + "text");
  peers.run_until_received("text");
  EXPECT_EQ(peers.client.received, std::string(switched) + "text");
}

TEST(Http1Upgrade, AResponseThatHasStartedCannotBecomeAnUpgrade) {
  connection_peers peers;
  echo_record record;
  peers.context.handler = [&](exchange& with) -> task<> {
    co_await with.response().flush();
    EXPECT_THROW(with.upgrade(std::make_unique<echo_driver>(with.transport(), record)), std::logic_error);
    EXPECT_FALSE(with.upgraded());
  };
  EXPECT_EQ(status_lines(peers.answer_to_all(upgrade)), std::vector<std::string>{"HTTP/1.1 200 OK"});
}

TEST(Http1Upgrade, AClientThatHadEndedBeforeTheUpgradeIsNotWaitedFor) {
  connection_peers peers;
  echo_record record;
  peers.context.handler = accepting_after(1ms, record);
  EXPECT_EQ(peers.answer_to_all(upgrade), switched);
  EXPECT_EQ(record.ended, 1);
  EXPECT_EQ(record.failed, 0);
}

TEST(Http1Upgrade, AFailureAfterAnEndBeforeTheUpgradeReachesTheNewProtocol) {
  connection_peers peers;
  echo_record record;
  peers.context.handler = [&record](exchange& with) -> task<> {
    co_await sleep_for(1s);
    accept(with, record);
    with.abort();
  };
  peers.connect();
  peers.send(upgrade);
  peers.client_end->close();
  peers.run_until_gone();
  EXPECT_EQ(record.failed, 1);
  EXPECT_TRUE(record.destroyed);
}

TEST(Http1Upgrade, AClientThatHasGoneIsNoMistakeOfTheHandler) {
  connection_peers peers;
  echo_record record;
  int status = 0;
  peers.context.handler = [&](exchange& with) -> task<> {
    co_await sleep_for(1ms);
    try {
      accept(with, record);
    } catch (const bad_http_request& error) {
      status = error.status();
    }
  };
  peers.connect();
  peers.send(upgrade);
  peers.run_idle();
  peers.client_end->abort();
  peers.run_until_gone();
  EXPECT_EQ(status, 499);
  EXPECT_TRUE(record.destroyed) << "the driver that was offered is gone as well";
}

TEST(Http1Upgrade, AFailureReachesTheNewProtocol) {
  connection_peers peers;
  echo_record record;
  peers.context.handler = accepting(record);
  peers.connect();
  peers.send(upgrade);
  peers.run_until_received("\r\n\r\n");
  peers.client_end->abort();
  peers.run_until_gone();
  EXPECT_EQ(record.failed, 1);
  EXPECT_EQ(record.ended, 0);
}

TEST(Http1Upgrade, DrainingReachesTheNewProtocol) {
  connection_peers peers;
  echo_record record;
  peers.context.handler = accepting(record);
  peers.connect();
  peers.send(upgrade);
  peers.run_until_received("\r\n\r\n");
  peers.loop.drain_all();
  peers.run_until_end();
  EXPECT_EQ(record.drained, 1);
  EXPECT_EQ(peers.client.received, std::string(switched) + "bye");
  peers.client_end->close();
  peers.run_until_gone();
}

TEST(Http1Upgrade, DrainingThatBeganBeforeTheUpgradeReachesTheNewProtocol) {
  connection_peers peers;
  echo_record record;
  peers.context.handler = accepting_after(1ms, record);
  peers.connect();
  peers.send(upgrade);
  peers.run_idle();
  peers.loop.drain_all();
  peers.run_until_end();
  EXPECT_EQ(record.drained, 1);
  EXPECT_EQ(peers.client.received, std::string(switched) + "bye");
  peers.client_end->close();
  peers.run_until_gone();
}

TEST(Http1Upgrade, TheConnectionLivesUntilTheHandlerHasEndedToo) {
  connection_peers peers;
  echo_record record;
  bool ended = false;
  peers.context.handler = [&](exchange& with) -> task<> {
    accept(with, record);
    co_await sleep_for(1h);
    EXPECT_FALSE(record.destroyed);
    EXPECT_EQ(with.request().path(), "/up");
    ended = true;
  };
  peers.connect();
  peers.send(upgrade);
  peers.run_until_received("\r\n\r\n");
  peers.client_end->abort();
  peers.run_until_gone();
  EXPECT_TRUE(ended);
  EXPECT_EQ(peers.loop.now(), net::time_point(1h));
}

TEST(Http1Upgrade, AHandlerThatFailsBehindTheUpgradeLeavesTheNewProtocolAlone) {
  connection_peers peers;
  echo_record record;
  peers.context.handler = [&](exchange& with) -> task<> {
    accept(with, record);
    throw std::runtime_error("not my business any more");
    co_return;
  };
  EXPECT_EQ(peers.answer_to_all(std::string(upgrade) + "text"), std::string(switched) + "text");
  EXPECT_NE(peers.log.lines.find("not my business any more"), std::string::npos);
}

// The loop goes while a handler is suspended: its locals may refer to the new protocol's driver, which must still be
// there.
TEST(Http1Upgrade, AFrameThatGoesWithTheLoopMayStillLookAtTheDriver) {
  echo_record record;
  bool looked = false;
  {
    connection_peers peers;
    peers.context.handler = [&](exchange& with) -> task<> {
      auto owned = std::make_unique<echo_driver>(with.transport(), record);
      struct guard {
        const echo_driver& driver;
        bool& looked;
        ~guard() { looked = driver.is_there(); }
      } const local{*owned, looked};
      with.upgrade(std::move(owned));
      co_await sleep_for(1h);
    };
    peers.connect();
    peers.send(upgrade);
    peers.run_until_received("\r\n\r\n");
  }
  EXPECT_TRUE(looked);
  EXPECT_TRUE(record.destroyed);
}

TEST(Http1Upgrade, HeadersAreKeptInOneBlockOrDropped) {
  for (const bool keep : {true, false}) {
    connection_peers peers;
    echo_record record;
    peers.context.handler = [&](exchange& with) -> task<> {
      accept(with, record);
      with.shrink(keep);
      EXPECT_EQ(with.request().header("Upgrade").has_value(), keep);
      EXPECT_EQ(with.request().headers().capacity() > 0, keep);
      EXPECT_EQ(with.request().path(), "/up");
      co_return;
    };
    EXPECT_EQ(peers.answer_to_all(upgrade), switched);
  }
}

class Http1UpgradeOnSockets : public ::testing::TestWithParam<test::kind_of_transport> {};
INSTANTIATE_TEST_SUITE_P(All, Http1UpgradeOnSockets, test::every_kind(), test::kind_name);

TEST_P(Http1UpgradeOnSockets, EchoesWhatComesWithTheRequestAndWhatComesLater) {
  connection_peers peers(GetParam());
  echo_record record;
  peers.context.handler = accepting_after(1ms, record);
  peers.connect();
  peers.send(std::string(upgrade) + "with the request");
  peers.run_until_received("with the request");
  peers.send(std::string(300'000, 'x') + "later");
  peers.run_until_received("later");
  peers.client_end->close();
  peers.run_until_gone();
  EXPECT_TRUE(peers.client.ended);
  EXPECT_EQ(record.received.size(), 300'021U);
}

TEST_P(Http1UpgradeOnSockets, AClientThatHadEndedBeforeTheUpgradeIsNotWaitedFor) {
  connection_peers peers(GetParam());
  echo_record record;
  peers.context.handler = [&record](exchange& with) -> task<> {
    // The stop token tells when the end has arrived.
    while (!with.aborted().stop_requested()) co_await sleep_for(1ms);
    accept(with, record);
  };
  const std::string received = peers.answer_to_all(upgrade);
  EXPECT_TRUE(received.starts_with("HTTP/1.1 101 ")) << received;
  EXPECT_EQ(record.ended, 1);
}

}  // namespace
}  // namespace windhover::http
