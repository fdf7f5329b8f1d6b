// An application that is set up, started and stopped when memory runs out: whichever allocation of the thread that does
// so fails, it is told so by std::bad_alloc, and the application ends as one that was never started. This program has
// operator new replaced.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <new>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "hosting/running_application.hpp"
#include "hosting/temporary_folder.hpp"
#include "net/self_signed_certificate.hpp"
#include "simulation/failing_allocations.hpp"

namespace windhover::hosting {
namespace {

using simulation::failing_allocation;

class silent_logger final : public logger {
 public:
  void write(log_level, std::string_view, std::string_view) noexcept override {}
  bool enabled(log_level) const noexcept override { return true; }
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
    app.use([](http_context&, const next_middleware& next) -> task<> { co_await next(); });
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
  silent_logger log;
};

INSTANTIATE_TEST_SUITE_P(All, WebApplicationMemory, both_engines(), engine_name);

TEST_P(WebApplicationMemory, WhicheverAllocationFailsTheCallerIsTold) {
  simulation::fail_each_allocation(100, [this](std::uint64_t failing) { return run(failing); });
}

}  // namespace
}  // namespace windhover::hosting
