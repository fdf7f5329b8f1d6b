// The exchange by itself, over a backend that writes down what it is told.
#include "http/exchange.hpp"

#include <coroutine>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "support/transports.hpp"
#include "support/virtual_engine.hpp"

namespace windhover::http {
namespace {

class recording_backend final : public exchange_backend {
 public:
  explicit recording_backend(net::transport& on) noexcept : on_(on) {}

  net::transport& transport() noexcept override { return on_; }
  void write_head(int status, const headers& fields, response_framing framing) override {
    log += std::to_string(status);
    for (const headers::field field : fields) log += " " + std::string(field.name) + "=" + std::string(field.value);
    log += framing == response_framing::none       ? " none"
           : framing == response_framing::streamed ? " streamed"
                                                   : " length";
    log += "\n";
  }
  void write_upgrade_head(int, const headers& fields) override { write_head(101, fields, response_framing::none); }
  void write_body(std::span<const std::byte> bytes) override {
    log += bytes.size() > 100 ? std::to_string(bytes.size()) + " bytes" : "'" + std::string(test::text_of(bytes)) + "'";
    log += "\n";
  }
  void end_body() override { log += "end\n"; }
  void break_off() noexcept override { log += "broken off\n"; }
  bool wants_body() const noexcept override { return !is_head; }
  bool may_have_body(int) const noexcept override { return true; }
  bool writable() const noexcept override { return true; }
  void wait_writable(std::coroutine_handle<>) override {}
  bool connected() const noexcept override { return true; }
  bool start_reading(std::span<std::byte>, std::coroutine_handle<>) override { return false; }
  bool reading_is_done() const noexcept override { return true; }
  std::size_t body_read() override { return 0; }
  std::optional<net::place> enter_upgraded() override { return has_place ? std::optional(net::place()) : std::nullopt; }
  bool upgradable() const noexcept override { return may_upgrade; }
  void upgrade(std::unique_ptr<net::driver> next) override {
    successor = std::move(next);
    log += "upgraded\n";
  }

  std::string log;
  std::unique_ptr<net::driver> successor;
  bool is_head = false;
  bool may_upgrade = false;
  bool has_place = true;

 private:
  net::transport& on_;
};

class Exchange : public ::testing::Test {
 protected:
  static wire::http1::request_head head_for(std::string_view target) {
    wire::http1::request_head head;
    head.method = "GET";
    head.target = target;
    return head;
  }
  void write(std::string_view text) { static_cast<void>(with.response().write(text)); }

