// The simulation engine and the network that it stands on: what it carries arrives as it was sent however badly the
// network behaves, the clock moves only when nothing else can, and a seed tells the whole story.
#include "net/engine_simulation.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <gtest/gtest.h>

#include "net/connector.hpp"
#include "support/transports.hpp"
#include <windhover/wait_readable.hpp>

namespace windhover::net {
namespace {

using namespace std::chrono_literals;
using test::bytes_of;
using test::joined_pair;
using test::recording_driver;

const endpoint server{endpoint::kind::ipv4, "192.0.2.1", 80};

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return text;
}

// A loop on a simulated network, with a listener whose connections are recorded.
class simulation {
 public:
  explicit simulation(std::uint64_t seed = 0, network_conduct conduct = {})
      : network(seed, conduct), loop(make_simulation_engine(network)) {}

  void listen() {
    listening = &listener::add_to(loop, network.listen(server),
                                  [this](transport& stream) {
                                    auto made = std::make_unique<recording_driver>(stream);
                                    accepted.push_back(made.get());
                                    return made;
                                  },
                                  {});
  }
  recording_driver& connect() {
    recording_driver* made = nullptr;
    loop.add_connection(network.connect(server), [&made](transport& stream) {
      auto driver = std::make_unique<recording_driver>(stream);
      made = driver.get();
      return driver;
    });
    return *made;
  }
  // A joined pair; the second end was accepted.
  joined_pair join() {
    if (listening == nullptr) listen();
    recording_driver& first = connect();
    const std::size_t before = accepted.size();
    test::run_until(loop, [&] { return accepted.size() > before; });
    return {&first.stream, &accepted.back()->stream, &first, accepted.back()};
  }
  bool nothing_is_left() const { return loop.describe_connections(1).empty() && network.open_descriptors() == 0; }
  duration elapsed() const { return network.now() - time_point(); }

  simulated_network network;
  event_loop loop;
  listener* listening = nullptr;
  std::vector<recording_driver*> accepted;
};

// What both ends of a connection saw.
struct conversation {
  std::string to_server;
  std::string to_client;
  bool polite = false;  // both saw the other one's end, and no failure
  std::uint64_t digest = 0;
};

// Drivers that are looked at after the loop has destroyed them.
class speaker final : public driver {
 public:
  struct record {
    std::string received;
    bool ended = false;
    bool failed = false;
    bool gone = false;
  };

  // Says everything in pieces, then ends; takes at most `take` bytes at a time, and resumes on a timer.
  speaker(transport& on, std::string text, std::size_t take, record& to)
      : stream_(on), text_(std::move(text)), take_(take), record_(to), timer_(this, [](void* self) noexcept {
          static_cast<speaker*>(self)->tick();
        }) {
    stream_.loop().arm(timer_, 1ms);
    stream_.set_water_marks(1000, 500);
  }
  ~speaker() override { record_.gone = true; }

  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override {
    const std::size_t count = std::min(bytes.size(), take_);
    record_.received += test::text_of(bytes.first(count));
    return count;
  }
  void on_writable() noexcept override {}
  void on_end() noexcept override { record_.ended = true; }
  void on_failure(const failure&) noexcept override { record_.failed = true; }
  bool finished() const noexcept override { return true; }
  void drain() noexcept override {}
  std::string describe() const override { return "a speaker"; }

 private:
  void tick() noexcept {
    const std::size_t count = std::min<std::size_t>(text_.size() - said_, 700);
    if (record_.failed) return;
    stream_.resume_reading();
    if (said_ < text_.size() && !stream_.above_high_water()) {
      const auto piece = bytes_of(std::string_view(text_).substr(said_, count));
      said_ % 2 == 0 ? stream_.queue(base::copy_of(piece)) : stream_.queue_copy(piece);
      said_ += count;
      if (said_ == text_.size()) stream_.close();
    }
    stream_.loop().arm(timer_, 1ms);
  }

