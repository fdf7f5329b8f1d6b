#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hosting/running_application.hpp"
#include "hosting/temporary_folder.hpp"
#include <windhover/run_blocking.hpp>
#include <windhover/sleep_for.hpp>
#include <windhover/web_application.hpp>

namespace windhover::hosting {
namespace {

using namespace std::chrono_literals;
using test::handshake;
using test::http_client;

class WebApplication : public running_application {};

// ----- The pipeline, over a connection

TEST_P(WebApplication, MiddlewareAndEndpointsAreServed) {
  make();
  app->use([](http_context& context, next_middleware next) {
    context.response().header("X-Middleware", "was here");
    return next();
  });
  app->map("/hello", hello);
  start();
  const test::http_answer answer = get("/hello");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.header("X-Middleware"), "was here");
  EXPECT_EQ(get("/nowhere").status, 404);
}

TEST_P(WebApplication, MapTakesEveryMethod) {
  make().map("/x", hello);
  start();
  http_client client(url);
  for (const char* method : {"GET", "POST", "PUT", "PURGE"})
    EXPECT_EQ(client.ask(method, "/x").body, "hello") << method;
  EXPECT_EQ(client.ask("HEAD", "/x").header("Content-Length"), "5");
}

TEST_P(WebApplication, MapGetTakesGetAndHead) {
  make().map_get("/x", hello);
  start();
  http_client client(url);
  EXPECT_EQ(client.ask("GET", "/x").body, "hello");
  EXPECT_EQ(client.ask("HEAD", "/x").status, 200);
  const test::http_answer refused = client.ask("POST", "/x");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.header("Allow"), "GET, HEAD");
}

TEST_P(WebApplication, MapPostAndMapMethodsTakeThoseThatTheyName) {
  make().map_post("/x", [](http_context& context) -> task<> {
    const std::string body = co_await context.request().read_all();
    co_await context.response().write(body + body);
  });
  app->map_methods({"PUT", "PATCH"}, "/x", hello);
  start();
  http_client client(url);
  client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_EQ(client.read_answer().body, "abab");
  EXPECT_EQ(client.ask("PATCH", "/x").body, "hello");
  EXPECT_EQ(client.ask("DELETE", "/x").header("Allow"), "POST, PUT, PATCH");
}

TEST_P(WebApplication, PatternsAreCheckedWhereTheyAreMapped) {
  make().map_get("/x", hello);
  EXPECT_THROW(app->map("/x", hello), std::invalid_argument);
  EXPECT_THROW(app->map("x", hello), std::invalid_argument);
  EXPECT_THROW(app->map("/y", nullptr), std::invalid_argument);
  EXPECT_THROW(app->use(nullptr), std::invalid_argument);
}

TEST_P(WebApplication, AnExceptionIs500AndALineInTheLog) {
  make().map("/broken", [](http_context&) -> task<> {
    throw std::runtime_error("no database");
    co_return;
  });
  start();
  EXPECT_EQ(get("/broken").status, 500);
  EXPECT_EQ(log.lines(log_level::error),
            std::vector<std::string>{"hosting: an unhandled exception ended GET /broken: no database"});
}

TEST_P(WebApplication, AnExceptionBehindTheHeadBreaksTheConnectionOff) {
  make().map("/broken", [](http_context& context) -> task<> {
    co_await context.response().write("half");
    co_await context.response().flush();
    throw std::runtime_error("too late");
  });
  start();
  http_client client(url);
  client.send(http_client::request("GET", "/broken"));
  const std::string all = client.read_to_end();
  EXPECT_TRUE(client.was_reset());
  EXPECT_EQ(all.find("\r\n0\r\n"), std::string::npos) << all;
  EXPECT_TRUE(log.gets("too late"));
}

TEST_P(WebApplication, TheClientThatGoesStopsTheRequest) {
  told<bool> slept;
  gate sleeping;
  make().map("/sleep", [&](http_context& context) -> task<> {
    co_await sleeping.pass();
    const bool whole = co_await sleep_for(1h, context.request_aborted());
    slept.set(whole);
  });
  start();
  http_client client(url);
  client.send(http_client::request("GET", "/sleep"));
  sleeping.await_arrival();
  sleeping.open();
  client.reset();
  EXPECT_FALSE(slept.get());
}

