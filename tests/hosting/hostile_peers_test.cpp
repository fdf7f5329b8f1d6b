// Peers that mean no good, over real sockets: very many that say nothing, those that trickle, those that never read,
// those that write to handlers which never receive, and those that go away with a reset at any point. What they have in
// common: everybody else is served, and afterwards nothing of them is left.
#include <charconv>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>

#include "running_process.hpp"
#include "support/http_client.hpp"

namespace windhover::hosting {
namespace {

using test::http_client;
using test::websocket_client;
using wire::opcode;

// Fewer where every step is watched.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t very_many = 500;
constexpr bool memory_is_the_servers = false;
#else
constexpr std::size_t very_many = 10'000;
constexpr bool memory_is_the_servers = true;
#endif

// The descriptors that this process may have, and those that it starts from now on.
void limit_open_files(std::size_t most) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(most, limit.rlim_max);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
}
constexpr std::size_t as_many_as_possible = std::numeric_limits<std::size_t>::max();

class HostilePeers : public running_process {
 protected:
  void SetUp() override {
    running_process::SetUp();
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < very_many + 2000) GTEST_SKIP() << "there are not enough descriptors here";
    limit_open_files(as_many_as_possible);
  }
  void TearDown() override {
    if (!child) return;
    child->signal(SIGTERM);
    EXPECT_EQ(child->wait_for_end(), test::child_process::end{.exit_code = 0}) << child->text();
  }

  void expect_others_are_served() {
    websocket_client other(url);
    other.send_text("and I?");
    EXPECT_EQ(other.receive_text(), "and I?");
    EXPECT_EQ(other.close(), close_code::normal_closure);
  }
  static std::size_t number_in(const std::string& counters, std::string_view name) {
    const std::string text = "\n" + counters;
    const std::size_t at = text.find("\n" + std::string(name) + " ");
    if (at == std::string::npos) throw std::runtime_error("there is no counter of that name: " + text);
    return std::stoul(text.substr(at + name.size() + 2));
  }
  // What the server has counted.
  std::size_t count(std::string_view name) { return number_in(http_client(url).get("/counters").body, name); }
  // Waits for what the loops will have noted soon.
  template <class Enough>
  void await_count(std::string_view name, Enough&& enough) {
    const auto ends = std::chrono::steady_clock::now() + std::chrono::seconds(test::patience_in_seconds);
    for (;;) {
      const std::size_t now = count(name);
      if (enough(now)) return;
      ASSERT_LT(std::chrono::steady_clock::now(), ends) << name << " stays at " << now;
      std::this_thread::yield();
    }
  }
  // Until the server has noticed that most of the others have gone.
  void await_there_is_room() {
    const auto ends = std::chrono::steady_clock::now() + std::chrono::seconds(test::patience_in_seconds);
    for (;;) {
      http_client asking(url);
      asking.send(http_client::request("GET", "/counters"));
      if (asking.fill() && number_in(asking.read_answer().body, "connections") < 100) return;
      ASSERT_LT(std::chrono::steady_clock::now(), ends) << "there is no room for anybody";
      std::this_thread::yield();
    }
  }
  void expect_nothing_is_left() {
    // The one that asks is there.
    await_count("connections", [](std::size_t now) { return now == 1; });
    await_count("websockets", [](std::size_t now) { return now == 0; });
  }
};

INSTANTIATE_TEST_SUITE_P(Engines, HostilePeers, both_engines(), engine_name);

TEST_P(HostilePeers, TheLimitOfOpenFilesIsRaisedUnlessItIsNotWanted) {
  limit_open_files(512);
  start({"--Windhover:RaiseOpenFileLimit", "false"});
  EXPECT_EQ(count("open_files"), 512U);
  TearDown();
  start();
  EXPECT_GT(count("open_files"), very_many);
}

TEST_P(HostilePeers, VeryManyThatSayNothingStopNobody) {
  start({"--Windhover:Limits:RequestHeadersTimeout", "00:00:02"});
  std::vector<http_client> silent;
  silent.reserve(very_many);
  for (std::size_t i = 0; i < very_many; ++i) silent.emplace_back(url);
  await_count("connections_accepted", [](std::size_t now) { return now >= very_many; });
  expect_others_are_served();
  // They are let go without a word.
  for (http_client& each : silent) {
    EXPECT_FALSE(each.fill());
    EXPECT_EQ(each.buffered(), "");
  }
  expect_others_are_served();
  silent.clear();
  expect_nothing_is_left();
}