  transport& stream_;
  std::string text_;
  std::size_t take_;
  record& record_;
  std::size_t said_ = 0;
  timer timer_;
};

// Two connections at once, each saying something of its own both ways; everything has ended when this returns.
std::vector<conversation> converse(std::uint64_t seed, network_conduct conduct, std::uint64_t failing_operation = 0) {
  speaker::record clients[2];
  speaker::record servers[2];
  std::vector<conversation> seen(2);
  {
    simulation world(seed, conduct);
    std::size_t next = 0;
    world.network.fail_operation(failing_operation);
    try {
      world.listening = &listener::add_to(
          world.loop, world.network.listen(server),
          [&](transport& stream) {
            // Connections of one network may be accepted in any order; their first byte would say which it is.
            const std::size_t which = stream.remote_endpoint().port % 2;
            ++next;
            return std::make_unique<speaker>(stream, pattern(2000 + which), 300, servers[which]);
          },
          listener::options{});
      for (std::uint16_t i = 0; i < 2; ++i) {
        const endpoint from{endpoint::kind::ipv4, "198.51.100.7", static_cast<std::uint16_t>(50000 + i)};
        world.loop.add_connection(world.network.connect(server, from), [&, i](transport& stream) {
          return std::make_unique<speaker>(stream, pattern(5000 + i), 5000, clients[i]);
        });
      }
    } catch (const std::system_error&) {
      EXPECT_NE(failing_operation + conduct.failures, 0U);
    }
    // Whatever is never accepted is refused in the end.
    while (world.elapsed() < 20s && world.loop.counters().connections.value() > 0) world.loop.run_once(true);
    if (world.listening != nullptr) world.listening->stop();
    while (world.elapsed() < 1h && !world.nothing_is_left()) world.loop.run_once(true);
    EXPECT_TRUE(world.nothing_is_left()) << "seed " << seed;
    for (std::size_t i = 0; i < 2; ++i) seen[i].digest = world.network.digest();
  }
  for (std::size_t i = 0; i < 2; ++i) {
    seen[i].to_server = servers[i].received;
    seen[i].to_client = clients[i].received;
    seen[i].polite = clients[i].ended && servers[i].ended && !clients[i].failed && !servers[i].failed;
  }
  return seen;
}

TEST(SimulationEngine, APerfectNetworkCarriesEverythingInNoTime) {
  simulation world;
  joined_pair ends = world.join();
  const std::string large = pattern(std::size_t{3} << 20);
  ends.first->queue(base::copy_of(bytes_of(large)));
  ends.second->queue_copy(bytes_of("answer"));
  ends.first->close();
  test::run_until(world.loop, [&] { return ends.second_driver->ended; });
  EXPECT_TRUE(ends.second_driver->received == large);
  EXPECT_EQ(ends.first_driver->received, "answer");
  EXPECT_EQ(world.elapsed(), 0s);
}

TEST(SimulationEngine, NamesTheEndsOfAConnection) {
  simulation world;
  joined_pair ends = world.join();
  EXPECT_EQ(ends.second->local_endpoint().to_string(), "192.0.2.1:80");
  EXPECT_EQ(ends.first->remote_endpoint().to_string(), "192.0.2.1:80");
  EXPECT_EQ(ends.second->remote_endpoint(), ends.first->local_endpoint());
}

TEST(SimulationEngine, TheClockJumpsToTheNextTimerAndNotBeyond) {
  simulation world;
  timer late(&world, [](void*) noexcept {});
  world.loop.arm(late, 10min);
  test::run_until(world.loop, [&] { return !late.armed(); });
  EXPECT_EQ(world.elapsed(), 10min);
  EXPECT_THROW(world.loop.run_once(true), std::logic_error) << "nothing is left to wait for";
}

TEST(SimulationEngine, TheClockStopsAtTheHorizon) {
  simulation world;
  timer late(&world, [](void*) noexcept {});
  world.loop.arm(late, 10min);
  world.network.set_horizon(time_point() + 1min);
  test::run_until(world.loop, [&] { return world.network.stalled(); });
  EXPECT_EQ(world.elapsed(), 1min);
  EXPECT_TRUE(late.armed());
  world.network.set_horizon(time_point() + 11min);
  test::run_until(world.loop, [&] { return !late.armed(); });
  EXPECT_EQ(world.elapsed(), 10min);
}

TEST(SimulationEngine, BytesAreUnderWayForAsLongAsTheLatencySays) {
  simulation world(7, {.latency = 500ms});
  joined_pair ends = world.join();
  const duration before = world.elapsed();
  ends.first->queue_copy(bytes_of("far away"));
  test::run_until(world.loop, [&] { return ends.second_driver->received == "far away"; });
  EXPECT_GT(world.elapsed(), before);
  EXPECT_LE(world.elapsed(), before + 500ms);
}

TEST(SimulationEngine, WhateverTheNetworkDoesToBytesTheyArriveAsTheyWereSent) {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    seeded_random random(seed);
    network_conduct conduct = network_conduct::any(random);
    conduct.failures = conduct.broken = 0;
    conduct.descriptors = network_conduct::unlimited;
    const auto seen = converse(seed, conduct);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(seen[i].to_server, pattern(5000 + i));
      EXPECT_EQ(seen[i].to_client, pattern(2000 + i));
      EXPECT_TRUE(seen[i].polite);
    }
  }
}

