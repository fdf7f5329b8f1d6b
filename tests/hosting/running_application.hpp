// A web_application on its own threads, a log that can be waited for, and gates for handlers to wait at.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "net/engine.hpp"
#include "support/http_client.hpp"
#include <windhover/completion.hpp>
#include <windhover/web_application.hpp>

namespace windhover::hosting {

inline constexpr std::chrono::seconds patience{test::patience_in_seconds};

class recording_logger final : public logger {
 public:
  void write(log_level level, std::string_view category, std::string_view text) noexcept override {
    const std::lock_guard lock(mutex_);
    lines_.push_back({level, std::string(category) + ": " + std::string(text)});
    changed_.notify_all();
  }
  bool enabled(log_level) const noexcept override { return true; }

  // Lines of at least that level.
  std::vector<std::string> lines(log_level least = log_level::trace) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> found;
    for (const auto& [level, text] : lines_) {
      if (level >= least) found.push_back(text);
    }
    return found;
  }
  // Whether a line with that text is there.
  bool has(std::string_view text) const {
    const std::lock_guard lock(mutex_);
    return find(text);
  }
  // The same, once it comes.
  bool gets(std::string_view text) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return find(text); });
  }

 private:
  struct line {
    log_level level;
    std::string text;
  };
  bool find(std::string_view text) const {
    return std::ranges::any_of(lines_, [&](const line& each) { return each.text.find(text) != std::string::npos; });
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<line> lines_;
};

// What a handler tells the test.
template <class T>
class told {
 public:
  void set(T value) { promise_.set_value(std::move(value)); }
  // Throws when it does not come.
  T get() {
    if (future_.wait_for(patience) != std::future_status::ready)
      throw std::runtime_error("the handler has not said it");
    return future_.get();
  }
  bool is_there() const { return future_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }

 private:
  std::promise<T> promise_;
  std::future<T> future_ = promise_.get_future();
};

// A place where one handler waits until the test lets it go on.
class gate {
 public:
  // The handler's.
  task<> pass() {
    const completion<> open;
    arrived_.set(open);
    co_await open;
  }
  // The test's: returns when the handler waits.
  void await_arrival() { open_ = arrived_.get(); }
  void open() const { open_->set_value(); }

 private:
  told<completion<>> arrived_;
  std::optional<completion<>> open_;
};

inline configuration_sources sources_of(std::vector<std::string> arguments) {
  configuration_sources sources;
  sources.arguments = std::move(arguments);
  sources.read_files = false;
  return sources;
}

// An application on a free port of 127.0.0.1, with two threads, on the engine that is the test's parameter.
class running_application : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (engine() == "io_uring" && !net::probe_io_uring().available) GTEST_SKIP() << "io_uring is not available here";
  }
  void TearDown() override { stop(); }
  // Of tests with further parameters: the one of them that names it.
  virtual std::string engine() const { return GetParam(); }

  // Before start(). Further arguments of the command line.
  web_application& make(std::vector<std::string> further = {}) {
    std::vector<std::string> arguments{"--engine", engine(), "--urls", "http://127.0.0.1:0", "--threads", "2"};
    arguments.insert(arguments.end(), further.begin(), further.end());
    app = std::make_unique<web_application>(sources_of(std::move(arguments)));
    app->use_logger(log);
    return *app;
  }
  void start() {
    app->start();
    url = app->urls().at(0);
  }
  // The exit code.
  int stop() {
    if (!app || url.empty()) return 0;
    app->stop();
    return app->wait();
  }
  test::http_answer get(std::string_view target, std::string_view headers = {}) {
    return test::http_client(url).get(target, headers);
  }

  recording_logger log;
  std::unique_ptr<web_application> app;
  std::string url;
};

inline auto both_engines() { return ::testing::Values("io_uring", "epoll"); }
inline std::string engine_name(const ::testing::TestParamInfo<std::string>& info) { return info.param; }

// "hello" as the whole response.
inline task<> hello(http_context& context) { co_await context.response().write("hello"); }

inline task<> echo(websocket& socket) {
  while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

}  // namespace windhover::hosting
