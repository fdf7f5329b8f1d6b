#include "hosting/server.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hosting/running_application.hpp"

namespace windhover::hosting {
namespace {

using namespace std::chrono_literals;
using test::http_client;

std::vector<served_endpoint> endpoints_of(const settings& from) {
  std::vector<served_endpoint> endpoints;
  for (const listening_url& each : from.urls) endpoints.push_back({.url = each});
  return endpoints;
}

// A server without an application: every request is answered with its path.
class Server : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "io_uring" && !net::probe_io_uring().available) GTEST_SKIP() << "io_uring is not available here";
  }

  server& make(std::string urls, unsigned threads = 2) {
    configuration keys;
    keys.set("Windhover:Urls", urls);
    keys.set("Windhover:Threads", std::to_string(threads));
    keys.set("Windhover:Engine", GetParam());
    from = read_settings(keys);
    endpoints = endpoints_of(from);
    own.emplace(from, endpoints, log, counters, [](http::exchange& exchange) -> task<> {
      const std::string path(exchange.request().path());
      co_await exchange.response().write(path);
    });
    return *own;
  }
  std::string failure() {
    try {
      own->start();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }
  static bool refuses(const std::string& url) {
    try {
      http_client client(url);
    } catch (const std::system_error& error) {
      return error.code() == std::errc::connection_refused;
    }
    return false;
  }

  recording_logger log;
  settings from;
  std::vector<served_endpoint> endpoints;
  counter_board counters;
  std::optional<server> own;
};

TEST_P(Server, ServesOnTheUrlThatItTells) {
  server& served = make("http://127.0.0.1:0");
  served.start();
  ASSERT_EQ(served.urls().size(), 1U);
  EXPECT_TRUE(served.urls()[0].starts_with("http://127.0.0.1:"));
  EXPECT_FALSE(served.urls()[0].ends_with(":0"));
  EXPECT_EQ(http_client(served.urls()[0]).get("/here").body, "/here");
  EXPECT_TRUE(served.stop());
  EXPECT_TRUE(refuses("http://127.0.0.1" + served.urls()[0].substr(served.urls()[0].rfind(':'))));
}

TEST_P(Server, TellsTheEngineAndWhy) {
  make("http://127.0.0.1:0", 1).start();
  EXPECT_TRUE(log.has("net: Using the " + GetParam() + " engine (asked for) on 1 thread"));
  own->stop();
  make("http://127.0.0.1:0", 2).start();
  EXPECT_TRUE(log.has("net: Using the " + GetParam() + " engine (asked for) on 2 threads"));
}

TEST_P(Server, LooksForEventsBeforeItSleepsWhenToldSo) {
  make("http://127.0.0.1:0", 1);
  from.busy_poll = 1s;
  own->start();
  EXPECT_TRUE(log.has("net: Using the " + GetParam() +
                      " engine (asked for) on 1 thread, looking for events for 1000000 us before sleeping"));
  http_client client(own->urls()[0]);
  for (const std::string path : {"/a", "/b", "/c"}) EXPECT_EQ(client.get(path).body, path);
  EXPECT_TRUE(own->stop());
}

TEST_P(Server, OneThreadIsEnough) {
  make("http://127.0.0.1:0", 1).start();
  http_client first(own->urls()[0]);
  http_client second(own->urls()[0]);
  EXPECT_EQ(second.get("/b").body, "/b");
  EXPECT_EQ(first.get("/a").body, "/a");
}

TEST_P(Server, ListensOnSeveralUrls) {
  make("http://127.0.0.1:0;http://[::1]:0;http://0.0.0.0:0").start();
  ASSERT_EQ(own->urls().size(), 3U);
  EXPECT_TRUE(own->urls()[1].starts_with("http://[::1]:"));
  EXPECT_TRUE(own->urls()[2].starts_with("http://0.0.0.0:"));
  for (const std::string& each : own->urls()) EXPECT_EQ(http_client(each).get("/x").body, "/x") << each;
}

TEST_P(Server, AnyAddressIsIPv6AndIPv4) {
  make("http://*:0").start();
  const std::string url = own->urls().at(0);
  ASSERT_TRUE(url.starts_with("http://[::]:"));
  const std::string port = url.substr(url.rfind(':'));
  EXPECT_EQ(http_client("http://127.0.0.1" + port).get("/4").body, "/4");
  EXPECT_EQ(http_client("http://[::1]" + port).get("/6").body, "/6");
}

TEST_P(Server, LocalhostIsOneUrlOnBothLoopbackAddresses) {
  // A port that is free on both: one that the kernel has just given away and taken back.
  make("http://*:0").start();
  const std::string port = own->urls()[0].substr(own->urls()[0].rfind(':') + 1);
  own->stop();
  make("http://localhost:" + port).start();
  EXPECT_EQ(own->urls(), std::vector<std::string>{"http://localhost:" + port});
  EXPECT_EQ(http_client("http://127.0.0.1:" + port).get("/4").body, "/4");
  EXPECT_EQ(http_client("http://[::1]:" + port).get("/6").body, "/6");
}