TEST(SimulationEngine, OfABrokenConnectionABeginningArrivesAndEverythingEnds) {
  std::size_t broken = 0;
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    seeded_random random(seed);
    network_conduct conduct = network_conduct::any(random);
    conduct.failures = 2;
    conduct.broken = 5;
    const auto seen = converse(seed, conduct);
    for (std::size_t i = 0; i < 2; ++i) {
      if (!seen[i].polite) ++broken;
      EXPECT_TRUE(pattern(5000 + i).starts_with(seen[i].to_server));
      EXPECT_TRUE(pattern(2000 + i).starts_with(seen[i].to_client));
    }
  }
  EXPECT_GT(broken, 20U) << "the network was too kind";
}

TEST(SimulationEngine, TheSameSeedLivesThroughTheSameEvents) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    seeded_random first(seed);
    seeded_random second(seed);
    EXPECT_EQ(converse(seed, network_conduct::any(first))[0].digest,
              converse(seed, network_conduct::any(second))[0].digest);
    EXPECT_NE(converse(seed, {.out_of_order = 500})[0].digest, converse(seed + 1, {.out_of_order = 500})[0].digest);
  }
}

TEST(SimulationEngine, WhicheverOperationFailsEverythingEnds) {
  bool reached_the_end = false;
  for (std::uint64_t n = 1; n < 1000 && !reached_the_end; ++n) {
    SCOPED_TRACE(n);
    const auto seen = converse(1, {.piece = 900}, n);
    reached_the_end = seen[0].polite && seen[1].polite && seen[0].to_server.size() == 5000 &&
                      seen[1].to_server.size() == 5001 && n > 50;
  }
  EXPECT_TRUE(reached_the_end);
}

TEST(SimulationEngine, AcceptingGoesOnWhenDescriptorsAreToBeHadAgain) {
  simulation world(0, {.descriptors = 3});
  world.listen();
  recording_driver& first = world.connect();
  recording_driver& second = world.connect();
  timer patience(&world, [](void*) noexcept {});
  world.loop.arm(patience, 1s);
  while (patience.armed()) world.loop.run_once(true);
  EXPECT_EQ(world.accepted.size(), 0U) << "the listener and two clients have all descriptors";
  world.network.conduct().descriptors = 5;
  test::run_until(world.loop, [&] { return world.accepted.size() == 2; });
  EXPECT_FALSE(first.failed.has_value());
  EXPECT_FALSE(second.failed.has_value());
}

TEST(SimulationEngine, NobodyListensIsARefusal) {
  simulation world;
  EXPECT_THROW(world.network.connect(server), std::system_error);
  world.listen();
  EXPECT_THROW(world.network.listen(server), std::system_error);
  recording_driver& waiting = world.connect();
  world.network.conduct().descriptors = 0;
  world.listening->stop();
  test::run_until(world.loop, [&] { return waiting.failed.has_value(); });
  EXPECT_THROW(world.network.connect(server), std::system_error);
}

// ----- Connecting from the loop

struct attempt {
  connect_outcome outcome;
  bool over = false;
};

task<> connect_and_note(event_loop& loop, attempt& made, std::stop_token stop) {
  made.outcome = co_await connect_to(loop, make_ip_address(server.address, server.port), std::move(stop));
  made.over = true;
}

// Begins to connect; the outcome is there when `made.over`.
class connecting {
 public:
  connecting(simulation& in, std::stop_token stop = {}) : task_(connect_and_note(in.loop, made, std::move(stop))) {
    const event_loop::scope here(in.loop);
    task_.start(nullptr, [](void*) noexcept -> std::coroutine_handle<> { return std::noop_coroutine(); });
  }

  attempt made;

 private:
  task<> task_;
};

TEST(SimulationEngine, ConnectsFromTheLoop) {
  simulation world(3, {.latency = 200ms});
  world.listen();
  connecting one(world);
  EXPECT_FALSE(one.made.over);
  test::run_until(world.loop, [&] { return one.made.over; });
  EXPECT_LE(world.elapsed(), 200ms);
  ASSERT_TRUE(one.made.outcome.socket);
  EXPECT_EQ(world.network.remote_endpoint(one.made.outcome.socket.descriptor()), server);

  recording_driver* near = nullptr;
  world.loop.add_connection(one.made.outcome.socket.take(), [&near](transport& stream) {
    auto driver = std::make_unique<recording_driver>(stream);
    near = driver.get();
    return driver;
  });
  near->stream.queue_copy(bytes_of("Hello"));
  test::run_until(world.loop, [&] { return !world.accepted.empty() && world.accepted[0]->received == "Hello"; });
}

