#include "hosting/pipeline.hpp"

#include <stdexcept>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "http/connection_peers.hpp"
#include <windhover/sleep_for.hpp>

namespace windhover::hosting {
namespace {

using http::body_of;
using http::header_of;
using http::status_lines;
using namespace std::chrono_literals;

// A pipeline that serves requests on a memory pipe.
class Pipeline : public ::testing::Test {
 protected:
  Pipeline() {
    peers.context.handler = [this](http::exchange& exchange) { return served.serve(exchange, peers.log); };
  }

  // A middleware that notes when it is passed, inwards and outwards.
  middleware noting(std::string name) {
    return [this, name](http_context&, next_middleware next) -> task<> {
      order += name + " ";
      co_await next();
      order += "/" + name + " ";
    };
  }
  void map(std::string_view pattern, request_handler endpoint) {
    served.routes().add({}, pattern, std::move(endpoint));
  }
  void map_hello(std::string_view pattern) {
    map(pattern, [this](http_context& context) -> task<> {
      order += "endpoint ";
      co_await context.response().write("hello");
    });
  }

  // The response to one request.
  std::string get(std::string_view target, std::string_view method = "GET") {
    return peers.answer_to_all(std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  // Its status.
  std::string status_of(std::string_view target, std::string_view method = "GET") {
    const auto lines = status_lines(get(target, method));
    return lines.empty() ? "" : lines.back();
  }

  pipeline served;
  std::string order;
  http::connection_peers peers;
};

TEST_F(Pipeline, MiddlewareIsPassedInOrderAndUnwoundInReverse) {
  served.add(noting("first"));
  served.add(noting("second"));
  served.add(noting("third"));
  map_hello("/");
  const std::string answer = get("/");
  EXPECT_EQ(status_lines(answer).at(0), "HTTP/1.1 200 OK");
  EXPECT_EQ(body_of(answer), "hello");
  EXPECT_EQ(order, "first second third endpoint /third /second /first ");
}

TEST_F(Pipeline, TheOrderHoldsAcrossSuspensions) {
  served.add([this](http_context&, next_middleware next) -> task<> {
    co_await sleep_for(1s);
    order += "outer ";
    co_await next();
    co_await sleep_for(1s);
    order += "/outer ";
  });
  served.add(noting("inner"));
  map("/", [this](http_context& context) -> task<> {
    co_await sleep_for(1s);
    order += "endpoint ";
    co_await context.response().write("late");
  });
  EXPECT_EQ(body_of(get("/")), "late");
  EXPECT_EQ(order, "outer inner endpoint /inner /outer ");
}

TEST_F(Pipeline, AMiddlewareThatDoesNotCallNextEndsTheWay) {
  served.add(noting("first"));
  served.add([this](http_context& context, next_middleware) -> task<> {
    order += "short ";
    context.response().status(401);
    co_return;
  });
  served.add(noting("never"));
  map_hello("/");
  EXPECT_EQ(status_of("/"), "HTTP/1.1 401 Unauthorized");
  EXPECT_EQ(order, "first short /first ");
}

TEST_F(Pipeline, AMiddlewareThatSaysNothingAndEndsTheWayAnswers200) {
  served.add([](http_context&, next_middleware) -> task<> { co_return; });
  EXPECT_EQ(status_of("/"), "HTTP/1.1 200 OK");
}

TEST_F(Pipeline, APlainFunctionIsAMiddleware) {
  served.add([this](http_context& context, next_middleware next) {
    order += "plain ";
    context.response().header("X-Plain", "yes");
    return next();
  });
  served.add(noting("coroutine"));
  map_hello("/");
  EXPECT_EQ(header_of(get("/"), "X-Plain"), "yes");
  EXPECT_EQ(order, "plain coroutine endpoint /coroutine ");
}

TEST_F(Pipeline, AnEmptyFunctionIsNoMiddleware) { EXPECT_THROW(served.add(nullptr), std::invalid_argument); }

// ----- The end of the pipeline

TEST_F(Pipeline, ARequestWithoutAnEndpointIs404) {
  map_hello("/here");
  EXPECT_EQ(status_of("/elsewhere"), "HTTP/1.1 404 Not Found");
}

TEST_F(Pipeline, HeadersOfAMiddlewareDoNotTurnA404IntoAnAnswer) {
  served.add([](http_context& context, next_middleware next) {
    context.response().header("X-Frame-Options", "DENY");
    return next();
  });
  const std::string answer = get("/nowhere");
  EXPECT_EQ(status_lines(answer).at(0), "HTTP/1.1 404 Not Found");
  EXPECT_EQ(header_of(answer, "X-Frame-Options"), "DENY");
}

TEST_F(Pipeline, AMiddlewareSeesThe404OfThoseBehindIt) {
  int seen = 0;
  served.add([&seen](http_context& context, next_middleware next) -> task<> {
    co_await next();
    seen = context.response().status();
    if (seen == 404) co_await context.response().write("there is no such page");
  });
  EXPECT_EQ(body_of(get("/nowhere")), "there is no such page");
  EXPECT_EQ(seen, 404);
}

TEST_F(Pipeline, WhatAMiddlewareHasWrittenIsAnAnswer) {
  served.add([](http_context& context, next_middleware next) -> task<> {
    co_await context.response().write("written before ");
    co_await next();
    co_await context.response().write("and after");
  });
  const std::string answer = get("/nowhere");
  EXPECT_EQ(status_lines(answer).at(0), "HTTP/1.1 200 OK");
  EXPECT_EQ(body_of(answer), "written before and after");
}

TEST_F(Pipeline, AResponseThatHasStartedIsLeftAlone) {
  served.add([](http_context& context, next_middleware next) -> task<> {
    co_await context.response().flush();
    co_await next();
  });
  served.routes().add({"GET"}, "/get", [](http_context&) { return done(); });
  const auto lines =
      status_lines(peers.answer_to_all("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\nPUT /get HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(lines, std::vector<std::string>(2, "HTTP/1.1 200 OK"));
  EXPECT_EQ(peers.log.lines, "");
}

TEST_F(Pipeline, AnEndpointThatDoesNothingAnswers200) {
  map("/", [](http_context&) -> task<> { co_return; });
  const std::string answer = get("/");
  EXPECT_EQ(status_lines(answer).at(0), "HTTP/1.1 200 OK");
  EXPECT_EQ(header_of(answer, "Content-Length"), "0");
}

TEST_F(Pipeline, AMethodThatThePathDoesNotHaveIs405WithThoseThatItHas) {
  served.routes().add({"GET", "HEAD"}, "/room", [](http_context&) { return done(); });
  served.routes().add({"PUT"}, "/room", [](http_context&) { return done(); });
  const std::string answer = get("/room", "DELETE");
  EXPECT_EQ(status_lines(answer).at(0), "HTTP/1.1 405 Method Not Allowed");
  EXPECT_EQ(header_of(answer, "Allow"), "GET, HEAD, PUT");
}

TEST_F(Pipeline, HeadGetsTheHeadOfTheResponseAlone) {
  served.routes().add({"GET", "HEAD"}, "/", [this](http_context& context) -> task<> {
    order += std::string(context.request().method()) + " ";
    co_await context.response().write("hello");
  });
  const std::string answer = get("/", "HEAD");
  EXPECT_EQ(header_of(answer, "Content-Length"), "5");
  EXPECT_EQ(body_of(answer), "");
  EXPECT_EQ(order, "HEAD ");
}

TEST_F(Pipeline, TheRequestOfTheNextRoundIsServedToo) {
  map("/{name}", [](http_context& context) -> task<> {
    const std::string name(context.route_value("name"));
    co_await context.response().write(name);
  });
  const std::string answers = peers.answer_to_all(
      "GET /one HTTP/1.1\r\nHost: a\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto lines = status_lines(answers);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[2], "HTTP/1.1 404 Not Found");
  EXPECT_LT(answers.find("\r\n\r\none"), answers.find("\r\n\r\ntwo"));
}

// ----- Exceptions

TEST_F(Pipeline, AnExceptionBecomes500AndALineInTheLog) {
  served.add(noting("middleware"));
  map("/broken", [](http_context& context) -> task<> {
    context.response().status(202);
    context.response().header("X-Half", "done");
    co_await context.response().write("half");
    throw std::runtime_error("the handler is broken");
  });
  const std::string answer = get("/broken");
  EXPECT_EQ(status_lines(answer).at(0), "HTTP/1.1 500 Internal Server Error");
  EXPECT_EQ(header_of(answer, "X-Half"), "");
  EXPECT_EQ(body_of(answer), "");
  EXPECT_EQ(order, "middleware ");
  EXPECT_EQ(peers.log.lines, "hosting: an unhandled exception ended GET /broken: the handler is broken\n");
}

TEST_F(Pipeline, AnythingThatIsThrownBecomes500) {
  map("/broken", [](http_context&) -> task<> {
    throw 7;
    co_return;
  });
  EXPECT_EQ(status_of("/broken"), "HTTP/1.1 500 Internal Server Error");
  EXPECT_EQ(peers.log.lines,
            "hosting: an unhandled exception ended GET /broken: an exception that is no std::exception\n");
}

TEST_F(Pipeline, APlainFunctionMayThrow) {
  served.add([](http_context&, next_middleware) -> task<> { throw std::runtime_error("at once"); });
  EXPECT_EQ(status_of("/"), "HTTP/1.1 500 Internal Server Error");
  EXPECT_EQ(peers.log.lines, "hosting: an unhandled exception ended GET /: at once\n");
}

TEST_F(Pipeline, AnEmptyTaskOfAnEndpointOrAMiddlewareBecomes500AndALineInTheLog) {
  served.add([](http_context& context, next_middleware next) {
    return context.request().path() == "/short" ? task<>() : next();
  });
  served.add(noting("middleware"));
  map("/broken", [](http_context&) { return task<>(); });
  for (const std::string path : {"/short", "/broken"}) {
    peers.log.lines.clear();
    EXPECT_EQ(status_of(path), "HTTP/1.1 500 Internal Server Error");
    EXPECT_EQ(peers.log.lines,
              "hosting: an unhandled exception ended GET " + path +
                  ": the task is empty: it was default constructed or moved from; await, spawn or return the task that "
                  "a coroutine gave, and each of them once\n");
  }
  EXPECT_EQ(order, "middleware ");
}

TEST_F(Pipeline, AMiddlewareMayCatchWhatComesFromBehindIt) {
  served.add([](http_context& context, next_middleware next) -> task<> {
    std::string failure;
    try {
      co_await next();
    } catch (const std::exception& error) {
      failure = error.what();
    }
    context.response().status(503);
    co_await context.response().write(failure);
  });
  served.add([](http_context&, next_middleware) -> task<> { throw std::runtime_error("caught"); });
  const std::string answer = get("/");
  EXPECT_EQ(status_lines(answer).at(0), "HTTP/1.1 503 Service Unavailable");
  EXPECT_EQ(body_of(answer), "caught");
  EXPECT_EQ(peers.log.lines, "");
}

TEST_F(Pipeline, AnExceptionBehindTheHeadBreaksTheConnectionOff) {
  map("/", [](http_context& context) -> task<> {
    co_await context.response().write("the first half");
    co_await context.response().flush();
    throw std::runtime_error("too late");
  });
  peers.connect();
  peers.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  peers.run_until_end();
  EXPECT_TRUE(peers.client.failed);
  EXPECT_FALSE(peers.client.ended);
  EXPECT_EQ(peers.client.received.find("\r\n0\r\n"), std::string::npos) << "the end of a chunked body";
  EXPECT_EQ(peers.log.lines, "hosting: an unhandled exception ended GET /: too late\n");
}

TEST_F(Pipeline, TheConnectionGoesOnAfterAnException) {
  map("/broken", [](http_context&) -> task<> { throw std::runtime_error("broken"); });
  map_hello("/");
  const auto lines =
      status_lines(peers.answer_to_all("GET /broken HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "HTTP/1.1 500 Internal Server Error");
  EXPECT_EQ(lines[1], "HTTP/1.1 200 OK");
}

TEST_F(Pipeline, ABadRequestIsAnsweredAsItSaysAndNotLogged) {
  map("/teapot", [](http_context&) -> task<> {
    throw bad_http_request(422, "the order is not one");
    co_return;
  });
  const std::string answer = get("/teapot");
  EXPECT_EQ(status_lines(answer).at(0), "HTTP/1.1 422 Unprocessable Content");
  EXPECT_EQ(body_of(answer), "the order is not one");
  EXPECT_EQ(peers.log.lines, "");
}

TEST_F(Pipeline, ABodyThatIsTooLongIs413) {
  map("/", [](http_context& context) -> task<> {
    const std::string body = co_await context.request().read_all(4);
    co_await context.response().write(body);
  });
  const std::string answer = peers.answer_to_all("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(status_lines(answer).at(0), "HTTP/1.1 413 Content Too Large");
  EXPECT_EQ(peers.log.lines, "");
}

TEST_F(Pipeline, AClientThatGoesWithinItsBodyIsNobodysFailure) {
  map("/", [this](http_context& context) -> task<> {
    try {
      co_await context.request().read_all();
    } catch (const bad_http_request& error) {
      order += std::to_string(error.status());
      throw;
    }
  });
  peers.connect();
  peers.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
  peers.run_idle();
  peers.client_end->abort();
  peers.run_until_gone();
  EXPECT_EQ(order, "499");
  EXPECT_EQ(peers.client.received, "");
  EXPECT_EQ(peers.log.lines, "");
}

}  // namespace
}  // namespace windhover::hosting