TEST_P(WebApplication, TheEndpointsOfAConnectionAreItsSockets) {
  make().map("/who", [](http_context& context) -> task<> {
    const std::string both = context.remote_endpoint().to_string() + " " + context.local_endpoint().to_string();
    co_await context.response().write(both);
  });
  start();
  http_client client(url);
  const std::string body = client.get("/who").body;
  EXPECT_EQ(body, client.local_endpoint().to_string() + " " + client.remote_endpoint().to_string());
}

TEST_P(WebApplication, BlockingWorkRunsOnAnotherThreadAndComesBack) {
  make().map("/compute", [](http_context& context) -> task<> {
    const auto loop = std::this_thread::get_id();
    const std::thread::id worker = co_await run_blocking([] { return std::this_thread::get_id(); });
    const bool moved = worker != loop;
    const bool back = std::this_thread::get_id() == loop;
    const std::string_view answer = moved && back ? "yes" : "no";
    co_await context.response().write(answer);
  });
  start();
  EXPECT_EQ(get("/compute").body, "yes");
}

// ----- Files

TEST_P(WebApplication, FilesStandBelowTheContentRoot) {
  const temporary_folder folder;
  std::filesystem::create_directories(folder.path() / "pages");
  folder.write("pages/index.html", "<p>page</p>");
  folder.write("pages/a.txt", "text");
  make({"--contentRoot", folder.path().string()});
  app->use_static_files("pages");
  app->map("/ws", hello);
  start();
  EXPECT_EQ(get("/").body, "<p>page</p>");
  EXPECT_EQ(get("/a.txt").header("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(get("/missing.txt").status, 404);
  EXPECT_EQ(get("/ws").body, "hello") << "what is no file goes on";
}

TEST_P(WebApplication, TheWebRootOfTheConfigurationIsTheFolderOfWhoNamesNone) {
  const temporary_folder folder;
  std::filesystem::create_directories(folder.path() / "public");
  folder.write("public/index.html", "public");
  make({"--contentRoot", std::filesystem::relative(folder.path()).string(), "--webRoot", "public"});
  app->use_static_files();
  start();
  EXPECT_EQ(get("/").body, "public");
}

TEST_P(WebApplication, OptionsOfStaticFilesAreKept) {
  const temporary_folder folder;
  folder.write("a.data", "data");
  make({"--contentRoot", folder.path().string()});
  static_file_options options;
  options.root = ".";
  options.request_path = "/files";
  options.cache_control = "no-store";
  options.serve_unknown_types = true;
  app->use_static_files(options);
  start();
  EXPECT_EQ(get("/files/a.data").header("Cache-Control"), "no-store");
  EXPECT_EQ(get("/a.data").status, 404);
}

TEST_P(WebApplication, EmbeddedFilesAreServed) {
  make();
  app->use_embedded_files({{.path = "/index.html", .content_type = "text/html; charset=utf-8", .content = "<p>in</p>"},
                           {.path = "/a.css", .content_type = {}, .content = "p {}"}});
  start();
  EXPECT_EQ(get("/").body, "<p>in</p>");
  EXPECT_EQ(get("/a.css").header("Content-Type"), "text/css; charset=utf-8");
  EXPECT_EQ(get("/b.css").status, 404);
}

// Static files do not look at Upgrade in the original either.
TEST_P(WebApplication, AnUpgradeThatNoEndpointWaitsForIsServedAsTheGetThatItIs) {
  const temporary_folder folder;
  folder.write("index.html", "page");
  folder.write("ws.html", "not reached");
  make({"--contentRoot", folder.path().string()});
  app->use_websockets();
  app->use_static_files(".");
  app->map_websocket("/ws.html", echo);
  start();
  EXPECT_EQ(get("/", handshake()).body, "page");
  EXPECT_EQ(get("/missing.html", handshake()).status, 404);
  test::websocket_client socket(url, "/ws.html");
  socket.send_text("an endpoint goes before a file");
  EXPECT_EQ(socket.receive_text(), "an endpoint goes before a file");
}

// ----- Start, stop, wait

TEST_P(WebApplication, StartSaysWhatUsersKnow) {
  make({"--environment", "Staging"});
  start();
  const std::vector<std::string> lines = log.lines(log_level::information);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0], "net: Using the " + GetParam() + " engine (asked for) on 2 threads");
  EXPECT_EQ(lines[1], "hosting: Now listening on: " + url);
  EXPECT_EQ(lines[2], "hosting: Application started. Press Ctrl+C to shut down.");
  EXPECT_EQ(lines[3], "hosting: Hosting environment: Staging");
  EXPECT_EQ(stop(), 0);
  EXPECT_TRUE(log.has("hosting: Application is shutting down..."));
}

