#include "hosting/stop_signal.hpp"

#include <csignal>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>

namespace windhover::hosting {
namespace {

TEST(StopSignal, ARequestFromAnotherThreadEndsTheWait) {
  stop_signal signal;
  std::thread other([&signal] { signal.request(); });
  signal.wait();
  other.join();
}

TEST(StopSignal, ARequestBeforeTheWaitIsNotLost) {
  stop_signal signal;
  signal.request();
  signal.request();
  signal.wait();
}

class from_signals : public ::testing::TestWithParam<int> {};

TEST_P(from_signals, ASignalIsARequest) {
  stop_signal signal;
  const stop_signal::from_signals signals(signal);
  std::raise(GetParam());
  signal.wait();
}

TEST_P(from_signals, TheFirstSignalLeavesTheSecondToTheSystem) {
  stop_signal signal;
  const stop_signal::from_signals signals(signal);
  std::raise(GetParam());
  for (const int each : {SIGINT, SIGTERM}) {
    struct sigaction now {};
    ::sigaction(each, nullptr, &now);
    EXPECT_EQ(now.sa_handler, SIG_DFL);
  }
}

int own_signals = 0;
extern "C" void count_signal(int) { ++own_signals; }

TEST_P(from_signals, AfterwardsTheSignalsDoWhatTheyDidBefore) {
  std::signal(GetParam(), count_signal);
  own_signals = 0;
  stop_signal signal;
  {
    const stop_signal::from_signals signals(signal);
    std::raise(GetParam());
    EXPECT_EQ(own_signals, 0);
  }
  std::raise(GetParam());
  EXPECT_EQ(own_signals, 1);
  std::signal(GetParam(), SIG_DFL);
}

TEST_P(from_signals, BelongToOneAtATime) {
  stop_signal first;
  stop_signal second;
  {
    const stop_signal::from_signals signals(first);
    EXPECT_THROW(stop_signal::from_signals{second}, std::logic_error);
    // The one that was refused has taken nothing away.
    std::raise(GetParam());
    first.wait();
  }
  const stop_signal::from_signals signals(second);
  std::raise(GetParam());
  second.wait();
}

INSTANTIATE_TEST_SUITE_P(StopSignal, from_signals, ::testing::Values(SIGINT, SIGTERM),
                         [](const ::testing::TestParamInfo<int>& each) {
                           return each.param == SIGINT ? "Interrupt" : "Terminate";
                         });

}  // namespace
}  // namespace windhover::hosting
