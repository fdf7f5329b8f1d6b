// The server of child_server.cpp as a process of its own, on the engine that is the test's parameter.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "net/engine.hpp"
#include "support/child_process.hpp"

namespace windhover::hosting {

class running_process : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "io_uring" && !net::probe_io_uring().available) GTEST_SKIP() << "io_uring is not available here";
  }
  // Starts the server, with further arguments, and waits until it serves.
  test::child_process& start(std::vector<std::string> further = {}, std::vector<std::string> variables = {}) {
    std::vector<std::string> arguments{"--urls", "http://127.0.0.1:0", "--threads", "2", "--engine", GetParam()};
    arguments.insert(arguments.end(), further.begin(), further.end());
    child.emplace(WINDHOVER_CHILD_SERVER, std::move(arguments), std::move(variables));
    const std::string line = child->wait_for_line("Now listening on: ");
    url = line.substr(line.find("http"));
    child->wait_for_line("Application started. Press Ctrl+C to shut down.");
    return *child;
  }

  std::optional<test::child_process> child;
  std::string url;
};

inline auto both_engines() { return ::testing::Values("io_uring", "epoll"); }
inline std::string engine_name(const ::testing::TestParamInfo<std::string>& info) { return info.param; }

}  // namespace windhover::hosting