TEST_P(WebApplication, EveryUrlIsToldInItsOrder) {
  app = std::make_unique<web_application>(
      sources_of({"--engine", GetParam(), "--threads", "1", "--urls", "http://127.0.0.1:0;http://[::1]:0"}));
  app->use_logger(log);
  app->map("/x", hello);
  start();
  const std::vector<std::string> urls = app->urls();
  ASSERT_EQ(urls.size(), 2U);
  for (const std::string& each : urls) {
    EXPECT_EQ(http_client(each).get("/x").body, "hello");
    EXPECT_TRUE(log.has("Now listening on: " + each));
  }
}

TEST_P(WebApplication, EveryKeyOfTheServersLimitsReachesIt) {
  make({"--Windhover:Limits:MaxRequestLineSize=60", "--Windhover:Limits:MaxRequestHeadersTotalSize=200",
        "--Windhover:Limits:MaxRequestHeaderCount=3", "--Windhover:Limits:MaxRequestBodySize=4"});
  app->map("/{*path}", [](http_context& context) -> task<> { co_await context.request().read_all(); });
  start();
  EXPECT_EQ(get("/" + std::string(60, 'a')).status, 414);
  EXPECT_EQ(get("/", "X-Long: " + std::string(200, 'a') + "\r\n").status, 431);
  EXPECT_EQ(get("/", "X-1: a\r\nX-2: a\r\nX-3: a\r\n").status, 431);
  EXPECT_EQ(get("/", "X-1: a\r\nX-2: a\r\n").status, 200);
  http_client client(url);
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(client.read_answer().status, 413);
}

TEST_P(WebApplication, ConnectionsBeyondTheirNumberAreClosed) {
  make({"--Windhover:Limits:MaxConnections=1", "--threads", "1"}).map("/x", hello);
  start();
  http_client first(url);
  EXPECT_EQ(first.get("/x").status, 200);
  http_client second(url);
  EXPECT_EQ(second.read_to_end(), "");
  EXPECT_EQ(first.get("/x").status, 200);
}

TEST_P(WebApplication, ItIsStartedOnce) {
  make();
  start();
  EXPECT_THROW(app->start(), std::logic_error);
  EXPECT_EQ(stop(), 0);
  EXPECT_THROW(app->start(), std::logic_error);
  EXPECT_EQ(app->wait(), 0) << "the exit code stays";
}

TEST_P(WebApplication, WaitWithoutAStartIsAMistake) { EXPECT_THROW(make().wait(), std::logic_error); }

TEST_P(WebApplication, AStopBeforeTheStartIsNotLost) {
  make();
  app->stop();
  EXPECT_EQ(app->run(), 0);
}

TEST_P(WebApplication, RunServesUntilStopIsCalledFromAnyThread) {
  make().map("/x", hello);
  app->map("/stop", [this](http_context&) -> task<> {
    app->stop();
    co_return;
  });
  std::thread client([this] {
    ASSERT_TRUE(log.gets("Application started."));
    const std::string line = log.lines(log_level::information).at(1);
    const std::string where = line.substr(line.find("http://"));
    EXPECT_EQ(http_client(where).get("/x").body, "hello");
    EXPECT_EQ(http_client(where).get("/stop").status, 200);
  });
  EXPECT_EQ(app->run(), 0);
  client.join();
}

