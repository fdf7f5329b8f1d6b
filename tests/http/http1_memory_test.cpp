// HTTP/1.1 when memory runs out: whichever allocation of a connection's requests fails, what is answered is whole or
// broken off, the connection ends by itself, and nothing of it is left. This program has operator new replaced.
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "failing_peers.hpp"
#include "http/static_files.hpp"

namespace windhover::http {
namespace {

using simulation::failing_allocation;
using namespace std::chrono_literals;

const std::string page(1000, 'p');

// Bodies that are read and written, at once and later, a handler that fails, and files.
task<> serve(const static_files& files, exchange& with) {
  if (files.may_serve(with)) {
    const bool served = co_await files.serve(with);
    if (served) co_return;
  }
  const std::string_view path = with.request().path();
  if (path == "/late") co_await sleep_for(1ms);
  const std::string body = co_await with.request().read_all();
  if (path == "/fails") throw std::runtime_error("as it was told");
  with.response().header("X-Length", std::to_string(body.size()));
  if (path == "/large") {
    const std::string large(100'000, 'x');
    co_await with.response().write(large);
  }
  co_await with.response().write(body);
}

std::string conversation() {
  const std::string host = " HTTP/1.1\r\nHost: a\r\n";
  const std::string five = "Content-Length: 5\r\n";
  return "POST /" + host + five + "\r\nhello" +                                                                   //
         "POST /late" + host + "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n" +             //
         "GET /page.html" + host + "\r\n" +                                                                       //
         "GET /page.html" + host + "Range: bytes=10-19\r\n\r\n" +                                                 //
         "POST /fails" + host + "Expect: 100-continue\r\n" + five + "\r\nhello" +                                 //
         "GET /large" + host + "\r\n" +                                                                           //
         "HEAD /page.html" + host + "\r\n" +                                                                      //
         "GET /?a=%41&b=a-value-that-is-not-kept-in-place" + host + "Cookie: a=b\r\nConnection: close\r\n\r\n" +  //
         "GET /unread" + host + "\r\n";
}

// Whether an allocation has failed in it.
bool converse(const static_files& files, std::uint64_t failing) {
  connection_peers peers;
  peers.context.handler = [&files](exchange& with) { return serve(files, with); };
  const bool failed = run_with_failing(peers, conversation(), failing);
  const std::string& answer = peers.client.received;
  EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 ")) << answer;
  const std::vector<std::string> lines = status_lines(answer);
  EXPECT_TRUE(failed || lines == (std::vector<std::string>{"HTTP/1.1 200 OK", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK",
                                                           "HTTP/1.1 206 Partial Content", "HTTP/1.1 100 Continue",
                                                           "HTTP/1.1 500 Internal Server Error", "HTTP/1.1 200 OK",
                                                           "HTTP/1.1 200 OK", "HTTP/1.1 200 OK"}))
      << ::testing::PrintToString(lines);
  return failed;
}

// Whether an allocation has failed for a client that ends within the body of its request.
bool end_within_body(std::uint64_t failing) {
  connection_peers peers;
  int status = 0;
  peers.context.handler = [&status](exchange& with) -> task<> {
    try {
      co_await with.request().read_all();
    } catch (const bad_http_request& error) {
      status = error.status();
    }
  };
  peers.client.received.reserve(10'000);
  peers.log.lines.reserve(10'000);
  peers.connect();
  peers.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nab");
  peers.run_idle();
  bool failed = false;
  {
    const failing_allocation failure(failing);
    peers.client_end->close();
    peers.run_idle();
    failed = failure.has_come();
  }
  EXPECT_TRUE(failed || status == 499) << status;
  if (!peers.client.failed && peers.client_end != nullptr) peers.loop.abort_all();
  peers.run_until_gone();
  return failed;
}

TEST(Http1Memory, AClientMayEndWithinABodyWhenThereIsNone) { simulation::fail_each_allocation(1, end_within_body); }

TEST(Http1Memory, WhicheverAllocationFailsNothingIsLeft) {
  const std::vector<embedded_file> site = {{"/page.html", "", page}};
  const static_files files(site, {});
  simulation::fail_each_allocation(50, [&files](std::uint64_t failing) { return converse(files, failing); });
}

}  // namespace
}  // namespace windhover::http