TEST_P(Server, AUnixSocketIsSharedByAllThreads) {
  // Not in a folder of the build, whose path may be too long for a socket.
  const std::string path =
      (std::filesystem::temp_directory_path() / ("windhover-" + std::to_string(::getpid()) + "-" + GetParam()))
          .string();
  make("unix:" + path).start();
  EXPECT_EQ(own->urls(), std::vector<std::string>{"http://unix:" + path});
  std::vector<http_client> clients;
  for (int i = 0; i < 10; ++i) clients.emplace_back("http://unix:" + path);
  for (http_client& each : clients) EXPECT_EQ(each.get("/x").body, "/x");
  clients.clear();
  EXPECT_TRUE(own->stop());
  EXPECT_FALSE(std::filesystem::exists(path)) << "the socket file goes with its server";
}

TEST_P(Server, ConnectionsAreSpreadOverTheThreads) {
  make("http://127.0.0.1:0", 2).start();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(http_client(own->urls()[0]).get("/x").status, 200);
}

// ----- Starts that fail

TEST_P(Server, APortInUseIsOneClearSentence) {
  make("http://127.0.0.1:0").start();
  const std::string url = own->urls()[0];
  recording_logger other_log;
  settings other = from;
  other.urls = parse_listening_urls(url);
  counter_board other_counters;
  const std::vector<served_endpoint> other_endpoints = endpoints_of(other);
  server second(other, other_endpoints, other_log, other_counters, [](http::exchange&) -> task<> { co_return; });
  try {
    second.start();
    FAIL() << "both listen on " << url;
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()), "failed to bind to address " + url + ": address already in use");
  }
}

TEST_P(Server, APortOfLocalhostThatIsTakenOnOneSideIsAnError) {
  make("http://[::1]:0").start();
  const std::string port = own->urls()[0].substr(own->urls()[0].rfind(':') + 1);
  recording_logger other_log;
  settings other = from;
  other.urls = parse_listening_urls("http://localhost:" + port);
  counter_board other_counters;
  const std::vector<served_endpoint> other_endpoints = endpoints_of(other);
  server second(other, other_endpoints, other_log, other_counters, [](http::exchange&) -> task<> { co_return; });
  EXPECT_THROW(second.start(), std::runtime_error);
}

TEST_P(Server, AnAddressThatIsNotOursIsOneClearSentence) {
  make("http://192.0.2.1:5000");  // RFC 5737: nobody's
  EXPECT_EQ(failure(), "failed to bind to address http://192.0.2.1:5000: Cannot assign requested address");
}

TEST_P(Server, AUnixSocketInAFolderThatIsNotThereIsOneClearSentence) {
  make("unix:/nowhere/at/all");
  EXPECT_EQ(failure(), "failed to bind to address http://unix:/nowhere/at/all: No such file or directory");
}

TEST_P(Server, AStartThatFailsLeavesNothingListening) {
  make("http://127.0.0.1:0").start();
  const std::string taken = own->urls()[0];
  own->stop();
  make(taken + ";http://192.0.2.1:5000");
  EXPECT_NE(failure(), "");
  own.reset();
  EXPECT_TRUE(refuses(taken));
  make(taken).start();
  EXPECT_EQ(http_client(taken).get("/again").body, "/again");
}

// ----- The end

TEST_P(Server, ThePortIsFreeForTheNextStart) {
  make("http://127.0.0.1:0").start();
  const std::string url = own->urls()[0];
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(http_client(url).get("/x").status, 200);
    ASSERT_TRUE(own->stop());
    make(url);
    ASSERT_EQ(failure(), "") << "start " << i;
  }
}

TEST_P(Server, StoppingTwiceAndWithoutAStartIsNothing) {
  EXPECT_TRUE(make("http://127.0.0.1:0").stop());
  make("http://127.0.0.1:0").start();
  EXPECT_TRUE(own->stop());
  EXPECT_TRUE(own->stop());
}

TEST_P(Server, IsStoppedByItsDestructor) {
  make("http://127.0.0.1:0").start();
  const std::string url = own->urls()[0];
  std::optional<http_client> idle(url);
  EXPECT_EQ(idle->get("/x").status, 200);
  std::thread ends([this] { own.reset(); });
  EXPECT_EQ(idle->read_to_end(), "");
  idle.reset();
  ends.join();
  EXPECT_TRUE(refuses(url));
}

TEST_P(Server, StopListeningTakesNoMoreConnectionsAndKeepsThoseThatAreThere) {
  make("http://127.0.0.1:0").start();
  {
    http_client early(own->urls()[0]);
    EXPECT_EQ(early.get("/before").body, "/before");
    own->stop_listening();
    EXPECT_TRUE(refuses(own->urls()[0]));
    EXPECT_EQ(early.get("/after").body, "/after");
  }
  EXPECT_TRUE(own->stop());
}

INSTANTIATE_TEST_SUITE_P(Engines, Server, both_engines(), engine_name);

}  // namespace
}  // namespace windhover::hosting