TEST_P(HostilePeers, HeadsThatTrickleInAreGivenUp) {
  start({"--Windhover:Limits:RequestHeadersTimeout", "00:00:03"});
  const std::string head = http_client::request("GET", "/ws", test::handshake());
  std::vector<std::optional<http_client>> left;
  // The first byte at once: a connection without one is idle, and no request that is given up.
  for (int i = 0; i < 200; ++i) left.emplace_back(std::in_place, url)->send(head.substr(0, 1));
  // A byte of each head at a time, for as long as the server bears it.
  for (std::size_t at = 1; at + 1 < head.size(); ++at) {
    bool someone = false;
    for (auto& each : left) {
      if (!each) continue;
      try {
        each->send(std::string_view(head).substr(at, 1));
        someone = true;
      } catch (const std::system_error&) {
        each.reset();
      }
    }
    if (!someone) break;
  }
  for (auto& each : left) {
    if (!each) continue;
    // A reset may overtake the answer when bytes were still on their way.
    const std::string answer = each->read_to_end();
    EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 408 ")) << answer;
  }
  EXPECT_EQ(count("requests_timed_out"), 200U);
  expect_others_are_served();
  left.clear();
  expect_nothing_is_left();
}

TEST_P(HostilePeers, FramesThatComeInSingleBytesAreMessagesAllTheSame) {
  start();
  std::vector<websocket_client> slow;
  for (int i = 0; i < 50; ++i) slow.emplace_back(url);
  const std::string frame = websocket_client::frame(opcode::text, "one byte at a time");
  for (std::size_t at = 0; at < frame.size(); ++at) {
    for (websocket_client& each : slow) each.connection().send(std::string_view(frame).substr(at, 1));
  }
  for (websocket_client& each : slow) {
    EXPECT_EQ(each.receive_text(), "one byte at a time");
    EXPECT_EQ(each.close(), close_code::normal_closure);
  }
  slow.clear();
  expect_nothing_is_left();
}

