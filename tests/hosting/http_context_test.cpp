#include <any>
#include <stdexcept>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "hosting/pipeline.hpp"
#include "http/connection_peers.hpp"
#include <windhover/http_context.hpp>
#include <windhover/sleep_for.hpp>

namespace windhover::hosting {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view request = "GET /rooms/7 HTTP/1.1\r\nHost: a\r\n\r\n";

// Contexts come from a pipeline alone.
class HttpContext : public ::testing::Test {
 protected:
  void serve_with(middleware look, http::connection_peers& on) {
    served.add(std::move(look));
    on.context.handler = [this, &on](http::exchange& exchange) { return served.serve(exchange, on.log); };
  }
  // Lets a plain function look at the context of one request, and at what stands behind it.
  void look(const std::function<void(http_context&)>& at) {
    http::connection_peers peers;
    serve_with(
        [&at](http_context& context, next_middleware) {
          at(context);
          return done();
        },
        peers);
    peers.answer_to_all(request);
    EXPECT_EQ(peers.log.lines, "");
  }

  pipeline served;
};

TEST_F(HttpContext, RequestAndResponseAreThere) {
  look([](http_context& context) {
    EXPECT_EQ(context.request().path(), "/rooms/7");
    EXPECT_EQ(&std::as_const(context).request(), &context.request());
    EXPECT_FALSE(context.response().started());
  });
}

TEST_F(HttpContext, ItemsAreLeftForThoseBehind) {
  served.add([](http_context& context, next_middleware next) {
    context.items()["user"] = std::string("Ann");
    context.items()["age"] = 42;
    return next();
  });
  look([](http_context& context) {
    ASSERT_NE(context.item<std::string>("user"), nullptr);
    EXPECT_EQ(*context.item<std::string>("user"), "Ann");
    EXPECT_EQ(*context.item<int>("age"), 42);
    EXPECT_EQ(context.item<long>("age"), nullptr) << "another type";
    EXPECT_EQ(context.item<int>("size"), nullptr) << "another name";
    context.items().erase("age");
    EXPECT_EQ(context.item<int>("age"), nullptr);
  });
}

TEST_F(HttpContext, WithoutItemsThereIsNone) {
  look([](http_context& context) {
    EXPECT_EQ(context.item<int>("age"), nullptr);
    EXPECT_TRUE(context.items().empty());
  });
}

TEST_F(HttpContext, EveryRequestHasItsOwnItems) {
  http::connection_peers peers;
  int seen = 0;
  serve_with(
      [&seen](http_context& context, next_middleware) {
        seen += context.item<int>("mark") == nullptr ? 1 : 100;
        context.items()["mark"] = 1;
        return done();
      },
      peers);
  peers.answer_to_all(std::string(request) + std::string(request));
  EXPECT_EQ(seen, 2);
}

TEST_F(HttpContext, RouteValuesAreFoundByNameWithoutRegardToCase) {
  http::connection_peers peers;
  std::string values;
  served.routes().add({}, "/rooms/{id}", [&values](http_context& context) {
    values = std::string(context.route_value("id")) + std::string(context.route_value("ID")) +
             std::string(context.route_value("name"));
    return done();
  });
  peers.context.handler = [&](http::exchange& exchange) { return served.serve(exchange, peers.log); };
  peers.answer_to_all(request);
  EXPECT_EQ(values, "77");
}

TEST_F(HttpContext, RouteValuesArePercentDecodedWithoutTheSlash) {
  http::connection_peers peers;
  std::string value;
  served.routes().add({}, "/rooms/{id}", [&value](http_context& context) {
    value = context.route_value("id");
    return done();
  });
  peers.context.handler = [&](http::exchange& exchange) { return served.serve(exchange, peers.log); };
  peers.answer_to_all("GET /rooms/a%20b%2Fc HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(value, "a b%2Fc");
}

TEST_F(HttpContext, WithoutTheMiddlewareNoRequestIsAWebSocketRequest) {
  http::connection_peers peers;
  std::string what;
  serve_with(
      [&what](http_context& context, next_middleware) -> task<> {
        EXPECT_FALSE(context.websockets().is_websocket_request());
        EXPECT_EQ(context.websockets().requested_protocols(), std::vector<std::string_view>{"alpha"});
        try {
          const websocket socket = co_await context.websockets().accept();
        } catch (const std::logic_error& error) {
          what = error.what();
        }
        context.response().status(418);
      },
      peers);
  const std::string answer = peers.answer_to_all(
      "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: alpha\r\n\r\n");
  EXPECT_EQ(what, "WebSockets are not supported: call use_websockets() first");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 418 ")) << answer;
}

// ----- The connection

TEST_F(HttpContext, TheEndpointsOfATcpConnectionAreKnownAndStayKnown) {
  http::connection_peers peers(test::kind_of_transport::tcp_epoll);
  std::string before;
  std::string after;
  serve_with(
      [&](http_context& context, next_middleware) -> task<> {
        before = context.local_endpoint().to_string() + " " + context.remote_endpoint().to_string();
        context.abort();
        co_await sleep_for(1ms);
        after = context.local_endpoint().to_string() + " " + context.remote_endpoint().to_string();
      },
      peers);
  peers.connect();
  const std::string expected =
      peers.client_end->remote_endpoint().to_string() + " " + peers.client_end->local_endpoint().to_string();
  peers.send(request);
  peers.run_until_gone();
  EXPECT_TRUE(before.starts_with("127.0.0.1:")) << before;
  EXPECT_EQ(before, expected);
  EXPECT_EQ(after, expected);
}

TEST_F(HttpContext, AUnixSocketIsAnEndpoint) {
  http::connection_peers peers(test::kind_of_transport::unix_epoll);
  serve_with(
      [](http_context& context, next_middleware) {
        EXPECT_EQ(context.remote_endpoint().type, endpoint::kind::unix_socket);
        EXPECT_EQ(context.local_endpoint().type, endpoint::kind::unix_socket);
        context.response().status(204);
        return done();
      },
      peers);
  EXPECT_TRUE(peers.answer_to_all(request).starts_with("HTTP/1.1 204 "));
}

TEST_F(HttpContext, AbortEndsTheConnectionWithoutAnAnswer) {
  http::connection_peers peers;
  bool aborted = false;
  serve_with(
      [&aborted](http_context& context, next_middleware) -> task<> {
        context.abort();
        // Its effects come later, from the loop.
        co_await sleep_for(1s);
        aborted = context.request_aborted().stop_requested();
      },
      peers);
  peers.connect();
  peers.send(request);
  peers.run_until_gone();
  EXPECT_TRUE(peers.client.failed);
  EXPECT_EQ(peers.client.received, "");
  EXPECT_TRUE(aborted);
}

// The handler sleeps for an hour, unless the client goes.
class RequestAborted : public HttpContext {
 protected:
  RequestAborted() {
    serve_with(
        [this](http_context& context, next_middleware) -> task<> {
          const bool slept = co_await sleep_for(1h, context.request_aborted());
          ended = slept ? "slept" : "aborted";
          // A token that is asked for later knows it too.
          EXPECT_EQ(context.request_aborted().stop_requested(), !slept);
        },
        peers);
    peers.connect();
    peers.send(request);
  }

  http::connection_peers peers;
  std::string ended;
};

TEST_F(RequestAborted, StopsWhenTheClientAbortsTheConnection) {
  peers.run_idle();
  EXPECT_EQ(ended, "");
  peers.client_end->abort();
  peers.run_until_gone();
  EXPECT_EQ(ended, "aborted");
}

TEST_F(RequestAborted, StopsWhenTheClientEndsItsStream) {
  peers.run_idle();
  EXPECT_EQ(ended, "");
  peers.client_end->close();
  peers.run_until([this] { return !ended.empty(); });
  EXPECT_EQ(ended, "aborted");
}

TEST_F(RequestAborted, DoesNotStopForAClientThatWaits) {
  peers.run_until([this] { return !ended.empty(); });
  EXPECT_EQ(ended, "slept");
}

}  // namespace
}  // namespace windhover::hosting
