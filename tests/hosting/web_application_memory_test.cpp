// An application that is set up, started and stopped when memory runs out: whichever allocation of the thread that does
// so fails, it is told so by std::bad_alloc, and the application ends as one that was never started. This program has
// operator new replaced.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>

#include "hosting/running_application.hpp"
#include "hosting/served_endpoints.hpp"
#include "hosting/settings.hpp"
#include "hosting/temporary_folder.hpp"
#include "net/self_signed_certificate.hpp"
#include "simulation/failing_allocations.hpp"
#include <windhover/sleep_for.hpp>

namespace windhover::hosting {
namespace {

using simulation::failing_allocation;

// Counts, and keeps nothing.
class counting_logger final : public logger {
 public:
  void write(log_level, std::string_view, std::string_view text) noexcept override {
    if (text.find("were read again") != std::string_view::npos) ++read_again;
  }
  bool enabled(log_level) const noexcept override { return true; }

  std::atomic<int> read_again = 0;
};

class WebApplicationMemory : public ::testing::TestWithParam<std::string> {
 protected:
  WebApplicationMemory() {
    const net::made_certificate made = net::make_self_signed({.common_name = "localhost"});
    folder.write("site.pem", made.certificate + made.key);
    std::filesystem::create_directory(folder.path() / "www");
  }

  configuration_sources sources() const {
    return sources_of({"--engine", GetParam(), "--threads", "2",                                        //
                       "--urls", "http://127.0.0.1:0;https://127.0.0.1:0",                              //
                       "--Windhover:Certificates:Default:Path", (folder.path() / "site.pem").string(),  //
                       "--Greeting", "a text that is not kept in place"});
  }

  void set_up(web_application& app) {
    app.use_logger(log);
    app.use_websockets({.allowed_origins = {"https://example.com"}});
    app.use_static_files({.root = (folder.path() / "www").string()});
    app.use([](http_context&, next_middleware next) -> task<> { co_await next(); });
    app.map_get("/hello/{name}", hello);
    app.map_websocket("/ws", echo);
  }

  // Whether an allocation has failed in it.
  bool run(std::uint64_t failing) {
    const configuration_sources from = sources();
    const failing_allocation failure(failing);
    try {
      web_application app(from);
      set_up(app);
      app.start();
      EXPECT_EQ(app.urls().size(), 2U);
      app.stop();
      EXPECT_EQ(app.wait(), 0);
    } catch (const std::bad_alloc&) {
      EXPECT_TRUE(failure.has_come());
    }
    return failure.has_come();
  }

  temporary_folder folder;
  counting_logger log;
};

INSTANTIATE_TEST_SUITE_P(All, WebApplicationMemory, both_engines(), engine_name);

TEST_P(WebApplicationMemory, WhicheverAllocationFailsTheCallerIsTold) {
  simulation::fail_each_allocation(100, [this](std::uint64_t failing) { return run(failing); });
}

// Whether an allocation has failed while certificates were read again, of which one was whole or broken.
bool reload(web_application& app, bool whole, std::uint64_t failing) {
  const failing_allocation failure(failing);
  const bool well = app.reload_certificates();
  EXPECT_TRUE(whole ? well || failure.has_come() : !well);
  return failure.has_come();
}

TEST_P(WebApplicationMemory, CertificatesAreReadAgainOrStay) {
  web_application app(sources());
  set_up(app);
  app.start();
  simulation::fail_each_allocation(10, [&app](std::uint64_t failing) { return reload(app, true, failing); });
  EXPECT_TRUE(app.reload_certificates());
  folder.write("site.pem", "no certificate");
  simulation::fail_each_allocation(3, [&app](std::uint64_t failing) { return reload(app, false, failing); });
}

// What could not be read for lack of memory is read the next time that somebody looks.
TEST(ServedEndpointsMemory, AChangeIsNotLost) {
  const temporary_folder folder;
  counting_logger log;
  const auto write = [&folder](const std::string& name) {
    const net::made_certificate made = net::make_self_signed({.common_name = name});
    folder.write("site.pem", made.certificate + made.key);
  };
  write("first");
  const settings from = read_settings(
      configuration::load(sources_of({"--urls", "https://127.0.0.1:0", "--Windhover:Certificates:Default:Path",
                                      (folder.path() / "site.pem").string()})));
  served_endpoints endpoints(from, {}, log);
  simulation::fail_each_allocation(10, [&](std::uint64_t failing) {
    write("next");
    const int before = log.read_again;
    bool failed = false;
    bool well = false;
    {
      const failing_allocation failure(failing);
      well = endpoints.reload_certificates(served_endpoints::reload::changed);
      failed = failure.has_come();
    }
    EXPECT_TRUE(endpoints.reload_certificates(served_endpoints::reload::changed));
    EXPECT_TRUE(well || log.read_again > before);
    return failed;
  });
}

TEST_P(WebApplicationMemory, AnApplicationWithWaitingHandlersStopsWithout) {
  web_application app(sources());
  set_up(app);
  told<bool> waiting;
  app.map_get("/wait", [&](http_context&) -> task<> {
    waiting.set(true);
    static_cast<void>(co_await sleep_for(std::chrono::hours(1), app.stopping()));
  });
  app.start();
  std::thread client([&app] { static_cast<void>(test::http_client(app.urls().at(0)).get("/wait")); });
  EXPECT_TRUE(waiting.get());
  {
    const failing_allocation failure(1);
    app.stop();
    EXPECT_EQ(app.wait(), 0);
    EXPECT_FALSE(failure.has_come());
  }
  client.join();
}

}  // namespace
}  // namespace windhover::hosting
