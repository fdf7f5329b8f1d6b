// What a load must be, said with the option's name and with what would do instead.
#include "load/load_options.hpp"

#include <chrono>
#include <functional>
#include <limits>
#include <set>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace windhover::load {
namespace {

using std::chrono::milliseconds;

load_options good() { return {.url = "ws://localhost:5000/ws"}; }

std::string complaint_about(const load_options& options) {
  try {
    check(options);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "fine";
}

TEST(LoadOptions, TheirDefaultsAreFine) { EXPECT_EQ(complaint_about(good()), "fine"); }

TEST(LoadOptions, TheEndsOfEveryRangeAreFine) {
  for (const auto& change : std::initializer_list<std::function<void(load_options&)>>{
           [](load_options& of) { of.connections = 1; },
           [](load_options& of) { of.connections = 1'000'000; },
           [](load_options& of) { of.threads = 256; },
           [](load_options& of) { of.in_flight = 100'000; },
           [](load_options& of) { of.least_size = of.most_size = 0; },
           [](load_options& of) { of.least_size = of.most_size = std::size_t{64} << 20; },
           [](load_options& of) { of.rate = 1e9; },
           [](load_options& of) { of.warm_up = milliseconds(0); },
           [](load_options& of) { of.duration = milliseconds(1); },
           [](load_options& of) { of.duration = std::chrono::hours(24); },
           [](load_options& of) { of.url = "ws://unix:/run/app.sock:/ws"; },
       }) {
    load_options options = good();
    change(options);
    EXPECT_EQ(complaint_about(options), "fine");
  }
}

struct refusal {
  std::function<void(load_options&)> change;
  std::string complaint;
};

TEST(LoadOptions, WhatCannotBeIsRefusedWithTheOptionTheValueAndTheRange) {
  for (const refusal& each : std::initializer_list<refusal>{
           {[](load_options& of) { of.connections = 0; }, "--connections is 0; it must be from 1 to 1000000"},
           {[](load_options& of) { of.connections = 1'000'001; },
            "--connections is 1000001; it must be from 1 to 1000000"},
           {[](load_options& of) { of.threads = 0; }, "--threads is 0; it must be from 1 to 256"},
           {[](load_options& of) { of.threads = 257; }, "--threads is 257; it must be from 1 to 256"},
           {[](load_options& of) { of.in_flight = 0; }, "--in-flight is 0; it must be from 1 to 100000"},
           {[](load_options& of) { of.in_flight = 100'001; }, "--in-flight is 100001; it must be from 1 to 100000"},
           {[](load_options& of) { of.least_size = 67'108'865; }, "--size is 67108865; it must be from 0 to 67108864"},
           {[](load_options& of) { of.most_size = 19; }, "--size, at its end, is 19; it must be from 20 to 67108864"},
           {[](load_options& of) { of.most_size = 67'108'865; },
            "--size, at its end, is 67108865; it must be from 20 to 67108864"},
           {[](load_options& of) { of.rate = -1; }, "--rate is -1.000000; it must be from 0 to 1000000000"},
           {[](load_options& of) { of.rate = 1.1e9; }, "--rate is 1100000000.000000; it must be from 0 to 1000000000"},
           {[](load_options& of) { of.rate = std::numeric_limits<double>::quiet_NaN(); },
            "--rate is nan; it must be from 0 to 1000000000"},
           {[](load_options& of) { of.warm_up = milliseconds(-1); },
            "--warm-up is -1 ms; it must be from 0 ms to 24 hours"},
           {[](load_options& of) { of.duration = milliseconds(0); },
            "--duration is 0 ms; it must be from 1 ms to 24 hours"},
           {[](load_options& of) { of.duration = milliseconds(86'400'001); },
            "--duration is 86400001 ms; it must be from 1 ms to 24 hours"},
           {[](load_options& of) { of.patience = milliseconds(0); },
            "--patience is 0 ms; it must be from 1 ms to 24 hours"},
           {[](load_options& of) { of.process = -1; }, "--pid is -1; it must be the number of a process, or 0"},
       }) {
    load_options options = good();
    each.change(options);
    EXPECT_EQ(complaint_about(options), each.complaint);
  }
}

TEST(LoadOptions, AUrlThatIsNoneIsRefusedWithTheRemedy) {
  load_options options = good();
  options.url = "http://localhost/";
  EXPECT_NE(complaint_about(options).find("'http://localhost/' is no URL of a WebSocket server"), std::string::npos)
      << complaint_about(options);
}

TEST(LoadOptions, ABroadcastNeedsRoomForTheNumberOfItsMessages) {
  load_options options = good();
  options.scenario = scenario::broadcast;
  options.least_size = options.most_size = 15;
  EXPECT_EQ(complaint_about(options), "--size is 15; it must be from 16 to 67108864");
  options.least_size = options.most_size = 16;
  EXPECT_EQ(complaint_about(options), "fine");
}

TEST(LoadOptions, ARateIsForScenariosWithMessages) {
  for (const scenario which : {scenario::echo, scenario::broadcast}) {
    load_options options = good();
    options.scenario = which;
    options.rate = 10;
    EXPECT_EQ(complaint_about(options), "fine");
  }
  for (const scenario which : {scenario::idle, scenario::churn, scenario::storm}) {
    load_options options = good();
    options.scenario = which;
    options.rate = 10;
    EXPECT_EQ(complaint_about(options), "--rate is 10.000000; it must be 0 (left out) in the scenario " +
                                            std::string(name_of(which)) + ", which has none");
  }
}

TEST(LoadOptions, EveryScenarioHasItsOwnName) {
  std::set<std::string> names;
  for (const scenario which : {scenario::echo, scenario::broadcast, scenario::idle, scenario::churn, scenario::storm}) {
    names.insert(name_of(which));
  }
  EXPECT_EQ(names, (std::set<std::string>{"echo", "broadcast", "idle", "churn", "storm"}));
}

}  // namespace
}  // namespace windhover::load