TEST_P(HostilePeers, ReadersThatNeverReadAreGivenUp) {
  start({"--Windhover:WebSockets:StalledTimeout", "00:00:01", "--Windhover:WebSockets:KeepAliveInterval", "00:00:03",
         "--Windhover:WebSockets:KeepAliveTimeout", "00:00:03"});
  std::vector<websocket_client> deaf;
  for (int i = 0; i < 20; ++i) deaf.emplace_back(url);
  // What they ask for comes back until nothing fits any more: then the handler waits, and in the end it is enough.
  const std::string frame = websocket_client::frame(opcode::binary, std::string(100'000, 'x'));
  for (websocket_client& each : deaf) {
    try {
      for (;;) each.connection().send(frame);
    } catch (const std::system_error& gone) {
      EXPECT_TRUE(gone.code().value() == EPIPE || gone.code().value() == ECONNRESET) << gone.what();
    }
  }
  expect_others_are_served();
  deaf.clear();
  expect_nothing_is_left();
}

// What the kernel delivers beyond the bound of a socket whose handler does not receive is bounded by the budget of the
// loop (rule 5 of docs/architecture.md).
TEST_P(HostilePeers, WritersToHandlersThatNeverReceiveCostAtMostTheBudget) {
  constexpr std::size_t size = 5000;
  constexpr std::size_t frames = 8;
  // One message of each fills its socket; the two loops may keep an eighth of the others.
  const std::size_t budget = std::max<std::size_t>(65'536, very_many * size / 2);
  start({"--Windhover:WebSockets:MaxInboundBytes", "8192", "--Windhover:WebSockets:StalledTimeout", "00:00:10",
         "--Windhover:Limits:InboundBudget", std::to_string(budget)});
  const std::size_t memory_before = child->peak_memory();
  std::string messages;
  for (std::size_t i = 0; i < frames; ++i) {
    messages += websocket_client::frame(opcode::binary, std::string(size, 'x'));
  }
  std::vector<websocket_client> writers;
  writers.reserve(very_many);
  for (std::size_t i = 0; i < very_many; ++i) {
    writers.emplace_back(url, "/never");
    writers.back().connection().send(messages);
  }
  expect_others_are_served();
  await_count("inbound_overflows", [](std::size_t now) { return now > very_many / 2; });
  expect_others_are_served();
  // Each may hold its bound, and may cost as much again for the socket, its request and its handler; then there is the
  // budget of both loops, and the blocks that arriving bytes go through. Without a budget all would be there: 400 MB.
  constexpr std::size_t blocks = std::size_t{32} << 20;
  const std::size_t allowed = very_many * (8192 + 8192) + 2 * budget + blocks;
  static_assert(very_many < 10'000 ||
                very_many * (8192 + 8192) + very_many * size + blocks < very_many * size * frames);
  if (memory_is_the_servers) {
    EXPECT_LT(child->peak_memory() - memory_before, allowed);
  }
  writers.clear();
  expect_nothing_is_left();
}

TEST_P(HostilePeers, AResetAfterAnyByteLeavesNothing) {
  start();
  const std::string all = http_client::request("GET", "/ws", test::handshake()) +
                          websocket_client::frame(opcode::text, "a first message") +
                          websocket_client::frame(opcode::ping, "alive?") +
                          websocket_client::frame(opcode::binary, std::string(300, 'x'), false) +
                          websocket_client::frame(opcode::continuation, "the end of it") +
                          websocket_client::frame(opcode::close, "\x03\xe8");
  for (std::size_t end = 0; end <= all.size(); ++end) {
    http_client before_answers(url);
    before_answers.send(std::string_view(all).substr(0, end));
    before_answers.reset();
    // The same when the handshake at least was answered.
    http_client behind_answers(url);
    behind_answers.send(std::string_view(all).substr(0, end));
    const std::size_t head = all.find("\r\n\r\n") + 4;
    if (end >= head) behind_answers.read_until("\r\n\r\n");
    behind_answers.reset();
  }
  expect_others_are_served();
  expect_nothing_is_left();
  EXPECT_EQ(count("protocol_errors"), 0U);
}

TEST_P(HostilePeers, EndsWithoutAWordAfterAnyByteAreEndsForBothSides) {
  start();
  const std::string all = http_client::request("GET", "/ws", test::handshake()) +
                          websocket_client::frame(opcode::text, "a message") +
                          websocket_client::frame(opcode::close, "\x03\xe8");
  for (std::size_t end = 0; end <= all.size(); ++end) {
    http_client half(url);
    half.send(std::string_view(all).substr(0, end));
    half.end();
    const std::string answered = half.read_to_end();
    if (end == all.size()) {
      EXPECT_TRUE(answered.find("a message") != std::string::npos);
    }
  }
  expect_others_are_served();
  expect_nothing_is_left();
}

TEST_P(HostilePeers, AsManyAsThereArePlacesForLeaveDescriptorsForEverythingElse) {
  limit_open_files(400);
  start({"--Windhover:RaiseOpenFileLimit", "false"});
  limit_open_files(as_many_as_possible);
  websocket_client there(url);
  // More than there are places, and fewer than there are descriptors, were they all accepted before the first is
  // closed.
  std::vector<http_client> greedy;
  for (int i = 0; i < 340; ++i) greedy.emplace_back(url);
  child->wait_for_line("connections are refused: there are 300 already");
  there.send_text("who is there goes on");
  EXPECT_EQ(there.receive_text(), "who is there goes on");
  greedy.clear();
  await_there_is_room();
  expect_others_are_served();
  EXPECT_GT(count("connections_refused"), 0U);
  EXPECT_EQ(count("accept_failures"), 0U);
}

TEST_P(HostilePeers, WithoutDescriptorsThoseWhoAreThereGoOnAndOthersFollow) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer looks at objects through pipes, for which there are no descriptors either";
#endif
  limit_open_files(40);
  start({"--Windhover:RaiseOpenFileLimit", "false", "--Windhover:Limits:MaxConnections", "0"});
  limit_open_files(as_many_as_possible);
  websocket_client there(url);
  std::vector<http_client> greedy;
  for (int i = 0; i < 200; ++i) greedy.emplace_back(url);
  child->wait_for_line("Too many open files");
  there.send_text("who is there goes on");
  EXPECT_EQ(there.receive_text(), "who is there goes on");
  greedy.clear();
  expect_others_are_served();
  EXPECT_GT(count("accept_failures"), 0U);
  const std::string said = child->text();
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = said.find("Too many open files", at)) != std::string::npos; ++at) ++lines;
  EXPECT_LE(lines, 2U) << "once is enough for each of the loops:\n" << said;
}

}  // namespace
}  // namespace windhover::hosting
