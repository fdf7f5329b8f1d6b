#include "load/pacer.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include <sys/timerfd.h>
#include <unistd.h>

#include "base/system_error.hpp"
#include <windhover/wait_readable.hpp>

namespace windhover::load {
namespace {

class kernel_timer {
 public:
  kernel_timer() : descriptor_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
    if (descriptor_ < 0) base::throw_system_error(errno, "timerfd_create");
  }
  kernel_timer(const kernel_timer&) = delete;
  kernel_timer& operator=(const kernel_timer&) = delete;
  ~kernel_timer() { ::close(descriptor_); }

  int descriptor() const noexcept { return descriptor_; }
  void arm(net::duration in) const {
    constexpr long long a_second = 1'000'000'000;
    const long long nanoseconds = std::max<long long>(std::chrono::nanoseconds(in).count(), 1);
    itimerspec setting{};
    setting.it_value.tv_sec = nanoseconds / a_second;
    setting.it_value.tv_nsec = nanoseconds % a_second;
    ::timerfd_settime(descriptor_, 0, &setting, nullptr);
  }

 private:
  int descriptor_;
};

}  // namespace

task<> keep_pace(net::event_loop& loop, double times_a_second, std::function<void(net::time_point due)> act,
                 std::stop_token stop) {
  const kernel_timer clock;
  const std::chrono::duration<double> interval(1 / times_a_second);
  const net::time_point began = loop.now();
  std::uint64_t acted = 0;
  while (!stop.stop_requested()) {
    net::time_point due;
    for (;; ++acted) {
      due = began + std::chrono::duration_cast<net::duration>(interval * static_cast<double>(acted));
      if (due > loop.now()) break;
      act(due);
    }
    // Arming it anew takes back what it has told.
    clock.arm(due - loop.now());
    co_await wait_readable(clock.descriptor(), stop);
  }
}

}  // namespace windhover::load