TEST_P(WebApplication, TheDestructorStops) {
  make().map("/x", hello);
  start();
  {
    http_client client(url);
    EXPECT_EQ(client.get("/x").status, 200);
  }
  app.reset();
  EXPECT_THROW(http_client{url}, std::system_error);
}

TEST_P(WebApplication, TwoOfThemRunInOneProcess) {
  make().map("/x", hello);
  start();
  web_application second(sources_of({"--engine", GetParam(), "--urls", "http://127.0.0.1:0", "--threads", "1"}));
  second.use_logger(log);
  second.start();
  EXPECT_EQ(http_client(second.urls().at(0)).get("/x").status, 404);
  EXPECT_EQ(get("/x").status, 200);
  second.stop();
  EXPECT_EQ(second.wait(), 0);
  EXPECT_EQ(get("/x").status, 200);
}

INSTANTIATE_TEST_SUITE_P(Engines, WebApplication, both_engines(), engine_name);

// ----- Starts that fail: run() returns 1 and says why in one line.

class RefusedStart : public ::testing::Test {
 protected:
  void refuse(
      std::vector<std::string> arguments, const std::string& expected,
      const std::function<void(web_application&)>& set_up = [](web_application&) {}) {
    web_application app(sources_of(std::move(arguments)));
    set_up(app);
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(app.run(), 1);
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), expected + "\n");
  }
};

TEST_F(RefusedStart, AnUnknownKey) {
  refuse({"--Windhover:Thread=2"},
         "command line --Windhover:Thread: Windhover:Thread is no key of Windhover; did you mean Windhover:Threads?");
}

TEST_F(RefusedStart, AnIllTypedValue) {
  refuse({"--threads", "many"},
         "command line --threads: Windhover:Threads is \"many\"; expected a whole number from 0 to 1024");
}

TEST_F(RefusedStart, AnEngineThatIsNone) {
  refuse({"--engine", "steam"},
         "command line --engine: Windhover:Engine is \"steam\"; expected one of auto, io_uring, epoll");
}

TEST_F(RefusedStart, ABadUrl) {
  refuse({"--urls", "localhost:5000"},
         "command line --urls: Windhover:Urls: cannot listen on 'localhost:5000': the scheme is missing; write "
         "http://localhost:5000 or unix:/run/app.sock");
}

TEST_F(RefusedStart, AMistakeInAFileNamesFileAndLine) {
  const temporary_folder folder;
  folder.write("appsettings.json", "{\n  \"Windhover\": {\n    \"Threads\": \"two\"\n  }\n}\n");
  configuration_sources sources;
  sources.content_root = folder.path();
  web_application app(sources);
  // Setting up goes on as if nothing had happened: only the start fails.
  app.use_websockets();
  app.use_static_files("nowhere");
  app.map_websocket("/ws", echo);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(app.run(), 1);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            (folder.path() / "appsettings.json").string() +
                ", line 3: Windhover:Threads is \"two\"; expected a whole number from 0 to 1024\n");
}

TEST_F(RefusedStart, AnOriginOfTheConfigurationThatIsNone) {
  refuse(
      {"--Windhover:WebSockets:AllowedOrigins:0=example.com", "--urls", "http://127.0.0.1:0"},
      "command line --Windhover:WebSockets:AllowedOrigins:0: Windhover:WebSockets:AllowedOrigins:0 is \"example.com\"; "
      "expected an origin such as https://example.com, null, or *",
      [](web_application& app) { app.use_websockets(); });
}

TEST_F(RefusedStart, AWebRootThatIsNotThere) {
  refuse({"--urls", "http://127.0.0.1:0"}, "the web root '/nowhere/at/all' cannot be served: No such file or directory",
         [](web_application& app) { app.use_static_files("/nowhere/at/all"); });
}

TEST_F(RefusedStart, AContentRootThatIsNotThere) {
  refuse({"--contentRoot", "/nowhere/at/all"},
         "command line --contentRoot: Windhover:ContentRoot is \"/nowhere/at/all\"; expected a folder that is there");
}

