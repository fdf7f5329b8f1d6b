// What a process costs: this one, a child that has ended, and one that never was.
#include "load/process_watch.hpp"

#include <csignal>
#include <cstddef>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace windhover::load {
namespace {

// Until the clock of the thread's processor time has moved.
void work() {
  const net::duration began = cpu_of_this_thread();
  volatile unsigned long sum = 0;
  while (cpu_of_this_thread() - began < std::chrono::milliseconds(50)) {
    for (unsigned long i = 0; i < 100'000; ++i) sum = sum + i;
  }
}

TEST(ProcessWatch, SeesTheTimeThatThisProcessSpends) {
  const auto before = usage_of(::getpid());
  ASSERT_TRUE(before);
  work();
  const auto after = usage_of(::getpid());
  ASSERT_TRUE(after);
  EXPECT_GE(after->cpu - before->cpu, std::chrono::milliseconds(20));
}

TEST(ProcessWatch, SeesTheMemoryThatThisProcessTouches) {
  const auto before = usage_of(::getpid());
  ASSERT_TRUE(before);
  EXPECT_GT(before->resident, std::uint64_t{1} << 20);
  const std::vector<std::byte> touched(std::size_t{64} << 20, std::byte{1});
  const auto after = usage_of(::getpid());
  ASSERT_TRUE(after);
  EXPECT_GE(after->resident - before->resident, touched.size() / 2);
}

TEST(ProcessWatch, AProcessThatHasEndedIsNone) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ASSERT_GT(child, 0);
  // Ended, but not yet waited for: it has no memory that could be looked at.
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(usage_of(child));
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(usage_of(child));
}

TEST(ProcessWatch, ANumberThatNoProcessCanHaveIsNone) { EXPECT_FALSE(usage_of(1 << 30)); }

}  // namespace
}  // namespace windhover::load