TEST(SimulationEngine, ASocketThatNobodyTakesIsClosed) {
  simulation world;
  world.listen();
  {
    connecting one(world);
    test::run_until(world.loop, [&] { return one.made.over && world.accepted.size() == 1; });
  }
  test::run_until(world.loop, [&] { return world.accepted[0]->ended; });
  EXPECT_EQ(world.accepted[0]->received, "");
}

TEST(SimulationEngine, WhyThereIsNoConnectionIsTold) {
  simulation world;
  {
    connecting nobody_listens(world);
    test::run_until(world.loop, [&] { return nobody_listens.made.over; });
    EXPECT_EQ(nobody_listens.made.outcome.error, ECONNREFUSED);
  }
  world.listen();
  world.network.conduct().descriptors = 1;
  {
    connecting without_descriptors(world);
    EXPECT_TRUE(without_descriptors.made.over);
    EXPECT_EQ(without_descriptors.made.outcome.error, EMFILE);
  }
  world.network.conduct().descriptors = network_conduct::unlimited;
  for (std::uint64_t operation = 1; operation <= 2; ++operation) {
    world.network.fail_operation(operation);
    connecting failing(world);
    test::run_until(world.loop, [&] { return failing.made.over; });
    EXPECT_FALSE(failing.made.outcome.socket);
    EXPECT_NE(failing.made.outcome.error, 0);
  }
  test::run_idle(world.loop);
  EXPECT_EQ(world.network.open_descriptors(), 1U) << "the listener's";
  EXPECT_EQ(world.loop.objects(), 1U);
}

// The cancelling may be lost: then the connection comes into being, and is closed.
TEST(SimulationEngine, ConnectingThatIsStoppedLeavesNothingBehind) {
  std::size_t connected_all_the_same = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    simulation world(seed, {.latency = 200ms, .lost_cancels = 500});
    world.listen();
    std::stop_source source;
    connecting one(world, source.get_token());
    {
      const event_loop::scope here(world.loop);
      source.request_stop();
    }
    EXPECT_TRUE(one.made.over);
    EXPECT_EQ(one.made.outcome.error, ECANCELED);
    timer patience(&world, [](void*) noexcept {});
    world.loop.arm(patience, 1s);
    test::run_until(world.loop, [&] { return !patience.armed(); });
    connected_all_the_same += world.accepted.size();
    for (recording_driver* const each : world.accepted) {
      each->stream.abort();
      each->finish();
    }
    world.listening->stop();
    test::run_until(world.loop, [&] { return world.nothing_is_left(); });
  }
  EXPECT_GT(connected_all_the_same, 0U);
  EXPECT_LT(connected_all_the_same, 20U);
}

// A driver that others hold on to, as an opening handshake does.
class held_driver final : public driver {
 public:
  explicit held_driver(bool& gone) noexcept : gone_(gone) {}
  ~held_driver() override { gone_ = true; }
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override { return bytes.size(); }
  void on_writable() noexcept override {}
  void on_end() noexcept override {}
  void on_failure(const failure&) noexcept override {}
  bool finished() const noexcept override { return false; }
  void drain() noexcept override {}
  std::string describe() const override { return "a held driver"; }

 private:
  bool& gone_;
};

TEST(SimulationEngine, AConnectionThatCannotBeOpenedIsNotKept) {
  simulation world;
  world.listen();
  const int descriptor = world.network.connect(server);
  world.network.fail_operation(1);
  bool gone = false;
  const auto make = [&gone](transport&) { return std::make_unique<held_driver>(gone); };
  EXPECT_THROW(world.loop.add_connection(descriptor, make), std::system_error);
  test::run_until(world.loop, [&] { return gone; });
}

TEST(SimulationEngine, ADescriptorOfTheKernelCannotBeWaitedFor) {
  simulation world;
  std::optional<int> error;
  const auto wait = [](std::optional<int>& seen) -> task<> {
    try {
      co_await wait_readable(0);
    } catch (const std::system_error& failed) {
      seen = failed.code().value();
    }
  };
  task<> waiting = wait(error);
  {
    const event_loop::scope here(world.loop);
    waiting.start(nullptr, [](void*) noexcept -> std::coroutine_handle<> { return std::noop_coroutine(); });
  }
  test::run_until(world.loop, [&] { return error.has_value(); });
  EXPECT_EQ(error, EOPNOTSUPP);
  test::run_idle(world.loop);
  EXPECT_TRUE(world.nothing_is_left());
}

}  // namespace
}  // namespace windhover::net
