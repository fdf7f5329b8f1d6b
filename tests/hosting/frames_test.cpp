// Invariant 10, the idle cost: how many coroutine frames a request takes and an open WebSocket keeps. The linker puts
// the functions below between the library and its frames' memory; CMakeLists.txt names them.
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "hosting/pipeline.hpp"
#include "hosting/running_application.hpp"
#include "hosting/temporary_folder.hpp"
#include "http/connection_peers.hpp"
#include <windhover/web_application.hpp>

namespace {

std::atomic<int> made = 0;
std::atomic<int> alive = 0;

}  // namespace

// windhover::allocate_frame(std::size_t) and windhover::release_frame(void*, std::size_t).
extern "C" {
void* __real__ZN9windhover14allocate_frameEm(std::size_t size);
void __real__ZN9windhover13release_frameEPvm(void* frame, std::size_t size) noexcept;

void* __wrap__ZN9windhover14allocate_frameEm(std::size_t size) {
  ++made;
  ++alive;
  return __real__ZN9windhover14allocate_frameEm(size);
}
void __wrap__ZN9windhover13release_frameEPvm(void* frame, std::size_t size) noexcept {
  --alive;
  __real__ZN9windhover13release_frameEPvm(frame, size);
}
}

namespace windhover::hosting {
namespace {

using test::websocket_client;

// A pipeline on a memory pipe: one thread, so that every frame is accounted for.
class Frames : public ::testing::Test {
 protected:
  // The frames that one request takes.
  int frames_of_a_request() {
    http::connection_peers peers;
    peers.context.handler = [&](http::exchange& exchange) { return served.serve(exchange, peers.log); };
    const int before = made;
    peers.answer_to_all("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(alive, 0);
    return made - before;
  }

  pipeline served;
};

TEST_F(Frames, Invariant10_NextReturnsTheMiddlewaresOwnTask) {
  served.routes().add({}, "/", [](http_context&) -> task<> { co_return; });
  EXPECT_EQ(frames_of_a_request(), 2) << "the pipeline's and the endpoint's";
  served.add([](http_context&, next_middleware next) -> task<> { co_await next(); });
  EXPECT_EQ(frames_of_a_request(), 3) << "a coroutine is one more, without a dispatcher's between";
  served.add([](http_context&, next_middleware next) -> task<> { co_await next(); });
  EXPECT_EQ(frames_of_a_request(), 4);
}

TEST_F(Frames, Invariant10_APlainFunctionIsNoFrame) {
  served.routes().add({}, "/", [](http_context&) -> task<> { co_return; });
  for (int i = 0; i < 4; ++i) served.add([](http_context&, next_middleware next) { return next(); });
  EXPECT_EQ(frames_of_a_request(), 2);
}

class IdleWebSockets : public running_application {
 protected:
  // The frames that live while a socket is open whose handler waits for a message.
  template <class Handler>
  int frames_of_an_idle_socket(Handler handler) {
    const temporary_folder folder;
    make({"--contentRoot", folder.path().string(), "--threads", "1"});
    app->use([](http_context& context, next_middleware next) {
      context.response().header("X-Frame-Options", "DENY");
      return next();
    });
    app->use_websockets();
    app->use_static_files(".");
    app->use_embedded_files({{.path = "/page.html", .content_type = "text/html", .content = "page"}});
    app->map_websocket("/ws", std::move(handler));
    start();
    int living = 0;
    {
      websocket_client client(url);
      client.send_text("the handler waits from here on");
      EXPECT_EQ(client.receive_text(), "the handler waits from here on");
      // Another round, so that what comes behind the first answer has happened.
      client.send_text("again");
      EXPECT_EQ(client.receive_text(), "again");
      living = alive;
      client.close();
    }
    stop();
    EXPECT_EQ(alive, 0);
    return living;
  }
};

TEST_P(IdleWebSockets, Invariant10_BehindFourMiddlewaresTheHandlersFrameIsTheOnlyOne) {
  EXPECT_EQ(frames_of_an_idle_socket(echo), 1);
}

TEST_P(IdleWebSockets, Invariant10_AHandlerThatKeepsTheRequestCostsThePipelinesAndTheEndpointsToo) {
  EXPECT_EQ(frames_of_an_idle_socket([](websocket& socket, const http_context&) { return echo(socket); }), 3);
}

TEST_P(IdleWebSockets, Invariant10_HeadersAreOneBlockOrNone) {
  for (const bool retained : {true, false}) {
    make();
    websocket_options options;
    options.retain_request_headers = retained;
    app->use_websockets(options);
    told<std::pair<std::size_t, std::size_t>> capacities;
    app->map("/ws", [&](http_context& context) -> task<> {
      const std::size_t before = context.request().headers().capacity();
      websocket socket = co_await context.websockets().accept();
      capacities.set({before, context.request().headers().capacity()});
    });
    start();
    websocket_client(url, "/ws", "Cookie: " + std::string(1500, 'c') + "\r\n").receive_close();
    const auto [before, after] = capacities.get();
    EXPECT_LE(after, before);
    if (retained) {
      EXPECT_GT(after, 1500U);
      EXPECT_LT(after, 2000U);
    } else {
      EXPECT_EQ(after, 0U);
    }
    stop();
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, IdleWebSockets, both_engines(), engine_name);

}  // namespace
}  // namespace windhover::hosting
