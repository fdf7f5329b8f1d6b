// The same connection on sockets of every kind, where the kernel has its own ideas of pieces and ends.
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "connection_peers.hpp"

namespace windhover::http {
namespace {

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view get_and_close = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

class Http1OnSockets : public ::testing::TestWithParam<test::kind_of_transport> {};
INSTANTIATE_TEST_SUITE_P(All, Http1OnSockets, test::every_kind(), test::kind_name);

TEST_P(Http1OnSockets, AnswersPipelinedRequestsAndEndsWithTheClient) {
  connection_peers peers(GetParam());
  peers.context.handler = tell_request;
  std::string stream;
  for (int i = 0; i < 200; ++i) {
    stream += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
  }
  const std::string received = peers.answer_to_all(stream);
  EXPECT_EQ(status_lines(received).size(), 200U);
  EXPECT_TRUE(received.ends_with("POST /199 [hello]"));
}

TEST_P(Http1OnSockets, SendsALargeAnswerAndThenTheEnd) {
  connection_peers peers(GetParam());
  const std::string piece(100'000, 'x');
  peers.context.handler = [&piece](exchange& with) -> task<> {
    with.response().header("Content-Length", std::to_string(50 * piece.size()));
    for (int i = 0; i < 50; ++i) co_await with.response().write(piece);
  };
  const std::string received = peers.answer_to(get_and_close);
  EXPECT_EQ(body_of(received).size(), 5'000'000U);
  EXPECT_FALSE(peers.client.failed);
}

TEST_P(Http1OnSockets, RefusesAndLetsTheAnswerArriveThoughTheClientGoesOnSending) {
  connection_peers peers(GetParam());
  peers.context.handler = do_nothing;
  peers.connect();
  peers.send("GET / HTTP/1.1\r\n\r\n");
  for (int i = 0; i < 100; ++i) peers.send(std::string(10'000, 'x'));
  peers.run_until_end();
  EXPECT_EQ(status_lines(peers.client.received), std::vector<std::string>{"HTTP/1.1 400 Bad Request"});
  EXPECT_FALSE(peers.client.failed);
}

TEST_P(Http1OnSockets, AnAbortOfTheHandlerResetsTheConnection) {
  connection_peers peers(GetParam());
  peers.context.handler = [](exchange& with) -> task<> {
    with.abort();
    co_await with.response().write("nobody gets this");
  };
  peers.connect();
  peers.send(get);
  peers.run_until_end();
  EXPECT_EQ(peers.client.received, "");
  // Unix sockets know no reset.
  EXPECT_TRUE(test::is_unix(GetParam()) || peers.client.failed == net::failure::cause::reset);
}

}  // namespace
}  // namespace windhover::http