TEST_F(RefusedStart, APortInUse) {
  recording_logger log;
  web_application holder(sources_of({"--urls", "http://127.0.0.1:0", "--threads", "1"}));
  holder.use_logger(log);
  holder.start();
  const std::string url = holder.urls().at(0);
  refuse({"--urls", url}, "failed to bind to address " + url + ": address already in use");
}

TEST_F(RefusedStart, AnotherApplicationThatWaitsForTheSignals) {
  recording_logger log;
  web_application first(sources_of({"--urls", "http://127.0.0.1:0", "--threads", "1"}));
  first.use_logger(log);
  std::thread runs([&first] { EXPECT_EQ(first.run(), 0); });
  ASSERT_TRUE(log.gets("Application started."));
  refuse({"--urls", "http://127.0.0.1:0"},
         "another web_application of this process is running and waits for its signals; use start() and wait() for a "
         "second "
         "one");
  first.stop();
  runs.join();
}

TEST_F(RefusedStart, StartThrowsWhatRunWouldSay) {
  web_application app(sources_of({"--threads", "many"}));
  EXPECT_THROW(app.start(), configuration_error);
  web_application other(sources_of({"--urls", "http://192.0.2.1:5000"}));
  EXPECT_THROW(other.start(), std::runtime_error);
  EXPECT_THROW(other.wait(), std::logic_error);
}

TEST_F(RefusedStart, AStartMayBeTriedAgain) {
  recording_logger log;
  auto holder = std::make_unique<web_application>(sources_of({"--urls", "http://127.0.0.1:0", "--threads", "1"}));
  holder->use_logger(log);
  holder->start();
  const std::string url = holder->urls().at(0);
  web_application app(sources_of({"--urls", url}));
  app.use_logger(log);
  app.map("/x", hello);
  EXPECT_THROW(app.start(), std::runtime_error);
  holder.reset();
  app.start();
  EXPECT_EQ(http_client(url).get("/x").body, "hello");
}

// ----- The logger

TEST(OwnLogger, TakesTheLinesAndTheConsoleGetsNone) {
  recording_logger log;
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  web_application app(sources_of({"--urls", "http://127.0.0.1:0", "--threads", "1"}));
  app.use_logger(log);
  EXPECT_EQ(&app.log(), &log);
  app.stop();
  EXPECT_EQ(app.run(), 0);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_TRUE(log.has("Application started."));
}

TEST(OwnLogger, IsToldWhyTheStartFailed) {
  recording_logger log;
  ::testing::internal::CaptureStderr();
  web_application app(sources_of({"--threads", "many"}));
  app.use_logger(log);
  EXPECT_EQ(app.run(), 1);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(log.lines(log_level::critical).size(), 1U);
  EXPECT_EQ(log.lines().size(), 1U);
}

TEST(ConsoleLog, ObeysTheLevelOfTheConfiguration) {
  ::testing::internal::CaptureStdout();
  {
    web_application app(sources_of({"--urls", "http://127.0.0.1:0", "--threads", "1", "--log-level", "error"}));
    app.stop();
    EXPECT_EQ(app.run(), 0);
  }
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
}

// ----- The configuration

TEST(Configuration, IsTheApplicationsToo) {
  configuration_sources sources = sources_of({"--Greeting=hello"});
  sources.environment = {"WINDHOVER_Threads=3"};
  const web_application app(sources);
  EXPECT_EQ(app.configuration()["Greeting"], "hello");
  EXPECT_EQ(app.configuration().get<int>("Windhover:Threads"), 3);
}

TEST(Configuration, ComesFromTheCommandLineOfMain) {
  const char* const arguments[] = {"program", "--Greeting", "hello", "--threads", "2"};
  const web_application app(5, arguments);
  EXPECT_EQ(app.configuration()["Greeting"], "hello");
  EXPECT_EQ(app.configuration()["Windhover:Threads"], "2");
}

}  // namespace
}  // namespace windhover::hosting