  net::event_loop loop{std::make_unique<test::virtual_engine>()};
  std::pair<net::pipe_end*, net::pipe_end*> pipe = net::memory_pipe::make(loop);
  recording_backend backend{*pipe.first};
  exchange with{backend, head_for("/a%20b/../c%2Fd?x=1&Y=a%20b")};
};

// ----- The request

TEST_F(Exchange, TheTargetIsKeptAndThePathIsDecoded) {
  EXPECT_EQ(with.request().target(), "/a%20b/../c%2Fd?x=1&Y=a%20b");
  EXPECT_EQ(with.request().path(), "/c%2Fd");
  EXPECT_EQ(with.request().query(), "x=1&Y=a%20b");
  EXPECT_EQ(with.request().query_value("y"), "a b");
  EXPECT_EQ(with.request().query_value("z"), std::nullopt);
  const exchange plain(backend, head_for("/plain"));
  EXPECT_EQ(plain.request().path(), "/plain");
  EXPECT_EQ(plain.request().query(), "");
}

TEST_F(Exchange, AMalformedEscapeInThePathIsABadRequest) {
  for (const std::string_view target : {"/%", "/%z1", "/a%0", "/%00"}) {
    EXPECT_THROW(exchange(backend, head_for(target)), bad_http_request) << target;
  }
  EXPECT_NO_THROW(exchange(backend, head_for("/?%zz")));
}

TEST_F(Exchange, TellsWhatIsKnownOfTheBody) {
  using wire::http1::body_framing;
  const auto with_framing = [](body_framing framing, std::uint64_t length) {
    wire::http1::request_head head = head_for("/");
    head.framing = framing;
    head.content_length = length;
    return head;
  };
  const exchange none(backend, with_framing(body_framing::none, 0));
  EXPECT_FALSE(none.request().has_body());
  EXPECT_EQ(none.request().content_length(), 0U);
  const exchange empty(backend, with_framing(body_framing::content_length, 0));
  EXPECT_FALSE(empty.request().has_body());
  const exchange some(backend, with_framing(body_framing::content_length, 7));
  EXPECT_TRUE(some.request().has_body());
  EXPECT_EQ(some.request().content_length(), 7U);
  const exchange chunked(backend, with_framing(body_framing::chunked, 0));
  EXPECT_TRUE(chunked.request().has_body());
  EXPECT_EQ(chunked.request().content_length(), std::nullopt);
}

TEST_F(Exchange, EndpointsAreKnown) {
  EXPECT_EQ(with.remote_endpoint().to_string(), "memory");
  EXPECT_EQ(with.local_endpoint().to_string(), "memory");
}

// ----- The response

TEST_F(Exchange, NothingSetIsAnEmpty200) {
  EXPECT_FALSE(with.response().touched());
  with.finish();
  EXPECT_EQ(backend.log, "200 Content-Length=0 length\nend\n");
  EXPECT_TRUE(with.response().started());
}

TEST_F(Exchange, AShortBodyIsGatheredAndGetsItsLength) {
  with.response().status(201);
  with.response().content_type("text/plain");
  write("one ");
  write("two");
  EXPECT_EQ(backend.log, "");
  EXPECT_FALSE(with.response().started());
  EXPECT_TRUE(with.response().touched());
  with.finish();
  EXPECT_EQ(backend.log, "201 Content-Type=text/plain Content-Length=7 length\n'one two'\nend\n");
}

TEST_F(Exchange, From16KiBOnTheBodyIsStreamed) {
  write(std::string(16384, 'x'));
  EXPECT_EQ(backend.log, "");
  write("y");
  EXPECT_EQ(backend.log, "200 streamed\n16384 bytes\n'y'\n");
  with.finish();
  EXPECT_TRUE(backend.log.ends_with("'y'\nend\n"));
}

TEST_F(Exchange, AnAnnouncedLengthIsKeptWhenTheBodyIsStreamed) {
  with.response().header("Content-Length", "20000");
  write(std::string(20'000, 'x'));
  with.finish();
  EXPECT_EQ(backend.log, "200 Content-Length=20000 length\n20000 bytes\nend\n");
}

TEST_F(Exchange, LessThanAnnouncedBreaksOff) {
  with.response().header("Content-Length", "5");
  write("four");
  with.finish();
  EXPECT_EQ(backend.log, "200 Content-Length=5 length\n'four'\nbroken off\n");
}

TEST_F(Exchange, MoreThanAnnouncedThrowsAndIsNotWritten) {
  with.response().header("Content-Length", "5");
  write("four");
  EXPECT_THROW(write("five"), std::logic_error);
  write("5");
  with.finish();
  EXPECT_EQ(backend.log, "200 Content-Length=5 length\n'four5'\nend\n");
}

TEST_F(Exchange, ALengthThatIsSetTooSmallAfterTheWritesThrowsBeforeAnythingIsSent) {
  write("four");
  with.response().header("Content-Length", "3");
  EXPECT_THROW(with.finish(), std::logic_error);
  EXPECT_EQ(backend.log, "");
}

TEST_F(Exchange, HeadGetsTheHeadAlone) {
  backend.is_head = true;
  write("four");
  with.finish();
  EXPECT_EQ(backend.log, "200 Content-Length=4 length\nend\n");
}

TEST_F(Exchange, NoContentHasNeitherBodyNorFraming) {
  with.response().status(204);
  write("lost");
  with.finish();
  EXPECT_EQ(backend.log, "204 none\nend\n");
}

TEST_F(Exchange, ResetTakesEverythingBack) {
  with.response().status(404);
  with.response().header("X", "1");
  with.response().header("Content-Length", "2");
  write("ab");
  with.response().reset();
  EXPECT_FALSE(with.response().touched());
  EXPECT_EQ(with.response().status(), 200);
  write("fresh");
  with.finish();
  EXPECT_EQ(backend.log, "200 Content-Length=5 length\n'fresh'\nend\n");
}

TEST_F(Exchange, WhatIsSetBehindTheHeadThrows) {
  static_cast<void>(with.response().flush());
  EXPECT_TRUE(with.response().started());
  EXPECT_THROW(with.response().status(404), std::logic_error);
  EXPECT_THROW(with.response().header("X", "1"), std::logic_error);
  EXPECT_THROW(with.response().add_header("X", "1"), std::logic_error);
  EXPECT_THROW(with.response().remove_header("X"), std::logic_error);
  EXPECT_THROW(with.response().reset(), std::logic_error);
  write("but the body goes on");
  EXPECT_EQ(backend.log, "200 streamed\n'but the body goes on'\n");
}

TEST_F(Exchange, RefusesStatusesAndHeadersThatAreNone) {
  EXPECT_THROW(with.response().status(101), std::invalid_argument);
  EXPECT_THROW(with.response().status(600), std::invalid_argument);
  EXPECT_THROW(with.response().header("X", "a\r\nSet-Cookie: b"), std::invalid_argument);
  EXPECT_THROW(with.response().header("X Y", "a"), std::invalid_argument);
  with.finish();
  EXPECT_EQ(backend.log, "200 Content-Length=0 length\nend\n");
}

TEST_F(Exchange, HeadersAreReplacedAddedAndRemoved) {
  http_response& response = with.response();
  response.header("A", "1");
  response.header("a", "2");
  response.add_header("B", "1");
  response.add_header("B", "2");
  response.header("C", "1");
  response.remove_header("c");
  EXPECT_EQ(response.headers().size(), 3U);
  with.finish();
  EXPECT_EQ(backend.log, "200 a=2 B=1 B=2 Content-Length=0 length\nend\n");
}

TEST_F(Exchange, FinishingTwiceIsFinishingOnceAndThenNothingCanBeWritten) {
  with.finish();
  with.finish();
  EXPECT_EQ(backend.log, "200 Content-Length=0 length\nend\n");
  EXPECT_THROW(write("too late"), std::logic_error);
}

// ----- The way out

TEST_F(Exchange, AnUpgradeSends101BeforeTheDriverIsReplaced) {
  backend.may_upgrade = true;
  with.response().header("Upgrade", "x");
  with.upgrade(std::make_unique<test::recording_driver>(*pipe.first));
  EXPECT_EQ(backend.log, "101 Upgrade=x none\nupgraded\n");
  EXPECT_TRUE(with.upgraded());
  EXPECT_FALSE(with.upgradable());
  with.finish();
  EXPECT_EQ(backend.log, "101 Upgrade=x none\nupgraded\n");
}

TEST_F(Exchange, AnUpgradeForWhichThereIsNoPlaceIs503AndCanBeAnswered) {
  backend.may_upgrade = true;
  backend.has_place = false;
  try {
    with.upgrade(nullptr);
    FAIL() << "it was upgraded";
  } catch (const bad_http_request& error) {
    EXPECT_EQ(error.status(), 503);
  }
  EXPECT_FALSE(with.upgraded());
  EXPECT_EQ(backend.log, "");
}

TEST_F(Exchange, AnUpgradeThatIsNotPossibleThrowsAndChangesNothing) {
  EXPECT_FALSE(with.upgradable());
  EXPECT_THROW(with.upgrade(std::make_unique<test::recording_driver>(*pipe.first)), std::logic_error);
  EXPECT_FALSE(with.upgraded());
  EXPECT_FALSE(with.response().started());
  backend.may_upgrade = true;
  static_cast<void>(with.response().flush());
  EXPECT_THROW(with.upgrade(std::make_unique<test::recording_driver>(*pipe.first)), std::logic_error);
  EXPECT_FALSE(with.upgraded());
}

// ----- The token

TEST_F(Exchange, TheTokenIsStoppedOnceWhetherAskedForBeforeOrAfter) {
  const std::stop_token before = with.aborted();
  int calls = 0;
  const std::stop_callback count(before, [&calls] { ++calls; });
  EXPECT_FALSE(before.stop_requested());
  with.note_aborted();
  with.note_aborted();
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(before.stop_requested());

  exchange other(backend, head_for("/"));
  other.note_aborted();
  EXPECT_TRUE(other.aborted().stop_requested());
}

}  // namespace
}  // namespace windhover::http
