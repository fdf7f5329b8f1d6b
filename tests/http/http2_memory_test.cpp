// HTTP/2 when memory runs out: whichever allocation of a conversation fails, the conversation ends by itself, nothing
// of it is left, and the handlers have ended. This program has operator new replaced.
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "failing_peers.hpp"
#include "http2_peers.hpp"
#include <windhover/sleep_for.hpp>

namespace windhover::http {
namespace {

using namespace std::chrono_literals;

// Requests with bodies, one that is streamed, one that is reset, and one that fails.
task<> serve(exchange& with) {
  const std::string_view path = with.request().path();
  if (path == "/late") co_await sleep_for(1ms);
  const std::string body = co_await with.request().read_all();
  if (path == "/large") {
    const std::string large(100'000, 'x');
    co_await with.response().write(large);
  }
  co_await with.response().write(body);
}

// True when an allocation has failed in it.
bool converse(std::uint64_t failing) {
  test::http2_peer writer;
  const std::string stream = test::http2_peer::begin() + writer.get(1, "/large") + writer.post(3, "/", "hello") +
                             writer.post(5, "/late", "hello") + writer.get(7, "/late") + test::rst_stream(7) +
                             test::ping();
  connection_peers peers;
  peers.context.handler = serve;
  const bool failed = run_with_failing(peers, stream, failing);
  EXPECT_EQ(peers.context.counters->http2_streams.value(), 0U);
  return failed;
}

TEST(Http2Memory, WhicheverAllocationFailsNothingIsLeft) { simulation::fail_each_allocation(100, converse); }

}  // namespace
}  // namespace windhover::http
