// An engine without a kernel, for loops that carry only memory pipes: its clock stands still while there is something
// to do and then jumps to the next deadline. So tests of time-outs are exact, take no time, and use the durations that
// people use. When nothing can happen any more, turn() throws instead of waiting for ever.
#pragma once

#include <atomic>
#include <chrono>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "net/engine.hpp"

namespace windhover::test {

class virtual_engine final : public net::engine {
 public:
  std::string_view name() const noexcept override { return "virtual"; }
  net::time_point now() const noexcept override { return now_; }
  // The clock begins with the example of RFC 9110: Sun, 06 Nov 1994 08:49:37 GMT.
  net::wall_time wall_now() const noexcept override {
    return net::wall_time(std::chrono::seconds(784111777)) +
           std::chrono::duration_cast<net::wall_time::duration>(now_ - net::time_point());
  }
  std::size_t fair_share() const noexcept override { return std::numeric_limits<std::size_t>::max(); }

  void open(net::token, int) override { refuse(); }
  void set_receiving(net::token, bool) noexcept override {}
  bool send(net::token, net::send_operation&) noexcept override { return true; }
  void shut_down(net::token) noexcept override {}
  void close(net::token, bool) noexcept override {}
  void listen(net::token, int) override { refuse(); }
  void set_accepting(net::token, bool) noexcept override {}
  void connect(net::token, int, const net::address&) override { refuse(); }
  void poll(net::token, int, short) override { refuse(); }

  void turn(net::engine_events& events, std::optional<net::time_point> deadline) override {
    if (!woken_.exchange(false)) {
      if (!deadline) throw std::logic_error("nothing is under way: this test would wait for ever");
      if (*deadline > now_) now_ = *deadline;
    }
    events.woke();
  }
  void wake() noexcept override { woken_.store(true); }

 private:
  [[noreturn]] static void refuse() { throw std::logic_error("this engine has no descriptors"); }

  net::time_point now_{};
  std::atomic<bool> woken_{false};
};

}  // namespace windhover::test
